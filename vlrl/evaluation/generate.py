"""Answers to a benchmark's rows, asked of a model or a server, written as they come and resumable after a kill.

Rows of like length are cut into batches, whatever the number of processes: process r answers every world-th batch into a file of
its own, so that two processes ask the model exactly what one asks. A batch is the unit of resuming too: it is asked again unless
all of its answers stand in a file, each under the key of what it was made from (row, model, prompt, media bytes, settings).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from vlrl.benchmarks import Prompt
from vlrl.data.containers import opened
from vlrl.geometry import CoordSpace
from vlrl.types import Media, Sample

BAD_ROW = "bad_row"
"""The failure of a row that could not be asked: a broken picture, a prompt that is too long."""
WINDOW = 32
"""Batches' worth of rows that are sorted by length."""
PIXELS_PER_TOKEN, CHARACTERS_PER_TOKEN = 784, 4
"""For sorting only: every model has its own."""


@dataclass(frozen=True)
class Settings:
    """What an answer depends on besides the model and the row. `temperature` 0 is greedy."""

    max_completion_length: int = 512
    max_prompt_length: int = 8192
    temperature: float = 0.0
    seed: int = 0
    extra: dict[str, Any] = field(default_factory=dict)
    """Further settings of a server (`top_p`, `stop`, ...)."""


@dataclass(frozen=True)
class Request:
    """One row as it is asked. `seed` depends on the run's seed, the row and the number of the sample only."""

    sample: Sample
    prompt: str
    seed: int
    key: str


@dataclass(frozen=True)
class Reply:
    """A row's answer. `response` is None where there is none: `failure` says what kind, `error` says why in a sentence."""

    response: str | None
    finish_reason: str | None = None
    processed_size: list[int] | None = None
    failure: str | None = None
    error: str | None = None


class Answerer(Protocol):
    """A model in this process, or a server."""

    @property
    def identity(self) -> str:
        """Stands for the weights: another model has another one."""
        ...

    @property
    def details(self) -> dict[str, Any]:
        """What the answers may depend on besides: precision, pixel limits, versions of packages; for results.json."""
        ...

    @property
    def space(self) -> CoordSpace | None:
        """What the model's numbers mean; None where nobody knows."""
        ...

    def render(self, request: Request) -> str:
        """What a request says to the model, for people. Raises UserError where its media cannot be read."""
        ...

    def answer(self, requests: Sequence[Request], settings: Settings) -> list[Reply]:
        """One reply for each request, in order. Raises UserError when there is no going on."""
        ...


@dataclass(frozen=True)
class Question:
    """How rows become requests: whose words, in which mode, and the number of the sample when there are several."""

    prompt: Prompt
    mode: str
    space: CoordSpace
    sample_index: int = 0


def requests(rows: Iterable[Sample], question: Question, identity: str, settings: Settings) -> Iterator[Request]:
    """Every row's request, in order."""
    for sample in rows:
        prompt = question.prompt(sample, question.mode, question.space)
        seed = _seed(settings.seed, sample.id, question.sample_index)
        media = [(medium.kind, _hash(medium)) for medium in sample.media]
        parts = [sample.id, identity, prompt, media, seed if settings.temperature else None, asdict(settings)]
        key = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]
        yield Request(sample, prompt, seed, key)


def _seed(*parts: object) -> int:
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:8], "big") >> 1


def _hash(media: Media) -> str:
    """Of the medium's bytes; of its name where they cannot be read, which is a failure of the row later on."""
    return _hash_file(media.path) if not media.frames else " ".join(map(_hash_file, media.frames))


@cache
def _hash_file(path: str) -> str:
    try:
        source = opened(path)
        if not isinstance(source, str):
            return hashlib.sha256(source.read()).hexdigest()
        if os.path.isdir(source):
            return " ".join(_hash_file(os.path.join(source, name)) for name in sorted(os.listdir(source)))
        with open(source, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError, KeyError):
        return path


def generate(
    asked: Iterable[Request],
    answerer: Answerer,
    settings: Settings,
    path: Path,
    batch_size: int,
    known: Collection[str] = (),
    rank: int = 0,
    world: int = 1,
    on_batch: Callable[[int], None] = lambda rows: None,
) -> None:
    """Appends the answers of this process's batches to `path`; batches whose keys are all `known` are passed over."""
    with open(path, "a+b") as file:
        _end_line(file)
        for number, batch in enumerate(_batches(asked, batch_size)):
            if number % world == rank and not all(request.key in known for request in batch):
                replies = answerer.answer(batch, settings)
                file.write(b"".join(_line(request, reply) for request, reply in zip(batch, replies, strict=True)))
                file.flush()
                os.fsync(file.fileno())
            on_batch(len(batch))


def _end_line(file: Any) -> None:
    """A line that a kill has cut short is ended, so that the next one stands alone; readers pass over it."""
    size = file.seek(0, os.SEEK_END)
    if size:
        file.seek(size - 1)
        if file.read(1) != b"\n":
            file.write(b"\n")


def _batches(asked: Iterable[Request], size: int) -> Iterator[list[Request]]:
    """Rows of like length together, so that few tokens are padding. The same batches for any number of processes."""
    left = iter(asked)
    while window := sorted(islice(left, WINDOW * size), key=_length):
        yield from (window[start : start + size] for start in range(0, len(window), size))


def _length(request: Request) -> float:
    """About how many tokens the request has, as far as the row tells."""
    width, height = request.sample.answer.get("image_size", (0, 0))
    return len(request.prompt) / CHARACTERS_PER_TOKEN + width * height / PIXELS_PER_TOKEN


def _line(request: Request, reply: Reply) -> bytes:
    row = {"doc_id": request.sample.id, **asdict(reply), "key": request.key}
    return json.dumps(row, ensure_ascii=True).encode() + b"\n"


def read_replies(paths: Iterable[Path]) -> dict[str, dict[str, Any]]:
    """Whole lines of these files by their key; the last one counts."""
    found = {}
    for path in sorted(paths):
        for line in path.read_bytes().splitlines():
            try:
                row = json.loads(line)
                found[row["key"]] = row
            except (ValueError, KeyError, TypeError):
                continue
    return found


def merge(asked: Sequence[Request], paths: Iterable[Path], into: Path) -> int:
    """Joins the files of all processes, one line for each request, in order: a file of predictions as `--predictions` reads it.

    While answers are missing nothing is written, and their number is returned.
    """
    known = read_replies(paths)
    missing = sum(request.key not in known for request in asked)
    if not missing:
        temporary = into.with_name(f".{into.name}.tmp")
        with open(temporary, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(known[request.key]) + "\n" for request in asked)
        os.replace(temporary, into)
    return missing
