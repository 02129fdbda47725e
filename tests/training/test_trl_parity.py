"""It is GRPO: with the same completions and rewards, one step of the hallway equals one of TRL's `GRPOTrainer`.

Ours goes through `setup.build`, `assign`, `with_fixed_logprobs` and `optimizer_step`; TRL's is tests/training/trl_oracle.py. One
thing is levelled: TRL does not mask the placeholder tokens in the log-probabilities, so `banned_ids` is emptied here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from toy_runs import picture, record_gradients, save_toy, toy_run, worst_relative
from transformers import AutoModelForImageTextToText, AutoProcessor
from trl_oracle import TrlStep, run_trl, save_perturbed

from vlrl.training.grpo import assign, optimizer_step, score_tokens, update, with_fixed_logprobs
from vlrl.training.objective import Row
from vlrl.training.report import token_means
from vlrl.training.setup import Run
from vlrl.types import Score

QUESTIONS = ["Where is the cat?", "How many red squares are there in the image?"]
PICTURES = [(64, 48), (32, 64)]
COMPLETIONS = [" 480, 20] maybe", " 20, 40]", "a", "[500, 60] </think>", "no, 0", " 0]", "yes yes", "[100, 100, 200]."]
REWARDS: list[float | None] = [1.0, 0.0, 0.5, 0.25, 1.0, 0.0, 0.0, 0.2]
ONE_UNSCORABLE: list[float | None] = [1.0, 0.0, 0.5, None, 1.0, 0.0, 0.0, 0.2]
LENGTH = 20
CLIPPED = ("clip_ratio/low_mean", "clip_ratio/high_mean", "clip_ratio/region_mean")
REWARD = ("reward", "reward_std", "frac_reward_zero_std")
COMPARED = ("loss", "kl", "entropy", "grad_norm", *CLIPPED, *REWARD)


@dataclass(frozen=True)
class Case:
    """One objective in our words and in TRL's, where they differ."""

    algorithm: str
    off_policy: bool = False
    beta: float = 0.1
    epsilon_high: float = 0.2
    scale: str = "group"
    bias_correction: bool = True
    temperature: float = 1.0
    rewards: tuple[float | None, ...] = tuple(REWARDS)

    def ours(self) -> dict[str, Any]:
        return {
            "grpo.algorithm": self.algorithm,
            "grpo.beta": self.beta,
            "grpo.epsilon": 0.2,
            "grpo.epsilon_high": self.epsilon_high,
            "grpo.scale_rewards": self.scale,
            "grpo.use_bias_correction_kl": self.bias_correction,
            "rollout.temperature": self.temperature,
            "rollout.max_completion_length": LENGTH,
            "optim.max_grad_norm": 1e9,
        }

    def trl(self) -> dict[str, Any]:
        return {
            "loss_type": self.algorithm,
            "beta": self.beta,
            "epsilon": 0.2,
            "epsilon_high": self.epsilon_high,
            "scale_rewards": self.scale,
            "use_bias_correction_kl": self.bias_correction,
            "temperature": self.temperature,
            "max_completion_length": LENGTH,
        }


CASES = {
    "grpo on-policy": Case("grpo"),
    "grpo off-policy": Case("grpo", off_policy=True, epsilon_high=0.28),
    "grpo without bias correction": Case("grpo", off_policy=True, bias_correction=False),
    "grpo at temperature 0.7": Case("grpo", off_policy=True, temperature=0.7),
    "grpo scaled by the batch": Case("grpo", off_policy=True, scale="batch"),
    "grpo, one row unscorable": Case("grpo", off_policy=True, rewards=tuple(ONE_UNSCORABLE)),
    "dapo": Case("dapo", off_policy=True, beta=0.0, epsilon_high=0.28),
    "dapo on-policy": Case("dapo", beta=0.0, epsilon_high=0.28),
    "dapo with KL": Case("dapo", off_policy=True, epsilon_high=0.28),
    "dapo scaled by the batch, one row unscorable": Case("dapo", True, scale="batch", rewards=tuple(ONE_UNSCORABLE)),
    "dr_grpo": Case("dr_grpo", off_policy=True, beta=0.0, scale="none"),
    "dr_grpo on-policy with KL": Case("dr_grpo", scale="none", bias_correction=False),
}


@pytest.fixture(scope="module", params=["qwen2_5_vl", "qwen3_vl"])
def folders(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Policy and reference, of one family after the other."""
    reference = save_toy(tmp_path_factory.mktemp("reference"), request.param)
    return save_perturbed(reference, tmp_path_factory.mktemp("policy"), scale=0.01), reference


@cache
def completion_ids(folder: Path) -> list[list[int]]:
    tokenizer = AutoProcessor.from_pretrained(folder).tokenizer
    return [tokenizer(text)["input_ids"] + [tokenizer.eos_token_id] for text in COMPLETIONS]


def trl_steps(folders: tuple[Path, Path], case: Case, **config: Any) -> list[TrlStep]:
    policy, reference = folders
    images = [picture(*size) for size in PICTURES]
    prompts = [
        {"prompt": [{"role": "user", "content": q}], "images": [image]} for q, image in zip(QUESTIONS, images, strict=True)
    ]
    given = (policy, prompts, completion_ids(policy), list(case.rewards))
    return run_trl(*given, reference=reference, **case.trl(), **config)


@cache
def old_logprobs(folders: tuple[Path, Path], temperature: float) -> list[list[float]]:
    """Log-probabilities evenly around the policy's, so that ratios fall below, into, between and above the clip ranges."""
    (step,) = trl_steps(folders, Case("grpo", beta=0.0, temperature=temperature))
    lengths = [len(row) for row in step.logprobs]
    order = torch.randperm(sum(lengths), generator=torch.Generator().manual_seed(1))
    shifts = torch.linspace(-0.6, 0.6, sum(lengths))[order].split(lengths)
    return [(row + shift).tolist() for row, shift in zip(step.logprobs, shifts, strict=True)]


def our_run(tmp_path: Path, folders: tuple[Path, Path], overrides: dict[str, Any]) -> Run:
    """A run whose policy has left its reference; TRL's log-probabilities do not mask the placeholder tokens, so ours must not."""
    policy, reference = folders
    run = toy_run(tmp_path, policy, overrides)
    run.vlm.banned_ids = []
    if run.reference is not None:
        run.reference.vlm.banned_ids = []
        weights = AutoModelForImageTextToText.from_pretrained(reference, dtype=torch.float32).state_dict()
        run.reference.vlm.model.load_state_dict(weights)
    return run


def our_rows(run: Run, policy: Path, rewards: tuple[float | None, ...]) -> tuple[list[Row], dict[str, float]]:
    """The rows as `grpo_step` makes them, and the rewards' metrics."""
    prompts = [run.vlm.encode(q, [picture(*size)]) for q, size in zip(QUESTIONS, PICTURES, strict=True)]
    scores = [Score(reward) for reward in rewards]
    advantages_PG, metrics = assign(run, [scores[:4], scores[4:]])
    advantages = [advantage for group in advantages_PG for advantage in group]
    ids = completion_ids(policy)
    rows = [Row(prompts[i // 4], ids[i], [0.0] * len(ids[i]), advantages[i]) for i in range(8)]
    return with_fixed_logprobs(run, rows), metrics


@pytest.mark.parametrize("name", list(CASES))
def test_one_step_equals_trl(folders: tuple[Path, Path], name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = CASES[name]
    old = old_logprobs(folders, case.temperature) if case.off_policy else None
    (theirs,) = trl_steps(folders, case, old_logprobs=old)

    run = our_run(tmp_path, folders, case.ours())
    rows, rewards = our_rows(run, folders[0], case.rewards)
    if old is not None:
        rows = [replace(row, old_logprobs_T=torch.tensor(lp)) for row, lp in zip(rows, old, strict=True)]
    gradients = record_gradients(run, monkeypatch)
    ours = {**token_means(run, optimizer_step(run, rows)), **rewards}

    expected = {name: theirs.metrics[name] for name in COMPARED if name in theirs.metrics}
    assert ("kl" in expected) == (case.beta > 0)
    assert {name: ours[name] for name in expected} == pytest.approx(expected, rel=1e-4, abs=1e-9)
    assert [row.advantage for row in rows] == pytest.approx(theirs.advantages, rel=1e-4, abs=1e-6)
    assert worst_relative(gradients[0], theirs.gradients) < 1e-4
    assert abs(expected["loss"]) > 1e-3
    assert (expected["clip_ratio/low_mean"] > 0) == (expected["clip_ratio/high_mean"] > 0) == case.off_policy


def test_prompts_and_logprobs_equal_trl(folders: tuple[Path, Path], tmp_path: Path) -> None:
    case = Case("grpo", temperature=0.7)
    (theirs,) = trl_steps(folders, case)
    run = our_run(tmp_path, folders, case.ours())
    rows, _ = our_rows(run, folders[0], case.rewards)
    assert [row.prompt.input_ids_P.tolist() for row in rows] == theirs.prompt_ids
    assert theirs.ref_logprobs is not None
    for row, logprobs_T, expected_T, ref_T in zip(
        rows, score_tokens(run, run.policy, rows), theirs.logprobs, theirs.ref_logprobs, strict=True
    ):
        torch.testing.assert_close(logprobs_T, expected_T, atol=2e-5, rtol=0)
        torch.testing.assert_close(row.ref_logprobs_T, ref_T, atol=2e-5, rtol=0)


@pytest.mark.filterwarnings("ignore:Detected call of:UserWarning")  # the schedule was made for the other optimiser
def test_two_passes_equal_trl(folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second pass is off-policy by the first one's step; both sides compute the old log-probabilities themselves."""
    case = Case("grpo", epsilon_high=0.28)
    theirs = trl_steps(folders, case, num_iterations=2, learning_rate=0.002)

    run = our_run(tmp_path, folders, {**case.ours(), "grpo.num_iterations": 2})
    run.optimizer = torch.optim.SGD(run.policy.parameters(), lr=0.002)
    gradients = record_gradients(run, monkeypatch)
    rows, _ = our_rows(run, folders[0], case.rewards)
    ours = token_means(run, update(run, rows))

    for mine, step in zip(gradients, theirs, strict=True):
        assert worst_relative(mine, step.gradients) < 1e-4
    assert worst_relative(gradients[1], gradients[0]) > 0.1
    for name in ("loss", "kl", "entropy", "clip_ratio/region_mean"):
        mean = sum(step.metrics[name] for step in theirs) / 2
        assert ours[name] == pytest.approx(mean, rel=1e-4), name


def norm_of(gradients: dict[str, Tensor]) -> float:
    return float(torch.stack([gradient.norm() for gradient in gradients.values()]).norm())


def test_grad_norm_is_that_before_clipping(folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = our_run(tmp_path, folders, {**Case("dapo").ours(), "optim.max_grad_norm": 0.01})
    gradients = record_gradients(run, monkeypatch)
    rows, _ = our_rows(run, folders[0], tuple(REWARDS))
    assert optimizer_step(run, rows)["grad_norm"] > 0.02
    assert norm_of(gradients[0]) == pytest.approx(0.01, rel=1e-3)
