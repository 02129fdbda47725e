"""The pages say what the records say, in the right order, and survive hostile and unusual records."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fabricated import HOSTILE, fabricate, group, hostile_group, sample

from demo import panels
from vlrl.logs import RunFolder
from vlrl.types import Completion, Rollout, RolloutGroup, Sample, Score

OWN_TAGS = [
    "div",
    "header",
    "h2",
    "h3",
    "h4",
    "p",
    "span",
    "b",
    "i",
    "small",
    "pre",
    "code",
    "details",
    "summary",
    "article",
    "section",
    "figure",
    "figcaption",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "button",
    "svg",
    "g",
    "rect",
    "circle",
    "line",
    "polyline",
    "text",
    "title",
    "image",
]


def make_group(values: list[float | None], text: str = "t") -> RolloutGroup:
    rollouts = [Rollout(Completion(text, [1, 2], [0.0, 0.0], "stop"), Score(v), (v or 0.0) - 0.5) for v in values]
    return RolloutGroup(1, Sample("s", "gui", "q", {}), "prompt", rollouts)


def order(html: str, pattern: str) -> list[str]:
    return re.findall(pattern, html)


def test_run_page_shows_result_curves_and_evaluations(run_path: Path) -> None:
    run = RunFolder(run_path)
    html = panels.run_page("quickstart", run.metrics(), run.evals(), run.summary())
    for words in (
        "Reward and its parts",
        "grounding.iou",
        "Groups without spread",
        "KL to the reference",
        "Entropy",
        "Completion length",
    ):
        assert words in html
    for words in (
        "Clipped tokens",
        "no_box",
        "bad_json",
        "finished",
        "7 min 12 s",
        "+0.28 to +0.55",
        "no clear change",
        "3 more metrics",
    ):
        assert words in html
    assert html.count('class="interval"') == 2 * 2 * 3


def test_a_failure_code_that_no_longer_occurs_is_at_zero() -> None:
    rows: list[dict[str, Any]] = [{"step": 1, "failures/no_box": 0.5, "kl": 1.0}, {"step": 2}]
    html = panels.run_page("x", rows, [], None)
    assert order(html, r'class="legend"><span [^>]*> <b>([^<]+)') == ["0", "1"]


def test_run_page_before_the_first_step_says_what_to_do() -> None:
    assert "Start training" in panels.run_page("x", [], [], None)


def test_run_page_without_summary_and_with_holes() -> None:
    rows: list[dict[str, Any]] = [{"step": 1, "reward": None, "kl": 1}, {"step": 2, "reward": 0.5}, {"step": 3, "<img>": 1.0}]
    html = panels.run_page("<x>", rows, [{"step": 2, "prompt_modes": {"direct": {"m": {"mean": None}}}}], None)
    assert "summary.json" in html
    assert "<img>" not in html
    assert "<x>" not in html


def test_result_survives_missing_numbers() -> None:
    summary = {"metrics": {"m": {"before": None, "after": 0.5, "diff_ci95": [None, None]}, "n": {}}}
    assert panels.run_page("x", [], [], summary).count("<tr>") == 3


def test_groups_are_listed_by_spread_and_completions_by_reward() -> None:
    groups = [make_group([0.5, 0.5]), make_group([0.0, 1.0]), make_group([None, 0.3, 0.9])]
    html = panels.group_list(groups)
    assert order(html, r'data-group="(\d)"') == ["1", "2", "0"]
    assert order(html, r'aria-pressed="(\w+)"') == ["true", "false", "false"]
    assert html.count("no spread") == 1
    opened = panels.group_page(groups[2])
    assert order(opened, r'title="rollouts\[(\d)\]"') == ["2", "1", "0"]
    assert "not scored" in opened


def test_group_page_shows_every_field(tmp_path: Path) -> None:
    item = sample(tmp_path, 0)
    shown = panels.group_page(group(12, item))
    assert shown.count('class="card"') == 8
    for words in (
        "grounding.iou",
        "format.tags",
        "advantage",
        "tokens",
        item.question,
        item.id,
        "step 12",
        "Answer with its place",
    ):
        assert words in shown
    assert shown.count('class="geo"') == 2 * sum(r.score.extracted is not None for r in group(12, item).rollouts)
    assert 'class="gold"' in shown


def test_failures_and_cut_completions_are_marked(tmp_path: Path) -> None:
    one = make_group([0.0])
    rollout = one.rollouts[0]
    cut = replace(rollout, completion=replace(rollout.completion, finish_reason="length"), score=Score(0.0, failure="no_box"))
    shown = panels.group_page(replace(one, rollouts=[cut]))
    assert "cut at the length limit" in shown
    assert "no_box" in shown


def test_hostile_records_stay_text(tmp_path: Path) -> None:
    wicked = hostile_group(3, sample(tmp_path, 0))
    html = panels.group_page(wicked) + panels.group_list([wicked])
    assert set(re.findall(r"<\s*/?\s*([a-zA-Z0-9]+)", html)) <= set(OWN_TAGS)
    assert not re.search(r"\son\w+\s*=", re.sub(r">[^<]*<", "><", html))
    html.encode("utf-8")
    assert len(html) < 400_000


def test_huge_integers_are_shown() -> None:
    one = make_group([0.5])
    odd = replace(one.rollouts[0], score=Score(0.0, extracted=[10**400, 1]))
    assert "1000000" in panels.group_page(replace(one, rollouts=[odd]))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_are_shown(value: float) -> None:
    one = make_group([0.5, 0.7])
    odd = Rollout(Completion("", [], [], "stop"), Score(value, {"p": value}, None, [value, 1.0]), value)
    html = panels.group_page(replace(one, rollouts=[*one.rollouts, odd]))
    assert html.count('class="card"') == 3
    assert panels.group_list([replace(one, rollouts=[odd])])


def test_empty_group_and_many_groups() -> None:
    assert "0 groups" not in panels.group_list([])
    assert "No rollouts yet" in panels.group_list([])
    assert panels.group_page(make_group([]))
    assert "the first 200 are shown" in panels.group_list([make_group([0.0, 1.0])] * 201)


def test_evaluation_is_sorted_worst_first_and_paged(run_path: Path) -> None:
    run = RunFolder(run_path)
    rows = panels.worst_first(run.eval_rows(20))
    values = [row["score"]["value"] for row in rows]
    assert values == sorted(values)
    html = panels.eval_page(run.evals()[-1], rows, 0)
    assert html.count('class="tile"') == len(rows) == 20
    assert "rows 1 to 20 of 20, worst first" in html
    assert "0.63 to 0.85" in html
    assert "rows 19 to 20 of 20" in panels.eval_page({}, rows, 18)
    assert "has no rows" in panels.eval_page({}, [], 0)


def test_unscored_rows_come_last() -> None:
    rows = [{"score": {"value": value}} for value in (None, 1.0, 0.0)]
    assert [row["score"]["value"] for row in panels.worst_first(rows)] == [0.0, 1.0, None]


def test_a_row_that_could_not_be_used_tells_why(run_path: Path) -> None:
    row = RunFolder(run_path).eval_rows(0)[0]
    score = {**row["score"], "value": None, "failure": "bad_row", "extracted": "a.jsonl:3: image: a.png does not exist"}
    html = panels.eval_page({}, [{**row, "text": "", "finish_reason": None, "score": score}], 0)
    for words in ("not scored", "bad_row", "a.png does not exist", "empty text"):
        assert words in html


def test_hostile_evaluation_rows_stay_text(tmp_path: Path) -> None:
    run = RunFolder(fabricate(tmp_path / "r", steps=0))
    rows = [{**row, "text": text, "prompt_mode": text} for row, text in zip(run.eval_rows(0), HOSTILE, strict=False)]
    html = panels.eval_page({}, rows, 0)
    assert set(re.findall(r"<\s*/?\s*([a-zA-Z0-9]+)", html)) <= set(OWN_TAGS)
