from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vlrl import tasks
from vlrl.geometry import SPACES
from vlrl.types import Answer, Score, UserError

ALL = [tasks.load(name) for name in tasks.names()]
EVERY_TASK = pytest.mark.parametrize("task", ALL, ids=lambda task: task.name)


def test_the_folder_is_the_registry() -> None:
    assert {"grounding", "gui"} <= set(tasks.names())
    assert [task.name for task in ALL] == tasks.names()


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UserError, match="unknown task 'grouding'; did you mean 'grounding'"):
        tasks.load("grouding")


def test_a_task_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "from dataclasses import replace\nfrom vlrl.tasks.gui import TASK as GUI\nTASK = replace(GUI, name='mine')\nOTHER = 1\n"
    )
    (tmp_path / "own_tasks.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    assert tasks.load("own_tasks:TASK").name == "mine"
    with pytest.raises(UserError, match=r"not a vlrl\.tasks\.Task but int"):
        tasks.load("own_tasks:OTHER")


@pytest.mark.parametrize(
    ("change", "message"),
    [({"metrics": {"iou": "grounding.iou"}}, "none of its rewards"), ({"headline": "iou"}, "none of its metrics")],
)
def test_a_task_must_fit_together(change: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        replace(tasks.load("gui"), **change)


def test_every_space_has_words() -> None:
    assert set(tasks.SPACE_WORDS) == set(SPACES)


@pytest.mark.parametrize(
    ("name", "mode", "space", "prompt"),
    [
        (
            "grounding",
            "direct",
            "thousandths",
            "Give the bounding box as [x1, y1, x2, y2] in 0-1000 coordinates. Find: the {cup}",
        ),
        (
            "grounding",
            "direct",
            "processed",
            "Give the bounding box as [x1, y1, x2, y2] in pixels of this image. Find: the {cup}",
        ),
        ("grounding", "direct", "unit", "Give the bounding box as [x1, y1, x2, y2] as fractions of the image. Find: the {cup}"),
        (
            "grounding",
            "think",
            "pixels",
            "First think in <think></think>, then answer in <answer></answer>. "
            "Give the bounding box as [x1, y1, x2, y2] in pixels of the original image. Find: the {cup}",
        ),
        ("gui", "direct", "thousandths", "Give the click point as [x, y] in 0-1000 coordinates. Do: the {cup}"),
        (
            "gui",
            "think",
            "processed",
            "First think in <think></think>, then answer in <answer></answer>. "
            "Give the click point as [x, y] in pixels of this image. Do: the {cup}",
        ),
    ],
)
def test_prompts_are_what_they_were(name: str, mode: str, space: str, prompt: str) -> None:
    """The built-in tiny model was trained on these words: a change here needs new weights."""
    assert tasks.load(name).prompt("the {cup}", mode, space) == prompt


@EVERY_TASK
def test_prompts_are_short_and_end_with_the_question(task: tasks.Task) -> None:
    for mode in tasks.PROMPT_MODES:
        for space in SPACES:
            prompt = task.prompt("{space} QUESTION", mode, space)
            assert prompt.endswith(" {space} QUESTION")
            assert len(prompt.split()) <= 32


@EVERY_TASK
def test_unknown_modes_and_spaces_are_refused(task: tasks.Task) -> None:
    with pytest.raises(UserError, match="unknown prompt mode 'thnk'; did you mean 'think'"):
        task.prompt("a", "thnk", "pixels")
    with pytest.raises(UserError, match="unknown coordinate space 'pixel'; did you mean 'pixels'"):
        task.prompt("a", "think", "pixel")


def test_metrics_come_from_the_parts_and_from_correct() -> None:
    grounding = tasks.load("grounding")
    gold = {"box": [0, 0, 10, 10], "prompt_mode": "direct"}
    assert grounding.measure(grounding.score("[0, 0, 10, 6]", gold)) == {"iou": 0.6, "acc50": 1.0}
    assert grounding.measure(grounding.score("none", gold)) == {"iou": 0.0, "acc50": 0.0}
    assert grounding.measure(Score(None)) == {}


BOXES = st.tuples(*[st.floats(0, 0.9)] * 2, *[st.floats(1e-4, 0.1)] * 2)
SIDES = st.integers(28, 10_000)


@settings(deadline=None)
@given(BOXES, st.tuples(SIDES, SIDES), st.tuples(SIDES, SIDES), st.sampled_from(SPACES), st.sampled_from(["think", "direct"]))
def test_gold_completions_earn_the_maximum_however_small_the_box(
    box: tuple[float, ...], image: tuple[int, int], processed: tuple[int, int], space: str, mode: str
) -> None:
    x, y, width, height = (share * side for share, side in zip(box, (*image, *image), strict=True))
    answer: Answer = {"box": [x, y, x + width, y + height], "image_size": list(image), "space": space, "prompt_mode": mode}
    answer["processed_size"] = list(processed)
    for name, least in (("grounding", 0.99), ("gui", 1.0)):
        task = tasks.load(name)
        score = task.score(task.gold_completion(answer), answer)
        assert least * task.reward.high <= (score.value or 0) <= task.reward.high
        assert score.correct
        assert score.failure is None


@pytest.mark.parametrize("name", ["grounding", "gui"])
def test_the_gold_completion_of_a_malformed_gold_raises(name: str) -> None:
    with pytest.raises(ValueError, match="'box'"):
        tasks.load(name).gold_completion({})
