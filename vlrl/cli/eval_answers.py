"""Where the answers of `vlrl eval --tasks` come from: a stored file, a checkpoint in this process, or a server."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from jsonargparse import Namespace
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from vlrl.benchmarks import Benchmark
from vlrl.evaluation.generate import Answerer, Question, Request, Settings, generate, merge, read_replies, requests
from vlrl.evaluation.source import open_source
from vlrl.types import UserError

DEFAULT_LENGTH = 512
"""Tokens of an answer, where neither the command line nor the protocol names a limit."""
LENGTH_KEYS = ("max_new_tokens", "max_completion_length")
"""Names of that number in --gen_kwargs: transformers' and ours."""
WAIT_SECONDS = 0.5
"""Between looks at the files of the other processes."""


@dataclass(frozen=True)
class Shares:
    """Which process this is of how many, as `accelerate launch` and torchrun tell it."""

    rank: int
    world: int

    @classmethod
    def of_environment(cls) -> Shares:
        return cls(int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1)))


def make_answerer(args: Namespace) -> Answerer:
    """The model or server of the command line. Raises UserError when neither is named."""
    options = pairs(args.model_args, "model_args")
    if args.base_url is not None:
        from vlrl.evaluation.openai_server import OpenAIServer

        return OpenAIServer(args.base_url, args.model, args.concurrency)
    if args.model is None:
        raise UserError("vlrl eval --tasks wants --model, --base_url, or --predictions (a JSONL file with doc_id and response)")
    from vlrl.evaluation.local_model import LocalModel  # only now: it needs torch

    try:
        return LocalModel(args.model, **options)
    except TypeError as error:
        raise UserError(
            f"model_args: {error}; the keys are those of vlrl.models.vlm.load (min_pixels, max_pixels, dtype)"
        ) from error


def settings_of(args: Namespace, wanted: Mapping[str, Any]) -> Settings:
    """The generation settings: the protocol's length, --gen_kwargs over it, the command line's own flags over both."""
    given = pairs(args.gen_kwargs, "gen_kwargs")
    lengths = [args.max_completion_length, *(given.pop(key, None) for key in LENGTH_KEYS)]
    length = next(filter(None, [*lengths, wanted.get("max_completion_length")]), DEFAULT_LENGTH)
    temperature = given.pop("temperature", 1.0 if args.num_samples > 1 else 0.0)
    if not isinstance(length, int) or length < 1 or not isinstance(temperature, (int, float)) or not 0 <= temperature < math.inf:
        raise UserError("gen_kwargs: temperature is a number from 0 on, max_new_tokens a whole number from 1 on")
    if args.num_samples > 1 and not temperature:
        raise UserError(f"num_samples is {args.num_samples} but the temperature is 0: all samples would be the same; raise it")
    if given and args.base_url is None:
        raise UserError(f"gen_kwargs: {', '.join(given)}: a model in this process takes temperature and max_new_tokens only")
    return Settings(int(length), args.max_prompt_length, float(temperature), args.seed, given)


def pairs(text: str | None, flag: str) -> dict[str, Any]:
    """`a=1,b=x` as a dict; values are read as YAML scalars. Raises UserError for what is no pair.

    >>> pairs("max_pixels=1003520,dtype=bfloat16", "model_args")
    {'max_pixels': 1003520, 'dtype': 'bfloat16'}
    """
    found = {}
    for part in filter(None, (text or "").split(",")):
        key, sign, value = part.partition("=")
        if not sign or not key.strip():
            raise UserError(f"{flag}: {part!r} is no key=value; write {flag} as a=1,b=2")
        found[key.strip()] = yaml.safe_load(value)
    return found


@dataclass(frozen=True)
class Asking:
    """One way through a benchmark's rows: who is asked, how, and where the answers go."""

    benchmark: Benchmark
    answerer: Answerer
    question: Question
    settings: Settings
    path: Path

    def requests(self, args: Namespace) -> Iterator[Request]:
        rows = open_source(self.benchmark, args.data_root, args.limit)
        return requests(rows, self.question, self.answerer.identity, self.settings)

    def part_of(self, rank: int) -> Path:
        """Where a process appends its answers."""
        return self.path.with_name(f"{self.path.stem}.{rank}.part.jsonl")

    def parts(self) -> list[Path]:
        """The files that processes of this run or of an earlier one have left."""
        name = re.compile(re.escape(self.path.stem) + r"\.\d+\.part\.jsonl")
        return sorted(path for path in self.path.parent.iterdir() if name.fullmatch(path.name))


def ask(args: Namespace, asking: Asking) -> str | None:
    """Writes the predictions of all rows to `asking.path` and returns the hash of all prompts, in the rows' order.

    The file is written by the first process, when all are done; until then each appends to a file of its own beside it. None in
    the other processes, whose work ends here.
    """
    shares = Shares.of_environment()
    if not args.resume:
        _forget(asking, shares)
    known = read_replies(asking.parts()) if args.resume else {}
    total = sum(1 for _ in open_source(asking.benchmark, args.data_root, args.limit))
    with _progress(shares) as progress:
        bar = progress.add_task(f"{asking.benchmark.name} {asking.question.mode}", total=total)
        own, rows = asking.part_of(shares.rank), asking.requests(args)
        share = (known, shares.rank, shares.world)
        generate(rows, asking.answerer, asking.settings, own, args.batch_size, *share, lambda n: progress.advance(bar, n))
    if shares.rank:
        return None
    asked = list(asking.requests(args))
    while merge(asked, asking.parts(), asking.path):
        time.sleep(WAIT_SECONDS)  # other processes are still at it
    return hashlib.sha256(json.dumps([request.prompt for request in asked]).encode()).hexdigest()


def _forget(asking: Asking, shares: Shares) -> None:
    """Removes this process's old answers; the first one also removes those of processes that no longer run."""
    now = {asking.part_of(rank) for rank in range(shares.world)}
    for part in [asking.part_of(shares.rank), *([old for old in asking.parts() if old not in now] if not shares.rank else [])]:
        part.unlink(missing_ok=True)


def _progress(shares: Shares) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(file=sys.stderr), transient=True, disable=shares.rank > 0)
