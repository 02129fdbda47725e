"""What every built-in reward and task promises, checked for all of them at once. A new family is covered by being there."""

import itertools
import json
import subprocess
import sys
import time
from functools import cache
from statistics import median
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vlrl import rewards, tasks
from vlrl.geometry import SPACES
from vlrl.rewards import Reward
from vlrl.types import Answer, Score, to_json

ALL = {name: rewards.load(name) for name in rewards.names()}
TASKS = [tasks.load(name) for name in tasks.names()]
EVERY_REWARD = pytest.mark.parametrize("reward", ALL.values(), ids=ALL.keys())
EVERY_TASK = pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)

MODES = [{}, {"prompt_mode": "think"}, {"prompt_mode": "direct"}]
PROCESSED = [644, 476]


def gold(reward: Reward) -> Answer:
    """The answer of the reward's own example."""
    assert reward.example is not None, "a built-in reward has an example"
    return reward.example.answer


def variants(reward: Reward) -> list[Answer]:
    """That answer in every prompt mode, and in every coordinate space when it has an image."""
    spaces = [{"space": space, "processed_size": PROCESSED} for space in SPACES] if "image_size" in gold(reward) else [{}]
    return [{**gold(reward), **space, **mode} for space in spaces for mode in MODES]


FRAGMENTS = [
    "<think>", "</think>", "<answer>", "</answer>", "<box>", "</box>", "<|box_start|>", "<|box_end|>", "```json\n", "```",
    '{"bbox_2d": ', '{"point_2d": ', '"coordinate": ', "{'action': 'click', ", "x=", ", y=", "click(",
    "[", "]", "(", ")", "{", "}", ",", " ", "\n", '"', "'", ":", "-", "+", ".", "e",
    "0", "1", "64", "48", "320", "240", "0.5", "1e9", "1e400", "-1e400", "9" * 400, "NaN", "inf", "-Infinity", "null", "true",
    "\u0661", "\uff11", "\u00b2", "\u2212", "\u00a0", "\x00", "\ud800", "\U0001f5b1",
    "[64, 48, 320, 240]", "[100, 100]", "(64,48),(320,240)", "[320, 240, 64, 48]",
]  # fmt: skip
NESTED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.sampled_from(["bbox_2d", "coordinate", "x", "a"]), inner, max_size=4)
    ),
    max_leaves=12,
)
TEXTS = st.text() | st.lists(st.sampled_from(FRAGMENTS), max_size=25).map("".join) | NESTED.map(json.dumps)
HOSTILE = ["[" * 10**6, "<think>" * 150_000, "1,1," * 250_000, "[1,1,1,1," * 110_000, '{"a":' * 200_000, "\u0661," * 500_000]


def check(reward: Reward, score: Score) -> None:
    assert score.value is not None
    assert reward.low <= score.value <= reward.high
    assert score.failure is None or (score.failure in reward.failures and score.correct in (None, False))
    assert Score.from_json(json.loads(json.dumps(to_json(score), allow_nan=False))) == score


@cache
def thousand_texts() -> tuple[str, ...]:
    """The first 1,000 texts that hypothesis draws: always the same ones."""
    found: list[str] = []

    @settings(max_examples=1000, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(TEXTS)
    def draw(text: str) -> None:
        found.append(text)

    draw()
    return tuple(found)


@EVERY_REWARD
def test_a_thousand_texts_get_a_score_in_range(reward: Reward) -> None:
    answers = itertools.cycle(variants(reward))
    texts = thousand_texts()
    assert len(texts) >= 1000
    for text, answer in zip(texts, answers, strict=False):
        check(reward, reward(text, answer))


@EVERY_REWARD
@settings(deadline=None, max_examples=50)
@given(text=TEXTS, data=st.data())
def test_any_text_gets_a_score_in_range_and_the_same_one_twice(reward: Reward, text: str, data: st.DataObject) -> None:
    answer = data.draw(st.sampled_from(variants(reward)))
    score = reward(text, answer)
    check(reward, score)
    assert score.failure is None or score.value == reward.low
    assert reward(text, answer) == score


@EVERY_TASK
@settings(deadline=None, max_examples=100)
@given(text=TEXTS, mode=st.sampled_from(MODES))
def test_a_task_says_what_its_rewards_say(task: tasks.Task, text: str, mode: Answer) -> None:
    answer = {**task.example.answer, **mode}
    score = task.score(text, answer)
    assert task.reward.low <= (score.value or 0) <= task.reward.high
    assert score.parts == {name: rewards.load(name)(text, answer).value for name in task.rewards}
    main = rewards.load(next(iter(task.rewards)))(text, answer)
    assert (score.correct, score.extracted) == (main.correct, main.extracted)


@EVERY_REWARD
@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:8])
def test_a_hostile_megabyte_gets_a_score_in_seconds(reward: Reward, text: str) -> None:
    start = time.process_time()
    check(reward, reward(text, gold(reward)))
    assert time.process_time() - start < 5


@EVERY_REWARD
def test_a_usual_completion_takes_less_than_50_ms(reward: Reward) -> None:
    text = "<think>" + "The cup stands left of the plate, near (3, 4). " * 100 + "</think><answer>[64, 48, 320, 240]</answer>"

    def seconds() -> float:
        start = time.process_time()
        reward(text, gold(reward))
        return time.process_time() - start

    assert median(seconds() for _ in range(9)) < 0.05


@EVERY_REWARD
def test_scoring_leaves_the_answer_as_it_was(reward: Reward) -> None:
    answer = json.loads(json.dumps(gold(reward)))
    reward("[64, 48, 320, 240]", answer)
    assert answer == gold(reward)


@EVERY_REWARD
def test_the_example_earns_the_maximum(reward: Reward) -> None:
    assert reward.example is not None
    score = reward(reward.example.text, reward.example.answer)
    assert score.value == pytest.approx(reward.high)
    assert score.failure is None
    assert score.correct in (None, True)


@EVERY_REWARD
def test_a_missing_gold_key_raises_and_is_named(reward: Reward) -> None:
    for key in reward.needs:
        with pytest.raises(ValueError, match=f"'{key}'"):
            reward("", {name: value for name, value in gold(reward).items() if name != key})


@EVERY_REWARD
def test_the_declared_keys_are_enough(reward: Reward) -> None:
    check(reward, reward("[64, 48, 320, 240]", {key: gold(reward)[key] for key in reward.needs}))


@EVERY_REWARD
def test_docstrings_hold_range_failures_errors_and_a_worked_number(reward: Reward) -> None:
    text: Any = reward.fn.__doc__
    assert all(word in text for word in ("Range", "Failures", "Raises", ">>>"))


@EVERY_TASK
@pytest.mark.parametrize("mode", ["think", "direct"])
@pytest.mark.parametrize("space", SPACES)
def test_the_gold_completion_earns_the_maximum(task: tasks.Task, space: str, mode: str) -> None:
    answer = {**task.example.answer, "processed_size": [644, 476], "space": space, "prompt_mode": mode}
    score = task.score(task.gold_completion(answer), answer)
    assert score.value == pytest.approx(task.reward.high, abs=0.01)
    assert score.correct
    assert score.failure is None
    assert set(task.measure(score)) == set(task.metrics)


def test_rewards_and_tasks_work_without_torch() -> None:
    code = "import sys; sys.modules['torch'] = None; from vlrl import tasks; [tasks.load(n).reward for n in tasks.names()]"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
