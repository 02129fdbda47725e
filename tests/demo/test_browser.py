"""The inspector in a real browser: every page stands, follows links, keys and a live run, runs no foreign script."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from all_families import cases, hostile_groups, hostile_samples
from big_run import SIZE, generate
from browsing import Serve, check_layout
from fabricated import fabricate, hostile_group, sample, write_evaluation, write_step

from demo.frame import Frame
from vlrl.logs import RunFolder

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("page", ["light", "dark"], indirect=True)
def test_walk_through_a_finished_run(page: Any, serve: Serve, run_path: Path) -> None:
    page.goto(serve(run_path))
    page.get_by_text("Reward and its parts").wait_for()
    assert page.locator("table.result tbody tr").count() == 2
    check_layout(page)
    plot = page.locator(".chart", has_text="Reward and its parts").locator("svg")
    plot.hover()
    assert page.locator(".tip text").first.text_content().startswith("step ")
    plot.click()
    page.locator(".card").nth(7).wait_for()
    assert "view=groups&step=" in page.url
    check_layout(page)

    page.get_by_role("link", name="Evaluation").click()
    page.get_by_text("worst first").wait_for()
    assert page.locator(".tile svg.picture image").count() == 20
    check_layout(page)
    page.get_by_role("link", name="Completion").click()
    page.get_by_text("From text to value").wait_for()
    check_layout(page)
    page.go_back()
    page.get_by_text("worst first").wait_for()


def test_keys_links_and_the_light_of_one_completion(page: Any, serve: Serve, run_path: Path) -> None:
    page.goto(serve(run_path) + "?view=groups&step=19&sort=file")
    page.locator(".card").nth(7).wait_for()
    second = page.locator("a.group-link").nth(1).locator(".question").inner_text()
    page.keyboard.press("j")
    page.locator("h3", has_text=second).wait_for()
    assert "group=1" in page.url
    page.keyboard.press("k")
    page.wait_for_url("**group=0**")
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**step=20**")
    page.keyboard.press("ArrowLeft")
    page.wait_for_url("**step=19**")
    page.locator(".card").nth(7).wait_for()
    page.locator(".card").first.hover()
    faint = [float(o) for o in page.locator(".geo").evaluate_all("all => all.map(g => getComputedStyle(g).opacity)")]
    assert sorted(set(faint)) == [0.07, 1.0]
    assert faint.count(1.0) == 2, "the shape and the number of the completion under the pointer"

    page.locator(".card a.tag").nth(2).click()
    page.get_by_text("From text to value").wait_for()
    assert page.locator("a.rank[aria-current=true]").inner_text().startswith("3")
    page.keyboard.press("Escape")
    page.locator(".card").nth(7).wait_for()
    address = page.url
    page.goto(address)
    page.locator(".card").nth(7).wait_for()
    assert page.locator("input[name=step][data-auto]").input_value() == "19"
    page.get_by_label("show").select_option("mixed")
    page.wait_for_url("**show=mixed**")


def test_every_family(page: Any, serve: Serve, families_path: Path, tmp_path: Path) -> None:
    url = serve(families_path)
    for place in range(len(cases(tmp_path))):
        page.goto(f"{url}?view=groups&sort=file&group={place}")
        page.locator(".card").nth(2).wait_for()
        check_layout(page)
    page.goto(f"{url}?view=groups&sort=file&group=8")
    page.locator(".differences").nth(2).wait_for(timeout=60_000)
    page.locator(".beside-charts").nth(3).wait_for(timeout=60_000)
    assert page.locator(".beside-charts img").count() == 7, "four golds, and three of four programs run"
    check_layout(page)
    page.goto(f"{url}?view=completion&group=1&rollout=2")
    page.get_by_label("text to score").fill("<think>so</think><answer>[40, 60, 140, 160]</answer>")
    page.get_by_role("button", name="Score this text").click()
    page.get_by_text("against the completion in the log").wait_for()


def test_hostile_completions_stay_text(page: Any, serve: Serve, tmp_path: Path) -> None:
    path = fabricate(tmp_path / "hostile", steps=1)
    (tmp_path / "outside").mkdir()
    folder = RunFolder(path)
    groups = [hostile_group(2, sample(path / "media", 0)), *hostile_groups(2, hostile_samples(path, tmp_path / "outside"))]
    folder.write_groups(2, groups)
    folder.write_metrics(2, {"<img src=x onerror='window.pwned = 5'>": 1.0, "rewards/${window.pwned = 6}/mean": 1.0})
    url = serve(path)
    page.goto(url)
    page.get_by_text("${window.pwned = 6}").first.wait_for()
    page.goto(f"{url}?view=groups&step=2&sort=file&group=0")
    page.locator(".card").nth(7).wait_for()
    texts = page.locator(".card pre.text").all_inner_texts()
    for words in ("${7*7} {{7*7}}", "<script>window.pwned = 1</script>", "\\x1b[31mred"):
        assert any(words in text for text in texts)
    check_layout(page)
    for place in range(len(groups)):
        page.goto(f"{url}?view=completion&step=2&group={place}")
        page.get_by_text("From text to value").wait_for()
        assert page.locator(".vl iframe, .vl script, .vl object, .vl style").count() == 0
        assert place == 0 or page.locator("figure image").count() == 0
    assert page.evaluate("window.pwned === undefined")


def test_no_file_is_served(page: Any, serve: Serve, run_path: Path) -> None:
    url = serve(run_path)
    for path in (run_path / "config.yaml", run_path / "media" / "0.png", Path("/etc/passwd")):
        for route in ("gradio_api/file=", "file=", "gradio_api/file/"):
            assert page.request.get(f"{url}{route}{path}").status in (403, 404)


def test_a_token_lets_in(page: Any, serve: Serve, run_path: Path) -> None:
    address = serve(run_path, token="secret-token")
    url = address.partition("?")[0]
    assert page.request.get(url).status == 401
    assert page.request.get(f"{url}gradio_api/info").status == 401
    page.goto(address)
    page.get_by_text("Reward and its parts").wait_for()
    assert "token" not in page.url


def test_follows_a_run_that_is_being_written(page: Any, serve: Serve, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "live")
    folder.create({})
    page.goto(serve(folder.path))
    page.get_by_text("live has no metrics yet").wait_for()
    items = [sample(tmp_path, i) for i in range(2)]
    write_step(folder, 1, items)
    page.get_by_text("Reward and its parts").wait_for()
    page.get_by_role("link", name="Groups").click()
    page.locator(".card").nth(7).wait_for()
    page.locator("summary", has_text="gold answer").click()
    write_step(folder, 2, items)
    page.get_by_text("2 of 2 steps").wait_for()
    page.goto(page.url.partition("?")[0] + "?view=groups&step=1")
    page.get_by_text("1 of 2 steps").wait_for()
    page.locator("summary", has_text="gold answer").click()
    card = page.locator(".card").first.element_handle()
    write_step(folder, 3, items)
    page.get_by_text("1 of 3 steps").wait_for()
    assert card.evaluate("card => card.isConnected"), "what has not changed is not drawn anew"
    assert page.locator("details[open]").count() == 2
    write_evaluation(folder, 1, items)
    page.get_by_role("link", name="Evaluation").click()
    page.get_by_text("rows 1 to 4 of 4, worst first").wait_for()


def test_two_runs_can_be_chosen(page: Any, serve: Serve, run_path: Path, tmp_path: Path) -> None:
    page.goto(serve(run_path, fabricate(tmp_path / "other", steps=10)))
    page.get_by_text("20 steps").wait_for()
    page.locator("select[name=run]").select_option("other")
    page.get_by_text("10 steps").wait_for()
    page.get_by_role("link", name="Groups").click()
    page.locator("header", has_text="step 10").wait_for()
    page.get_by_role("link", name="Run", exact=True).click()
    page.locator(".chips a", has_text="quickstart").click()
    page.get_by_text("2 runs").wait_for()
    check_layout(page)


def test_a_refresh_does_not_overtake_what_was_asked_for(
    page: Any, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While an index grows every look finds something new; a page that takes longer than that must still come."""
    show = Frame.show
    monkeypatch.setattr(Frame, "stamp", lambda self, query: str(time.perf_counter()))
    monkeypatch.setattr(Frame, "show", lambda self, query: (time.sleep(1.0), show(self, query))[1])
    page.goto(serve(generate(tmp_path / "run", 2000)))
    page.get_by_role("link", name="Groups", exact=True).click()
    page.locator(".card").first.wait_for(timeout=8000)


def test_a_large_run_opens_and_turns_its_pages_fast(page: Any, serve: Serve, tmp_path: Path) -> None:
    path = generate(tmp_path / "big", SIZE)
    start = time.perf_counter()
    url = serve(path)
    page.goto(url)
    page.locator(".chart").first.wait_for()
    assert time.perf_counter() - start < 5
    for view, sign in (("groups", ".card"), ("completion", "ol.path"), ("run", ".chart")):
        start = time.perf_counter()
        page.get_by_role("link", name=view.capitalize(), exact=True).click()
        page.locator(sign).first.wait_for()
        assert time.perf_counter() - start < 2, f"{view}: a second is promised, the other is for a busy machine"
