"""The attack corpus against the strongest level that this machine has, and against the level below it."""

from __future__ import annotations

import hashlib
import os
import platform
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from attack_corpus import ATTACKS

from vlrl.sandbox import SandboxPool, SandboxResult

ROOT = Path(__file__).parents[2]
GOOD = "import matplotlib.pyplot as plt\nplt.bar(['a', 'b'], [1, 2])\nplt.title('right')\n"
WORKERS = 4

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="the attacks name system calls by their x86_64 numbers")

UNCOUNTED_DISK = {"many large files", "all the inodes"}
"""Without namespaces the working directory is a folder of the disk, whose size only the time limit bounds."""
WEAKER = [name for name, attack in ATTACKS.items() if attack.group not in ("time", "size") and "timeout" not in attack.expected]


@dataclass
class Siege:
    """One pool under attack: what came of each program, and the pool's state before and after."""

    pool: SandboxPool
    mark: str
    canary: Path
    results: dict[str, SandboxResult]
    before: SandboxResult
    server: int
    memory: int
    package: str


def tree_hash(folder: Path) -> str:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return hashlib.sha256(b"".join(str(path).encode() + path.read_bytes() for path in files)).hexdigest()


def descendants(pid: int) -> list[int]:
    """The processes below one, from /proc."""
    parents = {int(entry.name): _parent(entry) for entry in Path("/proc").iterdir() if entry.name.isdigit()}
    below, fresh = set(), {pid}
    while fresh:
        fresh = {child for child, parent in parents.items() if parent in fresh} - below
        below |= fresh
    return sorted(below)


def _parent(entry: Path) -> int:
    try:
        return int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def private_kb(pids: list[int]) -> int:
    """Anonymous memory of some processes."""
    lines = [line for pid in pids for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("RssAnon")]
    return sum(int(line.split()[1]) for line in lines)


def besiege(pool: SandboxPool, names: list[str], canary: Path) -> Siege:
    (canary / "kept.txt").write_text("kept")
    mark = f"vlrl-attack-{uuid.uuid4().hex}"
    places = {"canary": str(canary), "mark": mark, "home": str(Path.home()), "project": str(ROOT)}
    before, package = pool.run(GOOD, timeout=30), tree_hash(ROOT / "vlrl" / "sandbox")
    server = pool.pid()
    memory = private_kb([server, *descendants(server)])
    results = dict(zip(names, pool.map([ATTACKS[name].program(**places) for name in names]), strict=True))
    return Siege(pool, mark, canary, results, before, server, memory, package)


@pytest.fixture(scope="module")
def siege(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Siege]:
    with SandboxPool(WORKERS, timeout=4.0, memory_mb=1024, without=()) as pool:
        if pool.level() != "full":
            pytest.skip(f"this machine has level {pool.level()} only: {pool.layers()[0].why}")
        yield besiege(pool, list(ATTACKS), tmp_path_factory.mktemp("canary"))


@pytest.fixture(scope="module")
def weaker_siege(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Siege]:
    with SandboxPool(WORKERS, timeout=8.0, memory_mb=1024, without=("namespaces",)) as pool:
        if pool.level() != "filtered":
            pytest.skip(f"without namespaces this machine has level {pool.level()} only")
        yield besiege(pool, WEAKER, tmp_path_factory.mktemp("canary"))


def check(name: str, siege: Siege) -> None:
    result = siege.results[name]
    assert result.failure in ATTACKS[name].expected, result.message
    assert "BREACH" not in str(result.facts) + result.message
    assert (result.png is None) == (result.failure is not None)
    assert len(result.message) <= 300
    if ATTACKS[name].code.startswith("syscall"):
        assert "errno 1 " in result.message, "the filter did not refuse it"


def test_the_corpus_is_large() -> None:
    assert len(ATTACKS) >= 60


@pytest.mark.parametrize("name", ATTACKS)
def test_attack_ends_as_it_should(name: str, siege: Siege) -> None:
    check(name, siege)
    assert siege.results[name].seconds < 4.0 + 5.0


@pytest.mark.parametrize("name", WEAKER)
def test_attack_without_namespaces(name: str, weaker_siege: Siege) -> None:
    if name in UNCOUNTED_DISK:
        pytest.skip("without namespaces the disk is not counted")
    check(name, weaker_siege)


@pytest.mark.parametrize("which", ["siege", "weaker_siege"])
def test_nothing_is_left(which: str, request: pytest.FixtureRequest) -> None:
    under: Siege = request.getfixturevalue(which)
    after = under.pool.run(GOOD, timeout=30)
    assert (after.png, after.facts, after.failure) == (under.before.png, under.before.facts, None)
    assert under.pool.pid() == under.server, "an attack brought the server down"
    left = descendants(under.server)
    assert len(left) <= 2, "a process is left"
    assert private_kb([under.server, *left]) <= under.memory + 4096
    assert tree_hash(under.canary) == hashlib.sha256(str(under.canary / "kept.txt").encode() + b"kept").hexdigest()
    assert tree_hash(ROOT / "vlrl" / "sandbox") == under.package
    places = [Path.home(), Path("/tmp"), Path("/dev/shm"), ROOT, Path.cwd(), Path(os.environ.get("TMPDIR", "/tmp"))]
    assert [entry for place in places if place.exists() for entry in place.iterdir() if under.mark in entry.name] == []


def test_the_end_of_a_pool_ends_its_processes() -> None:
    pool = SandboxPool(1, timeout=20)
    assert pool.run(GOOD).failure is None
    server = pool.pid()
    everything = [server, *descendants(server)]
    pool.close()
    assert [pid for pid in everything if Path(f"/proc/{pid}").exists()] == []
