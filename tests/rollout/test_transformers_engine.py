"""The engine's completions are transformers' own when greedy, follow the distribution when not, and depend on the seed alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from toys import FAMILIES, picture, toy_vlm

from vlrl.models.vision import VisionEncoder
from vlrl.models.vlm import VLM, EncodedPrompt
from vlrl.rollout import forwards
from vlrl.rollout.transformers_engine import TransformersEngine
from vlrl.training.packing import pack
from vlrl.training.policy import Policy, collate
from vlrl.types import Completion

LENGTH = 24
MANY_ENDS = slice(0, None, 12)
"""As end-of-sequence tokens: every twelfth token, so that rows end all over the place."""


@pytest.fixture(scope="module", params=[*FAMILIES, "qwen3_vl unshared", "gemma3 unshared"])
def vlm(request: pytest.FixtureRequest) -> VLM:
    """A model of each family; `unshared` keeps its prompts once for every row, as one does whose attention cannot share them."""
    family, _, unshared = request.param.partition(" ")
    vlm = toy_vlm(family)
    if unshared:
        vlm.model.set_attn_implementation("eager")
    return vlm


@pytest.fixture(scope="module")
def qwen3() -> VLM:
    return toy_vlm("qwen3_vl")


@pytest.fixture
def ends(qwen3: VLM, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Makes rows of `qwen3` end early and at different lengths."""
    ids = list(range(len(qwen3.processor.tokenizer)))[MANY_ENDS]
    monkeypatch.setattr(qwen3, "eos_ids", ids)
    return ids


def mixed(vlm: VLM) -> list[EncodedPrompt]:
    """One image, two images of other sizes, text alone, and an image again: one batch of many lengths."""
    return [
        vlm.encode("Find: the red box", [picture()]),
        vlm.encode("Which of the two is it?", [picture(40, 90, 1), picture(33, 17, 2)]),
        vlm.encode("Say a number.", []),
        vlm.encode("Do: the red box", [picture(100, 20, 3)]),
    ]


def tokens(groups: Sequence[Sequence[Completion]]) -> list[list[list[int]]]:
    return [[completion.token_ids for completion in group] for group in groups]


def own_generate(vlm: VLM, prompt: EncodedPrompt, length: int) -> list[int]:
    """What transformers' `generate` says to this prompt alone, greedily; it works out the positions by itself."""
    key = vlm.family.token_types_key
    types = {key: prompt.token_types_P[None]} if key and prompt.media else {}
    ids = vlm.model.generate(
        input_ids=prompt.input_ids_P[None],
        attention_mask=torch.ones_like(prompt.input_ids_P)[None],
        **types,
        **prompt.media,
        max_new_tokens=length,
        do_sample=False,
        suppress_tokens=vlm.banned_ids,
        eos_token_id=vlm.eos_ids,
    )
    return ids[0, len(prompt) :].tolist()


def test_greedy_equals_transformers_generate(vlm: VLM) -> None:
    prompts = mixed(vlm)
    groups = TransformersEngine(vlm, LENGTH).generate(prompts, 2, 0.0, [0] * 4)
    expected = [own_generate(vlm, prompt, LENGTH) for prompt in prompts]
    assert tokens(groups) == [[ids, ids] for ids in expected]
    assert len({tuple(ids) for ids in expected}) > 1


def test_greedy_ends_where_transformers_ends(qwen3: VLM, monkeypatch: pytest.MonkeyPatch) -> None:
    prompts, engine = mixed(qwen3), TransformersEngine(qwen3, LENGTH)
    monkeypatch.setattr(qwen3, "eos_ids", [])
    endless = [group[0].token_ids for group in engine.generate(prompts, 1, 0.0, [0] * 4)]
    monkeypatch.setattr(qwen3, "eos_ids", [endless[0][3], endless[1][9]])
    groups = engine.generate(prompts, 1, 0.0, [0] * 4)
    assert tokens(groups) == [[own_generate(qwen3, prompt, LENGTH)] for prompt in prompts]
    assert [group[0].finish_reason for group in groups[:2]] == ["stop", "stop"]
    assert len(groups[0][0].token_ids) <= 4


def test_a_seed_gives_the_same_completions_in_any_company(vlm: VLM) -> None:
    engine, (one, two, text, other) = TransformersEngine(vlm, LENGTH), mixed(vlm)
    (alone,) = tokens(engine.generate([two], 4, 1.0, [7]))
    assert tokens(engine.generate([one, two, text], 4, 1.0, [1, 7, 2]))[1] == alone
    assert tokens(engine.generate([two, other], 4, 1.0, [7, 7]))[0] == alone


def test_company_that_ends_sooner_or_later_changes_nothing(qwen3: VLM, ends: list[int]) -> None:
    engine, prompts = TransformersEngine(qwen3, 60), mixed(qwen3)
    together = engine.generate(prompts, 8, 1.0, [0, 1, 2, 3])
    for seed, prompt in enumerate(prompts):
        assert tokens(engine.generate([prompt], 8, 1.0, [seed]))[0] == tokens(together)[seed]
    lengths = {len(completion.token_ids) for group in together for completion in group}
    assert len(lengths) > 8


def test_other_seeds_and_other_rows_differ(qwen3: VLM) -> None:
    engine, prompts = TransformersEngine(qwen3, LENGTH), mixed(qwen3)[:1]
    (first,), (second,) = (tokens(engine.generate(prompts, 4, 1.0, [seed])) for seed in (1, 2))
    assert len({tuple(ids) for ids in first + second}) == 8


def test_the_global_random_state_is_neither_used_nor_moved(qwen3: VLM) -> None:
    engine, prompts = TransformersEngine(qwen3, LENGTH), mixed(qwen3)[:1]
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = tokens(engine.generate(prompts, 2, 1.0, [5]))
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert tokens(engine.generate(prompts, 2, 1.0, [5])) == first


def test_dropping_ended_rows_changes_nothing(qwen3: VLM, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same run in which no row ever ends, cut at each row's first end token, holds the same tokens and log-probabilities."""
    engine, prompts, seeds = TransformersEngine(qwen3, 60), mixed(qwen3), [0, 1, 2, 3]
    monkeypatch.setattr(qwen3, "eos_ids", [])
    endless = engine.generate(prompts, 8, 1.0, seeds)
    ids = list(range(len(qwen3.processor.tokenizer)))[MANY_ENDS]
    monkeypatch.setattr(qwen3, "eos_ids", ids)
    widths = count_decoded_rows(qwen3, monkeypatch)
    ending = engine.generate(prompts, 8, 1.0, seeds)
    assert widths[0] == 32
    assert widths[-1] <= 16
    for long, short in zip(chain(*endless), chain(*ending), strict=True):
        end = next((i for i, token in enumerate(long.token_ids) if token in ids), 59)
        assert short.token_ids == long.token_ids[: end + 1]
        assert short.logprobs == pytest.approx(long.logprobs[: end + 1], abs=1e-5)


def count_decoded_rows(vlm: VLM, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The batch size of every decoding step from now on."""
    widths: list[int] = []
    forward = vlm.base.model.forward

    def watched(*args: object, **kwargs: Any) -> object:
        if kwargs["input_ids"].shape[1] == 1:
            widths.append(len(kwargs["input_ids"]))
        return forward(*args, **kwargs)

    monkeypatch.setattr(vlm.base.model, "forward", watched)
    return widths


@pytest.mark.parametrize("temperature", [1.0, 0.6])
def test_sampling_logprobs_are_those_of_training(vlm: VLM, temperature: float) -> None:
    prompts = mixed(vlm)
    groups = TransformersEngine(vlm, LENGTH, with_entropies=True).generate(prompts, 3, temperature, [0, 1, 2, 3])
    rows = [completion for group in groups for completion in group]
    batch = collate(vlm, [p for p in prompts for _ in range(3)], [completion.token_ids for completion in rows])
    with torch.no_grad():
        stats = Policy(vlm, temperature)(batch)
    for row, completion in enumerate(rows):
        length = len(completion.token_ids)
        assert completion.logprobs == pytest.approx(stats.logprobs_BT[row, :length].tolist(), abs=1e-5)
        assert completion.entropies == pytest.approx(stats.entropies_BT[row, :length].tolist(), abs=1e-5)


def test_placeholders_are_never_sampled(qwen3: VLM, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, prompts, banned = TransformersEngine(qwen3, 64), mixed(qwen3), set(qwen3.banned_ids)
    assert not banned & sampled(engine, prompts)
    monkeypatch.setattr(qwen3, "banned_ids", [])
    assert banned & sampled(engine, prompts)  # they would have been


def sampled(engine: TransformersEngine, prompts: Sequence[EncodedPrompt]) -> set[int]:
    groups = engine.generate(prompts, 16, 5.0, list(range(len(prompts))))
    return {token for group in groups for completion in group for token in completion.token_ids}


@pytest.mark.parametrize("length", [1, 5])
def test_the_length_limit(qwen3: VLM, monkeypatch: pytest.MonkeyPatch, length: int) -> None:
    monkeypatch.setattr(qwen3, "eos_ids", [])
    for completion in TransformersEngine(qwen3, length).generate(mixed(qwen3)[:1], 4, 1.0, [0])[0]:
        assert len(completion.token_ids) == len(completion.logprobs) == length
        assert completion.finish_reason == "length"


def test_ends_are_kept_as_tokens_and_left_out_of_the_text(qwen3: VLM, ends: list[int]) -> None:
    decode = qwen3.processor.tokenizer.decode
    completions = TransformersEngine(qwen3, 60).generate(mixed(qwen3)[:1], 16, 1.0, [0])[0]
    for completion in completions:
        *body, last = completion.token_ids
        assert not set(body) & set(ends)
        assert (completion.finish_reason == "stop") == (last in ends)
        assert len(completion.logprobs) == len(completion.token_ids)
        shown = [token for token in completion.token_ids if token not in {*ends, qwen3.pad_id}]
        assert completion.text == decode(shown, skip_special_tokens=False)
    assert {completion.finish_reason for completion in completions} >= {"stop"}


def test_an_end_at_the_limit_counts_as_an_end(qwen3: VLM, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qwen3, "eos_ids", list(range(len(qwen3.processor.tokenizer))))
    (group,) = TransformersEngine(qwen3, 1).generate(mixed(qwen3)[:1], 3, 1.0, [0])
    assert [(len(c.token_ids), c.finish_reason, c.text) for c in group] == [(1, "stop", "")] * 3


def test_the_first_token_follows_the_softmax(qwen3: VLM) -> None:
    """Pearson's chi-square over 4000 draws, tokens with fewer than 5 expected draws in one bin; its sd is sqrt(2 df)."""
    prompt, temperature = mixed(qwen3)[1], 0.6
    (group,) = TransformersEngine(qwen3, 1).generate([prompt], 4000, temperature, [11])
    counts_V = torch.bincount(torch.tensor([c.token_ids[0] for c in group]), minlength=len(qwen3.processor.tokenizer))
    with torch.no_grad():
        types = prompt.token_types_P[None]
        logits_V = qwen3.model(input_ids=prompt.input_ids_P[None], mm_token_type_ids=types, **prompt.media).logits[0, -1]
    logits_V[qwen3.banned_ids] = float("-inf")
    excess, flatter = (chi_square_excess(counts_V, (logits_V / t).softmax(-1)) for t in (temperature, 1.0))
    assert abs(excess) < 4
    assert flatter > 10  # the test would notice the wrong temperature


def chi_square_excess(counts_V: Tensor, probabilities_V: Tensor) -> float:
    """How many standard deviations the statistic lies above its mean."""
    expected_V = probabilities_V.double() * counts_V.sum()
    rare = expected_V < 5
    expected = torch.cat([expected_V[~rare], expected_V[rare].sum()[None]])
    counts = torch.cat([counts_V[~rare], counts_V[rare].sum()[None]])
    freedom = len(expected) - 1
    return float((((counts - expected) ** 2 / expected).sum() - freedom) / (2 * freedom) ** 0.5)


def test_each_prompt_is_prefilled_and_seen_once(vlm: VLM, monkeypatch: pytest.MonkeyPatch) -> None:
    """P prompts with 4 images between them, one drawn twice, G = 5: every image is encoded once, every prompt run once."""
    prompts = mixed(vlm)
    twin = vlm.encode("Find: the red box", [picture()])
    encoded, rows = watch(vlm, monkeypatch)
    completions = TransformersEngine(vlm, 6).generate([*prompts, twin], 5, 1.0, [0, 1, 2, 3, 4])
    assert sorted(encoded) == sorted(p.text for p in prompts if p.media)
    assert sum(count for count, length in rows if length > 1) == 4
    assert [count for count, length in rows if length == 1] == [25] * 5  # the last token needs no forward
    assert tokens(completions)[0] != tokens(completions)[4]


def watch(vlm: VLM, monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], list[tuple[int, int]]]:
    """Texts of the prompts whose pixels are asked for, and rows and tokens of every forward, from now on."""
    encoded: list[str] = []
    rows: list[tuple[int, int]] = []
    media_batch = vlm.media_batch

    def on_media(prompts: Sequence[EncodedPrompt]) -> dict[str, Tensor]:
        encoded.extend(prompt.text for prompt in prompts if prompt.media)
        return media_batch(prompts)

    def on_forward(module: nn.Module, args: tuple[Tensor, ...], kwargs: dict[str, Tensor]) -> None:
        rows.append(tuple(kwargs["input_ids"].shape))

    monkeypatch.setattr(vlm, "media_batch", on_media)
    vlm.base.model.register_forward_pre_hook(on_forward, with_kwargs=True)
    return encoded, rows


def test_prompts_that_differ_in_their_times_alone_are_two(vlm: VLM) -> None:
    (prompt,) = mixed(vlm)[:1]
    later = replace(prompt, position_ids_AP=prompt.position_ids_AP + torch.arange(len(prompt)))
    together = tokens(TransformersEngine(vlm, 8).generate([prompt, later], 1, 0.0, [0, 0]))
    assert together == [tokens(TransformersEngine(vlm, 8).generate([p], 1, 0.0, [0]))[0] for p in (prompt, later)]


def test_features_of_a_frozen_tower_serve_rollouts_and_updates(qwen3: VLM, monkeypatch: pytest.MonkeyPatch) -> None:
    vlm, prompts = toy_vlm("qwen3_vl"), mixed(qwen3)
    vlm.freeze_vision_tower()
    vision = VisionEncoder(vlm, max_bytes=2**20)
    encoded, _ = watch(vlm, monkeypatch)
    groups = TransformersEngine(vlm, 6, vision).generate(prompts, 2, 1.0, [0, 1, 2, 3])
    rows = [(prompt, c.token_ids) for prompt, group in zip(prompts, groups, strict=True) for c in group]
    Policy(vlm, 1.0, vision)(pack(vlm, [p for p, _ in rows], [ids for _, ids in rows])).logprobs_BT.sum().backward()
    assert sorted(encoded) == sorted(prompt.text for prompt in prompts if prompt.media)


def test_prompts_of_very_different_lengths_and_many_of_one(qwen3: VLM, monkeypatch: pytest.MonkeyPatch) -> None:
    """However the prompts are cut into forwards, the completions are the same."""
    prompts = [*mixed(qwen3), qwen3.encode("one two three " * 40, []), qwen3.encode("four five six " * 40, [])]
    engine, seeds = TransformersEngine(qwen3, 8), list(range(6))
    usual = tokens(engine.generate(prompts, 3, 1.0, seeds))
    for name, value in (("NEAR", 0.0), ("NEAR", 1.0), ("PREFILL_TOKENS", 1)):
        with monkeypatch.context() as patch:
            patch.setattr(forwards, name, value)
            assert tokens(engine.generate(prompts, 3, 1.0, seeds)) == usual


def test_weights_that_have_overflowed_are_told(qwen3: VLM) -> None:
    vlm = toy_vlm("qwen3_vl")
    with torch.no_grad():
        vlm.base.get_output_embeddings().weight[3] = float("nan")
    with pytest.raises(FloatingPointError, match="not finite"):
        TransformersEngine(vlm, 4).generate(mixed(vlm)[:1], 2, 1.0, [0])
