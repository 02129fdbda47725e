"""Log-probabilities of completions under a model: the shared-prefix path, and the naive path of one row per completion.

The naive path is the other's oracle, and what serves a model family that cannot share prefixes.

Shapes: B rows (completions), T completion tokens, L tokens of the longest prompt + completion, A position axes, S stream tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from vlrl.models.head import count_chunks, token_logprobs
from vlrl.models.shared_prefix import LAYOUT
from vlrl.models.vision import VisionEncoder
from vlrl.models.vlm import VLM, EncodedPrompt
from vlrl.training.packing import PackedBatch


class TokenStats(NamedTuple):
    """Log-probability (nats) of every completion token and entropy of the distribution it was drawn from; 0 on padding."""

    logprobs_BT: Tensor
    entropies_BT: Tensor


class RowBatch(NamedTuple):
    """Rows `[prompt | completion | padding]`: causal attention never looks ahead into padding, so no mask is needed.

    `mask_BT` is 1 on completion tokens; `predicting_BT` indexes the hidden state (of the flattened [B * L]) that predicts each.
    """

    input_ids_BL: Tensor
    position_ids_ABL: Tensor
    token_types_BL: Tensor
    completion_ids_BT: Tensor
    mask_BT: Tensor
    predicting_BT: Tensor
    media: dict[str, Tensor]


def collate(
    vlm: VLM, prompts: Sequence[EncodedPrompt], completions: Sequence[Sequence[int]], fillers: Sequence[EncodedPrompt] = ()
) -> RowBatch:
    """One row per pair of prompt and completion; a completion's positions go on from its prompt's largest, on all axes.

    So do those of the padding: where positions fall back, transformers takes it for another sequence and builds a dense mask.
    `fillers` are prompts without completions (`vlrl.training.sharding`): rows of L tokens from which nothing is predicted.
    """
    pairs = [*zip(prompts, completions, strict=True), *((filler, ()) for filler in fillers)]
    rows = [(prompt, torch.tensor(list(completion), dtype=torch.long)) for prompt, completion in pairs]
    length = max(len(p) + len(c) for p, c in rows)
    width = max(len(c) for _, c in rows)
    input_ids_BL = torch.full((len(rows), length), vlm.pad_id)
    position_ids_ABL = torch.zeros(prompts[0].position_ids_AP.shape[0], len(rows), length, dtype=torch.long)
    token_types_BL = torch.zeros(len(rows), length, dtype=torch.long)
    completion_ids_BT = torch.full((len(rows), width), vlm.pad_id)
    mask_BT = torch.zeros(len(rows), width, dtype=torch.long)
    predicting_BT = torch.zeros(len(rows), width, dtype=torch.long)
    for b, (prompt, completion) in enumerate(rows):
        p, c = len(prompt), len(completion)
        input_ids_BL[b, :p], input_ids_BL[b, p : p + c] = prompt.input_ids_P, completion
        position_ids_ABL[:, b, :p] = prompt.position_ids_AP
        position_ids_ABL[:, b, p:] = prompt.position_ids_AP.max() + 1 + torch.arange(length - p)
        token_types_BL[b, :p] = prompt.token_types_P
        completion_ids_BT[b, :c], mask_BT[b, :c] = completion, 1
        predicting_BT[b, :c] = b * length + p - 1 + torch.arange(c)
    per_completion = [tensor[: len(prompts)] for tensor in (completion_ids_BT, mask_BT, predicting_BT)]
    moved = [tensor.to(vlm.device) for tensor in (input_ids_BL, position_ids_ABL, token_types_BL, *per_completion)]
    media = vlm.media_batch([*prompts, *fillers])
    return RowBatch(moved[0], moved[1], moved[2], moved[3], moved[4], moved[5], media)


class Policy(nn.Module):
    """The trainable model as the loop calls it: a batch of completions in, `TokenStats` out.

    The whole computation is one forward, so that DDP, FSDP and DeepSpeed may wrap this module. `most` makes a number of calls of
    the language model's head that of the process with the most, where they have to be equal.
    """

    def __init__(
        self,
        vlm: VLM,
        temperature: float,
        vision: VisionEncoder | None = None,
        most: Callable[[int], int] = lambda count: count,
    ) -> None:
        super().__init__()
        self.most = most
        self.model = vlm.model
        self.vlm, self.temperature, self.vision = vlm, temperature, vision or VisionEncoder(vlm)

    def forward(self, batch: RowBatch | PackedBatch) -> TokenStats:
        hidden = self._stream(batch) if isinstance(batch, PackedBatch) else self._rows(batch)
        wanted_BT = batch.mask_BT.bool()
        hidden_NH = hidden.flatten(0, 1)[batch.predicting_BT[wanted_BT]]
        targets_N = batch.completion_ids_BT[wanted_BT]
        head, banned = self.vlm.base.get_output_embeddings(), self.vlm.banned_ids
        chunks = self.most(count_chunks(len(targets_N)))
        logprobs_N, entropies_N = token_logprobs(hidden_NH, head, targets_N, self.temperature, banned, chunks)
        zeros_BT = torch.zeros_like(batch.mask_BT, dtype=torch.float32)
        return TokenStats(zeros_BT.masked_scatter(wanted_BT, logprobs_N), zeros_BT.masked_scatter(wanted_BT, entropies_N))

    def _rows(self, batch: RowBatch) -> Tensor:
        """Hidden states [B, L, H]."""
        return self.vlm.base.model(
            **self.vlm.text_inputs(batch.input_ids_BL, batch.position_ids_ABL, batch.token_types_BL),
            **batch.media,
            use_cache=False,
        ).last_hidden_state

    def _stream(self, batch: PackedBatch) -> Tensor:
        """Hidden states [1, S, H]. The layout says who sees whom; the 4-D mask keeps the model from making one of its own."""
        return self.vlm.base.model(
            **self.vlm.text_inputs(batch.input_ids_S[None], batch.position_ids_AS[:, None], batch.token_types_S[None]),
            attention_mask=batch.input_ids_S.new_ones(1, 1, 1, 1, dtype=torch.bool),
            mm_encoder_outputs=self.vision.features(batch.prompts),
            use_cache=False,
            **{LAYOUT: batch.layout},
        ).last_hidden_state
