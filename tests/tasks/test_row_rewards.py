"""A row of data names its own rewards, in its key `reward` or in its answer: read, checked, scored, measured."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from vlrl import tasks
from vlrl.data import read_samples
from vlrl.evaluation.validate import check_rows
from vlrl.rewards.composite import Gate, row_reward
from vlrl.types import Completion, UserError

GUI = tasks.load("gui")
BOX = {"box": [8, 8, 40, 40], "image_size": [64, 64]}


def write(folder: Path, **keys: Any) -> Path:
    Image.new("RGB", (64, 64)).save(folder / "a.png")
    good = {"image": "a.png", "task": "gui", "question": "the red box", "answer": BOX}
    (folder / "rows.jsonl").write_text("".join(json.dumps({**good, "id": str(i), **k}) + "\n" for i, k in enumerate([{}, keys])))
    return folder / "rows.jsonl"


def test_the_rows_rewards_replace_the_tasks() -> None:
    own = {**BOX, "reward": {"grounding.iou": 3, "format.answer_only": 1}}
    score = GUI.score("[8, 8, 40, 40]", own)
    assert (score.value, score.parts) == (1.0, {"grounding.iou": 1.0, "format.answer_only": 1.0})
    assert GUI.score("[20, 20]", own).failure == "no_box"
    assert GUI.score("[20, 20]", BOX).value == 1.0
    assert GUI.weights_of(own) == own["reward"]
    assert GUI.weights_of(BOX) is GUI.rewards


def test_only_metrics_that_the_rows_rewards_feed_are_measured() -> None:
    assert GUI.measure(GUI.score("[20, 20]", {**BOX, "reward": "gui.click"})) == {"click_accuracy": 1.0}
    assert GUI.measure(GUI.score("[20, 20]", {**BOX, "reward": "grounding.iou"})) == {}


@pytest.mark.parametrize("keys", [{"reward": "grounding.iou"}, {"answer": {**BOX, "reward": "grounding.iou"}}])
def test_it_travels_in_the_answer(keys: dict[str, Any], tmp_path: Path) -> None:
    plain, own = read_samples(write(tmp_path, **keys), None, tasks.load, row_reward)
    assert "reward" not in plain.answer
    assert own.answer == {**BOX, "reward": "grounding.iou"}


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"reward": "gui.clik"}, "rows.jsonl:2: reward: unknown reward 'gui.clik'; did you mean 'gui.click'"),
        ({"reward": {"gui.clik": 1}}, "unknown reward 'gui.clik'"),
        ({"reward": 5}, "'reward' is the name of a reward or an object"),
        ({"reward": "os:system"}, "names built-in rewards"),
        ({"answer": {**BOX, "reward": "gui.clik"}}, "unknown reward 'gui.clik'"),
        ({"answer": {**BOX, "reward": "gui.click"}, "reward": "gui.click"}, "stands in the answer too; keep one"),
    ],
)
def test_a_wrong_one_is_found_at_reading_and_by_validate(keys: dict[str, Any], words: str, tmp_path: Path) -> None:
    path = write(tmp_path, **keys)
    with pytest.raises(UserError) as caught:
        read_samples(path, None, tasks.load, row_reward)
    assert words in str(caught.value)
    first, second = check_rows(path)
    assert first is None
    assert words in str(second)


def test_validate_scores_the_gold_by_the_rows_rewards(tmp_path: Path) -> None:
    assert list(check_rows(write(tmp_path, reward="gui.click"))) == [None, None]
    [_, error] = check_rows(write(tmp_path, reward="format.think_answer"))
    assert "earns 0 of 1 (no_think_tag)" in str(error)
    [_, error] = check_rows(write(tmp_path, reward="language.script"))
    assert "'language' is one of" in str(error)


def test_validate_takes_length_for_as_short_as_can_be(tmp_path: Path) -> None:
    assert list(check_rows(write(tmp_path, reward={"gui.click": 1, "length.overlong": 1, "length.cosine": 1}))) == [None, None]


def test_a_sampled_completion_tells_its_length() -> None:
    answer = {**BOX, "reward": {"gui.click": 1, "length.overlong": 1}}
    completion = Completion("[20, 20]", list(range(90)), [0.0] * 90, "stop")
    assert GUI.grade(completion, answer, 100).parts == {"gui.click": 1.0, "length.overlong": pytest.approx(-0.5)}
    assert GUI.grade(completion, answer, 90).failure == "too_long"
    GUI.check_gold(answer)


def test_a_task_has_gates() -> None:
    gated = replace(GUI, gates={"format.prompted": Gate("gui.click", 1.0)})
    assert GUI.score("[60, 60]", BOX).value == pytest.approx(0.1)
    assert gated.score("[60, 60]", BOX).value == 0.0
