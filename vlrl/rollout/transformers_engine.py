"""Rollouts in process, with the training model itself.

Each distinct prompt is prefilled once, its images are encoded once, and its completions branch off side by side. Rows that have
ended are dropped whenever a quarter of the rows are done; decoding stops as soon as all are.

Shapes: P prompts, G completions each, B = P * G rows of which A are living, T completion tokens, V vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from vlrl.models import shared_prefix
from vlrl.models.vision import VisionEncoder
from vlrl.models.vlm import VLM, EncodedPrompt
from vlrl.rollout.forwards import Branches, Forward, Rows
from vlrl.rollout.sampling import draw, entropies, uniforms
from vlrl.types import Completion, FinishReason

CROWDED = 0.75
"""Rows are dropped when this share of them or less is still living."""


class TransformersEngine:
    """Samples completions from `vlm`. `max_completion_length` counts tokens, the end-of-sequence token included.

    With the `vision` of the training passes, a frozen tower's features are shared with them. Completions tell the entropy of each
    token's distribution when `with_entropies` is set.
    """

    def __init__(
        self, vlm: VLM, max_completion_length: int, vision: VisionEncoder | None = None, with_entropies: bool = False
    ) -> None:
        self.vlm, self.max_completion_length, self.vision = vlm, max_completion_length, vision or VisionEncoder(vlm)
        self.with_entropies = with_entropies

    @torch.no_grad()
    def generate(
        self, prompts: Sequence[EncodedPrompt], num_generations: int, temperature: float, seeds: Sequence[int]
    ) -> list[list[Completion]]:
        """`num_generations` completions of each prompt; temperature 0 is greedy.

        A prompt's completions depend on its own seed only, not on the batch it is in. Raises FloatingPointError when the model's
        probabilities are not finite.
        """
        forward = self._forward()
        distinct, rows = _distinct(prompts)
        hidden_PH = forward.prefill(distinct, rows, num_generations)
        starts_P = torch.tensor([int(prompt.position_ids_AP.max()) + 1 for prompt in prompts], device=self.vlm.device)
        hidden_BH, starts_B = (tensor_P.repeat_interleave(num_generations, 0) for tensor_P in (hidden_PH, starts_P))
        noise_BT = uniforms(seeds, num_generations, self.max_completion_length).to(self.vlm.device)
        found = self._decode(forward, hidden_BH, starts_B, noise_BT, temperature)
        completions = [self._completion(*row) for row in found]
        return [completions[i : i + num_generations] for i in range(0, len(completions), num_generations)]

    def _forward(self) -> Forward:
        """Asked anew for each batch: where weights are split over processes, the model that samples is another one each time."""
        if shared_prefix.why_not(self.vlm.base) is not None:
            return Rows(self.vlm)
        shared_prefix.enable(self.vlm.base)
        return Branches(self.vlm, self.vision)

    def _decode(
        self, forward: Forward, hidden_AH: Tensor, positions_A: Tensor, noise_BT: Tensor, temperature: float
    ) -> Iterator[tuple[list[int], list[float], list[float]]]:
        """Token ids, log-probabilities and (zeros unless asked for) entropies of every row.

        It starts from the prompts' last hidden states and the positions after them.
        """
        tokens_BT = torch.zeros_like(noise_BT, dtype=torch.long)
        logprobs_BT, entropies_BT = (torch.zeros_like(noise_BT, dtype=torch.float32) for _ in range(2))
        lengths_B, alive_A = torch.zeros_like(tokens_BT[:, 0]), torch.arange(len(noise_BT), device=noise_BT.device)
        going_A = torch.ones_like(alive_A, dtype=torch.bool)
        head = self.vlm.base.get_output_embeddings()
        ends = torch.tensor(self.vlm.eos_ids, dtype=torch.long, device=noise_BT.device)
        for t in range(self.max_completion_length):
            logits_AV = head(hidden_AH)
            tokens_A, logprobs_A = draw(logits_AV, temperature, self.vlm.banned_ids, noise_BT[alive_A, t])
            if self.with_entropies:
                entropies_BT[alive_A, t] = entropies(logits_AV, temperature, self.vlm.banned_ids)
            tokens_BT[alive_A, t], logprobs_BT[alive_A, t] = tokens_A, logprobs_A
            lengths_B[alive_A] += going_A
            going_A = going_A & ~torch.isin(tokens_A, ends)
            living = int(going_A.sum())
            if not living or t + 1 == self.max_completion_length:
                break
            if living <= CROWDED * len(going_A):
                kept = going_A.nonzero()[:, 0]
                forward.keep(kept)
                alive_A, going_A, tokens_A, positions_A = (tensor[kept] for tensor in (alive_A, going_A, tokens_A, positions_A))
            hidden_AH = forward.step(tokens_A, positions_A + t)
        rows = zip(tokens_BT.tolist(), logprobs_BT.tolist(), entropies_BT.tolist(), lengths_B.tolist(), strict=True)
        for tokens, logprobs, row_entropies, length in rows:
            yield tokens[:length], logprobs[:length], row_entropies[:length]

    def _completion(self, token_ids: list[int], logprobs: list[float], entropies: list[float]) -> Completion:
        if not all(map(math.isfinite, logprobs)):
            raise FloatingPointError("the model's probabilities are not finite: its weights or activations have overflowed")
        ended = token_ids[-1] in self.vlm.eos_ids
        reason: FinishReason = "stop" if ended else "length"
        return Completion(self.vlm.decode(token_ids), token_ids, logprobs, reason, entropies if self.with_entropies else None)


def _distinct(prompts: Sequence[EncodedPrompt]) -> tuple[list[EncodedPrompt], list[int]]:
    """The prompts that differ in tokens or pixels, and for every prompt its place among them."""
    distinct: list[EncodedPrompt] = []
    places = []
    for prompt in prompts:
        same = (place for place, other in enumerate(distinct) if _equal(prompt, other))
        places.append(next(same, len(distinct)))
        if places[-1] == len(distinct):
            distinct.append(prompt)
    return distinct, places


def _equal(one: EncodedPrompt, other: EncodedPrompt) -> bool:
    if one is other:
        return True
    if not torch.equal(one.input_ids_P, other.input_ids_P) or not torch.equal(one.position_ids_AP, other.position_ids_AP):
        return False
    if one.media.keys() != other.media.keys():
        return False
    return all(torch.equal(tensor, other.media[key]) for key, tensor in one.media.items())
