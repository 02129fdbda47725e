"""What is asked and how it is scored: one file per task, holding `TASK`.

The folder is the registry: `tasks/gui.py` is the task `gui`. A task of your own is a dotted path, `my_pkg.tasks:TASK`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property

from vlrl.geometry import Box, as_box, from_pixels
from vlrl.rewards import Reward, import_object, unknown_name
from vlrl.rewards.composite import Gate, combine, row_reward, row_weights
from vlrl.rewards.gold import gold_box
from vlrl.types import Answer, Completion, Sample, Score, UserError

PROMPT_MODES = {
    "direct": "",
    "think": "First think in <think></think>, then answer in <answer></answer>. ",
}
"""What each prompt mode puts in front of a task's instruction."""

SPACE_WORDS = {
    "pixels": "in pixels of the original image",
    "processed": "in pixels of this image",
    "thousandths": "in 0-1000 coordinates",
    "unit": "as fractions of the image",
}
"""How a prompt names each coordinate space of `vlrl.geometry`."""

UNSAMPLED = {"completion_tokens": 0, "max_completion_length": 1}
"""What an answer says of the length of a text that no model sampled: nothing is too long about it."""

GOLD_THOUGHT = "I look at the image."
CORRECT = "correct"
MAX_DECIMALS = 12


@dataclass(frozen=True)
class Task:
    """A task: its prompt, its reward weights, its metrics.

    | field | meaning |
    |---|---|
    | `instruction` | the words before the question; `{space}` stands for the coordinate space |
    | `rewards` | reward name -> weight; the first is the main one, which says what is correct |
    | `metrics` | metric name -> the reward whose value it averages, or `correct` for the share of correct answers |
    | `headline` | the metric that reports show first |
    | `gold_answer` | the ideal answer text for a gold answer, in the space which that answer declares |
    | `example` | a valid sample, for tests and documentation |
    | `gates` | part -> the reward and its least value without which the part counts as 0 (`vlrl.rewards.composite`) |

    A row whose answer holds `reward`, a reward's name or an object of names and weights, is scored by those instead. Its
    metrics are those that its rewards give a value for.

    Raises UserError when a metric names no reward of the task, or the headline no metric.
    """

    name: str
    description: str
    instruction: str
    rewards: dict[str, float]
    metrics: dict[str, str]
    headline: str
    gold_answer: Callable[[Answer], str]
    example: Sample
    gates: dict[str, Gate] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for metric, part in self.metrics.items():
            if part != CORRECT and part not in self.rewards:
                raise UserError(f"task {self.name!r}: metric {metric!r} names {part!r}, which is none of its rewards")
        if self.headline not in self.metrics:
            raise UserError(f"task {self.name!r}: the headline {self.headline!r} is none of its metrics")

    @cached_property
    def reward(self) -> Reward:
        """All rewards of the task as one: their weighted mean."""
        return combine(self.rewards, self.gates)

    def weights_of(self, answer: Answer) -> Mapping[str, float]:
        """Reward name -> weight, for a row with this answer: the row's own, or the task's."""
        return self.rewards if answer.get("reward") is None else row_weights(answer["reward"])

    def reward_of(self, answer: Answer) -> Reward:
        """What scores a row with this answer. Raises UserError for a malformed or unknown `reward` of the row."""
        return self.reward if answer.get("reward") is None else row_reward(answer["reward"])

    def prompt(self, question: str, prompt_mode: str, space: str) -> str:
        """The text that the model reads after the image. The question comes last: small models bind it better there."""
        if prompt_mode not in PROMPT_MODES:
            raise unknown_name("prompt mode", prompt_mode, PROMPT_MODES)
        if space not in SPACE_WORDS:
            raise unknown_name("coordinate space", space, SPACE_WORDS)
        return f"{PROMPT_MODES[prompt_mode]}{self.instruction.replace('{space}', SPACE_WORDS[space])} {question}"

    def score(self, text: str, answer: Answer) -> Score:
        """The weighted mean of the task's rewards, or of the row's own; their values are in `parts` by reward name."""
        return self.reward_of(answer)(text, answer)

    def grade(self, completion: Completion, answer: Answer, max_completion_length: int) -> Score:
        """`score` of a sampled completion, its length told to the rewards that look at it (`vlrl.rewards.length`)."""
        length = {"completion_tokens": len(completion.token_ids), "max_completion_length": max_completion_length}
        return self.score(completion.text, {**answer, **length})

    def check_gold(self, answer: Answer) -> None:
        """Raises ValueError, naming the key, for a gold answer that cannot be scored against any text."""
        self.score("", {**UNSAMPLED, **answer})

    def measure(self, score: Score) -> dict[str, float]:
        """The task's metrics of one scored completion; a metric whose gold cannot be scored is left out."""
        values = {**score.parts, CORRECT: score.correct}
        named = {metric: values.get(part) for metric, part in self.metrics.items()}
        return {metric: float(value) for metric, value in named.items() if value is not None}

    def gold_completion(self, answer: Answer) -> str:
        """A completion that earns the maximum, in the space and the prompt mode (default: direct) that the answer declares."""
        text = self.gold_answer(answer)
        if answer.get("prompt_mode", "direct") == "think":
            return f"<think>{GOLD_THOUGHT}</think><answer>{text}</answer>"
        return text


@cache
def _builtin() -> tuple[str, ...]:
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def names() -> list[str]:
    """The built-in tasks.

    >>> "gui" in names()
    True
    """
    return list(_builtin())


def load(name: str) -> Task:
    """The task of that name, or of a dotted path `package.module:TASK`.

    Raises UserError, with the nearest valid name, when there is none.

    >>> load("gui").prompt("the red button", "direct", "thousandths")
    'Give the click point as [x, y] in 0-1000 coordinates. Do: the red button'
    """
    if ":" not in name and name not in _builtin():
        raise unknown_name("task", name, _builtin())
    task = import_object(name) if ":" in name else importlib.import_module(f"{__name__}.{name}").TASK
    if not isinstance(task, Task):
        raise UserError(f"{name!r} is not a vlrl.tasks.Task but {type(task).__name__}")
    return task


def gold_box_in_space(answer: Answer) -> Box:
    """The gold box in the space that the answer declares.

    Raises ValueError for a malformed gold (`vlrl.rewards.gold.gold_box`).

    >>> gold_box_in_space({"box": [64, 48, 320, 240], "image_size": [640, 480], "space": "unit"})
    (0.1, 0.1, 0.5, 0.5)
    """
    space, image_size, processed_size = answer.get("space", "pixels"), answer.get("image_size"), answer.get("processed_size")
    return as_box(from_pixels(gold_box(answer), space, image_size, processed_size))


def shortest_list(values: Sequence[float], good: Callable[[list[float]], bool]) -> str:
    """The values as `[1, 2]`, with the fewest decimals at which the rounded values are still `good`.

    >>> shortest_list((1.24, 3.0), lambda rounded: abs(rounded[0] - 1.24) < 0.1)
    '[1.2, 3.0]'
    """
    tries = (d for d in range(MAX_DECIMALS) if good([round(value, d) for value in values]))
    decimals = next(tries, MAX_DECIMALS)
    return "[" + ", ".join(f"{value:.{decimals}f}" for value in values) + "]"
