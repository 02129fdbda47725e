"""Landlock: this process reads only named folders, writes only its working directory, and opens no TCP connection."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable

from vlrl.sandbox import linux

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
ON_FILES = EXECUTE | WRITE_FILE | READ_FILE | (1 << 14) | (1 << 15)
READ = READ_FILE | READ_DIR
FILE_RIGHTS_SINCE = {1: (1 << 13) - 1, 2: 1 << 13, 3: 1 << 14, 5: 1 << 15}
"""ABI -> the rights that it added (13 at first, then refer, truncate, ioctl of devices)."""
ALL_TCP, ALL_SCOPES = 3, 3
VERSION_QUESTION, PATH_RULE = 1, 1


class _Ruleset(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("files", "network", "scopes")]


class _PathRule(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32)]


def version() -> int:
    """The kernel's Landlock ABI. Raises OSError where it has none."""
    return linux.syscall("landlock_create_ruleset", 0, 0, VERSION_QUESTION)


def apply(readable: Iterable[str], writable: Iterable[str]) -> None:
    """Put this process under the rules, for good."""
    abi = version()
    files = sum(rights for since, rights in FILE_RIGHTS_SINCE.items() if abi >= since)
    rules = _Ruleset(files, ALL_TCP if abi >= 4 else 0, ALL_SCOPES if abi >= 6 else 0)
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    ruleset = linux.syscall("landlock_create_ruleset", ctypes.byref(rules), size, 0)
    for path in readable:
        _allow(ruleset, path, READ)
    for path in writable:
        _allow(ruleset, path, files & ~EXECUTE)
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    linux.syscall("landlock_restrict_self", ruleset, 0)
    os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
    rule = _PathRule(rights if os.path.isdir(path) else rights & ON_FILES, folder)
    linux.syscall("landlock_add_rule", ruleset, PATH_RULE, ctypes.byref(rule), 0)
    os.close(folder)
