"""Rows and predictions -> scored lines, in the order of the rows, written as they come and resumable after a kill.

A line of `samples_<task>.jsonl` holds `doc_id`, `value`, `failure`, `correct`, `parts`, `extracted`, `target` (the gold, with
coordinate space and picture sizes), `cluster`, with texts also `doc` (question, media) and `resps`, and last `doc_hash`, which
stands for everything that the line was made from. A resumed run keeps the lines that a fresh one would write again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import chain, islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from vlrl import __version__, benchmarks
from vlrl.benchmarks import Protocol
from vlrl.data.errors import RowError
from vlrl.evaluation.predictions import Prediction
from vlrl.logs import finite
from vlrl.metrics.score_table import ScoredRow
from vlrl.types import Answer, Sample, Score, UserError, to_json

MISSING = "missing"
"""The failure of a row without a prediction."""
TRUNCATED = "length"
"""The finish reason of an answer that ran into the limit of tokens."""
BAD_GOLD = "bad_gold"
"""The failure of a row whose gold answer the protocol cannot score; it has no value."""

CHUNK = 64
MAX_PROCESSES = 8
POOL_FROM = 4000
"""Fewer predictions than this are scored before other processes would have started."""


@dataclass(frozen=True)
class Spec:
    """What a line depends on besides its row and its prediction."""

    benchmark: str
    protocol: str
    space: str = "pixels"
    with_texts: bool = True


@dataclass(frozen=True)
class Job:
    """One row to score: its answer complete with space and sizes, and the hash of all that goes into its line."""

    spec: Spec
    sample: Sample
    prediction: Prediction | None
    doc_hash: str


def make_job(spec: Spec, sample: Sample, prediction: Prediction | None) -> Job:
    """The job of a row. Raises RowError when the coordinate space needs a size that the prediction lacks."""
    answer = {**sample.answer, "space": spec.space, **_processed_size(spec, sample, prediction)}
    said = (prediction.response, prediction.finish_reason, prediction.failure) if prediction else None
    media = [media.path for media in sample.media]
    parts = [__version__, *vars(spec).values(), sample.id, sample.question, media, answer, said]
    doc_hash = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
    complete = Sample(sample.id, sample.task, sample.question, answer, sample.media, sample.source)
    return Job(spec, complete, prediction, doc_hash)


def _processed_size(spec: Spec, sample: Sample, prediction: Prediction | None) -> dict[str, Any]:
    if prediction and prediction.processed_size:
        return {"processed_size": prediction.processed_size}
    if spec.space != "processed" or "image_size" not in sample.answer:
        return {}
    if prediction and prediction.response is not None:
        mend = "add [width, height] of the picture as the model saw it, or name another --coord_space"
        raise RowError(prediction.source, "processed_size", "is missing", mend)
    return {"processed_size": sample.answer["image_size"]}  # nothing was answered: any size will do


def score_line(job: Job) -> bytes:
    """A job's line of the sample log."""
    protocol, answer = _protocol(job.spec.benchmark, job.spec.protocol), job.sample.answer
    response = job.prediction.response if job.prediction else None
    failure = job.prediction.failure if job.prediction else None
    score = _score(protocol, response, answer, failure or MISSING)
    line = {
        "doc_id": job.sample.id,
        "value": score.value,
        "failure": score.failure,
        "correct": score.correct,
        "parts": score.parts,
        "extracted": score.extracted,
        "target": answer,
        "cluster": _cluster(job.sample),
        "finish_reason": job.prediction.finish_reason if job.prediction else None,
    }
    if job.spec.with_texts:
        line["doc"] = {"question": job.sample.question, "media": [to_json(media) for media in job.sample.media]}
        line["resps"] = [response]
    line["doc_hash"] = job.doc_hash
    return _dumped(line)


@cache
def _protocol(benchmark: str, protocol: str) -> Protocol:
    return benchmarks.load(benchmark).protocol(protocol)


def _score(protocol: Protocol, response: str | None, answer: Answer, failure: str) -> Score:
    """The protocol's score; of a row without a response the lowest one, with what an empty answer gets in its parts."""
    try:
        score = protocol.score(response or "", answer)
    except ValueError as error:
        return Score(None, failure=BAD_GOLD, extracted=str(error))
    if response is not None or score.value is None:
        return score
    return Score(protocol.low, score.parts, correct=False, failure=failure)


def _cluster(sample: Sample) -> str:
    """Rows with the same media are not independent; a row without media is its own cluster."""
    named = sample.answer.get("cluster")
    return str(named) if named is not None else " ".join(media.path for media in sample.media) or sample.id


def _dumped(line: dict[str, Any]) -> bytes:
    try:
        text = json.dumps(line, allow_nan=False)
    except ValueError:
        text = json.dumps(finite(line))
    return text.encode("ascii") + b"\n"


def score_to_log(path: Path, jobs: Iterable[Job], resume: bool, processes: int = 1) -> None:
    """Writes the line of every job to the log, in order; with `resume`, keeps what stands there and would come out the same."""
    left, offset = iter(jobs), 0
    if resume and path.exists():
        offset, left = _after_kept_lines(path, left)
    with open(path, "r+b" if offset else "wb") as file:
        file.truncate(offset)
        file.seek(offset)
        for lines in _scored_chunks(left, processes):
            file.write(b"".join(lines))
            file.flush()
            os.fsync(file.fileno())


def _after_kept_lines(path: Path, jobs: Iterator[Job]) -> tuple[int, Iterator[Job]]:
    """Where the lines end that are whole and belong to the first jobs, and the jobs that are left."""
    offset = 0
    with open(path, "rb") as file:
        for line in file:
            job = next(jobs, None)
            if job is None:
                break
            if not line.endswith(b"\n") or _hash_in(line) != job.doc_hash:
                return offset, chain([job], jobs)
            offset += len(line)
    return offset, jobs


def _hash_in(line: bytes) -> str | None:
    try:
        return json.loads(line).get("doc_hash")
    except (ValueError, AttributeError):
        return None


def _scored_chunks(jobs: Iterator[Job], processes: int) -> Iterator[list[bytes]]:
    chunks = iter(lambda: list(islice(jobs, CHUNK)), [])
    if processes == 1:
        yield from map(_score_chunk, chunks)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        waiting: deque[Future[list[bytes]]] = deque()
        for chunk in chunks:
            waiting.append(pool.submit(_score_chunk, chunk))
            if len(waiting) > 2 * processes:  # a few chunks ahead, no more: memory stays flat
                yield waiting.popleft().result()
        for future in waiting:
            yield future.result()


def _score_chunk(jobs: list[Job]) -> list[bytes]:
    spec = jobs[0].spec
    if not _protocol(spec.benchmark, spec.protocol).concurrent:
        return [score_line(job) for job in jobs]
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as threads:
        return list(threads.map(score_line, jobs))


def processes_for(rows: int) -> int:
    """How many processes are worth their start for so many rows."""
    return min(len(os.sched_getaffinity(0)), MAX_PROCESSES) if rows >= POOL_FROM else 1


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of a sample log."""
    with open(path, "rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                yield json.loads(line)
            except ValueError as error:
                raise UserError(f"{path}:{number}: is not JSON ({error}); run with --resume to mend the log") from error


def read_log(path: Path) -> Iterator[ScoredRow]:
    """The scored rows of a sample log."""
    for line in read_lines(path):
        score = Score(line["value"], line["parts"], line["correct"], line["extracted"], line["failure"])
        yield ScoredRow(line["doc_id"], score, line["target"], line["cluster"])
