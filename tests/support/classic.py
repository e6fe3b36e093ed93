# SPDX-License-Identifier: LGPL-2.1-or-later
"""The classic interface as its clients know it: names and signatures, written down here once more, so that the daemon's
own table is held against something."""
import dbus

OBJECT = "/org/linuxcontainers/cgmanager"
INTERFACE = "org.linuxcontainers.cgmanager0_0"
ERROR = "org.freedesktop.DBus.Error.InvalidArgs"
UNKNOWN = "org.freedesktop.DBus.Error.UnknownMethod"

# name: arguments, answer
METHODS = {
    "Ping": ("i", ""),
    "GetPidCgroup": ("si", "s"),
    "GetPidCgroupAbs": ("si", "s"),
    "Create": ("ss", "i"),
    "Chown": ("ssii", ""),
    "Chmod": ("sssi", ""),
    "MovePid": ("ssi", ""),
    "MovePidAbs": ("ssi", ""),
    "GetValue": ("sss", "s"),
    "SetValue": ("ssss", ""),
    "Remove": ("ssi", "i"),
    "GetTasks": ("ss", "ai"),
    "GetTasksRecursive": ("ss", "ai"),
    "ListChildren": ("ss", "as"),
    "RemoveOnEmpty": ("ss", ""),
    "Prune": ("ss", ""),
    "ListControllers": ("", "as"),
    "ListKeys": ("ss", "a(suuu)"),
}


def message(member: str, *arguments, **fields) -> dbus.Message:
    """A call of a classic method; `fields` are dbus.Message's and may say something else."""
    fields = {"path": OBJECT, "interface": INTERFACE, "signature": METHODS[member][0]} | fields
    return dbus.Message(member=member, body=arguments, **fields)


def call(connection: dbus.Connection, member: str, *arguments):
    """Calls a classic method on a connection. Raises dbus.Refused."""
    return connection.call(OBJECT, INTERFACE, member, METHODS[member][0], *arguments)
