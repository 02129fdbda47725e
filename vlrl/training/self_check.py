"""Does sharing prefixes give this model's log-probabilities? Asked once, before the first update of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from vlrl.training.objective import Row
from vlrl.training.packing import pack
from vlrl.training.policy import collate

if TYPE_CHECKING:
    from vlrl.training.setup import Run

LIMITS = {torch.float32: 1e-3, torch.bfloat16: 0.25}
"""The largest mean difference of a token's log-probability that is rounding. Toy models of the Qwen-VL families gave up to 1.2e-5
in float32; in bfloat16 0.07, and 0.19 where completions are as improbable as exp(-35) a token. One branch that sees another's
tokens is off by about 1."""

LENGTHS = (8, 5)
"""Tokens of the two completions that are looked at."""


@torch.no_grad()
def check_shared_prefixes(run: Run, rows: Sequence[Row]) -> None:
    """Switch `run.shares_prefixes` off, with one line of print, when it does not give what rows of their own give.

    Looks at the starts of two completions of one prompt, with media where there is one; the processes decide together.
    """
    prompt = next((row.prompt for row in rows if row.prompt.media), rows[0].prompt)
    completions = [row.token_ids for row in rows if row.prompt is prompt]
    starts = [ids[:length] for ids, length in zip(completions, LENGTHS, strict=False)]
    prompts, fillers = [prompt] * len(starts), run.sharding.fillers([prompt])
    run.vlm.model.eval()
    with run.accelerator.autocast():
        shared, own = (run.policy(lay_out(run.vlm, prompts, starts, fillers)) for lay_out in (pack, collate))
    difference = (shared.logprobs_BT - own.logprobs_BT).abs().sum() / max(1, sum(map(len, starts)))
    worst = float(run.accelerator.gather(difference[None]).max())
    rounds = run.accelerator.mixed_precision != "no" or run.vlm.model.dtype != torch.float32
    run.shares_prefixes = worst <= LIMITS[torch.bfloat16 if rounds else torch.float32]  # false for NaN
    if not run.shares_prefixes and run.accelerator.is_main_process:
        what = f"shared prefixes change its log-probabilities by {worst:.2g} a token"
        print(f"{type(run.vlm.base).__name__}: {what}. Every completion gets a row of its own", flush=True)
