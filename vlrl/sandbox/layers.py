"""The layers of protection: which of them hold on this machine, why not, and the level they make together."""

from __future__ import annotations

import importlib.util
import os
import sys
import sysconfig
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vlrl.sandbox import landlock, linux, namespaces, seccomp

NAMES = ("namespaces", "uid", "landlock", "seccomp", "rlimits")
SYSTEM = ("/usr/lib", "/usr/lib64", "/lib", "/lib64", "/usr/local/lib", "/usr/share/zoneinfo", "/etc/ld.so.cache")
SITES_OF = (
    *("numpy", "matplotlib", "PIL", "cycler", "dateutil", "pandas", "networkx", "seaborn", "scipy", "squarify"),
    "matplotlib_venn",
)


@dataclass(frozen=True, slots=True)
class Layer:
    """One protection: does it hold, and by what means or why not."""

    name: str
    active: bool
    why: str


def level(layers: Sequence[Layer]) -> str:
    """`full`: a world of its own and few system calls; `namespaces` or `filtered`: one of the two; `limits`: resource limits
    alone.
    """
    active = {layer.name for layer in layers if layer.active}
    if "namespaces" in active:
        return "full" if "seccomp" in active else "namespaces"
    return "filtered" if {"seccomp", "landlock"} <= active else "limits"


def probe(without: Sequence[str]) -> list[Layer]:
    """The layers that each job sets on itself, tried out in forked children."""
    landlock_works = _try("landlock", lambda: landlock.apply(["/"], ["/"]), "reads libraries, writes its folder, no TCP", without)
    seccomp_works = _try("seccomp", seccomp.apply, "no processes, threads, sockets, signals, mounts, tracing", without)
    return [landlock_works, seccomp_works, Layer("rlimits", True, "CPU, memory, file size, open files, processes, no core dumps")]


def _try(name: str, apply: Callable[[], None], means: str, without: Sequence[str]) -> Layer:
    if name in without:
        return Layer(name, False, "switched off")
    report, failed = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            apply()
        except OSError as error:
            os.write(failed, str(error).encode())
        os._exit(0)
    os.close(failed)
    why = os.read(report, 400).decode(errors="replace")
    os.close(report)
    os.waitpid(child, 0)
    return Layer(name, not why, why or means)


def drop_root(without: Sequence[str], readable: Sequence[str]) -> Layer:
    """Outside namespaces: go on as nobody when we are root and nobody can read the libraries."""
    if os.geteuid() != 0:
        return Layer("uid", False, "the user's own: files that belong to it are kept only by the other layers")
    closed = [path for path in readable if not _open_to_all(path)]
    if "uid" in without or closed or not linux.SUPPORTED:
        return Layer("uid", False, f"still root: others cannot read {closed[0]}" if closed else "still root")
    namespaces.become_nobody()
    return Layer("uid", True, "nobody, in place of root")


def _open_to_all(path: str) -> bool:
    while os.stat(path).st_mode & 0o005 == 0o005 or not os.path.isdir(path):
        if path == "/":
            return True
        path = os.path.dirname(path)
    return False


def readable_folders() -> tuple[str, ...]:
    """What a job may read: the system's libraries, Python's, and where the drawing packages lie. Not the project, not the
    home.
    """
    named = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    prefixes = [os.path.join(prefix, "lib") for prefix in (sys.prefix, sys.base_prefix)]
    wanted = [*SYSTEM, *named, *prefixes, *_sites()]
    existing = sorted({path for path in wanted if os.path.exists(path)})
    return tuple(path for path in existing if not any(path.startswith(other + "/") for other in existing))


def _sites() -> list[str]:
    specs = [importlib.util.find_spec(name) for name in SITES_OF]
    return [os.path.dirname(os.path.dirname(spec.origin)) for spec in specs if spec is not None and spec.origin]
