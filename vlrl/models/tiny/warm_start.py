"""Supervised training of the built-in models: all questions about one picture or film in one row.

Shapes: N pictures or films, L tokens of the longest row, M answer tokens, V vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

SOFT_WEIGHTS = (0.06, 0.24, 0.4, 0.24, 0.06)
"""A number's probability is spread over its neighbours: two below to two above."""

Turn = tuple[list[int], list[int]]
"""The tokens of a question and of its answer."""


@dataclass(frozen=True)
class Batch:
    """Rows `[pixels | question 1, answer 1 | question 2, answer 2 | ...]`, each question seeing the pixels and itself only.

    `labels_NL` is the token to predict at each position, -100 where none is.
    """

    input_ids_NL: Tensor
    labels_NL: Tensor
    mask_NLL: Tensor
    position_ids_3NL: Tensor
    media: dict[str, Tensor]


def pack(
    prefix: Sequence[int], prefix_positions_3P: Tensor, rows: Sequence[Sequence[Turn]], media: dict[str, Tensor], pad_id: int
) -> Batch:
    """The questions of each row behind the same prefix of placeholder tokens; `media` holds the pixels of all rows."""
    start, count = len(prefix), len(rows)
    length = start + max(sum(len(q) + len(a) for q, a in row) for row in rows)
    input_ids = torch.full((count, length), pad_id)
    labels = torch.full((count, length), -100)
    segment = torch.full((count, length), -1)
    positions = torch.zeros(3, count, length, dtype=torch.long)
    input_ids[:, :start], segment[:, :start] = torch.tensor(prefix), 0
    positions[:, :, :start] = prefix_positions_3P[:, None]
    for n, row in enumerate(rows):
        at = start
        for number, (question, answer) in enumerate(row, start=1):
            end = at + len(question) + len(answer)
            input_ids[n, at:end], segment[n, at:end] = torch.tensor(question + answer), number
            labels[n, at + len(question) - 1 : end - 1] = torch.tensor(answer)
            positions[:, n, at:end] = prefix_positions_3P.max() + 1 + torch.arange(end - at)
            at = end
    causal = torch.ones(length, length, dtype=torch.bool).tril()
    mask = ((segment[:, :, None] == segment[:, None, :]) | (segment[:, None, :] == 0)) & causal
    return Batch(input_ids, labels, mask, positions, media)


def soft_targets(labels_M: Tensor, number_ids: Tensor, vocabulary: int) -> Tensor:
    """Distributions [M, V] to learn: a number's probability is spread over its neighbours of the same form."""
    targets_MV = nn.functional.one_hot(labels_M, vocabulary).float()
    order_V = torch.full((vocabulary,), -1)
    order_V[number_ids] = torch.arange(len(number_ids))
    is_number = order_V[labels_M] >= 0
    spread = torch.zeros(int(is_number.sum()), vocabulary)
    for shift, weight in zip((-2, -1, 0, 1, 2), SOFT_WEIGHTS, strict=True):
        place = order_V[labels_M[is_number]] + 3 * shift  # each number has three forms in the list
        place = torch.where((place < 0) | (place >= len(number_ids)), order_V[labels_M[is_number]], place)
        spread.scatter_add_(1, number_ids[place][:, None], torch.full((len(place), 1), weight))
    targets_MV[is_number] = spread
    return targets_MV


def loss_of(model: PreTrainedModel, batch: Batch, number_ids: Tensor) -> Tensor:
    """Cross-entropy to the soft targets, mean over the answer tokens."""
    hidden_NLH = model.model(
        input_ids=batch.input_ids_NL, attention_mask=batch.mask_NLL[:, None], position_ids=batch.position_ids_3NL, **batch.media
    ).last_hidden_state
    answered = batch.labels_NL != -100
    logprobs_MV = model.lm_head(hidden_NLH[answered]).log_softmax(-1)
    targets_MV = soft_targets(batch.labels_NL[answered], number_ids, logprobs_MV.shape[1])
    return -(targets_MV * logprobs_MV).sum(-1).mean()


def make_optimizers(model: PreTrainedModel) -> list[torch.optim.Optimizer]:
    """Muon for the hidden matrices, AdamW for embeddings, patches, positions and norms."""
    tables = (id(model.get_input_embeddings().weight), id(model.model.visual.pos_embed.weight))
    matrices = [p for p in model.parameters() if p.ndim == 2 and id(p) not in tables]
    chosen = set(map(id, matrices))
    others = [p for p in model.parameters() if id(p) not in chosen]
    return [torch.optim.Muon(matrices, lr=0.02, weight_decay=0.0), torch.optim.AdamW(others, lr=2e-3, weight_decay=0.0)]


def warm_start(model: PreTrainedModel, draw: Callable[[], Batch], number_ids: Tensor, steps: int) -> Iterator[tuple[int, float]]:
    """Supervised training on the batches that `draw` gives; yields (step, mean loss of the last 100 steps) every 100 steps."""
    optimizers = make_optimizers(model)
    schedules = [
        torch.optim.lr_scheduler.LambdaLR(o, lambda s: min(1, (s + 1) / 20, 4 * (1 - s / steps) + 0.02)) for o in optimizers
    ]
    losses: list[float] = []
    model.train()
    for step in range(1, steps + 1):
        loss = loss_of(model, draw(), number_ids)
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer, schedule in zip(optimizers, schedules, strict=True):
            optimizer.step()
            schedule.step()
        losses.append(loss.item())
        if step % 100 == 0:
            yield step, math.fsum(losses[-100:]) / 100
