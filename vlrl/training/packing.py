"""The shared-prefix update: a group's prompt and media are computed once, its completions branch off.

A micro-batch is one stream `[prompt 1 | branches of prompt 1 | prompt 2 | ...]` without padding. A branch is a completion without
its last token, from which nothing is predicted; its positions go on from the prompt's largest, on every axis. The first token of
each completion is predicted from the prompt's last hidden state.

Shapes: S stream tokens, A position axes, B rows (completions), T completion tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple, Protocol, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

from vlrl.models.shared_prefix import Layout
from vlrl.models.vlm import VLM, EncodedPrompt


class PackedBatch(NamedTuple):
    """One stream. `mask_BT` is 1 on completion tokens; `predicting_BT` indexes the hidden state (of S) that predicts each."""

    input_ids_S: Tensor
    position_ids_AS: Tensor
    token_types_S: Tensor
    completion_ids_BT: Tensor
    mask_BT: Tensor
    predicting_BT: Tensor
    prompts: tuple[EncodedPrompt, ...]
    layout: Layout


def pack(
    vlm: VLM, prompts: Sequence[EncodedPrompt], completions: Sequence[Sequence[int]], fillers: Sequence[EncodedPrompt] = ()
) -> PackedBatch:
    """One row per pair of prompt and completion; neighbours that have the same prompt (the same object) share it.

    `fillers` are prompts without completions (`vlrl.training.sharding`).
    """
    groups = _groups(prompts, completions) + [(filler, []) for filler in fillers]
    width = max(len(completion) for completion in completions)
    completion_ids_BT = torch.full((len(completions), width), vlm.pad_id)
    mask_BT = torch.zeros(len(completions), width, dtype=torch.long)
    predicting_BT = torch.zeros(len(completions), width, dtype=torch.long)
    ids: list[Tensor] = []
    positions: list[Tensor] = []
    row, end = 0, 0
    for prompt, members in groups:
        ids.append(prompt.input_ids_P)
        positions.append(prompt.position_ids_AP)
        end += len(prompt)
        last, after = end - 1, prompt.position_ids_AP.max() + 1
        for completion in members:
            length, branch = len(completion), completion[:-1]
            ids.append(branch)
            positions.append((after + torch.arange(len(branch))).expand(len(prompt.position_ids_AP), -1))
            completion_ids_BT[row, :length], mask_BT[row, :length] = completion, 1
            predicting_BT[row, :length] = torch.cat([torch.tensor([last]), end + torch.arange(len(branch))])[:length]
            row, end = row + 1, end + len(branch)
    types_S = torch.cat([_types(prompt, members) for prompt, members in groups])
    blocks_S = _number_images(types_S).to(vlm.device) if vlm.family.images_see_ahead else None
    layout = Layout.of([(len(prompt), [max(0, len(c) - 1) for c in members]) for prompt, members in groups], blocks_S)
    tensors = (torch.cat(ids), torch.cat(positions, 1), types_S, completion_ids_BT, mask_BT, predicting_BT)
    moved = [tensor.to(vlm.device) for tensor in tensors]
    return PackedBatch(moved[0], moved[1], moved[2], moved[3], moved[4], moved[5], tuple(p for p, _ in groups), layout)


def _groups(prompts: Sequence[EncodedPrompt], completions: Sequence[Sequence[int]]) -> list[tuple[EncodedPrompt, list[Tensor]]]:
    rows = zip(prompts, completions, strict=True)
    grouped = [list(members) for _, members in groupby(rows, key=lambda row: id(row[0]))]
    return [(rows[0][0], [torch.tensor(list(c), dtype=torch.long) for _, c in rows]) for rows in grouped]


def _types(prompt: EncodedPrompt, members: Sequence[Tensor]) -> Tensor:
    branches = sum(max(0, len(completion) - 1) for completion in members)
    return torch.cat([prompt.token_types_P, prompt.token_types_P.new_zeros(branches)])


def _number_images(types_S: Tensor) -> Tensor:
    """0, 1, 2, ... on the tokens of each unbroken run of image tokens, -1 elsewhere.

    >>> _number_images(torch.tensor([0, 1, 1, 0, 1]))
    tensor([-1,  0,  0, -1,  1])
    """
    is_image_S = types_S == 1
    starts_S = is_image_S & ~F.pad(is_image_S, (1, 0))[:-1]
    return torch.where(is_image_S, starts_S.cumsum(0) - 1, -1)


class PromptRow(Protocol):
    """What micro-batches are cut from: a completion with its prompt."""

    @property
    def prompt(self) -> EncodedPrompt: ...
    @property
    def token_ids(self) -> list[int]: ...


R = TypeVar("R", bound=PromptRow)


def micro_batches(rows: Sequence[R], max_tokens: int) -> list[list[R]]:
    """Rows cut, in their order, into streams of at most `max_tokens` tokens; a group that is too large is split.

    Rows of one prompt must be neighbours. Every part of a split group holds the prompt again. A single row that is longer than
    `max_tokens` has a stream of its own.
    """
    batches: list[list[R]] = []
    used = 0
    for row in rows:
        branch = max(0, len(row.token_ids) - 1)
        shared = bool(batches) and batches[-1][-1].prompt is row.prompt
        cost = branch if shared else branch + len(row.prompt)
        if not batches or used + cost > max_tokens:
            batches.append([])
            used, cost = 0, branch + len(row.prompt)
        batches[-1].append(row)
        used += cost
    return batches


def level(batches: list[list[R]], count: int) -> list[list[R]]:
    """The same rows in `count` micro-batches, at least as many as there are now: the ones with the most rows are cut in halves.

    Processes that share weights must agree on the number of passes. Raises ValueError when there are fewer rows than that.
    """
    batches = list(batches)
    while len(batches) < count:
        index = max(range(len(batches)), key=lambda i: len(batches[i]))
        rows = batches[index]
        if len(rows) < 2:
            raise ValueError(f"{len(batches)} rows cannot be cut into {count} micro-batches")
        batches[index : index + 1] = [rows[: len(rows) // 2], rows[len(rows) // 2 :]]
    return batches
