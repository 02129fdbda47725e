"""What the inspector's tests share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from all_families import fabricate_families
from browsing import FLAGS, OWN, Serve, free_port
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


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api", reason="the browser test needs playwright")
    with api.sync_playwright() as playwright, playwright.chromium.launch(executable_path=chromium, args=FLAGS) as launched:
        yield launched


@pytest.fixture(params=["light"])
def page(browser: Any, serve: Serve, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A page that fails the test on any console error and on any request to another machine; closed before the server is."""
    opened = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme=request.param)
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("request", lambda asked: None if asked.url.startswith(OWN) else complaints.append(asked.url))
    yield opened
    opened.close()
    assert complaints == []


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Starts the inspector over run folders and returns its address."""
    app = pytest.importorskip("demo.app", reason="the browser test needs gradio")
    monkeypatch.setattr(app, "REFRESH_SECONDS", 0.3)
    running = []

    def start(*paths: Path, token: str = "") -> str:
        runs = Runs(paths)
        blocks = app.build(runs)
        running.append((runs, blocks))
        address = app.launch(blocks, free_port(), token=token)
        runs.start()
        return address

    yield start
    for runs, blocks in running:
        blocks.close(verbose=False)
        runs.close()
