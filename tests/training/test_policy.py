"""`collate` and `Policy` against a slow oracle: row by row, transformers' own positions, full logits, log_softmax, gather."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor
from toy_runs import picture, relative, save_toy, worst_relative

from vlrl.models import vlm as models
from vlrl.models.tiny.build import FAMILIES
from vlrl.models.vlm import VLM, EncodedPrompt
from vlrl.rollout.transformers_engine import TransformersEngine
from vlrl.training.policy import Policy, TokenStats, collate

Prompt = tuple[str, list[Image.Image]]

ONE = [("Find it.", [picture(64, 64, 1)]), ("Where is the small red cat?", [picture(48, 80, 2)])]
TWO = [("Which one?", [picture(64, 32, 3), picture(48, 80, 4)]), ("What is new here?", [picture(32, 32, 5), picture(96, 48, 6)])]
TEXT = [("Say yes.", []), ("How many legs has a spider?", [])]
BATCHES: dict[str, list[Prompt]] = {"one image": ONE, "two images": TWO, "text only": TEXT, "mixture": [*TEXT, *ONE, *TWO]}
LENGTHS = (5, 1, 9, 2, 1, 7)
TEMPERATURE = 0.8


@pytest.fixture(scope="module", params=FAMILIES)
def vlm(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> VLM:
    return models.load(str(save_toy(tmp_path_factory.mktemp(request.param), request.param)), "float32")


def completions_for(vlm: VLM, count: int) -> list[list[int]]:
    """Ragged completions of tokens that may be sampled, two of a single token."""
    generator = torch.Generator().manual_seed(3)
    allowed = [t for t in range(len(vlm.processor.tokenizer)) if t not in placeholders(vlm)]
    picks = [torch.randint(0, len(allowed), (length,), generator=generator).tolist() for length in LENGTHS[:count]]
    return [[allowed[i] for i in row] for row in picks]


def placeholders(vlm: VLM) -> set[int]:
    names = ["<|image_pad|>", "<|video_pad|>", "<|vision_start|>", "<|vision_end|>"]
    return set(vlm.processor.tokenizer.convert_tokens_to_ids(names))


def encode(vlm: VLM, prompts: Sequence[Prompt]) -> list[EncodedPrompt]:
    return [vlm.encode(text, images) for text, images in prompts]


def slow_row(vlm: VLM, prompt: Prompt, completion: list[int]) -> tuple[Tensor, Tensor]:
    """Log-probabilities and entropies [T] of one row, from the processor's own output and nothing of vlrl's."""
    text, images = prompt
    content = [{"type": "image", "image": image} for image in images] + [{"type": "text", "text": text}]
    inputs = vlm.processor.apply_chat_template(
        [{"role": "user", "content": content}], tokenize=True, return_dict=True, add_generation_prompt=True, return_tensors="pt"
    )
    length = inputs["input_ids"].shape[1]
    types = inputs.get("mm_token_type_ids", torch.zeros_like(inputs["input_ids"]))
    inputs["input_ids"] = torch.cat([inputs["input_ids"], torch.tensor([completion])], dim=1)
    inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
    inputs["mm_token_type_ids"] = torch.nn.functional.pad(types, (0, len(completion)))
    logits_TV = vlm.model(**inputs).logits[0, length - 1 : -1] / TEMPERATURE
    kept = [token for token in range(logits_TV.shape[1]) if token not in placeholders(vlm)]
    logprobs_TK = logits_TV[:, kept].log_softmax(-1)
    targets_T = torch.tensor([kept.index(token) for token in completion])
    return logprobs_TK.gather(1, targets_T[:, None])[:, 0], -(logprobs_TK.exp() * logprobs_TK).sum(-1)


def gradients_of(vlm: VLM, logprobs: Sequence[Tensor]) -> dict[str, Tensor]:
    """Of a loss that weighs every token differently."""
    loss = sum((row_T * torch.linspace(-1, 2, len(row_T) + b)[b:]).sum() for b, row_T in enumerate(logprobs, start=1))
    vlm.model.zero_grad()
    assert isinstance(loss, Tensor)
    loss.backward()
    return {name: p.grad.clone() for name, p in vlm.model.named_parameters() if p.grad is not None}


def rows_of(stats: TokenStats, completions: Sequence[list[int]]) -> list[Tensor]:
    return [row_T[: len(completion)] for row_T, completion in zip(stats.logprobs_BT, completions, strict=True)]


@pytest.mark.parametrize("kind", list(BATCHES))
def test_batch_equals_one_row_at_a_time(vlm: VLM, kind: str) -> None:
    prompts = BATCHES[kind]
    completions = completions_for(vlm, len(prompts))
    stats = Policy(vlm, TEMPERATURE)(collate(vlm, encode(vlm, prompts), completions))
    gradients = gradients_of(vlm, rows_of(stats, completions))

    slow = [slow_row(vlm, prompt, completion) for prompt, completion in zip(prompts, completions, strict=True)]
    slow_gradients = gradients_of(vlm, [logprobs_T for logprobs_T, _ in slow])

    for b, (logprobs_T, entropies_T) in enumerate(slow):
        length = len(completions[b])
        torch.testing.assert_close(stats.logprobs_BT[b, :length], logprobs_T, atol=1e-5, rtol=0)
        torch.testing.assert_close(stats.entropies_BT[b, :length], entropies_T, atol=1e-5, rtol=0)
        assert not stats.logprobs_BT[b, length:].any()
        assert not stats.entropies_BT[b, length:].any()
    used = {name: gradient for name, gradient in gradients.items() if gradient.any()}
    slow_used = {name: gradient for name, gradient in slow_gradients.items() if gradient.any()}
    assert worst_relative(used, slow_used) < 1e-4
    assert any("visual" in name for name in used) == (kind != "text only")


def test_logprobs_depend_on_every_image(vlm: VLM) -> None:
    """Otherwise the comparisons above would say nothing about pictures."""
    text, images = TWO[0]
    completion = completions_for(vlm, 1)
    policy = Policy(vlm, TEMPERATURE)
    for changed in (0, 1):
        others = [picture(*image.size, seed=9) if i == changed else image for i, image in enumerate(images)]
        first, second = (policy(collate(vlm, encode(vlm, [(text, p)]), completion)).logprobs_BT for p in (images, others))
        assert (first - second).abs().max() > 1e-3


def test_padding_tokens_change_nothing(vlm: VLM, monkeypatch: pytest.MonkeyPatch) -> None:
    completions = completions_for(vlm, len(BATCHES["mixture"]))
    results = []
    for pad in (vlm.pad_id, 7, completions[0][0]):
        monkeypatch.setattr(vlm, "pad_id", pad)
        batch = collate(vlm, encode(vlm, BATCHES["mixture"]), completions)
        assert (batch.input_ids_BL[1] == pad).sum() > 10
        stats = Policy(vlm, TEMPERATURE)(batch)
        results.append((stats, gradients_of(vlm, rows_of(stats, completions))))
    (first, gradients), *others = results
    for stats, other_gradients in others:
        torch.testing.assert_close(stats, first, atol=0, rtol=0)
        assert worst_relative(other_gradients, gradients) < 1e-6


def test_order_and_company_of_rows_change_nothing(vlm: VLM) -> None:
    """The pictures of a batch are one long tensor: each row must find its own."""
    prompts, completions = encode(vlm, BATCHES["mixture"]), completions_for(vlm, 6)
    policy = Policy(vlm, TEMPERATURE)
    together = rows_of(policy(collate(vlm, prompts, completions)), completions)
    order = [4, 0, 5, 2]
    shuffled = [completions[b] for b in order]
    apart = rows_of(policy(collate(vlm, [prompts[b] for b in order], shuffled)), shuffled)
    for b, row_T in zip(order, apart, strict=True):
        torch.testing.assert_close(row_T, together[b], atol=1e-5, rtol=0)


def prefer(vlm: VLM, token_ids: list[int]) -> torch.utils.hooks.RemovableHandle:
    """From now on the LM head favours these tokens by 30 nats."""
    bonus_V = torch.zeros(len(vlm.processor.tokenizer))
    bonus_V[token_ids] = 30.0
    return vlm.base.get_output_embeddings().register_forward_hook(lambda module, inputs, logits: logits + bonus_V)


def test_placeholders_have_no_probability(vlm: VLM, monkeypatch: pytest.MonkeyPatch) -> None:
    prompts, engine = encode(vlm, ONE), TransformersEngine(vlm, max_completion_length=6)
    hook = prefer(vlm, vlm.banned_ids)
    sampled = [c for group in engine.generate(prompts, 4, 1.0, [1, 2]) for c in group]
    batch = collate(vlm, [prompts[i // 4] for i in range(8)], [c.token_ids for c in sampled])
    with torch.no_grad():
        stats = Policy(vlm, 1.0)(batch)
        text_only = encode(vlm, TEXT[:1]) * len(vlm.banned_ids)  # beside pixels the model refuses a placeholder too many
        forced = Policy(vlm, 1.0)(collate(vlm, text_only, [[token] for token in vlm.banned_ids]))
    monkeypatch.setattr(vlm, "banned_ids", [])
    unbanned = [t for group in engine.generate(prompts, 4, 1.0, [1, 2]) for c in group for t in c.token_ids]
    hook.remove()

    assert set(unbanned) <= placeholders(vlm)
    assert not placeholders(vlm) & {t for c in sampled for t in c.token_ids}
    assert forced.logprobs_BT.exp().max() == 0
    assert forced.logprobs_BT.isneginf().all()
    for b, completion in enumerate(sampled):
        sampling_T = torch.tensor(completion.logprobs)
        torch.testing.assert_close(stats.logprobs_BT[b, : len(sampling_T)], sampling_T, atol=1e-5, rtol=0)


def test_frozen_vision_tower_gets_no_gradient(tmp_path: Path) -> None:
    for family in FAMILIES:
        vlm = models.load(str(save_toy(tmp_path / family, family)), "float32")
        completions = completions_for(vlm, 2)
        batch = collate(vlm, encode(vlm, ONE), completions)
        free = gradients_of(vlm, rows_of(Policy(vlm, TEMPERATURE)(batch), completions))
        vlm.freeze_vision_tower()
        vlm.model.zero_grad(set_to_none=True)
        frozen = gradients_of(vlm, rows_of(Policy(vlm, TEMPERATURE)(batch), completions))
        vision = {name for name in free if "visual" in name}
        assert vision
        assert frozen.keys() == free.keys() - vision
        assert all(relative(gradient, free[name], 1e-6) < 1e-5 for name, gradient in frozen.items())
