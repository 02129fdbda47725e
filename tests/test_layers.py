"""Imports point down only: the rows of docs/architecture.md ("Rooms"), checked in every file, imports inside functions too."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

ROWS = [
    {"vlrl"},  # the package itself: its version
    {"types", "geometry"},  # ground
    {"video"},
    {"parsing", "metrics", "sandbox"},  # instruments
    {"data", "rewards", "logs", "models", "rollout", "algorithms"},  # stations
    {"tasks", "report"},  # composition
    {"adapters", "benchmarks"},
    {"evaluation"},  # hallways
    {"training"},
    {"cli", "data_recipes", "demo"},  # doors
    {"scripts"},
]
HEIGHT = {room: height for height, row in enumerate(ROWS) for room in row}
SIDEWAYS = {("rollout", "models"), ("cli", "demo")}
ONLY = {
    "algorithms": set(),
    "demo": {"types", "geometry", "video", "logs", "parsing", "metrics", "sandbox", "rewards", "tasks", "data", "report"},
}
"""Rooms that may import less than what lies below them."""
WITH_TORCH = "demo.with_torch"
"""The module of the inspector that may import everything, inside its functions only (tests/test_torch_free.py)."""

TOP_FOLDERS = ("vlrl", "demo", "data_recipes", "scripts")
FILES = sorted(path for top in TOP_FOLDERS for path in (ROOT / top).rglob("*.py"))


def room_of(module: str) -> str | None:
    """The room of a module of ours: the first name below `vlrl`, or the top folder. None for other people's modules."""
    names = module.split(".")
    if names[0] != "vlrl":
        return names[0] if names[0] in TOP_FOLDERS else None
    return names[1] if len(names) > 1 and names[1] in HEIGHT else "vlrl"


def imported_modules(tree: ast.AST, package: str) -> Iterator[str]:
    """Every module that a file imports anywhere; a name imported from a package counts as a module of it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def allowed(room: str, other: str) -> bool:
    if room == other or (room, other) in SIDEWAYS or other == "vlrl":
        return True
    return other in ONLY[room] if room in ONLY else HEIGHT[other] < HEIGHT[room]


def violations(source: str, module: str, is_package: bool = False) -> list[str]:
    """What a file of module name `module` imports from rooms that it must not know."""
    room = room_of(module)
    assert room is not None, f"{module} lies in no room: give it a row in ROWS and in docs/architecture.md"
    package = module if is_package else module.rpartition(".")[0]
    targets = {name for name in imported_modules(ast.parse(source), package) if room_of(name)}
    ground = "scripts" if module == WITH_TORCH else room
    return sorted(f"{module} ({room}) imports {name}" for name in targets if not allowed(ground, str(room_of(name))))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path: Path) -> None:
    is_package = path.name == "__init__.py"
    parts = path.relative_to(ROOT).with_suffix("").parts
    module = ".".join(parts[:-1] if is_package else parts)
    assert violations(path.read_text(encoding="utf-8"), module, is_package) == []


def test_every_room_is_in_the_table() -> None:
    found = {path.stem for path in (ROOT / "vlrl").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert found - {"__init__"} <= set(HEIGHT)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("vlrl.rewards.gui", "from vlrl.tasks import load"),  # up
        ("vlrl.rewards.gui", "from vlrl import logs"),  # sideways
        ("vlrl.parsing.boxes", "from vlrl.metrics.click import inside"),
        ("vlrl.models.vlm", "import vlrl.rollout"),
        ("vlrl.rewards.gui", "def f():\n    from vlrl.tasks import load"),  # inside a function
        ("vlrl.rewards.gui", "from ..tasks import load"),  # relative
        ("vlrl.rewards.gui", "from .. import tasks"),
        ("vlrl.algorithms.kl", "from vlrl.types import Score"),  # nothing of vlrl
        ("vlrl.geometry", "from vlrl.types import Score"),
        ("demo.app", "from vlrl.training import grpo"),
        ("vlrl.tasks.gui", "import demo.app"),
        ("vlrl.tasks.gui", "from vlrl.adapters import scorer"),
        ("vlrl.tasks.gui", "from vlrl import benchmarks"),
        ("vlrl.benchmarks.screenspot", "from vlrl.evaluation.scoring import Spec"),
        ("vlrl.training.grpo", "from vlrl.cli import main"),
    ],
)
def test_violations_are_found(module: str, source: str) -> None:
    assert len(violations(source, module)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("vlrl.rollout.engine", "from vlrl.models.vlm import VLM"),
        ("vlrl.tasks.gui", "from vlrl.rewards import Reward"),
        ("vlrl.rewards.gui", "from .gold import gold_box"),
        ("vlrl.cli", "from vlrl import __version__"),
        ("vlrl.rewards.gui", "import types\nfrom data import x"),  # other people's modules, whatever their names
        ("scripts.build", "from data_recipes.scenes import draw"),
    ],
)
def test_allowed_imports_are_allowed(module: str, source: str) -> None:
    assert violations(source, module) == []
