"""300 completions with their answers, over all built-in rewards that need no sandbox: what every adapter must score alike.

Each answer names its reward under `reward`, as a row of data may, so that one exported task scores them all.
"""

import json
import random
from dataclasses import dataclass
from pathlib import Path
from sys import modules

from vlrl import rewards
from vlrl.adapters import scorer
from vlrl.types import Answer

COUNT = 300
TASK = "gui"
LENGTH = {"completion_tokens": 40, "max_completion_length": 64}
JUNK = [
    "",
    " ",
    "no",
    "[1, 2]",
    "[64, 48, 320, 240]",
    '{"bbox_2d": [1, 2, 3, 4], "label": "cat"}',
    "<answer>",
    "\u4e2d 1e400 NaN",
]


@dataclass(frozen=True)
class Pair:
    """A completion and its answer; `answer_json` is how it stands in a trainer's column."""

    text: str
    answer: Answer

    @property
    def answer_json(self) -> str:
        return json.dumps(self.answer)

    def value(self, **more: int) -> float | None:
        """What vlrl itself says of it."""
        return scorer(task=TASK)(self.text, {**self.answer, **more}).value


def names() -> list[str]:
    """The rewards whose families run no code."""
    files = {name: Path(str(modules[rewards.load(name).fn.__module__].__file__)) for name in rewards.names()}
    return [name for name, file in files.items() if "vlrl.sandbox" not in file.read_text(encoding="utf-8")]


def pairs() -> list[Pair]:
    """Of every reward its example first, then the same in tags, then other rewards' completions and junk."""
    draw = random.Random(0)
    examples = {name: example for name in names() if (example := rewards.load(name).example)}
    others = [example.text for example in examples.values()] + JUNK
    found = []
    while len(found) < COUNT:
        turn = len(found) // len(examples)
        for name, example in examples.items():
            tagged = f"<think>I look.</think><answer>{example.text}</answer>"
            text = [example.text, tagged][turn] if turn < 2 else draw.choice(others)
            found.append(Pair(text, {**LENGTH, **example.answer, "reward": name}))
    return found[:COUNT]
