"""What the inspector's tests share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from all_families import fabricate_families
from fabricated import fabricate

from demo.frame import Frame
from demo.pages.table import PAGES
from demo.runs import Runs

OpenRuns = Callable[..., Frame]


@pytest.fixture(scope="session")
def run_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run."""
    return fabricate(tmp_path_factory.mktemp("runs") / "quickstart")


@pytest.fixture(scope="session")
def families_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with a group of every kind of task."""
    return fabricate_families(tmp_path_factory.mktemp("runs") / "families")


@pytest.fixture
def open_runs() -> Iterator[OpenRuns]:
    """Makes a frame over run folders whose indexes are complete; no thread follows them."""
    opened: list[Runs] = []

    def start(*paths: Path) -> Frame:
        runs = Runs(paths)
        opened.append(runs)
        for run in runs.values():
            run.builder.sync()
        return Frame(runs, PAGES)

    yield start
    for runs in opened:
        runs.close()
