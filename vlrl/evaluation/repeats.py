"""The numbers of several samples of each row, from their sample logs: mean@k, pass@k, maj@k."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from vlrl.evaluation.scoring import read_log
from vlrl.metrics.repeats import majority, pass_at_k
from vlrl.metrics.score_table import ScoredRow, ScoreTable
from vlrl.types import Score


def summarise_repeats(logs: Sequence[Path], resamples: int) -> dict[str, Any]:
    """`mean@k` of the values over all samples, `pass@1` ... `pass@k` (powers of two and k) of the right ones, `maj@k`.

    A sample is right when its protocol says so, else when its value is 1. Rows whose gold cannot be scored are left out.
    """
    table = ScoreTable.of(lambda: _rows(logs))
    entry: dict[str, Any] = {}
    for name in table.columns:
        if name is not None:
            mean = table.mean(name)
            entry |= {name: mean.estimate, f"{name}_n": mean.n}
            entry |= {f"{name}_ci95": mean.interval(resamples)} if resamples else {}
    return entry


def _rows(logs: Sequence[Path]) -> Iterator[ScoredRow]:
    k = len(logs)
    for samples in zip(*map(read_log, logs), strict=True):
        values = [row.score.value for row in samples]
        known = [value for value in values if value is not None]
        if len(known) == k:
            right = sum(is_right(row.score) for row in samples)
            parts = {f"mean@{k}": sum(known) / k, f"maj@{k}": majority([row.score.extracted for row in samples], known)}
            parts |= {f"pass@{n}": pass_at_k(k, right, n) for n in _powers(k)}
            first = samples[0]
            yield ScoredRow(first.doc_id, Score(known[0], parts), first.answer, first.cluster)


def is_right(score: Score) -> bool:
    """Whether the protocol says that the answer is right; where it says nothing, whether the value is 1."""
    return score.value == 1 if score.correct is None else score.correct


def _powers(k: int) -> list[int]:
    return sorted({k, *(2**i for i in range(k.bit_length()) if 2**i <= k)})
