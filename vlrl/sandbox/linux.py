"""The few Linux calls that the standard library does not offer, through ctypes. A refused call raises OSError, as os
functions do.
"""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from typing import Any

NUMBERS = {  # x86_64, aarch64
    "pivot_root": (155, 41),
    "capset": (126, 91),
    "mount_setattr": (442, 442),
    "landlock_create_ruleset": (444, 444),
    "landlock_add_rule": (445, 445),
    "landlock_restrict_self": (446, 446),
}
COLUMN = {"x86_64": 0, "aarch64": 1}.get(platform.machine())
SUPPORTED = sys.platform == "linux" and COLUMN is not None

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000

MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_REC, MS_PRIVATE = 2, 4, 8, 4096, 16384, 1 << 18
MNT_DETACH = 2
AT_FDCWD, AT_RECURSIVE = -100, 0x8000
ATTR_RDONLY, ATTR_NOSUID, ATTR_NODEV, ATTR_NOEXEC = 1, 2, 4, 8

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_CAPBSET_DROP = 1, 4, 22, 24
PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 36, 38, 47, 4
LAST_CAPABILITY = 63

_LIBC: Any = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def syscall(name: str, *args: Any) -> int:
    """A system call by name; whole numbers go as longs, None as a null pointer."""
    if COLUMN is None:
        raise OSError(f"{name}: no system call numbers for {platform.machine()}")
    plain = [ctypes.c_long(arg) if isinstance(arg, int) else arg for arg in args]
    return _checked(_LIBC.syscall(ctypes.c_long(NUMBERS[name][COLUMN]), *plain), name)


def prctl(option: int, *args: int) -> int:
    """The call of that name, with whole numbers."""
    padded = [*args, 0, 0, 0, 0][:4]
    return _checked(_LIBC.prctl(ctypes.c_int(option), *[ctypes.c_ulong(arg) for arg in padded]), f"prctl {option}")


def unshare(flags: int) -> None:
    """Leave the namespaces named by CLONE_ flags."""
    _checked(_LIBC.unshare(ctypes.c_int(flags)), "unshare")


def setns(fd: int, kind: int) -> None:
    """Enter the namespace behind an open file."""
    _checked(_LIBC.setns(ctypes.c_int(fd), ctypes.c_int(kind)), "setns")


def mount(source: str, target: str, kind: str | None, flags: int, data: str = "") -> None:
    """The call of that name."""
    encoded = [os.fsencode(source), os.fsencode(target), None if kind is None else kind.encode()]
    _checked(_LIBC.mount(*encoded, ctypes.c_ulong(flags), data.encode() or None), f"mount {target}")


class _MountAttributes(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("attr_set", "attr_clr", "propagation", "userns_fd")]


def set_mount_attributes(path: str, attributes: int, recursive: bool = True) -> None:
    """Make a mount, and the mounts below it, read-only, without devices, and so on (Linux 5.12)."""
    wanted = _MountAttributes(attributes, 0, 0, 0)
    flags = AT_RECURSIVE if recursive else 0
    args = (AT_FDCWD, ctypes.c_char_p(os.fsencode(path)), flags, ctypes.byref(wanted), ctypes.sizeof(wanted))
    syscall("mount_setattr", *args)


def pivot_here() -> None:
    """Make the working directory the root, and let go of the old one."""
    syscall("pivot_root", ctypes.c_char_p(b"."), ctypes.c_char_p(b"."))
    _checked(_LIBC.umount2(b".", MNT_DETACH), "umount2")
    os.chdir("/")


def drop_capabilities() -> None:
    """Give up every capability, for good."""
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    for capability in range(LAST_CAPABILITY + 1):
        try:
            prctl(PR_CAPBSET_DROP, capability)
        except OSError:  # beyond the kernel's last one, or not ours to drop: no_new_privs holds anyway
            break
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    syscall("capset", ctypes.byref(header), ctypes.byref((ctypes.c_uint32 * 6)()))
