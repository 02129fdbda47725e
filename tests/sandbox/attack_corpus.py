"""Hostile programs, as data: `attacks/*.txt`. Each begins with `=== name | ends that are right for it`, where `ok` means that
it ends well, having done no harm.

A program that gets what it wants calls `breach()`, which makes it draw the word BREACH. Harm is bounded on purpose (50 forks,
signal 0 outside a process table of its own, a mark in the name of every file), so that a hole in the sandbox fails a test and not
the machine. `@canary@` stands for a folder of the test's, `@home@` and `@project@` for those, `@mark@` for the mark.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "attacks"

PRELUDE = """
import ctypes, os, sys, signal
import matplotlib.pyplot as plt
KILL = signal.SIGKILL if os.getpid() == 1 else 0
def breach():
    plt.figure()
    plt.title('BREACH')
def syscall(*args):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(*args) >= 0: breach()
    else: raise PermissionError('errno %d' % ctypes.get_errno())
"""


@dataclass(frozen=True)
class Attack:
    """A program, the file that it comes from, and the ends that are right for it."""

    code: str
    group: str
    expected: frozenset[str | None]

    def program(self, **places: str) -> str:
        """The source, aimed at the given places."""
        code = self.code
        for name, place in places.items():
            code = code.replace(f"@{name}@", place)
        return PRELUDE + code


def _read(path: Path) -> dict[str, Attack]:
    found = {}
    for block in path.read_text(encoding="utf-8").split("=== ")[1:]:
        header, _, code = block.partition("\n")
        name, _, ends = header.partition(" | ")
        found[name] = Attack(code, path.stem, frozenset(None if end == "ok" else end for end in ends.split()))
    return found


ATTACKS = {name: attack for path in sorted(FOLDER.glob("*.txt")) for name, attack in _read(path).items()}
