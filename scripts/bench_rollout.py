"""Rollouts of one prompt: this project's engine against transformers' `generate`, on repeated rows and by `num_return_sequences`.

    python scripts/bench_rollout.py --json out.json      # the table of docs/packed-update.md

TRL 1.16 calls `generate` on every prompt G times over (`repeated`). All sample at temperature 1 without top-k and top-p, never a
placeholder. A `prefill` is a rollout of one token; in a `whole` one every row has C tokens; in a `ragged` one every 24th token of
the vocabulary ends its row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import bench_model
import torch
from bench_count import traffic

from vlrl.models.tiny.build import ToyShape
from vlrl.models.vlm import VLM, EncodedPrompt
from vlrl.rollout.transformers_engine import TransformersEngine

Rollout = Callable[[], int]
"""Samples G completions; returns how many tokens they have together."""
ENDS = 24
"""Every so many tokens of the vocabulary one ends a completion, in the ragged case."""


@dataclass(frozen=True)
class Size:
    """G completions of at most C tokens on a picture of `side` pixels and a question of `words` tokens."""

    group: int = 8
    completion: int = 64
    words: int = 40
    side: int = bench_model.SIDE
    shape: ToyShape = bench_model.SHAPE


QUICK = Size(4, 6, 10, 112, bench_model.QUICK)


def rollouts(vlm: VLM, prompt: EncodedPrompt, size: Size, ends: list[int]) -> dict[str, Rollout]:
    """Three ways to the same kind of completions; a new seed in each run."""
    vlm.eos_ids = ends
    engine, seeds = TransformersEngine(vlm, size.completion), count()

    def ours() -> int:
        (group,) = engine.generate([prompt], size.group, 1.0, [next(seeds)])
        return sum(len(completion.token_ids) for completion in group)

    return {
        "ours": ours,
        "repeated": _generate(vlm, prompt, size.group, size, ends),
        "num_return_sequences": _generate(vlm, prompt, 1, size, ends),
    }


def _generate(vlm: VLM, prompt: EncodedPrompt, copies: int, size: Size, ends: list[int]) -> Rollout:
    """The `generate` of transformers on `copies` rows of the prompt, each as often as it takes to have G completions."""
    ids, types = (tensor_P.expand(copies, -1) for tensor_P in (prompt.input_ids_P, prompt.token_types_P))
    inputs = {
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
        "mm_token_type_ids": types,
        **vlm.media_batch([prompt] * copies),
    }
    sampling = {"do_sample": True, "temperature": 1.0, "top_k": 0, "top_p": 1.0, "suppress_tokens": vlm.banned_ids}
    limits = {"max_new_tokens": size.completion, "eos_token_id": ends or None, "pad_token_id": vlm.pad_id}

    def run() -> int:
        generate: Any = vlm.base.generate
        rows = generate(**inputs, **sampling, **limits, num_return_sequences=size.group // copies, disable_compile=True)
        return sum(_length(row[len(prompt) :].tolist(), ends) for row in rows)

    return run


def _length(token_ids: list[int], ends: list[int]) -> int:
    return next((place + 1 for place, token in enumerate(token_ids) if token in ends), len(token_ids))


def compare(size: Size, repeats: int) -> dict[str, Any]:
    """Seconds of all cases and ways, their ratios to ours, and what went through the vision tower and the language model."""
    vlm = bench_model.build(size.shape)
    prompt = vlm.encode(bench_model.question(size.words), [bench_model.picture(0, size.side)])
    ends = list(range(0, vlm.base.config.text_config.vocab_size, ENDS))
    cases = {"prefill": (replace(size, completion=1), []), "whole": (size, []), "ragged": (size, ends)}
    result: dict[str, Any] = {}
    for case, (sizes, stops) in cases.items():
        ways = rollouts(vlm, prompt, sizes, stops)
        seconds = bench_model.interleaved(ways, repeats)
        ratios = {name: seconds[name] / seconds["ours"] for name in ways if name != "ours"}
        result[case] = {"seconds": seconds, "ratio": ratios, "traffic": {name: _watch(vlm, run) for name, run in ways.items()}}
    settings = {"group": size.group, "prompt": len(prompt), "completion": size.completion, "repeats": repeats}
    return {**result, "settings": settings, **bench_model.circumstances()}


def _watch(vlm: VLM, run: Rollout) -> dict[str, int]:
    with traffic(vlm.base) as seen:
        sampled = run()
    return {**seen, "sampled": sampled}


def main() -> None:
    """Parse the command line and run."""
    args = bench_model.parser(__doc__, 11).parse_args()
    bench_model.report(compare(QUICK, 1) if args.quick else compare(Size(), args.repeats), args.json)


if __name__ == "__main__":
    main()
