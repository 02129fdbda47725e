"""A world of its own for the server and its jobs: namespaces, and a file system that holds nothing but libraries, read-only.

The server enters it once (`enter`). Each job then gets a process table of its own (`fresh_process_table`, by the server,
before the fork) and a private working directory (`private_folder`, by the job), which vanish with it.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable

from vlrl.sandbox import linux
from vlrl.sandbox.linux import ATTR_NODEV, ATTR_NOEXEC, ATTR_NOSUID, ATTR_RDONLY

NOBODY = 65534
INSIDE_ID = 1000
APART = (
    linux.CLONE_NEWUSER | linux.CLONE_NEWNS | linux.CLONE_NEWPID | linux.CLONE_NEWNET | linux.CLONE_NEWIPC | linux.CLONE_NEWUTS
)
DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom")
TMP = "/tmp"
FOLDER_LIMITS = "size=64m,nr_inodes=2048,mode=700"


def enter(readable: Iterable[str]) -> None:
    """Move this process into new namespaces and a root of only `readable`. Its next child is the first of a process table.

    Root binds the paths as root (they may lie in a folder closed to others) and goes on as nobody. Raises OSError where the
    kernel or a container's rules forbid it.
    """
    processes = os.open("/proc", os.O_PATH | os.O_DIRECTORY)
    ids = os.geteuid(), os.getegid()
    if _can_mount_as_root():
        _build_root(readable)
        become_nobody()
        ids = NOBODY, NOBODY
        linux.unshare(APART)
        _map_ids(processes, *ids)
    else:
        linux.unshare(APART)
        _map_ids(processes, *ids)
        _build_root(readable)
    os.close(processes)


def _can_mount_as_root() -> bool:
    if os.geteuid() != 0:
        return False
    try:
        linux.unshare(linux.CLONE_NEWNS)
    except OSError:
        return False
    return True


def become_nobody() -> None:
    """Root lets go of root. What it may still do as nobody is the kernel's concern."""
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    linux.prctl(linux.PR_SET_DUMPABLE, 1)


def _map_ids(processes: int, uid: int, gid: int) -> None:
    for name, text in (("setgroups", "deny"), ("uid_map", f"{INSIDE_ID} {uid} 1"), ("gid_map", f"{INSIDE_ID} {gid} 1")):
        file = os.open(f"self/{name}", os.O_WRONLY, dir_fd=processes)
        os.write(file, text.encode())
        os.close(file)


def _build_root(readable: Iterable[str]) -> None:
    """A root of empty folders, read-only binds of `readable`, three devices, and the empty working directory of the jobs."""
    sources = {path: os.open(path, os.O_PATH) for path in (*readable, *DEVICES)}
    linux.mount("none", "/", None, linux.MS_REC | linux.MS_PRIVATE)
    root = tempfile.gettempdir()
    linux.mount("root", root, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "size=1m,mode=755")
    os.chdir(root)
    os.umask(0o022)
    for path, source in sources.items():
        _bind(f"/proc/self/fd/{source}", root + path, os.path.isdir(f"/proc/self/fd/{source}"), path in DEVICES)
        os.close(source)
    os.makedirs(root + job_folder(sources), exist_ok=True)
    linux.pivot_here()
    linux.set_mount_attributes("/", ATTR_RDONLY, recursive=False)


def _bind(source: str, target: str, is_folder: bool, is_device: bool) -> None:
    os.makedirs(target if is_folder else os.path.dirname(target), exist_ok=True)
    if not is_folder:
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY))
    linux.mount(source, target, None, linux.MS_BIND | linux.MS_REC)
    linux.set_mount_attributes(target, ATTR_NOSUID | ATTR_NOEXEC if is_device else ATTR_RDONLY | ATTR_NOSUID | ATTR_NODEV)


def fresh_process_table(own: int) -> None:
    """The next fork starts a process table of its own. `own` is the open process table of the caller.

    Whoever asks twice is refused, unless it first asks for its own table back.
    """
    linux.setns(own, linux.CLONE_NEWPID)
    linux.unshare(linux.CLONE_NEWPID)


def job_folder(readable: Iterable[str]) -> str:
    """Where a job works: /tmp, unless libraries lie below it, which a mount there would hide.

    >>> job_folder(["/usr/lib"]), job_folder(["/tmp/clone/.venv/lib"])
    ('/tmp', '/job')
    """
    return "/job" if any(f"{path}/".startswith(f"{TMP}/") for path in readable) else TMP


def private_folder(folder: str) -> None:
    """An empty, small file system at `folder`, seen by this process only, as its working directory."""
    linux.unshare(linux.CLONE_NEWNS)
    linux.mount("private", folder, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC, FOLDER_LIMITS)
    os.chdir(folder)
