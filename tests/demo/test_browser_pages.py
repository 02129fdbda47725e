"""Search, Compare and Try in a real browser."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from all_families import hostile_groups, hostile_samples
from big_run import SIZE, generate
from browsing import Serve, check_layout
from fabricated import fabricate, hostile_group, sample

from vlrl.logs import RunFolder

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("page", ["light", "dark"], indirect=True)
def test_search_narrows_sorts_and_leads_on(page: Any, serve: Serve, run_path: Path) -> None:
    page.goto(serve(run_path))
    page.get_by_role("link", name="Search").click()
    page.get_by_text("960 rollouts").wait_for()
    page.locator(".thumb svg image").nth(24).wait_for()
    check_layout(page)
    page.get_by_role("link", name="failed").click()
    page.wait_for_url("**failure=**")
    assert page.locator(".hit .badge.bad").count() == 25
    page.get_by_label("first").fill("19")
    page.get_by_role("button", name="Search").click()
    page.wait_for_url("**first=19**")
    page.locator("select[name=task]").select_option("gui")
    page.wait_for_url("**task=gui**")
    assert "failure=*" in page.url.replace("%2A", "*")
    shown = page.locator(".hit .facts").all_inner_texts()
    assert shown
    assert all("gui" in text and ("step 19" in text or "step 20" in text) for text in shown)
    address = page.url
    page.goto(address)
    page.locator(".hit").first.wait_for()
    assert page.locator(".hit .facts").all_inner_texts() == shown, "the address holds the whole search"
    page.locator(".hit a").first.click()
    page.get_by_text("From text to value").wait_for()
    page.go_back()
    page.locator(".hit").first.wait_for()


def test_search_saves_its_selection(page: Any, serve: Serve, run_path: Path, tmp_path: Path) -> None:
    page.goto(serve(run_path) + "?view=search&first=20&task=grounding")
    for kind, name in (("JSONL", "jsonl"), ("CSV", "csv"), ("HTML page", "html")):
        with page.expect_download() as waiting:
            page.get_by_role("button", name=kind).click()
        waiting.value.save_as(tmp_path / f"saved.{name}")
        assert waiting.value.suggested_filename == f"quickstart-rollouts.{name}"
    assert len((tmp_path / "saved.jsonl").read_text().splitlines()) == 24
    alone = page.context.browser.new_page(viewport={"width": 1280, "height": 900})
    alone.goto((tmp_path / "saved.html").as_uri())
    assert alone.locator(".card").count() == 24
    assert alone.locator("svg.picture image").count() >= 3
    assert alone.evaluate("document.documentElement.scrollWidth") <= 1280
    alone.close()


def test_compare_two_evaluations_and_one_prompt(page: Any, serve: Serve, run_path: Path, tmp_path: Path) -> None:
    page.goto(serve(run_path, fabricate(tmp_path / "other", steps=10)))
    page.get_by_role("link", name="Compare").click()
    page.locator("table.result").wait_for()
    page.get_by_label("second evaluation").select_option("quickstart|20")
    page.wait_for_url("**b=quickstart**")
    page.get_by_role("link", name="wrong, then right").click()
    page.locator(".tile").first.wait_for()
    check_layout(page)
    page.get_by_role("link", name="the same prompt twice").click()
    page.locator(".compared .card").nth(15).wait_for()
    check_layout(page)
    page.get_by_label("a of the two").select_option(index=6)
    page.wait_for_url("**a=quickstart%7C7**")
    page.keyboard.press("j")
    page.wait_for_url("**sample=**")
    page.locator(".compared .card").first.hover()
    assert page.locator(".compared .group").nth(1).evaluate("group => group.classList.contains('isolated')") is False


@pytest.mark.parametrize("page", ["light", "dark"], indirect=True)
def test_score_a_run_again(page: Any, serve: Serve, run_path: Path) -> None:
    page.goto(serve(run_path) + "?view=compare&what=rescore&task=gui")
    reward = page.get_by_label("reward", exact=True)
    reward.wait_for()
    assert json.loads(reward.input_value())["gui.click"] == 0.9
    reward.fill('{"gui.click": 1, "format.answer_only": 4}')
    page.get_by_role("button", name="Score again").click()
    page.get_by_text("flip their advantage").wait_for(timeout=60_000)
    assert page.locator("#rescored .hit").count() > 0
    check_layout(page)
    reward.fill("gui.clik")
    page.get_by_role("button", name="Score again").click()
    page.get_by_text("did you mean 'gui.click'").wait_for()


def test_try_a_checkpoint(page: Any, serve: Serve, run_path: Path) -> None:
    pytest.importorskip("torch")
    page.goto(serve(run_path))
    page.get_by_text("Reward and its parts").wait_for()
    assert not page.locator("#try-page").is_visible()
    page.get_by_role("link", name="Try").click()
    page.get_by_role("button", name="Sample").wait_for()
    page.locator("#try-page input[type=file]").set_input_files(run_path / "media" / "0.png")
    page.get_by_label("checkpoint").fill("tiny")
    page.get_by_label("question").fill("the red ellipse")
    page.get_by_label("most tokens").fill("16")
    page.get_by_label("gold answer").fill("{'box'")
    page.get_by_role("button", name="Sample").click()
    page.get_by_text("the gold answer is no JSON").wait_for(timeout=60_000)
    page.get_by_label("gold answer").fill("")
    page.get_by_role("button", name="Sample").click()
    page.locator("#try-page .card").nth(7).wait_for(timeout=120_000)
    assert page.locator("#try-page figure image").count() == 1
    assert "not scored" in page.locator("#try-page .card").first.inner_text()
    page.get_by_label("gold answer").fill('{"box": [10, 10, 60, 60]}')
    page.get_by_role("button", name="Sample").click()
    page.get_by_text("grounding.iou").first.wait_for(timeout=60_000)
    check_layout(page)


def test_hostile_rollouts_stay_text(page: Any, serve: Serve, tmp_path: Path) -> None:
    path = fabricate(tmp_path / "hostile", steps=1)
    (tmp_path / "outside").mkdir()
    folder = RunFolder(path)
    attacks = hostile_samples(path, tmp_path / "outside")
    for step in (2, 3):
        folder.write_groups(step, [hostile_group(step, sample(path / "media", 0)), *hostile_groups(step, attacks)])
    url = serve(path)
    page.goto(f"{url}?view=search&first=2&text=script")
    page.locator(".hit").first.wait_for()
    page.wait_for_timeout(300)
    assert page.locator(".vl iframe, .vl script, .vl object, .vl style").count() == 0
    with page.expect_download() as waiting:
        page.get_by_role("button", name="HTML page").click()
    waiting.value.save_as(tmp_path / "saved.html")
    alone = page.context.browser.new_page(viewport={"width": 1280, "height": 900})
    alone.goto((tmp_path / "saved.html").as_uri())
    assert alone.evaluate("window.pwned === undefined")
    assert alone.locator("iframe, script, object").count() == 0
    alone.close()
    page.goto(f"{url}?view=compare&what=prompt")
    page.locator(".compared .card").first.wait_for()
    page.goto(f"{url}?view=compare&what=rescore")
    page.get_by_role("button", name="Score again").click()
    page.wait_for_timeout(300)
    assert page.evaluate("window.pwned === undefined")


def test_a_large_run_is_searched_fast(page: Any, serve: Serve, tmp_path: Path) -> None:
    url = serve(generate(tmp_path / "big", SIZE))
    page.goto(f"{url}?view=search")
    page.locator("b", has_text=f"{SIZE:,} rollouts").wait_for(timeout=600_000)
    for query in (
        "sort=tokens",
        "correct=no&sort=advantage&order=up",
        "gap=0.5",
        "text=red+button",
        "part=gui.click&part_least=0.5",
    ):
        start = time.perf_counter()
        page.evaluate(
            "query => history.pushState(null, '', query) || dispatchEvent(new PopStateEvent('popstate'))", f"?view=search&{query}"
        )
        page.locator(".vl-stage:not(.busy) .hit").first.wait_for()
        took = time.perf_counter() - start
        assert took < 3, f"{query}: a second is promised, the rest is for a busy machine"
