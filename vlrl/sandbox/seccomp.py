"""The seccomp filter: a list of the system calls that drawing needs. Everything else answers EPERM.

Not on the list, among others: fork, clone, execve, socket, kill, ptrace, process_vm_*, mount, unshare, setns, chroot, setuid,
memfd_create, io_uring, bpf, perf_event_open, keyctl, shmget, mq_open, userfaultfd, sched_setaffinity, setpriority, prctl. A
job is one process of one thread.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct

from vlrl.sandbox import linux

CALLS = """
read 0 63, write 1 64, readv 19 65, writev 20 66, pread64 17 67, pwrite64 18 68, preadv 295 69, pwritev 296 70
close 3 57, lseek 8 62, fstat 5 80, newfstatat 262 79, stat 4 -, lstat 6 -, statx 332 291, open 2 -, openat 257 56
openat2 437 437, access 21 -, faccessat 269 48, faccessat2 439 439, readlink 89 -, readlinkat 267 78, getdents 78 -
getdents64 217 61, dup 32 23, dup2 33 -, dup3 292 24, pipe 22 -, pipe2 293 59, poll 7 -, ppoll 271 73, select 23 -
pselect6 270 72, ftruncate 77 46, truncate 76 45, rename 82 -, renameat 264 38, renameat2 316 276, unlink 87 -
unlinkat 263 35, mkdir 83 -, mkdirat 258 34, rmdir 84 -, symlink 88 -, symlinkat 266 36, chdir 80 49, fchdir 81 50
getcwd 79 17, chmod 90 -, fchmod 91 52, fchmodat 268 53, umask 95 166, utimensat 280 88, fsync 74 82, fdatasync 75 83
flock 73 32, fadvise64 221 223, fallocate 285 47, sendfile 40 71, copy_file_range 326 285, close_range 436 436
statfs 137 43, fstatfs 138 44, mmap 9 222, munmap 11 215, mprotect 10 226, mremap 25 216, brk 12 214, madvise 28 233
msync 26 227, membarrier 324 283, rseq 334 293, set_robust_list 273 99, get_robust_list 274 100
set_tid_address 218 96, futex 202 98, rt_sigaction 13 134, rt_sigprocmask 14 135, rt_sigreturn 15 139
rt_sigpending 127 136, rt_sigtimedwait 128 137, rt_sigsuspend 130 133, sigaltstack 131 132, alarm 37 -
setitimer 38 103, getitimer 36 102, pause 34 -, restart_syscall 219 128, clock_gettime 228 113, clock_getres 229 114
gettimeofday 96 169, time 201 -, nanosleep 35 101, clock_nanosleep 230 115, times 100 153, exit 60 93
exit_group 231 94, getpid 39 172, gettid 186 178, getppid 110 173, getuid 102 174, geteuid 107 175, getgid 104 176
getegid 108 177, getgroups 115 158, getresuid 118 148, getresgid 120 150, getpgid 121 155, getpgrp 111 -
getsid 124 156, uname 63 160, sysinfo 99 179, getrlimit 97 163, getrusage 98 165, sched_yield 24 124
sched_getaffinity 204 123, getpriority 140 141, getcpu 309 168, getrandom 318 278, wait4 61 260, waitid 247 95
"""
"""Name, number on x86_64, number on aarch64 (`-`: not there). Allowed whatever their arguments."""

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
IOCTL, FCNTL, TGKILL, PRLIMIT = (16, 29), (72, 25), (234, 131), (302, 261)

TERMINAL_QUESTIONS = (0x5401, 0x5413, 0x5450, 0x5451)
"""TCGETS (isatty), TIOCGWINSZ (size), FIONCLEX, FIOCLEX. TIOCSTI, which types into a terminal, is not there."""
DESCRIPTOR_COMMANDS = (0, 1, 2, 3, 4, 5, 6, 7, 1030)
"""Duplicate, flags and locks. F_SETOWN, which sends signals, is not there."""

LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, KILL, REFUSE = 0x7FFF0000, 0x80000000, 0x00050000 | errno.EPERM
NUMBER_AT, ARCHITECTURE_AT, ARGUMENTS_AT = 0, 4, 16

Instruction = tuple[int, int, int, int]
"""code, jump if true, jump if false, constant"""


def _plain_calls(column: int) -> list[int]:
    rows = [item.split() for item in CALLS.replace("\n", ",").split(",") if item.strip()]
    return [int(row[1 + column]) for row in rows if row[1 + column] != "-"]


def _allow(number: int) -> list[Instruction]:
    return [(EQUAL, 0, 1, number), (RETURN, 0, 0, ALLOW)]


def _allow_argument(number: int, argument: int, values: tuple[int, ...]) -> list[Instruction]:
    """Allow a call when the low word of one argument is one of `values`, refuse it otherwise."""
    tests = [line for value in values for line in _allow(value)]
    body: list[Instruction] = [(LOAD, 0, 0, ARGUMENTS_AT + 8 * argument), *tests, (RETURN, 0, 0, REFUSE)]
    return [(EQUAL, 0, len(body), number), *body]


def _ask_limits_only(number: int) -> list[Instruction]:
    """prlimit64 of the process itself (pid 0) without new limits (a null pointer in argument 2)."""
    words = (ARGUMENTS_AT, ARGUMENTS_AT + 16, ARGUMENTS_AT + 20)
    body: list[Instruction] = []
    for at in words:
        body += [(LOAD, 0, 0, at), (EQUAL, 1, 0, 0), (RETURN, 0, 0, REFUSE)]
    body.append((RETURN, 0, 0, ALLOW))
    return [(EQUAL, 0, len(body), number), *body]


def program(column: int, architecture: int, pid: int) -> list[Instruction]:
    """The filter for one job; `pid` is the only process that it may signal (itself, for abort)."""
    lines: list[Instruction] = [(LOAD, 0, 0, ARCHITECTURE_AT), (EQUAL, 1, 0, architecture), (RETURN, 0, 0, KILL)]
    lines.append((LOAD, 0, 0, NUMBER_AT))
    for number in _plain_calls(column):
        lines += _allow(number)
    lines += _allow_argument(IOCTL[column], 1, TERMINAL_QUESTIONS)
    lines += _allow_argument(FCNTL[column], 1, DESCRIPTOR_COMMANDS)
    lines += _allow_argument(TGKILL[column], 0, (pid,))
    lines += _ask_limits_only(PRLIMIT[column])
    return [*lines, (RETURN, 0, 0, REFUSE)]


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p)]


def apply() -> None:
    """Put this process under the filter, for good. Raises OSError where the kernel has none."""
    if linux.COLUMN is None:
        raise OSError(f"no filter for {platform.machine()}")
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    lines = program(linux.COLUMN, ARCHITECTURES[platform.machine()], os.getpid())
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in lines))
    wanted = _Program(len(lines), ctypes.addressof(code))
    linux.prctl(linux.PR_SET_SECCOMP, 2, ctypes.addressof(wanted))
