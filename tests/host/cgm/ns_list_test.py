# SPDX-License-Identifier: LGPL-2.1-or-later
"""cgm ns list, show and same, against /proc; ns_peers_test.py has them beside lsns(8)."""
import json
import os
import re
import subprocess

import suite
from namespaces import KINDS, NamespaceTest, as_user, inode, inodes
from testcase import USER

NO_PID = 2**30  # above what the kernel gives out


def parents_in(tree: str) -> dict[int, int | None]:
    """Of each number in a tree the one that it hangs below."""
    above, found = [], {}
    for line in tree.splitlines():
        number = re.search(r"\d+", line)
        del above[number.start() // 2:]
        found[int(number[0])] = above[-1] if above else None
        above.append(int(number[0]))
    return found


class List(NamespaceTest):
    def test_a_new_namespace_is_there_with_leader_count_and_owner(self):
        one = self.inhabitant("unshare", "--net")
        entry = self.entries()[inode(one.pid, "net")]
        self.assertEqual((entry["kind"], entry["processes"], entry["kept_by"]), ("net", 1, ["process"]))
        self.assertEqual((entry["leader"]["pid"], entry["leader"]["parent"]), (one.pid, os.getpid()))
        self.assertEqual((entry["leader"]["uid"], entry["leader"]["user"]), (0, "root"))
        self.assertTrue(entry["leader"]["command"].startswith("sh -c"), entry)
        self.assertEqual(entry["owner"], inode("self", "user"))

    def test_all_processes_of_a_namespace_are_counted_and_the_lowest_pid_leads(self):
        one = self.inhabitant("unshare", "--uts")
        more = [self.inhabitant("nsenter", "--target", one.pid, "--uts") for _ in range(3)]
        entry = self.entries("--kind", "uts")[inode(one.pid, "uts")]
        self.assertEqual(entry["processes"], 4)
        self.assertEqual(entry["leader"]["pid"], min(one.pid, *(each.pid for each in more)))

    def test_a_namespace_is_gone_with_its_last_process(self):
        one = self.inhabitant("unshare", "--ipc")
        number = inode(one.pid, "ipc")
        self.assertIn(number, self.entries())
        one.close()
        self.assertNotIn(number, self.entries("--all"))

    def test_every_kind_is_found_once(self):
        one = self.inhabitant("unshare", "--mount", "--uts", "--ipc", "--net", "--user", "--cgroup", "--pid", "--fork")
        listed = self.json("list")["namespaces"]
        for kind, number in inodes(one.pid).items():
            found = [entry for entry in listed if entry["ns"] == number]
            self.assertEqual([entry["kind"] for entry in found], [kind])

    def test_kind_shows_these_kinds_alone(self):
        one = self.inhabitant("unshare", "--net", "--uts", "--ipc")
        entries = self.entries("--kind", "net,uts")
        self.assertEqual({entry["kind"] for entry in entries.values()}, {"net", "uts"})
        self.assertIn(inode(one.pid, "net"), entries)
        self.assertIn(inode(one.pid, "uts"), entries)

    def test_a_kind_has_the_kernels_name_too(self):
        for name in ("mnt", "mount"):
            self.assertIn(inode("self", "mount"), self.entries("--kind", name))

    def test_an_unknown_kind_is_a_usage_error_that_names_it(self):
        self.assertIn("nett", self.cgm("list", "--kind", "nett", status=2).stderr)

    def test_pid_shows_what_this_process_is_in(self):
        one = self.inhabitant("unshare", "--net", "--mount")
        entries = self.entries("--pid", one.pid)
        self.assertEqual({entry["kind"]: number for number, entry in entries.items()}, inodes(one.pid))

    def test_user_shows_and_counts_this_users_processes_alone(self):
        own = self.inhabitant(*as_user(USER), "unshare", "--map-root-user", "--net")
        other = self.inhabitant("unshare", "--net")
        shared = self.inhabitant("nsenter", "--target", own.pid, "--net")  # root's, in the user's
        entries = self.entries("--user", USER)
        entry = entries[inode(own.pid, "net")]
        self.assertEqual((entry["processes"], entry["leader"]["pid"], entry["leader"]["uid"]), (1, own.pid, USER))
        self.assertEqual(self.entries()[inode(shared.pid, "net")]["processes"], 2)
        self.assertNotIn(inode(other.pid, "net"), entries)
        self.assertEqual({one["leader"]["uid"] for one in entries.values()}, {USER})

    def test_a_user_may_be_named(self):
        self.assertEqual({one["leader"]["uid"] for one in self.entries("--user", "root").values()}, {0})
        self.assertIn("nobody-of-that-name", self.cgm("list", "--user", "nobody-of-that-name", status=2).stderr)

    def test_the_maker_of_a_user_namespace_is_told(self):
        one = self.inhabitant(*as_user(USER), "unshare", "--map-root-user")
        entry = self.entries()[inode(one.pid, "user")]
        self.assertEqual((entry["maker_uid"], entry["owner"]), (USER, inode("self", "user")))
        self.assertEqual(entry["parent"], entry["owner"])

    def test_what_a_user_namespace_owns_names_it_as_the_owner(self):
        one = self.inhabitant("unshare", "--user", "--net")
        entries = self.entries()
        self.assertEqual(entries[inode(one.pid, "net")]["owner"], inode(one.pid, "user"))
        self.assertIn("namespace", entries[inode(one.pid, "user")]["kept_by"])

    def test_a_kernel_thread_has_its_name_in_brackets(self):
        kernel = next((int(pid) for pid in os.listdir("/proc") if pid.isdigit() and not _command(pid)
                       and _is_readable(pid)), None)
        if kernel is None:
            self.skipTest("no kernel thread whose namespaces may be seen")
        self.assertRegex(self.json("show", kernel)["command"], r"^\[.+\]$")


def _command(pid) -> bytes:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read()
    except OSError:
        return b"gone"


def _is_readable(pid) -> bool:
    try:
        return bool(os.readlink(f"/proc/{pid}/ns/mnt"))
    except OSError:
        return False


class Kept(NamespaceTest):
    """Namespaces without a process."""

    def test_a_mount_keeps_one_when_its_last_process_has_died(self):
        one = self.inhabitant("unshare", "--net")
        number = inode(one.pid, "net")
        file = self.pin(f"/proc/{one.pid}/ns/net")
        self.assertEqual(self.entries()[number]["kept_by"], ["process", "mount"])
        one.close()
        entry = self.entries()[number]
        self.assertEqual((entry["processes"], entry["kept_by"], entry["mounts"]), (0, ["mount"], [file]))
        self.assertEqual(entry["owner"], inode("self", "user"))
        self.assertNotIn("leader", entry)

    def test_a_mount_in_another_mount_namespace_keeps_one_too(self):
        one = self.inhabitant("unshare", "--net")
        number = inode(one.pid, "net")
        file = self.folder / "elsewhere"
        file.touch()
        keeper = self.inhabitant("unshare", "--mount")
        subprocess.run(["nsenter", f"--mount=/proc/{keeper.pid}/ns/mnt", "mount", "--bind", f"/proc/{one.pid}/ns/net",
                        str(file)], check=True)
        one.close()
        entry = self.entries("--kind", "net")[number]
        self.assertEqual((entry["processes"], entry["kept_by"], entry["mounts"]), (0, ["mount"], [str(file)]))
        keeper.close()
        self.assertTrue(suite.eventually(lambda: number not in self.entries("--all")))

    def test_persistent_shows_only_what_has_no_process(self):
        pinned, other = self.inhabitant("unshare", "--uts"), self.inhabitant("unshare", "--uts")
        number = inode(pinned.pid, "uts")
        self.pin(f"/proc/{pinned.pid}/ns/uts")
        self.assertNotIn(number, self.entries("--persistent"))
        pinned.close()
        entries = self.entries("--persistent")
        self.assertIn(number, entries)
        self.assertNotIn(inode(other.pid, "uts"), entries)
        self.assertEqual({entry["processes"] for entry in entries.values()}, {0})

    def test_a_descriptor_keeps_one_which_all_finds(self):
        one = self.inhabitant("unshare", "--net")
        number = inode(one.pid, "net")
        held = os.open(f"/proc/{one.pid}/ns/net", os.O_RDONLY)
        self.addCleanup(os.close, held)
        one.close()
        self.assertNotIn(number, self.entries())
        entry = self.entries("--all")[number]
        self.assertEqual((entry["processes"], entry["kept_by"]), (0, ["descriptor"]))
        self.assertEqual(entry["descriptors"], [{"pid": os.getpid(), "fd": held}])
        self.assertEqual(entry["owner"], inode("self", "user"))

    def test_a_descriptor_of_a_child_keeps_the_parents_of_a_namespace(self):
        one = self.inhabitant("unshare", "--map-root-user", "unshare", "--user")
        inner = inode(one.pid, "user")
        outer = self.entries()[inner]["owner"]
        held = os.open(f"/proc/{one.pid}/ns/user", os.O_RDONLY)
        self.addCleanup(os.close, held)
        one.close()
        entries = self.entries("--all", "--persistent")
        self.assertEqual((entries[inner]["kept_by"], entries[outer]["kept_by"]), (["descriptor"], ["namespace"]))
        self.assertEqual(entries[outer]["owner"], inode("self", "user"))

    def test_a_descriptor_opened_at_a_mount_keeps_one_when_the_mount_has_gone(self):
        one = self.inhabitant("unshare", "--net")
        number = inode(one.pid, "net")
        file = self.folder / "unmounted"
        file.touch()
        subprocess.run(["mount", "--bind", f"/proc/{one.pid}/ns/net", str(file)], check=True)
        held = os.open(file, os.O_RDONLY)
        subprocess.run(["umount", "--lazy", str(file)], check=True)
        self.addCleanup(os.close, held)
        one.close()
        entry = self.entries("--all")[number]
        self.assertEqual((entry["kept_by"], entry["descriptors"]), (["descriptor"], [{"pid": os.getpid(), "fd": held}]))

    def test_a_pid_namespace_for_children_is_told_with_the_process_that_makes_them(self):
        one = self.inhabitant("unshare", "--pid", script="sh -c 'read line' <&3 &")
        parent, child = one.pids
        number = inode(child, "pid")
        self.assertEqual(inode(parent, "pid_for_children"), number)
        entry = self.entries("--all")[number]
        self.assertEqual((entry["leader"]["pid"], entry["for_children_of"]), (child, [parent]))
        self.assertEqual(entry["kept_by"], ["process", "children"])
        self.assertNotIn("for_children_of", self.entries()[number])

    def test_a_pid_namespace_whose_first_process_died_is_kept_by_the_process_that_made_it(self):
        one = self.inhabitant("unshare", "--pid", script="sh -c :")
        number = inode(one.pid, "pid_for_children")
        self.assertNotIn(number, self.entries())
        entry = self.entries("--all")[number]
        self.assertEqual((entry["kept_by"], entry["for_children_of"]), (["children"], [one.pid]))

    def test_a_time_namespace_for_children_is_found_before_there_is_a_child(self):
        one = self.time_maker()
        number = inode(one.pid, "time_for_children")
        self.assertNotIn(number, self.entries())
        entry = self.entries("--all")[number]
        self.assertEqual((entry["kept_by"], entry["for_children_of"]), (["children"], [one.pid]))


class Shape(NamespaceTest):
    """Of what is printed."""

    def lines(self, *arguments: str) -> list[str]:
        return self.output("list", *arguments).splitlines()

    def test_a_tree_by_owner_hangs_a_namespace_below_the_user_namespace_that_owns_it(self):
        one = self.inhabitant("unshare", "--map-root-user", "--net", "unshare", "--user", "--uts")
        found = parents_in(self.output("list", "--tree", "--no-heading", "-o", "NS"))
        user, net = inode(one.pid, "user"), inode(one.pid, "net")
        self.assertEqual(found[inode(one.pid, "uts")], user)
        self.assertEqual(found[user], found[net])
        self.assertEqual(found[found[net]], inode("self", "user"))
        again = parents_in(self.output("list", "--tree=owner", "--no-heading", "-o", "NS"))
        for number in (user, net, inode(one.pid, "uts")):
            self.assertEqual(again[number], found[number])

    def test_a_tree_by_parent_hangs_a_pid_namespace_below_the_one_that_it_was_made_in(self):
        one = self.inhabitant(*["unshare", "--pid", "--fork"] * 3)
        found = parents_in(self.output("list", "--kind", "pid", "--tree=parent", "--no-heading", "-o", "NS"))
        chain = [inode(pid, "pid") for pid in one.pids]
        self.assertEqual(len(set(chain)), 4)
        self.assertEqual([found[number] for number in chain[1:]], chain[:-1])

    def test_a_tree_has_no_third_way(self):
        self.assertIn("both", self.cgm("list", "--tree=both", status=2).stderr)

    def test_columns_are_those_asked_for_in_their_order(self):
        one = self.inhabitant("unshare", "--net")
        heading, *rows = self.lines("-o", "kind,NS,procs,LEADER,PARENTPID,UID,USER,OWNER,PATH", "--kind", "net")
        self.assertEqual(heading.split(), "KIND NS PROCS LEADER PARENTPID UID USER OWNER PATH".split())
        row = next(row.split() for row in rows if str(inode(one.pid, "net")) in row)
        self.assertEqual(row, ["net", str(inode(one.pid, "net")), "1", str(one.pid), str(os.getpid()), "0", "root",
                               str(inode("self", "user")), f"/proc/{one.pid}/ns/net"])

    def test_columns_without_a_value_have_a_dash(self):
        one = self.inhabitant("unshare", "--net")
        file = self.pin(f"/proc/{one.pid}/ns/net")
        number = inode(one.pid, "net")
        one.close()
        row, = self.lines("-n", "-P", "-r", "-k", "net", "-o", "NS,LEADER,UID,USER,PARENT,MAKER,PATH,MOUNTS,COMMAND")
        self.assertEqual(row.split(" "), [str(number), "-", "-", "-", "-", "-", "-", file, "-"])

    def test_a_column_that_there_is_not_is_a_usage_error_that_names_the_others(self):
        refused = self.cgm("list", "-o", "NS,COLOUR", status=2).stderr
        self.assertIn("COLOUR", refused)
        self.assertIn("LEADER", refused)

    def test_no_heading_leaves_the_first_line_out(self):
        self.assertTrue(self.lines("--kind", "user")[0].startswith("NS "))
        for option in ("-n", "--no-heading"):
            self.assertRegex(self.lines("--kind", "user", option)[0], r"^\d+ ")

    def test_columns_are_aligned(self):
        self.inhabitant("unshare", "--net")
        heading, *rows = self.lines("-o", "NS,KIND,PROCS")
        for name in ("KIND", "PROCS"):
            at = heading.index(name)
            self.assertEqual({row[at - 1:at] for row in rows}, {" "})
            self.assertNotIn(" ", {row[at:at + 1] for row in rows})

    def test_raw_columns_are_parted_by_one_blank(self):
        heading, *rows = self.lines("--raw", "-o", "NS,KIND,PROCS,LEADER")
        self.assertEqual(heading, "NS KIND PROCS LEADER")
        for row in rows:
            self.assertRegex(row, r"^\d+ [a-z]+ \d+ (\d+|-)$")

    def test_escapes_of_a_command_line_do_not_reach_the_terminal(self):
        one = self.inhabitant("unshare", "--net", words=("\033[2J\x07\n\u009bred",))
        for shown in (self.output("list", "-o", "NS,COMMAND"), self.output("show", one.pid),
                      self.output("show", f"net:[{inode(one.pid, 'net')}]")):
            self.assertIn("?[2J", shown)
            self.assertFalse(set(shown) & {"\033", "\x07", "\u009b"}, shown)

    def test_json_has_a_command_line_as_it_is(self):
        one = self.inhabitant("unshare", "--net", words=("\033[2J",))
        shown = self.cgm("list", "--json").stdout
        self.assertNotIn("\033", shown)
        entries = {entry["ns"]: entry for entry in json.loads(shown)["namespaces"]}
        self.assertIn("\033[2J", entries[inode(one.pid, "net")]["leader"]["command"])

    def test_json_bears_a_command_line_that_is_no_utf8(self):
        one = self.inhabitant("unshare", "--net", words=(b"\xff\xfe",))
        self.assertIn(inode(one.pid, "net"), self.entries())

    def test_help_goes_to_standard_output(self):
        for command in ("list", "show", "same"):
            self.assertTrue(self.cgm(command, "--help").stdout.startswith(f"usage: cgm ns {command}"))
        self.assertIn("ns list", self.cgm("--help").stdout)

    def test_an_unknown_command_is_a_usage_error(self):
        self.assertIn("lsit", self.cgm("lsit", status=2).stderr)
        self.cgm(status=2)


class Show(NamespaceTest):
    def test_a_process_shows_each_namespace_and_whether_it_is_ours(self):
        one = self.inhabitant("unshare", "--net", "--user")
        shown = self.json("show", one.pid)
        self.assertEqual((shown["pid"], shown["pids"], shown["uid"]), (one.pid, [one.pid], 0))
        self.assertEqual({entry["kind"]: entry["ns"] for entry in shown["namespaces"]}, inodes(one.pid))
        for entry in shown["namespaces"]:
            self.assertEqual(entry["same_as_ours"], entry["kind"] not in ("net", "user"), entry)
        owners = {entry["kind"]: entry.get("owner") for entry in shown["namespaces"]}
        self.assertEqual((owners["net"], owners["user"]), (inode(one.pid, "user"), inode("self", "user")))

    def test_the_text_says_the_same(self):
        one = self.inhabitant("unshare", "--net")
        rows = {line.split()[0]: line.split() for line in self.output("show", one.pid).splitlines() if line}
        self.assertEqual(rows["process"], ["process", str(one.pid)])
        for kind, number in inodes(one.pid).items():
            self.assertEqual(rows[kind][:3], [kind, str(number), "no" if kind == "net" else "yes"])

    def test_ids_of_another_user_namespace_are_told_as_ours(self):
        one = self.inhabitant(*as_user(USER), "unshare", "--map-root-user")
        shown = self.json("show", one.pid)
        whole = [{"inside": 0, "outside": USER, "count": 1}]
        self.assertEqual((shown["uid_map"], shown["gid_map"]), (whole, whole))
        self.assertIn(f"users     0:{USER}:1 ", self.output("show", one.pid))
        self.assertNotIn("users ", self.output("show", os.getpid()))

    def test_a_process_has_a_pid_in_each_nested_pid_namespace(self):
        one = self.inhabitant(*["unshare", "--pid", "--fork"] * 2)
        self.assertEqual(self.json("show", one.pid)["pids"], [one.pid, 2, 1])
        self.assertRegex(self.output("show", one.pid), rf"(?m)^pids +{one.pid} 2 1\b")

    def test_what_children_will_be_in_is_told(self):
        one = self.time_maker()
        shown = {entry["kind"]: entry for entry in self.json("show", one.pid)["namespaces"]}
        self.assertEqual(shown["time"]["for_children"], inode(one.pid, "time_for_children"))
        self.assertNotIn("for_children", shown["pid"])

    def test_a_namespace_is_found_by_what_a_link_says(self):
        one = self.inhabitant("unshare", "--net")
        number = inode(one.pid, "net")
        shown = self.json("show", f"net:[{number}]")
        self.assertEqual((shown["kind"], shown["ns"], shown["owner"]), ("net", number, inode("self", "user")))
        self.assertEqual([each["pid"] for each in shown["processes"]], [one.pid])
        self.assertIn(f"net:[{number}]", self.output("show", f"net:[{number}]"))

    def test_a_namespace_is_found_by_its_file(self):
        one = self.inhabitant("unshare", "--mount", "--pid", "--fork")
        for kind, pids in (("mount", one.pids), ("pid", one.pids[1:])):
            shown = self.json("show", f"/proc/{one.pid}/ns/{KINDS[kind]}")
            self.assertEqual((shown["kind"], shown["ns"]), (kind, inode(one.pid, kind)))
            self.assertEqual([each["pid"] for each in shown["processes"]], pids)

    def test_a_namespace_without_process_is_shown_with_what_keeps_it(self):
        one = self.inhabitant("unshare", "--uts")
        file = self.pin(f"/proc/{one.pid}/ns/uts")
        held = os.open(file, os.O_RDONLY)
        self.addCleanup(os.close, held)
        one.close()
        shown = self.json("show", file)
        self.assertEqual((shown["processes"], shown["mounts"]), ([], [file]))
        self.assertEqual(shown["descriptors"], [{"pid": os.getpid(), "fd": held}])
        self.assertIn(file, self.output("show", file))

    def test_a_process_that_is_gone_is_told_so(self):
        for pid in (self.gone_pid(), NO_PID):
            self.assertIn(str(pid), self.cgm("show", pid, status=1).stderr)
            self.assertIn(str(pid), self.cgm("list", "--pid", pid, status=1).stderr)

    def test_numbers_that_are_no_pid_are_refused(self):
        for pid in ("0", "-1", "4294967297", "99999999999999999999"):
            refused = self.cgm("show", "--", pid, status=None)
            self.assertIn(refused.returncode, (1, 2), pid)
            self.assertIn(pid, refused.stderr)
            self.assertIn(f"'{pid}' is no process", self.cgm("list", f"--pid={pid}", status=2).stderr)

    def test_a_file_that_is_no_namespace_is_named(self):
        for file in ("/etc/passwd", "/dev/null", "/proc/self/status", "/"):
            refused = self.cgm("show", file, status=1)
            self.assertRegex(refused.stderr, f"'{file}'.* no namespace")

    def test_a_fifo_does_not_keep_us_waiting(self):
        fifo = self.folder / "fifo"
        os.mkfifo(fifo)
        self.assertIn(str(fifo), self.cgm("show", fifo, status=1).stderr)

    def test_a_file_that_there_is_not_is_named(self):
        self.assertIn("/no/such", self.cgm("show", "/no/such", status=1).stderr)

    def test_a_link_of_no_namespace_that_there_is_is_told_so(self):
        self.assertIn("net:[17]", self.cgm("show", "net:[17]", status=1).stderr)
        for text in ("net:[]", "net:[x]", "nett:[4026531840]", "net:[4026531840", ""):
            self.cgm("show", text, status=1)

    def test_a_link_with_the_number_of_another_kind_finds_nothing(self):
        self.cgm("show", f"uts:[{inode('self', 'net')}]", status=1)


class Same(NamespaceTest):
    def test_those_who_share_all_are_the_same(self):
        one = self.inhabitant()
        shown = self.json("same", one.pid, os.getpid())
        self.assertEqual((shown["pids"], shown["same"]), ([one.pid, os.getpid()], True))
        self.assertEqual({entry["kind"]: entry["ns"] for entry in shown["namespaces"]},
                         {kind: [number, number] for kind, number in inodes().items()})

    def test_those_who_do_not_end_with_1_and_the_kind_is_told(self):
        one = self.inhabitant("unshare", "--net", "--uts")
        shown = self.json("same", one.pid, os.getpid(), status=1)
        self.assertEqual({entry["kind"] for entry in shown["namespaces"] if not entry["same"]}, {"net", "uts"})
        lines = self.output("same", one.pid, os.getpid(), status=1).splitlines()
        rows = {line.split()[0]: line.split() for line in lines}
        self.assertEqual(rows["net"][1:], [str(inode(one.pid, "net")), str(inode("self", "net")), "no"])
        self.assertEqual(rows["ipc"][3], "yes")

    def test_a_process_that_cannot_be_looked_at_ends_with_2(self):
        for pid in (self.gone_pid(), NO_PID, 0):
            refused = self.cgm("same", os.getpid(), pid, status=2)
            self.assertIn(str(pid), refused.stderr)
            self.assertEqual(refused.stdout, "")

    def test_it_takes_two(self):
        for pids in ((), (1,), (1, 2, 3), ("x", 1)):
            self.cgm("same", *pids, status=2)


class AsAPlainUser(NamespaceTest):
    user = as_user(USER)

    def test_own_processes_are_listed_and_those_of_others_counted_as_unseen(self):
        own = self.inhabitant(*self.user, "unshare", "--map-root-user", "--net")
        other = self.inhabitant("unshare", "--net")
        shown = self.json("list", prefix=self.user)
        entries = {entry["ns"]: entry for entry in shown["namespaces"]}
        self.assertEqual(entries[inode(own.pid, "net")]["leader"]["pid"], own.pid)
        self.assertNotIn(inode(other.pid, "net"), entries)
        self.assertGreaterEqual(shown["unseen_processes"], 2)  # the other, and the test itself

    def test_a_process_of_another_user_may_not_be_shown(self):
        refused = self.cgm("show", os.getpid(), prefix=self.user, status=1)
        self.assertIn("may not be seen", refused.stderr)
        self.cgm("same", os.getpid(), os.getpid(), prefix=self.user, status=2)

    def test_descriptors_of_others_are_passed_over(self):
        held = os.open("/proc/self/ns/net", os.O_RDONLY)
        self.addCleanup(os.close, held)
        shown = self.json("show", f"net:[{inode('self', 'net')}]", prefix=self.user)
        self.assertEqual(shown["descriptors"], [])

    def test_the_owner_out_of_sight_is_not_told(self):
        """From within a user namespace its parent cannot be asked for."""
        own = self.inhabitant(*self.user, "unshare", "--map-root-user", "--net")
        shown = self.json("show", own.pid, prefix=["nsenter", "--target", own.pid, "--user"])
        owners = {entry["kind"]: entry.get("owner") for entry in shown["namespaces"]}
        self.assertEqual((owners["net"], owners["user"], owners["uts"]), (inode(own.pid, "user"), None, None))
