"""The pages say what the records say, on runs of every family, and survive hostile and unusual ones. No browser."""

from __future__ import annotations

import base64
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from all_families import fabricate_families, hostile_groups, hostile_samples
from conftest import OpenRuns
from fabricated import HOSTILE, fabricate, hostile_group, sample, write_evaluation, write_step

from demo import alarms, chart_diff, tokens
from demo.frame import Frame
from demo.runs import data_folders
from vlrl.logs import RunFolder

CASES = [
    "detection",
    "grounding",
    "several images",
    "click",
    "scroll",
    "points",
    "span",
    "track",
    "chart",
    "open",
    "closed",
    "count",
    "math",
]
PAGES = ("run", "groups", "completion", "evaluation")
VOID = {"input", "img", "image", "rect", "circle", "ellipse", "line", "polyline", "polygon"}
OWN_TAGS = VOID | {
    "div", "main", "nav", "header", "section", "article", "form", "label", "select", "option", "textarea", "button", "a", "p",
    "span", "b", "i", "small", "kbd", "h2", "h3", "h4", "ul", "ol", "li", "dl", "dt", "dd",
    "pre", "code", "details", "summary", "figure", "figcaption", "table", "thead", "tbody", "tr", "th", "td", "svg", "g",
    "text", "title",
}  # fmt: skip


class Checker(HTMLParser):
    """Fails on a tag or an attribute that is none of ours, and on tags that do not close."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in OWN_TAGS, tag
        for name, value in attrs:
            assert not name.startswith("on"), name
            if name in ("href", "src"):
                assert (value or "").startswith(("?", "data:image/png;base64,", "data:image/jpeg;base64,")), value
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, tag


def show(frame: Frame, query: str) -> str:
    """The HTML of a view, checked."""
    html = frame.show(query)["html"]
    html.encode("utf-8")
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202e\ud800-\udfff]", html)
    checker = Checker()
    checker.feed(html)
    assert checker.open == []
    assert "cannot be drawn" not in html
    return html


# what is shown


def test_run_page_shows_result_curves_and_evaluations(open_runs: OpenRuns, run_path: Path) -> None:
    html = show(open_runs(run_path), "?view=run")
    words = [
        "Reward and its parts",
        "grounding.iou",
        "Groups without spread",
        "KL to the reference",
        "Entropy",
        "Completion length",
    ]
    words += [
        "Clipped tokens",
        "no_box",
        "bad_json",
        "finished",
        "7 min 12 s",
        "+0.28 to +0.55",
        "no clear change",
        "3 more metrics",
    ]
    assert [word for word in words if word not in html] == []
    assert html.count('class="interval"') == 2 * 2 * 3


def test_groups_without_spread_are_counted_by_what_they_are(open_runs: OpenRuns, run_path: Path) -> None:
    frame = open_runs(run_path)
    (run,) = frame.runs.values()
    for step in run.index.steps():
        kinds = run.index.kinds(step.step)
        assert (step.right, step.wrong, step.equal) == tuple(kinds.get(kind, 0) for kind in ("right", "wrong", "equal"))
        assert sum(kinds.values()) == step.groups == 6


def test_several_runs_lie_over_each_other(open_runs: OpenRuns, run_path: Path, tmp_path: Path) -> None:
    frame = open_runs(run_path, fabricate(tmp_path / "other", steps=10))
    alone = show(frame, "?view=run&run=other")
    assert 'aria-pressed="false"' in alone
    assert "10 steps" in alone
    both = show(frame, "?view=run&run=other&over=quickstart")
    assert "2 runs" in both
    assert re.search(r">other <b>[\d.]+</b></span><span[^>]*>quickstart <b>", both), "one line per run in each chart"


@pytest.mark.parametrize("case", range(len(CASES)), ids=CASES)
def test_every_family_has_its_view(open_runs: OpenRuns, families_path: Path, case: int) -> None:
    frame = open_runs(families_path)
    html = show(frame, f"?view=groups&sort=file&group={case}")
    (run,) = frame.runs.values()
    row = run.index.group(1, case)
    assert row is not None
    assert html.count('class="card"') == row.count
    rewards = [float(v) for v in re.findall(r'reward <b class="value">([\d.]+)', html)]
    assert rewards == sorted(rewards, reverse=True)
    expected = {
        "detection": ('class="gold box"', "square"),
        "grounding": ('class="thought"',),
        "several images": ("image 2 of 2, with the gold",),
        "click": ('class="gold reach"', "wrong_action"),
        "scroll": ("down",),
        "span": ('class="timeline"', "1 to 2 s"),
        "track": ('class="strip-of-frames"',),
        "chart": ('data-lazy="draw_chart"',),
        "open": ("missing: left pleural", "opposite"),
        "closed": ("closed",),
        "math": ("This prompt has no picture.",),
    }
    for words in expected.get(CASES[case], ()):
        assert words in html
    for place in range(row.count):
        page = show(frame, f"?view=completion&group={case}&rollout={place}")
        assert "From text to value" in page
        if CASES[case] != "chart":
            assert "the same value as in the log" in page


def test_the_way_from_text_to_value_is_that_of_the_reward(open_runs: OpenRuns, families_path: Path) -> None:
    frame = open_runs(families_path)
    html = show(frame, "?view=completion&group=1&rollout=1")
    for words in ("answer part", "[60, 90, 160, 180]", "read as box", "(60.0, 90.0, 160.0, 180.0)", "grounding.iou", "extracted"):
        assert words in html


def test_an_edited_text_is_scored_by_the_same_code(open_runs: OpenRuns, families_path: Path) -> None:
    frame = open_runs(families_path)
    query = "?view=completion&group=1&rollout=2"
    better = frame.act(
        {"query": query, "action": "score_again", "fields": {"text": "<think>x</think><answer>[40, 60, 140, 160]</answer>"}}
    )["html"]
    assert "<b>value</b><code>1</code>" in better
    assert "+0.9 against the completion in the log" in better
    for text in (*HOSTILE, "[1e999, 2, 3, 4]", "[" * 100_000):
        Checker().feed(frame.act({"query": query, "action": "score_again", "fields": {"text": text}})["html"])


def test_charts_are_drawn_beside_the_gold_with_their_differences(open_runs: OpenRuns, families_path: Path) -> None:
    frame = open_runs(families_path)

    def drawn(place: int) -> str:
        return frame.act({"query": "?view=groups&group=8", "action": "draw_chart", "fields": {"place": str(place)}})["html"]

    assert "no difference in texts, types and colours" in drawn(0)
    other = drawn(1)
    assert other.count("<img src=") == 2
    for words in ("text missing", "title “Stock”", "text added", "title “Stocks”", "#4682b4", "#ff6347"):
        assert words in other
    assert "type missing" in drawn(2)
    assert "exec_error: ZeroDivisionError" in drawn(3)
    assert "gone" in drawn(99)


def test_tokens_are_coloured_by_what_the_log_holds(open_runs: OpenRuns, tmp_path: Path) -> None:
    path = fabricate_families(tmp_path / "run")
    file = path / "rollouts" / "000001.jsonl"
    records = [json.loads(line) for line in file.read_text().splitlines()]
    completion = records[1]["rollouts"][0]["completion"]
    completion["entropies"] = [0.5] * len(completion["token_ids"])
    records[1]["rollouts"][0]["ref_logprobs"] = [-1.0] * len(completion["token_ids"])
    file.write_text("".join(json.dumps(r) + "\n" for r in records))
    frame = open_runs(path)
    html = show(frame, "?view=completion&group=1&rollout=0&colour=entropies")
    assert html.count('class="t"') == len(completion["token_ids"])
    assert "entropy 0.5" in html
    assert "gap to the reference" in show(frame, "?view=completion&group=1&rollout=0&colour=ref_logprobs")
    assert "log has no weight per token" in show(frame, "?view=completion&group=1&rollout=0&colour=token_weights")
    assert "numbers of the tokens" in html


class Letters:
    """A tokenizer whose tokens are bytes."""

    def decode(self, ids: list[int], skip_special_tokens: bool) -> str:
        return bytes(ids).decode("utf-8", "replace")


def test_bytes_of_one_character_are_one_piece_of_text() -> None:
    text = "aé€😀b"
    pieces = tokens.split_text(Letters(), list(text.encode()))
    assert "".join(pieces) == text
    assert pieces == ["a", "", "é", "", "", "€", "", "", "", "😀", "b"]


# the address


def test_any_address_gives_a_page(open_runs: OpenRuns, run_path: Path) -> None:
    frame = open_runs(run_path)
    odd = [
        "",
        "?",
        "?view=nothing",
        "?view=groups&step=x&group=-1&from=99999",
        "?view=groups&step=999999999999999999",
        "?run=../..&view=run",
    ]
    odd += [
        "?view=completion&group=77&rollout=99&colour=x",
        "?view=evaluation&step=7&mode=<b>&from=1000",
        f"?{'a' * 100_000}=1",
        "?view=%00%ff",
    ]
    for query in odd:
        show(frame, query)
    assert "step 20" in show(frame, "?view=groups&step=77"), "the nearest step"


def test_lists_are_sorted_and_filtered_by_the_address(open_runs: OpenRuns, families_path: Path) -> None:
    frame = open_runs(families_path)
    html = show(frame, "?view=groups&sort=low")
    means = [float(value) for value in re.findall(r"mean ([\d.]+) · spread", html)]
    assert means == sorted(means)
    assert "No group of this step is like that" in show(frame, "?view=groups&show=right")


def test_unknown_actions_are_refused(open_runs: OpenRuns, run_path: Path) -> None:
    frame = open_runs(run_path)
    for request in (
        {},
        {"action": "render"},
        {"action": "__class__", "query": "?view=groups"},
        {"action": "draw_chart", "fields": 5, "query": "?view=groups"},
    ):
        assert "notice" in frame.act(request)["html"]


# live, empty and broken runs


def test_an_empty_run_says_what_to_do_and_fills(open_runs: OpenRuns, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "live")
    folder.create({})
    frame = open_runs(folder.path)
    for page, words in zip(PAGES, ("Start training", "No rollouts yet", "No rollouts yet", "No evaluation yet"), strict=True):
        assert words in show(frame, f"?view={page}")
    stamp = frame.stamp("")
    assert frame.stamp("") == stamp
    items = [sample(tmp_path, i) for i in range(2)]
    write_step(folder, 1, items)
    assert frame.stamp("") != stamp
    assert show(frame, "?view=groups").count('class="card"') == 8, "a step that is looked at is read at once"
    write_evaluation(folder, 1, items)
    assert "rows 1 to 4 of 4, worst first" in show(frame, "?view=evaluation")


def test_a_folder_that_vanished_is_told(open_runs: OpenRuns, tmp_path: Path) -> None:
    path = fabricate(tmp_path / "run", steps=1)
    frame = open_runs(path)
    (path / "config.yaml").unlink()
    assert "is no run folder" in show(frame, "?view=run")


def test_broken_files_are_told(open_runs: OpenRuns, tmp_path: Path) -> None:
    path = fabricate(tmp_path / "run", steps=1)
    frame = open_runs(path)
    (path / "metrics.jsonl").write_text("{\n")
    assert "metrics.jsonl:1" in show(frame, "?view=run")


# hostile runs


@pytest.fixture(scope="module")
def hostile_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose texts, names and media attack the page."""
    path = fabricate(tmp_path_factory.mktemp("runs") / "hostile", steps=1)
    outside = tmp_path_factory.mktemp("outside")
    folder = RunFolder(path)
    folder.write_groups(2, [hostile_group(2, sample(path / "media", 0)), *hostile_groups(2, hostile_samples(path, outside))])
    folder.write_metrics(2, {"<img src=x onerror='window.pwned = 5'>": 1.0, "rewards/${window.pwned = 6}/mean": 1.0})
    rows = [{**row, "text": text, "prompt_mode": text[:100]} for row, text in zip(folder.eval_rows(0), HOSTILE, strict=False)]
    folder.write_eval(2, rows, {"prompt_modes": {HOSTILE[0]: {HOSTILE[1]: {"mean": 0.5}}}})
    return path


def test_hostile_texts_stay_text(open_runs: OpenRuns, hostile_path: Path) -> None:
    frame = open_runs(hostile_path)
    for page in PAGES:
        show(frame, f"?view={page}&step=2")
    html = show(frame, "?view=groups&step=2&group=0")
    assert len(html) < 400_000, "a megabyte of text is folded and cut"
    assert "&lt;script&gt;window.pwned = 1&lt;/script&gt;" in html
    assert "\\x1b[31mred" in html


def test_no_file_outside_is_shown_and_no_svg(open_runs: OpenRuns, hostile_path: Path) -> None:
    frame = open_runs(hostile_path)
    (run,) = frame.runs.values()
    magenta = 0
    for row in run.index.groups(2, "file"):
        for page in ("groups", "completion"):
            html = show(frame, f"?view={page}&step=2&group={row.line}")
            if row.line == 0:
                continue
            assert 'class="warn"' in html
            assert "data:image" not in html
            magenta += base64.b64encode(b"\xff\x00\xff").decode() in html
    assert magenta == 0


def test_configuration_names_the_data_folders(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.jsonl").write_text("")
    (tmp_path / "runs" / "x").mkdir(parents=True)
    config = {
        "data": [{"path": "data/a.jsonl"}, {"path": 5}, 7],
        "evaluation": {"data": [{"path": str(tmp_path / "data")}, {"path": "no\0"}]},
    }
    assert data_folders(tmp_path / "runs" / "x", config) == [tmp_path / "data", tmp_path / "data"]
    assert data_folders(tmp_path, {"data": "x", "evaluation": None}) == []


def test_code_of_others_is_imported_only_where_the_configuration_names_it(open_runs: OpenRuns, tmp_path: Path) -> None:
    path = fabricate_families(tmp_path / "run")
    file = path / "rollouts" / "000001.jsonl"
    file.write_text(
        file.read_text()
        .replace('"task": "counting"', '"task": "antigravity:TASK"')
        .replace('"temporal.tracking"', '"antigravity:fn"')
    )
    frame = open_runs(path)
    for group in (7, 11):
        assert "does not name, so it is not imported" in show(frame, f"?view=completion&group={group}")


# warnings


def metrics_rows(count: int = 200, **series: Any) -> list[dict[str, Any]]:
    """Rows whose values run from the first to the last number of each pair."""
    return [{"step": i + 1, **{name: a + (b - a) * i / (count - 1) for name, (a, b) in series.items()}} for i in range(count)]


@pytest.mark.parametrize(
    ("series", "words"),
    [
        ({"sampling/logp_difference": (0.4, 0.4)}, "Sampling and training disagree"),
        ({"rewards/format.prompted/mean": (0.4, 0.9), "rewards/gui.click/mean": (0.5, 0.2)}, "format.prompted rises (+0.4"),
        ({"entropy": (2.0, 0.0)}, "Entropy fell"),
        ({"kl": (0.0, 9.0)}, "away from the reference"),
        ({"rewards_unscorable": (2.0, 2.0)}, "cannot be scored"),
    ],
)
def test_metrics_raise_alarms(series: Any, words: str) -> None:
    found = [alarm for rule in alarms.METRIC_RULES if (alarm := rule(metrics_rows(**series)))]
    assert [alarm.text for alarm in found if words in alarm.text]
    assert len(found) == 1


def test_a_quiet_run_raises_none() -> None:
    quiet = metrics_rows(
        **{"sampling/logp_difference": (1e-6, 1e-6), "entropy": (2.0, 1.0), "kl": (0.0, 0.1), "reward": (0.1, 0.9)}
    )
    assert [alarm for rule in alarms.METRIC_RULES if (alarm := rule(quiet))] == []
    assert [alarm for rule in alarms.METRIC_RULES if (alarm := rule([]))] == []
    assert [alarm for rule in alarms.STEP_RULES if (alarm := rule([]))] == []
    assert [alarm for rule in alarms.ROW_RULES if (alarm := rule([]))] == []


def test_a_loss_that_is_no_number_is_told() -> None:
    rows = [*metrics_rows(loss=(0.1, 0.1)), {"step": 201, "loss": None}]
    assert "not a number at 1 of 201 steps, first at step 201" in str(alarms.METRIC_RULES[0](rows))


def test_rollouts_raise_alarms(open_runs: OpenRuns, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.create({})
    (folder.path / "rollouts" / "000001.jsonl").write_text("".join(json.dumps(_flooded(i)) + "\n" for i in range(40)))
    html = show(open_runs(folder.path), "?view=run")
    for words in (
        "of groups have equal rewards: nothing is learned there; most are all wrong",
        "Length hits the limit in 50 % of completions",
        "50 % of completions fail with no_box",
        "The same text answers 100 % of the prompts",
        "A flood of boxes earns the top 5 %",
    ):
        assert words in html


def _flooded(line: int) -> dict[str, Any]:
    """Four wrong completions, half of them cut; in every eighth group one answer of thirty boxes that earns all."""
    wins = line % 8 == 0
    boxes = [[1, 2, 3, 4]] * 30 if wins else [[1, 2, 3, 4]]
    score = {"value": float(wins), "parts": {}, "correct": wins, "extracted": boxes, "failure": None}
    wrong = {"value": 0.0, "parts": {}, "correct": False, "extracted": [[1, 2, 3, 4]], "failure": "no_box"}
    rollouts = [
        {
            "completion": {
                "text": "the same",
                "token_ids": [1],
                "logprobs": [0.0],
                "finish_reason": "length" if i % 2 else "stop",
            },
            "score": wrong if i % 2 else score,
            "advantage": 0.0,
        }
        for i in range(4)
    ]
    sample_json = {"id": str(line), "task": "detection", "question": "q", "answer": {}, "media": [], "source": ""}
    return {"step": 1, "sample": sample_json, "prompt": "p", "rollouts": rollouts}


def test_drawings_are_kept(families_path: Path) -> None:
    chart_diff.draw.cache_clear()
    for _ in range(2):
        chart_diff.compared("import matplotlib.pyplot as plt\nplt.plot([1])", "1 / 0")
    assert chart_diff.draw.cache_info().hits == 2
