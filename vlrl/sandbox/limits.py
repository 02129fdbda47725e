"""Resource limits of one job: they hold on every Unix, also where nothing else does."""

from __future__ import annotations

import contextlib
import math
import os
import resource

FILE_BYTES = 64 << 20
OPEN_FILES = 128


def address_space() -> int:
    """The bytes of address space that this process has, 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 0


def apply(seconds: float, memory: int) -> None:
    """Set the limits for this process, for good. `memory` counts all its address space."""
    cpu = math.ceil(seconds) + 1
    wanted = {
        "RLIMIT_CPU": (cpu, cpu + 1),
        "RLIMIT_AS": (memory, memory),
        "RLIMIT_FSIZE": (FILE_BYTES, FILE_BYTES),
        "RLIMIT_NOFILE": (OPEN_FILES, OPEN_FILES),
        "RLIMIT_NPROC": (0, 0),
        "RLIMIT_CORE": (0, 0),
        "RLIMIT_MEMLOCK": (0, 0),
        "RLIMIT_MSGQUEUE": (0, 0),
        "RLIMIT_NICE": (0, 0),
        "RLIMIT_RTPRIO": (0, 0),
    }
    for name, pair in wanted.items():
        if hasattr(resource, name):
            with contextlib.suppress(ValueError, OSError) if name != "RLIMIT_CPU" else contextlib.nullcontext():
                resource.setrlimit(getattr(resource, name), pair)
    os.umask(0o077)
