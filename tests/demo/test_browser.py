"""The inspector in a real browser: every page shows its content, follows a live run, runs no foreign script, calls nobody."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fabricated import fabricate, hostile_group, sample, write_evaluation, write_step

from vlrl.logs import RunFolder

pytestmark = pytest.mark.browser
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api", reason="the browser test needs playwright")
    with api.sync_playwright() as playwright, playwright.chromium.launch(executable_path=chromium, args=FLAGS) as launched:
        yield launched


@pytest.fixture
def page(browser: Any, serve: Any) -> Iterator[Any]:
    """A page that fails the test on any console error and on any request to another machine; closed before the server is."""
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    allowed = ("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:")
    opened.on("request", lambda request: None if request.url.startswith(allowed) else complaints.append(request.url))
    yield opened
    opened.close()
    assert complaints == []


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    app = pytest.importorskip("demo.app", reason="the browser test needs gradio")
    monkeypatch.setattr(app, "REFRESH_SECONDS", 0.5)
    running = []

    def start(*runs: Path) -> str:
        running.append(app.build(runs))
        return app.launch(running[-1], free_port())

    yield start
    for blocks in running:
        blocks.close(verbose=False)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_walk_through_a_finished_run(page: Any, serve: Any, run_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demo.panels.ROWS_PER_PAGE", 8)
    page.goto(serve(run_path))
    page.get_by_text("Reward and its parts").wait_for()
    assert page.locator("table.result tbody tr").count() == 2
    strip = page.locator(".chart").first.locator(".strip").nth(1)
    strip.hover()
    assert page.locator(".tip:visible").count() == 1

    page.get_by_role("tab", name="Groups").click()
    page.locator(".card").nth(7).wait_for()
    page.locator("button[data-group]").nth(2).click()
    question = page.locator("button[data-group]").nth(2).locator(".question").inner_text()
    page.locator("h3", has_text=question).wait_for()
    card = page.locator(".card").first
    card.hover()
    faint = [float(o) for o in page.locator(".geo").evaluate_all("all => all.map(g => getComputedStyle(g).opacity)")]
    assert sorted(set(faint)) == [0.07, 1.0]
    assert faint.count(1.0) == 2, "the shape and the number of the completion under the pointer"
    page.get_by_role("button", name="Previous step").click()
    page.locator(".vl.group header", has_text="step 19").wait_for()

    page.get_by_role("tab", name="Evaluation").click()
    page.get_by_text("rows 1 to 8 of 20, worst first").wait_for()
    assert page.locator(".tile svg.picture image").count() == 8
    page.get_by_role("button", name="Next page").click()
    page.get_by_text("rows 9 to 16 of 20").wait_for()


def test_hostile_completions_stay_text(page: Any, serve: Any, tmp_path: Path) -> None:
    path = fabricate(tmp_path / "hostile", steps=1)
    folder = RunFolder(path)
    folder.write_groups(2, [hostile_group(2, sample(tmp_path, 0))])
    folder.write_metrics(2, {"<img src=x onerror='window.pwned = 5'>": 1.0, "rewards/${window.pwned = 6}/mean": 1.0})
    page.goto(serve(path))
    page.get_by_text("rewards/${window.pwned = 6}/mean".removeprefix("rewards/").removesuffix("/mean")).first.wait_for()
    page.get_by_role("tab", name="Groups").click()
    page.locator(".card").nth(7).wait_for()
    page.locator("button[data-group]").first.click()
    page.wait_for_timeout(500)
    assert page.evaluate("window.pwned === undefined")
    assert page.locator("iframe, .card script, .card img, .card svg").count() == 0
    texts = page.locator(".card pre.text").all_inner_texts()
    assert any("${7*7} {{7*7}}" in text for text in texts)
    assert any("<script>window.pwned = 1</script>" in text for text in texts)
    assert any("\\x1b[31mred" in text for text in texts)


def test_follows_a_run_that_is_being_written(page: Any, serve: Any, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "live")
    folder.create({})
    page.goto(serve(folder.path))
    page.get_by_text("live has no metrics yet").wait_for()
    items = [sample(tmp_path, i) for i in range(2)]
    write_step(folder, 1, items)
    page.get_by_text("Reward and its parts").wait_for()
    page.get_by_role("tab", name="Groups").click()
    page.locator(".card").nth(7).wait_for()
    write_evaluation(folder, 1, items)
    page.get_by_role("tab", name="Evaluation").click()
    page.get_by_text("rows 1 to 4 of 4, worst first").wait_for()


def test_two_runs_can_be_chosen(page: Any, serve: Any, run_path: Path, tmp_path: Path) -> None:
    page.goto(serve(run_path, fabricate(tmp_path / "other", steps=10)))
    page.get_by_text("20 steps").wait_for()
    page.get_by_label("Run", exact=True).first.click()
    page.get_by_role("option", name="other").click()
    page.get_by_text("10 steps").wait_for()
    page.get_by_role("tab", name="Groups").click()
    page.locator(".vl.group header", has_text="step 10").wait_for()
