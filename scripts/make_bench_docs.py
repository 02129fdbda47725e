"""Writes the measured tables of docs/packed-update.md from what the benchmarks left.

    make bench-update bench-rollout bench-step bench-real
    .venv/bin/python scripts/make_bench_docs.py build

A table stands between `<!-- bench:NAME -->` and `<!-- /bench:NAME -->`; one whose JSON file is not there stays as it is.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench_theory import expected

PAGE = Path(__file__).parents[1] / "docs" / "packed-update.md"
NAMES = {"packed": "shared prefix", "naive": "one row each", "trl": "TRL"}
CASES = {"prefill": "prefill only", "whole": "C tokens each", "ragged": "ragged lengths"}

Result = dict[str, Any]


def update(found: Result) -> str:
    """Costs of the three ways."""
    lines = [["", "GFLOP", "seconds", "peak MB", "images", "tokens"]]
    for name, words in NAMES.items():
        counts = [str(found[key][name]) for key in ("images", "tokens")]
        lines.append(
            [words, f"{found['gflops'][name]:.1f}", f"{found['seconds'][name]:.2f}", f"{found['peak_mb'][name]:.0f}", *counts]
        )
    for other in ("naive", "trl"):
        ratios = [f"{found[f'{kind}_ratio_{other}']:.2f}" for kind in ("flops", "wall")]
        memory = found["peak_mb"][other] / found["peak_mb"]["packed"]
        counts = [f"{found[key][other] / found[key]['packed']:.1f}" for key in ("images", "tokens")]
        lines.append([f"**{NAMES[other]} / shared prefix**", *ratios, f"{memory:.1f}", *counts])
    exact = (
        f"Largest difference of a log-probability: {found['max_logprob_diff']:.1e} from one row each, "
        f"{found['max_logprob_diff_trl']:.1e} from TRL; of the gradient (norm of the difference / norm): "
        f"{found['grad_rel_diff']:.1e} and {found['grad_rel_diff_trl']:.1e}. Where there is no Triton TRL sends prompts through "
        f"its head too; without these operations the FLOP ratio to TRL is {found['flops_ratio_trl_without_prompts_in_head']:.2f}."
    )
    return f"{table(lines)}\n{exact} {where(found)}"


def rollout(found: Result) -> str:
    """Seconds of the three ways, case by case."""
    ways = {"ours": "ours", "repeated": "`generate`, G rows", "num_return_sequences": "`generate`, `num_return_sequences`"}
    lines = [["", *(f"{words}, s" for words in ways.values()), "G rows / ours", "`num_return_sequences` / ours"]]
    for case, words in CASES.items():
        seconds = [f"{found[case]['seconds'][way]:.3f}" for way in ways]
        lines.append([words, *seconds, *(f"**{ratio:.2f}**" for ratio in found[case]["ratio"].values())])
    return f"{table(lines)}\n{where(found)}"


def step(found: Result) -> str:
    """Seconds of a whole step."""
    seconds = [f"{found['seconds'][name]:.2f}" for name in ("ours", "trl")]
    lines = [["", "ours, s", "TRL, s", "TRL / ours"], ["whole step", *seconds, f"**{found['wall_ratio_trl']:.2f}**"]]
    return f"{table(lines)}\n{where(found)}"


def real(found: Result) -> str:
    """Both precisions at the realistic size."""
    lines = [["", "shared prefix, s", "one row each, s", "ratio", "peak MB", "peak MB", "log-probabilities", "gradient"]]
    for dtype in ("float32", "bfloat16"):
        part = found[dtype]
        seconds, peaks = ([part[key][way] for way in ("packed", "naive")] for key in ("seconds", "peak_mb"))
        apart = [f"{part[key]:.1e}" for key in ("max_logprob_diff", "grad_rel_diff")]
        ratio = f"**{part['wall_ratio_naive']:.2f}**"
        lines.append([dtype, *(f"{s:.1f}" for s in seconds), ratio, *(f"{mb:.0f}" for mb in peaks), *apart])
    rounding = found["bfloat16"]["from_float32"]
    words = "; ".join(
        f"{NAMES[way]}: {rounding[way]['max_logprob_diff']:.2f} and {rounding[way]['grad_rel_diff']:.3f}"
        for way in ("packed", "naive")
    )
    return f"{table(lines)}\nDifferences of bfloat16 from one row each in float32: {words}. {where(found)}"


def sweep(found: Result) -> str:
    """How far the cost model is from what was counted."""
    worst = max(
        abs(point[f"flops_ratio_{other}"] / point[f"flops_ratio_{other}_theory"] - 1)
        for point in found["points"]
        for other in ("naive", "trl")
    )
    return f"{len(found['points'])} sizes; the counted ratio and the cost model's differ by at most {100 * worst:.2g} %."


def table(lines: list[list[str]]) -> str:
    """A Markdown table, the first line its head."""
    head, *body = [f"| {' | '.join(cells)} |\n" for cells in lines]
    return f"{head}|{'---|' * len(lines[0])}\n{''.join(body)}"


def where(found: Result) -> str:
    """Size, machine, date and versions."""
    size = ", ".join(f"{key} {value}" for key, value in found["settings"].items() if not isinstance(value, bool | list))
    machine, versions = found["machine"], ", ".join(f"{name} {number}" for name, number in found["versions"].items())
    return f"{size}. {machine['cpu']}, {machine['threads']} threads of {machine['cores']} cores, {found['date']}; {versions}."


TABLES: dict[str, tuple[str, Callable[[Result], str]]] = {
    "update": ("update.json", update),
    "update_frozen": ("update_frozen.json", update),
    "rollout": ("rollout.json", rollout),
    "step": ("step.json", step),
    "real": ("real.json", real),
    "sweep": ("sweep.json", sweep),
}


def page(old: str, folder: Path) -> str:
    """The page with the tables whose results are in `folder`."""
    for name, (file, write) in TABLES.items():
        if (folder / file).exists():
            old = _fill(old, name, write(json.loads((folder / file).read_text())))
    return _fill(old, "theory", table(expected()))


def _fill(page: str, name: str, text: str) -> str:
    """The page with `text` between the marks of `name`."""
    marks = re.compile(f"(<!-- bench:{name} -->\n).*?(<!-- /bench:{name} -->)", re.DOTALL)
    return marks.sub(lambda match: f"{match[1]}{text}\n{match[2]}", page)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), Path(sys.argv[1])), encoding="utf-8")
