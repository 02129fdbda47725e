"""Where the answers of `vlrl eval --tasks` come from: a stored file, a checkpoint in this process, or a server."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from jsonargparse import Namespace
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from vlrl.benchmarks import Benchmark
from vlrl.evaluation.generate import Answerer, Question, Request, Settings, generate, merge, requests
from vlrl.evaluation.source import open_source
from vlrl.geometry import CoordSpace
from vlrl.types import UserError

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


def settings_of(args: Namespace, protocol_wants: dict[str, Any]) -> Settings:
    """The generation settings: the protocol's, overridden by --gen_kwargs and the command line's own flags."""
    asked = {**protocol_wants, **pairs(args.gen_kwargs, "gen_kwargs")}
    length = args.max_completion_length or asked.pop("max_new_tokens", None) or asked.pop("max_completion_length", None)
    asked = {key: value for key, value in asked.items() if key not in ("max_new_tokens", "max_completion_length")}
    temperature = float(asked.pop("temperature", 1.0 if args.num_samples > 1 else 0.0))
    if args.num_samples > 1 and not temperature:
        raise UserError(f"num_samples is {args.num_samples} but the temperature is 0: all samples would be the same; raise it")
    return Settings(length or 512, args.max_prompt_length, temperature, args.seed, asked)


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


def ask(
    args: Namespace, benchmark: Benchmark, answerer: Answerer, space: CoordSpace, mode: str, sample_index: int, path: Path
) -> Path | None:
    """The file of predictions of all rows, `path`; None in processes other than the first, whose work ends here.

    `path` is written when every process is done; until then each appends to a file of its own beside it.
    """
    protocol = benchmark.protocol(args.protocol)
    settings = settings_of(args, dict(protocol.generation))
    question = Question(protocol.prompt, mode, space, sample_index)

    def asked() -> Iterator[Request]:
        return requests(open_source(benchmark, args.data_root, args.limit), question, answerer.identity, settings)

    shares = Shares.of_environment()
    own = path.with_name(f"{path.stem}.{shares.rank}.part.jsonl")
    if not args.resume:
        own.unlink(missing_ok=True)
    total = sum(1 for _ in open_source(benchmark, args.data_root, args.limit))
    with _progress(shares) as progress:
        bar = progress.add_task(f"{benchmark.name} {mode}", total=total)
        generate(
            asked(), answerer, settings, own, args.batch_size, shares.rank, shares.world, lambda rows: progress.advance(bar, rows)
        )
    if shares.rank:
        return None
    merge_when_complete(list(asked()), path, shares.world)
    return path


def merge_when_complete(asked: list[Request], path: Path, world: int) -> None:
    """Waits for the answers of the other processes, then writes all of them in the rows' order."""
    parts = [path.with_name(f"{path.stem}.{rank}.part.jsonl") for rank in range(world)]
    while True:
        missing = merge(asked, [part for part in parts if part.exists()], path)
        if not missing:
            return
        time.sleep(WAIT_SECONDS)


def _progress(shares: Shares) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(file=sys.stderr), transient=True, disable=shares.rank > 0)
