"""The oracle hands rows back in order, and TRL's loss and metrics follow from its log-probabilities by `vlrl.algorithms`."""

from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch.nn.utils.rnn import pad_sequence
from transformers import AutoModelForImageTextToText, AutoProcessor
from trl_oracle import TrlStep, run_trl, save_perturbed

from vlrl.algorithms.advantages import group_advantages
from vlrl.algorithms.aggregation import AGGREGATIONS, Denominators
from vlrl.algorithms.kl import importance_corrected_k3, k3
from vlrl.algorithms.policy_losses import clipped
from vlrl.models.tiny.build import ToyShape, build_toy

QUESTIONS = ["Where is the cat?", "How many red squares are there in the image?"]
COMPLETIONS = [" 480,", " 20, 40]", "a", " 500] </think>", "no", " 0]", "yes yes", " 100, 100]"]
REWARDS = [1.0, 0.0, 0.5, None, 1.0, 0.0, 0.0, 0.25]
GROUP = torch.arange(2).repeat_interleave(4)
LOSS_TYPES = {"grpo": "sequence_mean", "dapo": "token_mean", "dr_grpo": "constant_length"}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Policy and reference."""
    reference = tmp_path_factory.mktemp("reference")
    model, processor = build_toy("qwen2_5_vl", QUESTIONS, shape=ToyShape(hidden_size=32, text_layers=2, image_side=64))
    model.save_pretrained(reference)
    processor.save_pretrained(reference)
    return save_perturbed(reference, tmp_path_factory.mktemp("policy"), scale=0.02), reference


@pytest.fixture(scope="module")
def batch(folders: tuple[Path, Path]) -> dict[str, Any]:
    """Prompts of different length with images of different size, and completions that end in the end token."""
    tokenizer = AutoProcessor.from_pretrained(folders[0]).tokenizer
    images = [Image.linear_gradient("L").convert("RGB").resize(size) for size in ((64, 48), (32, 64))]
    prompts = [
        {"prompt": [{"role": "user", "content": q}], "images": [image]} for q, image in zip(QUESTIONS, images, strict=True)
    ]
    ids = [tokenizer(text)["input_ids"] + [tokenizer.eos_token_id] for text in COMPLETIONS]
    return {"prompts": prompts, "completion_ids": ids, "rewards": REWARDS}


def old_logprobs_near(step: TrlStep) -> list[list[float]]:
    generator = torch.Generator().manual_seed(1)
    return [(row + 0.4 * torch.randn(row.shape, generator=generator)).tolist() for row in step.logprobs]


def test_logprobs_are_those_of_a_forward_without_padding(folders: tuple[Path, Path], batch: dict[str, Any]) -> None:
    (step,) = run_trl(folders[0], **batch, gradient_accumulation_steps=4, temperature=0.7)
    processor = AutoProcessor.from_pretrained(folders[0])
    model = AutoModelForImageTextToText.from_pretrained(folders[0], dtype=torch.float32)
    for row in (1, 6):
        prompt, ids = batch["prompts"][row // 4], batch["completion_ids"][row]
        content = [{"type": "image", "image": prompt["images"][0]}, {"type": "text", "text": prompt["prompt"][0]["content"]}]
        inputs = processor.apply_chat_template(
            [{"role": "user", "content": content}],
            tokenize=True,
            return_dict=True,
            add_generation_prompt=True,
            return_tensors="pt",
        )
        prompt_length = inputs["input_ids"].shape[1]
        assert inputs["input_ids"][0].tolist() == step.prompt_ids[row]
        inputs["input_ids"] = torch.cat([inputs["input_ids"], torch.tensor([ids])], dim=1)
        inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
        inputs["mm_token_type_ids"] = torch.nn.functional.pad(inputs["mm_token_type_ids"], (0, len(ids)))
        with torch.no_grad():
            logprobs_TV = (model(**inputs).logits[0, prompt_length - 1 : -1] / 0.7).log_softmax(-1)
        torch.testing.assert_close(step.logprobs[row], logprobs_TV.gather(1, torch.tensor(ids)[:, None])[:, 0], atol=2e-5, rtol=0)
        torch.testing.assert_close(step.entropies[row], -(logprobs_TV.exp() * logprobs_TV).sum(-1), atol=2e-5, rtol=0)


@pytest.mark.parametrize("loss_type", list(LOSS_TYPES))
@pytest.mark.parametrize("corrected", [True, False])
def test_algorithms_equal_trl(folders: tuple[Path, Path], batch: dict[str, Any], loss_type: str, corrected: bool) -> None:
    policy, reference = folders
    config = {"loss_type": loss_type, "beta": 0.1, "epsilon": 0.2, "epsilon_high": 0.28, "max_completion_length": 20}
    config["use_bias_correction_kl"] = corrected
    (on_policy,) = run_trl(policy, **batch, **config)
    (step,) = run_trl(policy, **batch, reference=reference, old_logprobs=old_logprobs_near(on_policy), **config)

    logprobs, old, ref = (pad_sequence(x, batch_first=True) for x in (step.logprobs, step.old_logprobs, step.ref_logprobs))
    mask = pad_sequence([torch.ones_like(x) for x in step.logprobs], batch_first=True)
    rewards = torch.tensor([float("nan") if r is None else r for r in REWARDS])
    advantages = group_advantages(rewards, GROUP, "group")
    loss = clipped(logprobs, old, advantages, 0.2, 0.28)
    kl = importance_corrected_k3(logprobs, old, ref) if corrected else k3(logprobs, ref)
    denominators = Denominators(rows=8, tokens=int(mask.sum()), max_completion_length=20)
    total = AGGREGATIONS[LOSS_TYPES[loss_type]](loss.per_token_BT + 0.1 * kl, mask, denominators)

    torch.testing.assert_close(torch.tensor(step.advantages), advantages, atol=1e-5, rtol=0)
    expected = {
        "loss": total,
        "kl": (kl * mask).sum() / mask.sum(),
        "entropy": torch.cat(step.entropies).mean(),
        "clip_ratio/low_mean": (loss.clipped_low_BT * mask).sum() / mask.sum(),
        "clip_ratio/high_mean": (loss.clipped_high_BT * mask).sum() / mask.sum(),
    }
    assert {name: step.metrics[name] for name in expected} == pytest.approx({k: v.item() for k, v in expected.items()}, abs=1e-6)
    assert step.metrics["kl"] > 1e-3
    assert step.metrics["clip_ratio/low_mean"] > 0
    assert step.metrics["clip_ratio/high_mean"] > 0


@pytest.mark.parametrize("loss_type", list(LOSS_TYPES))
def test_accumulation_changes_nothing(folders: tuple[Path, Path], batch: dict[str, Any], loss_type: str) -> None:
    policy, reference = folders
    config = {"loss_type": loss_type, "beta": 0.1, "max_completion_length": 20}
    (whole,) = run_trl(policy, **batch, reference=reference, **config)
    (parts,) = run_trl(policy, **batch, reference=reference, gradient_accumulation_steps=4, **config)
    assert [len(rows) for rows in parts.micro_batches] == [2, 2, 2, 2]
    assert whole.metrics["loss"] == pytest.approx(parts.metrics["loss"], abs=1e-6)
    assert whole.metrics["grad_norm"] > 0.01
    for name, gradient in whole.gradients.items():
        torch.testing.assert_close(parts.gradients[name], gradient, atol=1e-5, rtol=1e-4)
    squares = sum(gradient.double().square().sum() for gradient in whole.gradients.values())
    assert whole.metrics["grad_norm"] == pytest.approx(squares.sqrt().item(), rel=1e-5)


def test_inner_iterations_move_the_policy_off_the_old_logprobs(folders: tuple[Path, Path], batch: dict[str, Any]) -> None:
    first, second = run_trl(folders[0], **batch, num_iterations=2, learning_rate=0.05)
    torch.testing.assert_close(torch.cat(first.logprobs), torch.cat(first.old_logprobs))
    torch.testing.assert_close(torch.cat(second.old_logprobs), torch.cat(first.logprobs))
    assert (torch.cat(second.logprobs) - torch.cat(second.old_logprobs)).abs().max() > 1e-3
