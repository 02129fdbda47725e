"""The run folder: what is written comes back, and a kill at any moment leaves nothing half done."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from vlrl.logs import CHECKPOINT_MARKER, RunFolder
from vlrl.types import Completion, Media, Rollout, RolloutGroup, Sample, Score, UserError


def make_group(step: int, text: str = "<answer>[1, 2, 3, 4]</answer>") -> RolloutGroup:
    answer = {"box": [1, 2, 3, 4], "image_size": [64, 64]}
    sample = Sample("a-1", "grounding", "the red box", answer, (Media("image", "/x/a.png"),), "a.jsonl:1")
    score = Score(0.5, {"grounding.iou": 0.5}, False, [1.0, 2.0, 3.0, 4.0], None)
    completion = Completion(text, [5, 6, 0], [-0.1, -2.0, -0.5], "stop")
    return RolloutGroup(step, sample, "Where is the red box?", [Rollout(completion, score, 0.25)])


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    folder = RunFolder(tmp_path / "runs" / "x")
    folder.create({"seed": 3, "model": {"path": "tiny"}})
    return folder


def test_empty_run_reads_as_empty(run: RunFolder) -> None:
    assert run.config() == {"seed": 3, "model": {"path": "tiny"}}
    assert (run.metrics(), run.steps(), run.evals(), run.summary(), run.latest_checkpoint()) == ([], [], [], None, None)


TEXTS = ["plain", "<script>${7*7}</script>", "\x1b[31mred\x1b[0m\r\n\u2028\x85 end", "\ud800 alone", "ä 漢字 🙂", ""]


@pytest.mark.parametrize("text", TEXTS)
def test_groups_come_back_exactly(run: RunFolder, text: str) -> None:
    groups = [make_group(7, text), make_group(7)]
    run.write_groups(7, groups)
    assert run.groups(7) == groups
    assert run.steps() == [7]


def test_unscored_and_infinite_values_survive_in_records(run: RunFolder) -> None:
    rollout = Rollout(Completion("", [], [], "length"), Score(None, extracted=[math.inf, 1.0], failure="no_box"), -math.inf)
    group = RolloutGroup(1, make_group(1).sample, "p", [rollout])
    run.write_groups(1, [group])
    assert run.groups(1) == [group]


def test_metrics_keep_order_and_write_null_for_not_finite(run: RunFolder) -> None:
    run.write_metrics(1, {"reward": 0.5, "kl": math.nan})
    run.write_metrics(2, {"reward": 0.75, "kl": math.inf})
    assert run.metrics() == [{"step": 1, "reward": 0.5, "kl": None}, {"step": 2, "reward": 0.75, "kl": None}]
    first_line = (run.path / "metrics.jsonl").read_text().splitlines()[0]
    assert first_line == '{"step": 1, "reward": 0.5, "kl": null}'


def test_torn_last_line_is_left_out_and_cut_at_the_next_start(run: RunFolder) -> None:
    run.write_metrics(1, {"reward": 0.5})
    with open(run.path / "metrics.jsonl", "a") as file:
        file.write('{"step": 2, "rew')
    assert [row["step"] for row in run.metrics()] == [1]
    run.create({"seed": 4})
    run.write_metrics(2, {"reward": 0.6})
    assert [row["step"] for row in run.metrics()] == [1, 2]
    assert run.config() == {"seed": 4}


def test_broken_line_in_the_middle_is_named(run: RunFolder) -> None:
    (run.path / "metrics.jsonl").write_text('{"step": 1}\nnonsense\n{"step": 3}\n')
    with pytest.raises(UserError, match=r"metrics\.jsonl:2"):
        run.metrics()


def test_kill_while_writing_groups_leaves_the_old_step(run: RunFolder) -> None:
    def killed() -> Iterator[RolloutGroup]:
        yield make_group(1, "new")
        raise KeyboardInterrupt

    run.write_groups(1, [make_group(1, "old")])
    for step in (1, 2):
        with pytest.raises(KeyboardInterrupt):
            run.write_groups(step, killed())
    assert run.steps() == [1]
    assert run.groups(1)[0].rollouts[0].completion.text == "old"


def test_half_written_temporary_file_is_no_step(run: RunFolder) -> None:
    (run.path / "rollouts" / ".000003.jsonl.tmp").write_text('{"half')
    (run.path / "eval" / ".000003.json.tmp").write_text('{"half')
    assert run.steps() == []
    assert run.evals() == []


def test_eval_and_summary_round_trip(run: RunFolder) -> None:
    rows = [{"sample": {"id": "a"}, "prompt_mode": "direct", "text": "\ud800", "finish_reason": "stop", "score": {"value": 1.0}}]
    run.write_eval(100, rows, {"prompt_modes": {"direct": {"gui/hit": {"mean": math.nan, "ci95": [0.0, 1.0], "n": 1}}}})
    run.write_eval(0, [], {"prompt_modes": {}})
    assert [summary["step"] for summary in run.evals()] == [0, 100]
    assert run.evals()[1]["prompt_modes"]["direct"]["gui/hit"] == {"mean": None, "ci95": [0.0, 1.0], "n": 1}
    assert run.eval_rows(100) == rows
    run.write_summary({"metrics": {}, "seconds": 1.5, "seed": 0})
    assert run.summary() == {"metrics": {}, "seconds": 1.5, "seed": 0}


def test_forget_after_drops_later_steps_only(run: RunFolder) -> None:
    for step in (9, 10, 11, 1_000_000):
        run.write_metrics(step, {"reward": step})
        run.write_groups(step, [make_group(step)])
        run.write_eval(step, [], {})
    run.forget_after(10)
    assert [row["step"] for row in run.metrics()] == [9, 10]
    assert run.steps() == [9, 10]
    assert [summary["step"] for summary in run.evals()] == [9, 10]
    assert {path.stem for path in (run.path / "eval").iterdir()} == {"000009", "000010"}


def test_only_complete_checkpoints_count(run: RunFolder) -> None:
    for step in (10, 20):
        run.checkpoint_dir(step).mkdir()
    assert run.latest_checkpoint() is None
    (run.checkpoint_dir(10) / CHECKPOINT_MARKER).touch()
    assert run.latest_checkpoint() == run.path / "checkpoints" / "000010"


@pytest.mark.parametrize("read", ["config", "metrics", "steps", "evals", "summary"])
def test_other_folders_are_refused(tmp_path: Path, read: str) -> None:
    with pytest.raises(UserError, match=r"is no run folder: it has no config\.yaml"):
        getattr(RunFolder(tmp_path), read)()
    with pytest.raises(UserError, match="does not exist"):
        getattr(RunFolder(tmp_path / "nowhere"), read)()


def test_missing_step_names_the_known_ones(run: RunFolder) -> None:
    run.write_groups(4, [make_group(4)])
    with pytest.raises(UserError, match="no rollouts of step 5; steps on disk: 4"):
        run.groups(5)
    with pytest.raises(UserError, match="no eval of step 5; steps on disk: none yet"):
        run.eval_rows(5)


def test_files_are_ascii_json(run: RunFolder) -> None:
    run.write_groups(1, [make_group(1, "漢\ud800")])
    data = (run.path / "rollouts" / "000001.jsonl").read_bytes()
    assert data.isascii()
    assert json.loads(data)["step"] == 1
