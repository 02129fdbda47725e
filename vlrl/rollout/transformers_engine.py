"""Rollouts in process, with the training model itself.

Each distinct prompt is encoded and prefilled once; its cache is expanded to G rows that decode together. Rows that have ended are
dropped whenever half of the rows are done, and decoding stops as soon as all are.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import DynamicCache

from vlrl.models.vlm import VLM, EncodedPrompt
from vlrl.types import Completion


class TransformersEngine:
    """Samples completions from `vlm`. `max_completion_length` counts tokens, the end-of-sequence token included."""

    def __init__(self, vlm: VLM, max_completion_length: int) -> None:
        self.vlm, self.max_completion_length = vlm, max_completion_length

    @torch.no_grad()
    def generate(
        self, prompts: Sequence[EncodedPrompt], num_generations: int, temperature: float, seeds: Sequence[int]
    ) -> list[list[Completion]]:
        """`num_generations` completions of each prompt; temperature 0 is greedy.

        A prompt's completions depend on its own seed only, not on the batch it is in.
        """
        decoding = _Decoding(self.vlm, prompts, num_generations, temperature, seeds, self.max_completion_length)
        for _ in range(self.max_completion_length):
            if not decoding.advance():
                break
        rows = decoding.completions()
        return [rows[i : i + num_generations] for i in range(0, len(rows), num_generations)]


class _Decoding:
    """The state of one batch: B = P * G rows, of which A are still alive."""

    def __init__(
        self, vlm: VLM, prompts: Sequence[EncodedPrompt], group: int, temperature: float, seeds: Sequence[int], max_length: int
    ) -> None:
        self.vlm, self.group, self.temperature, self.max_length = vlm, group, temperature, max_length
        self.generators = [torch.Generator(vlm.device).manual_seed(seed) for seed in seeds]
        rows = len(prompts) * group
        self.token_ids: list[list[int]] = [[] for _ in range(rows)]
        self.logprobs: list[list[float]] = [[] for _ in range(rows)]
        self.done_B = torch.zeros(rows, dtype=torch.bool)
        self.alive_A = torch.arange(rows)
        self.cache = DynamicCache(config=vlm.model.config.get_text_config())
        self.logits_AV = self._prefill(prompts)

    def _prefill(self, prompts: Sequence[EncodedPrompt]) -> Tensor:
        """One forward over the distinct prompts, left-padded; leaves the cache expanded to B rows and returns logits [B, V]."""
        length = max(map(len, prompts))
        input_ids = torch.full((len(prompts), length), self.vlm.pad_id)
        axes = prompts[0].position_ids_AP.shape[0]
        position_ids = torch.zeros(axes, len(prompts), length, dtype=torch.long)
        mask = torch.zeros(len(prompts), length, dtype=torch.long)
        token_types = torch.zeros_like(mask)
        for row, prompt in enumerate(prompts):
            start = length - len(prompt)
            input_ids[row, start:], mask[row, start:] = prompt.input_ids_P, 1
            position_ids[:, row, start:], token_types[row, start:] = prompt.position_ids_AP, prompt.token_types_P
        device = self.vlm.device
        output = self.vlm.model(
            input_ids=input_ids.to(device),
            attention_mask=mask.to(device),
            position_ids=position_ids.to(device),
            mm_token_type_ids=token_types.to(device),
            past_key_values=self.cache,
            use_cache=True,
            logits_to_keep=1,
            **self.vlm.media_batch(prompts),
        )
        self.cache.batch_repeat_interleave(self.group)
        self.mask_AL = mask.to(device).repeat_interleave(self.group, 0)
        self.next_position_A = (position_ids.amax((0, 2)) + 1).to(device).repeat_interleave(self.group, 0)
        self.axes = axes
        return output.logits[:, -1].float().repeat_interleave(self.group, 0)

    def advance(self) -> bool:
        """Draw one token for every living row; False when all rows have ended."""
        tokens_A, logprobs_A = self._draw()
        for row, token, logprob in zip(self.alive_A.tolist(), tokens_A.tolist(), logprobs_A.tolist(), strict=True):
            if not self.done_B[row]:
                self.token_ids[row].append(token)
                self.logprobs[row].append(logprob)
                self.done_B[row] = token in self.vlm.eos_ids or len(self.token_ids[row]) == self.max_length
        if self.done_B.all():
            return False
        keep_A = ~self.done_B[self.alive_A]
        if 2 * int(keep_A.sum()) <= len(keep_A):
            tokens_A = self._drop(keep_A, tokens_A)
        self._forward(tokens_A)
        return True

    def _draw(self) -> tuple[Tensor, Tensor]:
        logits_AV = self.logits_AV / (self.temperature or 1.0)
        logits_AV[:, self.vlm.banned_ids] = float("-inf")
        logprobs_AV = logits_AV.log_softmax(-1)
        noisy_AV = logprobs_AV + self._gumbel(logprobs_AV.shape[1]) if self.temperature else logprobs_AV
        tokens_A = noisy_AV.argmax(-1)
        return tokens_A, logprobs_AV.gather(1, tokens_A[:, None])[:, 0]

    def _gumbel(self, vocabulary: int) -> Tensor:
        """Gumbel noise [A, V], drawn for all rows of a prompt by that prompt's generator, so that dropped rows change nothing."""
        prompts = sorted({int(row) // self.group for row in self.alive_A})
        shape = (self.group, vocabulary)
        noise = {p: torch.empty(shape, device=self.vlm.device).exponential_(generator=self.generators[p]) for p in prompts}
        return torch.stack([-noise[row // self.group][row % self.group].log() for row in self.alive_A.tolist()])

    def _drop(self, keep_A: Tensor, tokens_A: Tensor) -> Tensor:
        kept = keep_A.nonzero()[:, 0]
        self.alive_A = self.alive_A[kept]
        kept = kept.to(tokens_A.device)
        self.cache.batch_select_indices(kept)
        self.mask_AL, self.next_position_A = self.mask_AL[kept], self.next_position_A[kept]
        return tokens_A[kept]

    def _forward(self, tokens_A: Tensor) -> None:
        self.mask_AL = torch.cat([self.mask_AL, self.mask_AL.new_ones(len(tokens_A), 1)], 1)
        output = self.vlm.model(
            input_ids=tokens_A[:, None],
            attention_mask=self.mask_AL,
            position_ids=self.next_position_A.expand(self.axes, -1)[..., None],
            past_key_values=self.cache,
            use_cache=True,
        )
        self.next_position_A = self.next_position_A + 1
        self.logits_AV = output.logits[:, -1].float()

    def completions(self) -> list[Completion]:
        """All B rows in order."""
        return [self._completion(token_ids, logprobs) for token_ids, logprobs in zip(self.token_ids, self.logprobs, strict=True)]

    def _completion(self, token_ids: list[int], logprobs: list[float]) -> Completion:
        ended = token_ids[-1] in self.vlm.eos_ids
        return Completion(self.vlm.decode(token_ids), token_ids, logprobs, "stop" if ended else "length")
