"""The Search page selects what a plain loop over the records selects; its files hold the selection and nothing that runs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import OpenRuns
from fabricated import HOSTILE, fabricate, hostile_group, sample
from test_views import Checker, show

from demo import export
from demo.frame import Frame
from vlrl.logs import RunFolder
from vlrl.types import Rollout, RolloutGroup

Wanted = Callable[[RolloutGroup, Rollout], bool]


def parts_differ(rollout: Rollout) -> bool:
    return max(rollout.score.parts.values()) - min(rollout.score.parts.values()) >= 0.5


CASES: list[tuple[str, Wanted]] = [
    ("", lambda g, r: True),
    ("first=3&last=5", lambda g, r: 3 <= g.step <= 5),
    ("task=gui&correct=no", lambda g, r: g.sample.task == "gui" and r.score.correct is False),
    ("least=0.4&most=0.9", lambda g, r: 0.4 <= (r.score.value or 0.0) <= 0.9),
    ("failure=no_box", lambda g, r: r.score.failure == "no_box"),
    ("failure=none&shortest=9", lambda g, r: r.score.failure is None and len(r.completion.token_ids) >= 9),
    ("failure=*&longest=8", lambda g, r: r.score.failure is not None and len(r.completion.token_ids) <= 8),
    ("part=grounding.iou&part_least=0.5", lambda g, r: r.score.parts.get("grounding.iou", -1) >= 0.5),
    ("gap=0.5", lambda g, r: parts_differ(r)),
    ("text=stands out from", lambda g, r: "stands out from" in r.completion.text),
    ("flat=yes", lambda g, r: len({x.score.value for x in g.rollouts}) == 1),
]


@pytest.mark.parametrize(("query", "wanted"), CASES, ids=[query for query, _ in CASES])
def test_selects_what_a_plain_loop_selects(open_runs: OpenRuns, run_path: Path, query: str, wanted: Wanted) -> None:
    records = [group for step in range(1, 21) for group in RunFolder(run_path).groups(step)]
    expected = sorted((r.score.value, r.completion.text) for g in records for r in g.rollouts if wanted(g, r))
    assert expected
    saved = save(open_runs(run_path), f"?view=search&{query}&sort=reward&order=up", "jsonl")
    found = [json.loads(line)["rollout"] for line in saved.splitlines()]
    assert sorted((r["score"]["value"], r["completion"]["text"]) for r in found) == expected
    assert [r["score"]["value"] for r in found] == [value for value, _ in expected]


def save(frame: Frame, query: str, kind: str) -> str:
    answer = frame.act({"query": query, "action": "export", "fields": {"kind": kind}})
    assert answer["download"].endswith(f".{kind}"), answer
    return answer["text"]


def test_rows_lead_to_their_completions(open_runs: OpenRuns, run_path: Path) -> None:
    frame = open_runs(run_path)
    html = show(frame, "?view=search&text=stands+out&first=7&last=7")
    assert "48 rollouts" not in html
    assert "<b>stands</b>" in html
    assert "view=completion&amp;step=7&amp;group=" in html
    fields = {"step": "7", "line": "0", "place": "3"}
    assert "<svg" in frame.act({"query": "?view=search", "action": "thumb", "fields": fields})["html"]
    assert frame.act({"query": "?view=search", "action": "thumb", "fields": {**fields, "place": "99"}})["html"] == ""


def test_pages_of_a_long_selection_hold_every_rollout_once(open_runs: OpenRuns, run_path: Path) -> None:
    frame = open_runs(run_path)
    pages = [show(frame, f"?view=search&from={start}") for start in range(0, 960, 25)]
    assert "960 rollouts" in pages[0]
    assert sum(page.count('class="hit"') for page in pages) == 960
    assert "No rollout is like that" in show(frame, "?view=search&first=900")


def test_csv_has_a_column_per_part_and_no_formula(open_runs: OpenRuns, tmp_path: Path) -> None:
    folder = RunFolder(fabricate(tmp_path / "run", steps=1))
    group = folder.groups(1)[0]
    wicked = [Rollout(r.completion, r.score, r.advantage) for r in group.rollouts]
    object.__setattr__(wicked[0].completion, "text", '=HYPERLINK("http://example.com")')
    folder.write_groups(2, [group.__class__(2, group.sample, group.prompt, wicked)])
    rows = list(csv.DictReader(io.StringIO(save(open_runs(folder.path), "?view=search&first=2&sort=step", "csv"))))
    assert len(rows) == 8
    assert {"reward", "grounding.iou", "format.tags", "text"} <= rows[0].keys()
    assert [row["text"] for row in rows if "HYPERLINK" in row["text"]] == ['\'=HYPERLINK("http://example.com")']


def test_the_page_for_a_colleague_stands_alone(
    open_runs: OpenRuns, run_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = open_runs(run_path)
    page = save(frame, "?view=search&first=20", "html")
    assert page.count('class="card"') == 48
    assert page.count("data:image/png;base64,") >= 6
    assert "<script" not in page
    assert "default-src 'none'" in page
    monkeypatch.setattr(export, "MOST_PICTURES", 1)
    assert save(frame, "?view=search&first=20", "html").count("data:image") == 1


def test_hostile_rollouts_stay_text(open_runs: OpenRuns, tmp_path: Path) -> None:
    path = fabricate(tmp_path / "hostile", steps=1)
    RunFolder(path).write_groups(2, [hostile_group(2, sample(path / "media", 0))])
    frame = open_runs(path)
    for query in (
        "?view=search&first=2",
        "?view=search&text=script",
        f"?view=search&failure={HOSTILE[1]}",
        "?view=search&gap=nan",
    ):
        show(frame, query)
    show(frame, f"?view=search&sort={HOSTILE[0]}&part={HOSTILE[0]}&part_least=0.1&from=999999999999999")
    page = save(frame, "?view=search&first=2", "html")
    body = page.partition("<body>")[2].removesuffix("</body></html>")
    checker = Checker()
    checker.feed(body.replace('href=""', ""))
    assert "&lt;script&gt;" in body
    for kind in ("jsonl", "csv"):
        save(frame, "?view=search&first=2", kind).encode("utf-8")
    assert "no such kind" in frame.act({"query": "?view=search", "action": "export", "fields": {"kind": "../x"}})["html"]
