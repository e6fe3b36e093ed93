# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a client may say to be let in, what it may leave out of a message, and how messages may arrive. S0.5: plain
D-Bus goes by the credentials that the kernel vouches for, whatever the client says of itself."""
import os
import re
import socket

import caller
import classic
import dbus
from testcase import OTHER, USER, DaemonTest

PROPERTIES = "org.freedesktop.DBus.Properties"
INTROSPECTABLE = "org.freedesktop.DBus.Introspectable"
PEER = "org.freedesktop.DBus.Peer"


def hex_of(text) -> str:
    return str(text).encode().hex()


class Authentication(DaemonTest):
    def connection(self) -> dbus.Connection:
        connection = self.daemon.connect(authenticate=False)
        self.addCleanup(connection.close)
        connection.send(b"\0")
        return connection

    def begin(self, connection: dbus.Connection) -> None:
        """Ends authentication; the connection then has to serve."""
        connection.send(b"BEGIN\r\n")
        self.assertIsNone(classic.call(connection, "Ping", 1))

    def test_external_is_let_in_with_and_without_an_initial_response(self):
        for lines in (["AUTH EXTERNAL " + hex_of(os.getuid())], ["AUTH EXTERNAL", "DATA " + hex_of(os.getuid())],
                      ["AUTH EXTERNAL", "DATA"], ["AUTH EXTERNAL "]):
            with self.subTest(lines=lines):
                connection = self.connection()
                answers = [connection.say(line) for line in lines]
                self.assertRegex(answers[-1], "^OK [0-9a-f]{32}$")
                if len(answers) == 2:
                    self.assertEqual(answers[0], "DATA")
                self.begin(connection)

    def test_anonymous_is_let_in(self):
        connection = self.connection()
        self.assertRegex(connection.say("AUTH ANONYMOUS " + hex_of("trace")), "^OK ")
        self.begin(connection)

    def test_other_mechanisms_are_rejected_and_another_may_follow(self):
        connection = self.connection()
        for line in ("AUTH DBUS_COOKIE_SHA1 " + hex_of("root"), "AUTH KERBEROS_V4", "AUTH", "AUTH external"):
            self.assertEqual(connection.say(line), "REJECTED EXTERNAL ANONYMOUS")
        self.assertRegex(connection.say("AUTH ANONYMOUS"), "^OK ")
        self.begin(connection)

    def test_passing_of_descriptors_is_agreed_to_after_authentication_alone(self):
        connection = self.connection()
        self.assertRegex(connection.say("NEGOTIATE_UNIX_FD"), "^ERROR")
        connection.say("AUTH ANONYMOUS")
        self.assertEqual(connection.say("NEGOTIATE_UNIX_FD"), "AGREE_UNIX_FD")
        self.begin(connection)

    def test_cancel_begins_anew(self):
        connection = self.connection()
        self.assertEqual(connection.say("AUTH EXTERNAL"), "DATA")
        self.assertRegex(connection.say("CANCEL"), "^REJECTED ")
        self.assertRegex(connection.say("DATA " + hex_of(0)), "^ERROR")
        self.assertRegex(connection.say("AUTH EXTERNAL " + hex_of(0)), "^OK ")
        self.begin(connection)

    def test_who_does_not_speak_the_protocol_is_thrown_out(self):
        for said in (b"GET / HTTP/1.0\r\n", b"\0BEGIN\r\n", b"\0" + b"x" * 5000, b"\0" + b"AUTH\r\n" * 100,
                     b"\0AUTH ANONYMOUS\r\nCANCEL\r\nBEGIN\r\n"):
            with self.subTest(said=said[:30]):
                connection = self.daemon.connect(authenticate=False)
                self.addCleanup(connection.close)
                connection.send(said)
                self.assertTrue(connection.is_closed())

    def test_a_claimed_uid_changes_nothing(self):
        user = self.caller("user", USER)
        mine = self.sandbox.make("freezer", "user/of-root")
        for claim in (0, OTHER):
            connected = user.do(claiming, claim)
            self.assertEqual(connected, "OK")
            with self.refused("only the owner"):
                user.do(call_claiming, "Chmod", "freezer", "of-root", "", 0o777)
        self.assertEqual(mine.stat().st_mode & 0o777, 0o755)


def claiming(uid: int) -> str:
    """In a caller: a connection that says that it is another uid's; kept for call_claiming."""
    connection = caller.fresh_connection(authenticate=False)
    connection.send(b"\0")
    answer = connection.say("AUTH EXTERNAL " + hex_of(uid))
    connection.send(b"BEGIN\r\n")
    caller.kept["claiming"] = connection
    return answer.split()[0]


def call_claiming(member, *arguments):
    return classic.call(caller.kept["claiming"], member, *arguments)


class Messages(DaemonTest):
    def setUp(self):
        self.connection = self.daemon.connect()
        self.addCleanup(self.connection.close)

    def ping(self, **fields) -> dbus.Message:
        return self.connection.ask(classic.message("Ping", 1, **fields))

    def assert_answered(self, reply: dbus.Message) -> None:
        self.assertEqual((reply.type, reply.body), (dbus.RETURN, ()))

    def assert_unknown(self, reply: dbus.Message, member: str, signature: str, interface: str) -> None:
        self.assertEqual((reply.type, reply.error), (dbus.ERROR, classic.UNKNOWN))
        self.assertEqual(reply.body[0], f'Method "{member}" with signature "{signature}" on interface "{interface}" '
                                        "doesn't exist\n")

    def test_the_interface_may_be_left_out(self):
        self.assert_answered(self.ping(interface=""))

    def test_any_destination_and_sender_is_accepted(self):
        for name in ("org.linuxcontainers.cgmanager", ":1.7", "x.y"):
            self.assert_answered(self.ping(destination=name, sender=name))

    def test_unknown_methods_interfaces_and_paths_are_named(self):
        self.assert_unknown(self.connection.ask(dbus.Message(path=classic.OBJECT, interface=classic.INTERFACE,
                                                             member="Pong", signature="is", body=(1, "x"))),
                            "Pong", "is", classic.INTERFACE)
        self.assert_unknown(self.ping(interface="a.b"), "Ping", "i", "a.b")
        self.assert_unknown(self.ping(path="/"), "Ping", "i", classic.INTERFACE)
        self.assert_unknown(self.ping(path=classic.OBJECT + "/x"), "Ping", "i", classic.INTERFACE)
        self.assert_unknown(self.ping(path="/org/linuxcontainers"), "Ping", "i", classic.INTERFACE)

    def test_arguments_that_are_missing_too_many_or_of_another_type_are_refused(self):
        for signature, body in (("", ()), ("s", ("1",)), ("ii", (1, 2)), ("u", (1,)), ("v", (("i", 1),)),
                                ("(i)", ((1,),))):
            with self.subTest(signature=signature):
                reply = self.connection.ask(classic.message("Ping", *body, signature=signature))
                self.assertEqual((reply.error, reply.body[0]), (classic.ERROR, "Invalid arguments to Ping method"))

    def test_no_reply_is_sent_where_none_is_expected(self):
        root = self.caller("root")
        self.assertEqual(root.do(create_without_reply, "unanswered"), "Ping")
        self.assertTrue(self.sandbox.dir("freezer", "root/unanswered").is_dir())

    def test_messages_that_are_no_calls_are_passed_over(self):
        for kind, fields in ((dbus.SIGNAL, {"path": "/a", "interface": "a.b", "member": "C"}),
                             (dbus.RETURN, {"reply_to": 77}), (dbus.ERROR, {"reply_to": 77, "error": "a.b"})):
            self.connection.send(dbus.encode(dbus.Message(type=kind, serial=500 + kind, **fields)))
        self.assert_answered(self.ping())

    def test_big_endian_messages_are_understood(self):
        self.assert_answered(self.ping(order=">"))
        reply = self.connection.ask(classic.message("GetPidCgroup", "nonsense", 1, order=">"))
        self.assertEqual(reply.error, classic.ERROR)

    def test_a_message_may_arrive_byte_by_byte(self):
        self.connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        data = dbus.encode(classic.message("Ping", 1, serial=9))
        for i in range(len(data)):
            self.connection.send(data[i:i + 1])
        self.assertEqual(self.connection.receive().reply_to, 9)

    def test_authentication_and_calls_may_come_in_one_piece(self):
        calls = [dbus.encode(classic.message("Ping", 1, serial=n)) for n in range(1, 200)]
        with self.daemon.connect(authenticate=False) as connection:
            connection.send(b"\0AUTH EXTERNAL " + hex_of(os.getuid()).encode() + b"\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n" +
                            b"".join(calls))
            self.assertRegex(connection.line(), "^OK ")
            self.assertEqual(connection.line(), "AGREE_UNIX_FD")
            self.assertEqual([connection.receive().reply_to for _ in calls], list(range(1, 200)))

    def test_answers_keep_the_order_of_the_calls(self):
        # GetTasks is a worker's, Ping is answered at once: neither overtakes the other.
        serials = list(range(1, 41))
        self.connection.send(b"".join(
            dbus.encode(classic.message("GetTasks", "freezer", "", serial=n) if n % 2 else
                        classic.message("Ping", 1, serial=n)) for n in serials))
        self.assertEqual([self.connection.receive().reply_to for _ in serials], serials)

    def test_calls_are_served_to_the_last_after_the_client_has_closed_its_side(self):
        serials = list(range(1, 101))
        self.connection.send(b"".join(dbus.encode(classic.message("Ping", 1, serial=n)) for n in serials))
        self.connection.socket.shutdown(socket.SHUT_WR)
        self.assertEqual([self.connection.receive().reply_to for _ in serials], serials)
        self.assertTrue(self.connection.is_closed())


def create_without_reply(name: str) -> str:
    """In a caller: Create that wants no answer, then Ping; what the first message is that comes back."""
    with caller.fresh_connection() as connection:
        connection.send(dbus.encode(classic.message("Create", "freezer", name, serial=1, flags=dbus.NO_REPLY_EXPECTED)))
        connection.send(dbus.encode(classic.message("Ping", 1, serial=2)))
        return {1: "Create", 2: "Ping"}[connection.receive().reply_to]


class StandardInterfaces(DaemonTest):
    def setUp(self):
        self.connection = self.daemon.connect()
        self.addCleanup(self.connection.close)

    def call(self, interface: str, member: str, signature: str = "", *body, path: str = classic.OBJECT):
        return self.connection.call(path, interface, member, signature, *body)

    def assert_error(self, name: str, text: str, *call, **options) -> None:
        with self.assertRaises(dbus.Refused) as caught:
            self.call(*call, **options)
        self.assertEqual(caught.exception.name, name)
        self.assertRegex(caught.exception.text, text)

    def test_api_version_can_be_read_and_not_set(self):
        self.assertEqual(self.call(PROPERTIES, "Get", "ss", classic.INTERFACE, "api_version"), 10)
        self.assertEqual(self.call(PROPERTIES, "GetAll", "s", classic.INTERFACE), [("api_version", 10)])
        self.assertFalse(self.call(PROPERTIES, "GetAll", "s", "a.b"))
        self.assert_error("org.freedesktop.DBus.Error.AccessDenied", "^The api_version property is read-only$",
                          PROPERTIES, "Set", "ssv", classic.INTERFACE, "api_version", ("i", 11))

    def test_other_properties_do_not_exist(self):
        for interface, name in ((classic.INTERFACE, "x"), ("a.b", "api_version")):
            self.assert_error(classic.UNKNOWN, "doesn't exist", PROPERTIES, "Get", "ss", interface, name)

    def test_peer_answers_on_any_path(self):
        for path in (classic.OBJECT, "/", "/a/b"):
            self.assertIsNone(self.call(PEER, "Ping", path=path))
        try:
            with open("/etc/machine-id") as file:
                self.assertEqual(self.call(PEER, "GetMachineId"), file.read().strip())
        except FileNotFoundError:
            self.assert_error("org.freedesktop.DBus.Error.FileNotFound", "machine id", PEER, "GetMachineId")

    def test_hello_gives_a_name_and_rules_are_taken(self):
        bus = ("/org/freedesktop/DBus", "org.freedesktop.DBus")
        self.assertRegex(self.connection.call(*bus, "Hello"), r"^:1\.\d+$")
        for member in ("AddMatch", "RemoveMatch"):
            self.assertIsNone(self.connection.call(*bus, member, "s", "type='signal'"))
        with self.daemon.connect() as other:
            self.assertNotEqual(other.call(*bus, "Hello"), self.connection.call(*bus, "Hello"))

    def test_introspection_leads_from_the_root_to_the_object(self):
        path = ""
        for child in classic.OBJECT.strip("/").split("/"):
            xml = self.call(INTROSPECTABLE, "Introspect", path=path or "/")
            self.assertEqual(re.findall(r'<node name="(.*)"/>', xml), [child])
            path += "/" + child
        self.assert_error(classic.UNKNOWN, "doesn't exist", INTROSPECTABLE, "Introspect", path=path + "/further")

    def test_introspection_shows_each_method_with_its_types(self):
        xml = self.call(INTROSPECTABLE, "Introspect")
        shown = {}
        interface = re.search(rf'<interface name="{re.escape(classic.INTERFACE)}">(.*?)</interface>', xml, re.S).group(1)
        for name, body in re.findall(r'<method name="(\w+)">(.*?)</method>', interface, re.S):
            arguments = re.findall(r'<arg name="\w+" type="([^"]+)" direction="(in|out)"/>', body)
            shown[name] = tuple("".join(kind for kind, way in arguments if way == wanted) for wanted in ("in", "out"))
        self.assertEqual(shown, classic.METHODS)
        self.assertIn('<property name="api_version" type="i" access="read"', interface)
