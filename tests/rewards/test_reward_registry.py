from pathlib import Path

import pytest

from vlrl import rewards
from vlrl.types import Answer, Score, UserError

OWN = """
from vlrl.rewards import Reward
from vlrl.types import Score

def length(text, answer):
    return Score(min(len(text), 10) / 10)

PENALTY = Reward(lambda text, answer: Score(-1.0), low=-1.0, high=0.0)
LIMIT = 10
"""


@pytest.fixture(autouse=True)
def own_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_rewards.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)


def test_the_folder_is_the_registry() -> None:
    assert {"format.think_answer", "format.answer_only", "format.prompted", "grounding.iou", "gui.click"} <= set(rewards.names())
    assert all(isinstance(rewards.load(name), rewards.Reward) for name in rewards.names())


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UserError, match=r"unknown reward 'grounding\.iuo'; did you mean 'grounding\.iou'\?"):
        rewards.load("grounding.iuo")


def test_a_function_of_ones_own() -> None:
    reward = rewards.load("own_rewards:length")
    assert (reward.low, reward.high) == (0.0, 1.0)
    assert reward("12345", {}).value == 0.5


def test_a_reward_of_ones_own_declares_its_range() -> None:
    reward = rewards.load("own_rewards:PENALTY")
    assert (reward.low, reward.high) == (-1.0, 0.0)
    assert reward("", {}).value == -1.0


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("own_rewards:lenght", "did you mean 'length'"),
        ("own_rewards:LIMIT", "not a function but int"),
        ("no_such_module:fn", "cannot import 'no_such_module'"),
        (":fn", "cannot import ''"),
        (".relative:fn", r"cannot import '\.relative'"),
        ("own_rewards:", "unknown name in own_rewards"),
    ],
)
def test_a_wrong_path_says_what_is_wrong(path: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        rewards.load(path)


def test_a_reward_is_called_like_a_function() -> None:
    def shout(text: str, answer: Answer) -> Score:
        return Score(1.0, extracted=text.upper())

    assert rewards.Reward(shout)("a", {}).extracted == "A"
