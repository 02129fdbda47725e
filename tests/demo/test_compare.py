"""Flips, the same prompt twice, and a run scored again, against values worked out by other means."""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path
from typing import Any

import pytest
from all_families import fabricate_families
from conftest import OpenRuns
from fabricated import fabricate, hostile_group, sample, write_evaluation, write_step
from test_views import show

from demo import rescore, with_torch
from demo.paired import pairs_of, summary
from demo.runs import Runs
from vlrl.logs import RunFolder
from vlrl.types import Score, UserError


def row(name: str, value: float | None, correct: bool | None, source: str = "/a/rows.jsonl:1") -> dict[str, Any]:
    held = {"id": name, "task": "gui", "question": "q", "answer": {}, "media": [], "source": source}
    score = {"value": value, "parts": {}, "correct": correct, "extracted": None, "failure": None}
    return {"sample": held, "prompt_mode": "direct", "text": f"{value}", "score": score}


def test_flips_both_ways() -> None:
    first = [
        row("a", 1.0, True),
        row("b", 0.0, False),
        row("c", 0.5, None),
        row("d", 0.2, True),
        row("e", None, None),
        row("f", 1, True),
    ]
    second = [
        row("d", 0.2, True, "b/rows.jsonl:1"),
        row("c", 0.75, None),
        row("b", 1.0, True),
        row("a", 0.0, False),
        row("e", 1.0, True),
    ]
    pairs = pairs_of(first, second)
    assert [(pair.sample.id, pair.change) for pair in pairs] == [
        ("a", "lost"), ("b", "gained"), ("c", "higher"), ("d", "same"), ("e", "same"),
    ]  # fmt: skip
    total = summary(pairs)
    assert total is not None
    assert (total.rows, total.changes["lost"], total.changes["gained"]) == (4, 1, 1)
    assert total.difference[0] == pytest.approx((-1 + 1 + 0.25 + 0) / 4)
    assert total.second - total.first == pytest.approx(total.difference[0])
    assert summary(pairs_of([row("a", None, None)], [row("a", None, None)])) is None


def test_two_evaluations_of_a_run(open_runs: OpenRuns, run_path: Path) -> None:
    frame = open_runs(run_path)
    html = show(frame, "?view=compare")
    folder = RunFolder(run_path)
    before, after = folder.eval_rows(0), folder.eval_rows(20)
    gained = sum(not a["score"]["correct"] and b["score"]["correct"] for a, b in zip(before, after, strict=True))
    assert f"wrong, then right ({gained})" in html
    assert gained == show(frame, "?view=compare&change=gained").count('class="tile"')
    assert "right, then wrong (0)" in show(frame, "?view=compare&a=quickstart|20&b=quickstart|20")
    assert "no scored row" not in show(frame, "?view=compare&a=quickstart|x&b=../..")


def test_two_folders_of_a_benchmark(open_runs: OpenRuns, tmp_path: Path) -> None:
    for name, right in (("one", True), ("two", False)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "results.json").write_text(json.dumps({"results": {"t": {"value": 1.0, "value_n": 1, "value_ci95": [1, 1]}}}))
        doc = {"doc": {"question": "press <b>it</b>", "media": []}, "target": {"box": [0, 0, 5, 5]}, "resps": ["[1, 2]"]}
        line = {"doc_id": "7", "value": float(right), "correct": right, "failure": None, "parts": {}, "extracted": [1, 2], **doc}
        (folder / "samples_t.jsonl").write_text(json.dumps(line) + "\n")
    html = show(open_runs(tmp_path / "one", tmp_path / "two"), "?view=compare")
    assert "right, then wrong (1)" in html
    assert "press &lt;b&gt;it&lt;/b&gt;" in html


def test_the_same_prompt_at_two_steps_and_in_two_runs(open_runs: OpenRuns, run_path: Path, tmp_path: Path) -> None:
    frame = open_runs(run_path)
    html = show(frame, "?view=compare&what=prompt&sample=test-0002&task=grounding")
    means = [
        statistics.fmean(r.score.value or 0.0 for r in group.rollouts)
        for step in (1, 20)
        for group in RunFolder(run_path).groups(step)
        if group.sample.id == "test-0002"
    ]
    assert [f"mean {mean:.3g}" in html for mean in means] == [True, True]
    assert html.count('class="card"') == 16
    assert "20 groups" in html
    single = fabricate(tmp_path / "once", steps=1)
    assert "only once" in show(frame, "?view=compare&what=prompt&sample=never")
    assert "sampled twice" in show(open_runs(single), "?view=compare&what=prompt")
    both = show(open_runs(single, run_path), "?view=compare&what=prompt")
    assert "once · step 1" in both
    assert "quickstart · step 20" in both


def again(runs: Runs, reward: str, first: int = 1, last: int = 20, task: str = "gui") -> rescore.Result:
    (run,) = runs.values()
    return rescore.rescore(run, run.index.groups_between(first, last, task), rescore.read_reward(reward))


def test_scored_again_with_other_weights(open_runs: OpenRuns, run_path: Path) -> None:
    """The value is the weighted mean by hand, the advantage GRPO's formula by hand."""
    result = again(open_runs(run_path).runs, '{"gui.click": 1, "format.answer_only": 3}', 3, 4)
    assert result.problem == ""
    assert len(result.found) == result.groups * 8 == 2 * 3 * 8
    groups: dict[tuple[int, int], list[rescore.Rescored]] = {}
    for item in result.found:
        click, form = (
            rescore.read_reward(name)(item.rollout.completion.text, item.sample.answer).value
            for name in ("gui.click", "format.answer_only")
        )
        assert click is not None
        assert form is not None
        assert item.score.value == pytest.approx((click + 3 * form) / 4)
        groups.setdefault((item.row.step, item.row.line), []).append(item)
    for items in groups.values():
        values = [item.score.value or 0.0 for item in items]
        expected = [(value - statistics.fmean(values)) / (statistics.stdev(values) + 1e-4) for value in values]
        assert [item.advantage for item in items] == pytest.approx(expected, abs=1e-6)
    assert sum(item.flips for item in result.found) == sum((i.rollout.advantage * (i.advantage or 0)) < 0 for i in result.found)


def test_the_run_names_its_algorithm(open_runs: OpenRuns, run_path: Path) -> None:
    assert with_torch.advantages({"grpo": {"algorithm": "dr_grpo"}}, [1], [[1.0, 0.0, None]]) == [[0.5, -0.5, 0.0]]
    assert with_torch.advantages({"grpo": {"algorithm": "rloo"}}, [1, 2], [[1.0, 0.0], [2.0, 2.0]]) == [[1.0, -1.0], [0.0, 0.0]]
    with pytest.raises(UserError, match="choose one of"):
        with_torch.advantages({"grpo": {"algorithm": "none"}}, [1], [[1.0]])


def test_nothing_of_a_log_or_an_address_is_imported(open_runs: OpenRuns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "wicked_reward.py").write_text("raise SystemExit('imported')\n")
    monkeypatch.syspath_prepend(tmp_path)
    path = fabricate(tmp_path / "run", steps=1)
    folder = RunFolder(path)
    group = folder.groups(1)[0]
    group.sample.answer["reward"] = "wicked_reward:fn"
    object.__setattr__(group.sample, "task", "wicked_reward:TASK")
    folder.write_groups(2, [group])
    frame = open_runs(path)
    show(frame, "?view=compare&what=rescore&reward=wicked_reward:fn&task=wicked_reward:TASK")
    answer = frame.act(
        {"query": "?view=compare&reward=wicked_reward:fn", "action": "rescore", "fields": {"reward": "gui.click", "task": "gui"}}
    )
    assert "completions" in answer["html"]
    assert "wicked_reward" not in sys.modules


OWN_REWARD = """
from vlrl.types import Score

def short(text, answer):
    return Score(1 / (1 + len(text)))

def broken(text, answer):
    return 1 / 0
"""


def test_a_reward_of_ones_own(open_runs: OpenRuns, run_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_reward.py").write_text(OWN_REWARD)
    monkeypatch.syspath_prepend(tmp_path)
    frame = open_runs(run_path)
    result = again(frame.runs, "own_reward:short", 2, 2)
    assert all(item.score == Score(1 / (1 + len(item.rollout.completion.text))) for item in result.found)
    for typed, words in [
        ("own_reward:broken", "ZeroDivisionError"),
        ("gui.clik", "did you mean"),
        ("{", "no object of names and weights"),
        ('{"gui.click": "much"}', "number as its weight"),
        ('{"gui.click": -1}', "at least 0"),
        ("", "unknown reward"),
        ("counting.exact", "cannot score the gold"),
    ]:
        fields = {"reward": typed, "task": "gui", "first": "2", "last": "2"}
        answer = frame.act({"query": "?view=compare", "action": "rescore", "fields": fields})
        assert words in answer["html"], typed
    assert (
        "no group of this task"
        in frame.act({"query": "?view=compare", "action": "rescore", "fields": {"reward": "gui.click"}})["html"]
    )


def test_a_slow_reward_is_ended(open_runs: OpenRuns, run_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rescore, "MOST_SECONDS", -1.0)
    assert again(open_runs(run_path).runs, "gui.click").left == 60


def test_every_kind_of_task_and_hostile_runs(open_runs: OpenRuns, tmp_path: Path) -> None:
    frame = open_runs(fabricate_families(tmp_path / "families"))
    (run,) = frame.runs.values()
    for task in run.index.tasks():
        html = show(frame, f"?view=compare&what=rescore&task={task}")
        assert "&quot;: 0.9" in html or "&quot;: 1" in html, task
    path = fabricate(tmp_path / "hostile", steps=1)
    folder = RunFolder(path)
    for step in (2, 3):
        folder.write_groups(step, [hostile_group(step, sample(path / "media", 0))])
    wicked = open_runs(path)
    for query in ("what=prompt", "what=rescore", "what=evaluations", "what=<script>", "a=|&b=|||", "what=prompt&a=x|y|z"):
        show(wicked, f"?view=compare&{query}")


def test_a_live_run_has_empty_states(open_runs: OpenRuns, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "live")
    folder.create({})
    frame = open_runs(folder.path)
    for what, words in (("evaluations", "no two evaluations"), ("prompt", "sampled twice"), ("rescore", "No rollouts yet")):
        assert words in show(frame, f"?view=compare&what={what}")
    items = [sample(tmp_path, i) for i in range(2)]
    write_step(folder, 1, items)
    write_evaluation(folder, 1, items)
    write_evaluation(folder, 2, items)
    assert "wrong, then right" in show(frame, "?view=compare")
