"""Log-probabilities of completions under a model: the naive path, one row per completion.

Shapes: B rows (completions), T completion tokens, L tokens of the longest prompt + completion, A position axes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from vlrl.models.vlm import VLM, EncodedPrompt, token_logprobs


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


def collate(vlm: VLM, prompts: Sequence[EncodedPrompt], completions: Sequence[Sequence[int]]) -> RowBatch:
    """One row per pair of prompt and completion; a completion's positions go on from its prompt's largest, on all axes."""
    rows = list(zip(prompts, (torch.tensor(list(c), dtype=torch.long) for c in completions), strict=True))
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
        position_ids_ABL[:, b, p : p + c] = prompt.position_ids_AP.max() + 1 + torch.arange(c)
        token_types_BL[b, :p] = prompt.token_types_P
        completion_ids_BT[b, :c], mask_BT[b, :c] = completion, 1
        predicting_BT[b, :c] = b * length + p - 1 + torch.arange(c)
    tensors = (input_ids_BL, position_ids_ABL, token_types_BL, completion_ids_BT, mask_BT, predicting_BT)
    moved = [tensor.to(vlm.device) for tensor in tensors]
    return RowBatch(moved[0], moved[1], moved[2], moved[3], moved[4], moved[5], vlm.media_batch(prompts))


class Policy(nn.Module):
    """The trainable model as the loop calls it: a batch of rows in, `TokenStats` out.

    The whole computation is one forward, so that DDP, FSDP and DeepSpeed may wrap this module.
    """

    def __init__(self, vlm: VLM, temperature: float) -> None:
        super().__init__()
        self.model = vlm.model
        self.vlm, self.temperature = vlm, temperature

    def forward(self, batch: RowBatch) -> TokenStats:
        hidden_BLH = self.vlm.base.model(
            input_ids=batch.input_ids_BL,
            position_ids=batch.position_ids_ABL,
            mm_token_type_ids=batch.token_types_BL,
            use_cache=False,
            **batch.media,
        ).last_hidden_state
        wanted_BT = batch.mask_BT.bool()
        hidden_NH = hidden_BLH.flatten(0, 1)[batch.predicting_BT[wanted_BT]]
        targets_N = batch.completion_ids_BT[wanted_BT]
        head = self.vlm.base.get_output_embeddings()
        logprobs_N, entropies_N = token_logprobs(hidden_NH, head, targets_N, self.temperature, self.vlm.banned_ids)
        zeros_BT = torch.zeros_like(batch.mask_BT, dtype=torch.float32)
        return TokenStats(zeros_BT.masked_scatter(wanted_BT, logprobs_N), zeros_BT.masked_scatter(wanted_BT, entropies_N))
