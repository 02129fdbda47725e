"""`vlrl export reward`: a reward in the form that another trainer loads."""

from __future__ import annotations

import importlib
import keyword
import re
from pathlib import Path
from typing import Literal, get_args

from jsonargparse import ArgumentParser, Namespace

from vlrl.adapters import scorer
from vlrl.types import UserError

Trainer = Literal["trl", "verl", "easyr1", "ms-swift", "openrlhf", "http"]
TRAINERS: tuple[str, ...] = get_args(Trainer)
BLIND_TO_LENGTH = ("verl", "openrlhf")
"""Trainers that tell a reward nothing of the completion's tokens."""


def add_arguments(parser: ArgumentParser) -> None:
    """`vlrl export reward --to TRAINER (--task TASK | --reward REWARD) --output FILE`."""
    parser.add_argument("what", type=Literal["reward"], help="what to export")
    parser.add_argument("--to", type=Trainer, required=True, help="the trainer that will load the file")
    parser.add_argument("--task", type=str, help="all rewards of this task as one")
    parser.add_argument("--reward", type=str, help="this reward alone, such as grounding.iou")
    parser.add_argument("--output", type=Path, required=True, help="the Python file to write")


def run(args: Namespace) -> int:
    """Write the file and say how the trainer is told of it."""
    code = reward_file(args.to, args.task, args.reward, args.output.stem)
    args.output.parent.mkdir(parents=True, exist_ok=True)
    args.output.write_text(code, encoding="utf-8")
    print(f"wrote {args.output}; its first lines say how {args.to} loads it")
    return 0


def reward_file(trainer: str, task: str | None, reward: str | None, module: str) -> str:
    """The text of the file. Raises UserError for an unknown name, or a reward that the trainer cannot feed."""
    if not module.isidentifier() or keyword.iskeyword(module):
        raise UserError(f"--output: {module!r} is no name for a Python module; use letters, digits and underscores")
    if (task is None) == (reward is None):
        raise UserError("vlrl export wants either --task or --reward; `vlrl show` lists both")
    if trainer in BLIND_TO_LENGTH and "completion_tokens" in scorer(task, reward).needs:
        raise UserError(
            f"{task or reward} looks at the number of tokens, which {trainer} does not tell a reward; leave length out"
        )
    kind, name = ("task", task) if task is not None else ("reward", str(reward))
    identifier = "vlrl_" + re.sub(r"\W", "_", name)
    template = importlib.import_module(f"vlrl.adapters.{trainer.replace('-', '_')}").FILE
    return template.format(
        title=f"The {kind} {name} of vlrl",
        source=f"{kind}={name!r}",
        name=identifier,
        class_name=identifier.title().replace("_", ""),
        module=module,
    )
