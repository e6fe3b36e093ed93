# SPDX-License-Identifier: LGPL-2.1-or-later
"""Filters of system calls, as containers and older kernels have them: what is masked fails with an error. Each function
returns another one, for a child to call before it executes something (subprocess' preexec_fn), as root."""
import ctypes
import errno
import os
import struct
import unittest

_NUMBERS = {"x86_64": {"setns": 308}, "aarch64": {"setns": 268}}
_NEWER = {"clone3": 435, "openat2": 437}  # the same on every machine
_PR_SET_SECCOMP, _MODE_FILTER = 22, 2
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06  # a word at an offset; jump if equal to K
_TO_X, _MINUS, _AND_X = 0x07, 0x14, 0x5C
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_NUMBER, _ARGUMENTS = 0, 16  # offsets in struct seccomp_data


def _number(call: str) -> int:
    found = _NUMBERS.get(os.uname().machine, {}).get(call) or _NEWER.get(call)
    if found is None:
        raise unittest.SkipTest(f"the number of {call} on this machine is not known to the test")
    return found


def _installer(program: list[tuple[int, int, int, int]]):
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in program))
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program), ctypes.addressof(code)))
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def install():
        if prctl(_PR_SET_SECCOMP, ctypes.c_ulong(_MODE_FILTER), header, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "seccomp")
        return code  # which lives as long as this function

    return install


def masked(call: str, error: int = errno.ENOSYS):
    return _installer([(_LOAD, 0, 0, _NUMBER), (_EQUAL, 0, 1, _number(call)), (_RETURN, 0, 0, _ERRNO | error),
                       (_RETURN, 0, 0, _ALLOW)])


def setns_of_one_kind():
    """setns(2) as it was before Linux 5.8: of one kind at a time, EINVAL for several."""
    return _installer([(_LOAD, 0, 0, _NUMBER), (_EQUAL, 0, 6, _number("setns")), (_LOAD, 0, 0, _ARGUMENTS + 8),
                       (_TO_X, 0, 0, 0), (_MINUS, 0, 0, 1), (_AND_X, 0, 0, 0), (_EQUAL, 1, 0, 0),
                       (_RETURN, 0, 0, _ERRNO | errno.EINVAL), (_RETURN, 0, 0, _ALLOW)])
