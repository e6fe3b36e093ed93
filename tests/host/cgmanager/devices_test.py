# SPDX-License-Identifier: LGPL-2.1-or-later
"""Device rules on a v2 tree, where devices.allow, devices.deny and devices.list have no file: whose they are, and that
they hold."""
import os

import suite
from testcase import OTHER, USER, DaemonTest


def openable(path: str) -> str:
    """In a caller: how a device can be opened, in the letters of a rule."""
    ways = ""
    for letter, flags in (("r", os.O_RDONLY), ("w", os.O_WRONLY)):
        try:
            os.close(os.open(path, flags))
            ways += letter
        except PermissionError:
            pass
    return ways


class Devices(DaemonTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.user = cls.caller("user", USER)
        cls.root = cls.caller("user", owner=USER)

    def setUp(self):
        if not self.sandbox.hierarchy("unified"):
            self.skipTest("no v2 tree")

    def rules(self, who, below: str) -> str:
        return who.call("GetValue", "unified", below, "devices.list")

    def boxed(self, name: str, uid: int = USER):
        """A caller in a cgroup of the user's own below `user`."""
        self.user.call("Create", "unified", name)
        return self.caller(f"user/{name}", uid, owner=USER)

    def allow(self, who, below: str, rule: str):
        who.call("SetValue", "unified", below, "devices.allow", rule)

    def deny(self, who, below: str, rule: str):
        who.call("SetValue", "unified", below, "devices.deny", rule)

    def test_a_user_sets_changes_and_reads_the_rules_of_his_own_cgroup(self):
        inside = self.boxed("mine")
        self.assertEqual(self.rules(self.user, "mine"), "a *:* rwm")
        self.deny(self.user, "mine", "a")
        self.allow(self.user, "mine", "c 1:5 rwm")
        self.assertEqual(self.rules(self.user, "mine"), "c 1:5 rwm")
        self.assertEqual((inside.do(openable, "/dev/null"), inside.do(openable, "/dev/zero")), ("", "rw"))
        self.allow(self.user, "mine", "c 1:3 r")
        self.deny(self.user, "mine", "c 1:5 w")
        self.assertEqual(self.rules(self.user, "mine"), "c 1:5 rm\nc 1:3 r")
        self.assertEqual((inside.do(openable, "/dev/null"), inside.do(openable, "/dev/zero")), ("r", "r"))
        self.allow(self.user, "mine", "a")
        self.assertEqual(self.rules(self.user, "mine"), "a *:* rwm")
        self.assertEqual(inside.do(openable, "/dev/null"), "rw")

    def test_what_root_forbids_a_user_does_not_allow(self):
        inside = self.boxed("bound")
        self.deny(self.root, "bound", "c 1:3 w")
        self.assertEqual(inside.do(openable, "/dev/null"), "r")
        with self.refused("is not allowed in"):
            self.allow(self.user, "bound", "c 1:3 rw")
        self.deny(self.user, "bound", "c 1:5 w")
        self.allow(self.user, "bound", "a")
        self.assertEqual((inside.do(openable, "/dev/null"), inside.do(openable, "/dev/zero")), ("r", "rw"))

    def test_who_was_only_given_a_cgroup_does_not_set_its_rules(self):
        """Chown hands over what makes and fills children, never a limit; devices are one."""
        self.sandbox.make("unified", "user/given", USER)
        for key in ("devices.allow", "devices.deny"):
            with self.refused("only the owner of its 'cgroup.max.descendants'"):
                self.user.call("SetValue", "unified", "given", key, "a")
        self.assertEqual(self.rules(self.user, "given"), "a *:* rwm")

    def test_a_stranger_does_not_set_them_either(self):
        self.user.call("Create", "unified", "his")
        stranger = self.caller("user", OTHER, owner=USER)
        with self.refused("only the owner"):
            self.deny(stranger, "his", "a")

    def test_malformed_rules_and_wrong_ways_are_refused(self):
        self.user.call("Create", "unified", "odd")
        for rule in ("x", "c 1:3", "c 1:3 rwmx", "c 1:99999999999 r", "a 1:3 r", "c 1:3 r\nc 1:5 r"):
            with self.subTest(rule=rule), self.refused("is no device rule"):
                self.deny(self.user, "odd", rule)
        with self.refused("is only read"):
            self.user.call("SetValue", "unified", "odd", "devices.list", "a")
        with self.refused("is only written"):
            self.user.call("GetValue", "unified", "odd", "devices.allow")
        self.deny(self.user, "odd", "")  # an empty value writes nothing
        self.assertEqual(self.rules(self.user, "odd"), "a *:* rwm")

    def test_the_rules_go_with_the_cgroup(self):
        self.user.call("Create", "unified", "short")
        self.deny(self.user, "short", "a")
        self.user.call("Remove", "unified", "short", 0)
        self.user.call("Create", "unified", "short")
        self.assertEqual(self.rules(self.user, "short"), "a *:* rwm")


if __name__ == "__main__":
    suite.main()
