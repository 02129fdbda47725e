"""GRPO, the whole loop: a record's way from a drawn row to a changed weight, top to bottom.

It differs from the paper (DeepSeekMath, 2402.03300) and from TRL in this:
1. The unit is the group (one prompt, G completions); denominators are counted over the whole optimiser step, all processes.
2. Rows whose gold cannot be scored, or whose media are broken, are left out, counted and logged; training goes on.
3. Placeholder tokens of images and videos are never sampled, and masked alike in training's log-probabilities.
4. Old log-probabilities are computed only when the batch is used for more than one update.
5. Each group's prompt and media are computed once, and its completions branch off (training/packing.py).

Shapes: P prompts, G completions each, B = P * G rows, T completion tokens.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from vlrl.evaluation.prepare import PreparedPrompt
from vlrl.training import checkpoint, report
from vlrl.training.config import TrainConfig
from vlrl.training.objective import Row, advantages, count, loss_share
from vlrl.training.packing import PackedBatch, level, micro_batches, pack
from vlrl.training.policy import RowBatch, collate
from vlrl.training.self_check import check_shared_prefixes
from vlrl.training.setup import Run, build
from vlrl.training.sharding import accumulation
from vlrl.types import Completion, Rollout, RolloutGroup, Score


def train(config: TrainConfig) -> None:
    """Run `config` to its end, from the newest checkpoint when `config.resume` is set."""
    run = build(config)
    with report.Reporter(run) as reporter:
        if run.step == 0:
            reporter.evaluate(step=0)
        while run.step < config.max_steps:
            run.step += 1
            metrics, groups = grpo_step(run)
            reporter.log(metrics, groups)
            last = run.step == config.max_steps
            if last or run.step % config.evaluation.every == 0:
                reporter.evaluate(run.step)
            if last or run.step % config.save_every == 0:
                save(run)
        reporter.conclude()


def grpo_step(run: Run) -> tuple[dict[str, float], list[RolloutGroup]]:
    """One batch of rollouts and the updates it gives; returns the step's metrics (of all processes) and this process's groups."""
    started = time.perf_counter()
    run.forget_features()
    prompts, skipped = run.stream.take(run.prompts_per_step)
    run.sharding.look_at([prompt.encoded for prompt in prompts])
    completions = sample(run, prompts)
    limit = run.config.rollout.max_completion_length
    scores = [[p.task.grade(c, p.sample.answer, limit) for c in group] for p, group in zip(prompts, completions, strict=True)]
    advantages_PG, rewards = assign(run, scores)
    rollout_seconds = time.perf_counter() - started

    rows = [
        Row(prompt.encoded, completion.token_ids, completion.logprobs, advantage)
        for prompt, group, group_advantages in zip(prompts, completions, advantages_PG, strict=True)
        for completion, advantage in zip(group, group_advantages, strict=True)
    ]
    if run.shares_prefixes and not run.checked:
        check_shared_prefixes(run, rows)
        run.checked = True
    rows = with_fixed_logprobs(run, rows)
    sums = update(run, rows)

    metrics = {
        **rewards,
        **report.completion_metrics(run, completions, scores),
        **report.token_means(run, sums),
        "rows_skipped": report.total(run, len(skipped)),
        "time/rollout_seconds": rollout_seconds,
        "time/step_seconds": time.perf_counter() - started,
    }
    report.warn_skipped(run, skipped)
    return metrics, make_groups(run.step, prompts, completions, scores, advantages_PG)


def sample(run: Run, prompts: Sequence[PreparedPrompt]) -> list[list[Completion]]:
    """G completions of every prompt, from seeds that depend on the run's seed, the step and the prompt's place among its draws.

    Process r draws every world-th prompt, from r on (`PromptStream`), so one process and many sample the same groups.
    """
    rank, world = run.accelerator.process_index, run.accelerator.num_processes
    seeds = [_seed(run.config.seed, run.step, p * world + rank) for p in range(len(prompts))]
    rollout = run.config.rollout
    run.vlm.model.eval()
    with run.whole_weights(), run.accelerator.autocast():
        return run.engine.generate([p.encoded for p in prompts], rollout.num_generations, rollout.temperature, seeds)


def _seed(*parts: int) -> int:
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:8], "big") >> 1


def assign(run: Run, scores: Sequence[Sequence[Score]]) -> tuple[list[list[float]], dict[str, float]]:
    """Advantages of this process's rows, computed over the rewards of all processes, and the rewards' metrics."""
    rewards_B = torch.tensor([float("nan") if s.value is None else s.value for group in scores for s in group])
    first = run.accelerator.process_index * len(scores)
    group_B = torch.tensor([first + p for p, group in enumerate(scores) for _ in group])
    all_rewards, all_groups = (run.accelerator.gather(t.to(run.accelerator.device)).cpu() for t in (rewards_B, group_B))
    mine = slice(run.accelerator.process_index * len(rewards_B), (run.accelerator.process_index + 1) * len(rewards_B))
    advantages_B = advantages(run.algorithm, all_rewards, all_groups)[mine].tolist()
    per_group = iter(advantages_B)
    return [[next(per_group) for _ in group] for group in scores], report.reward_metrics(all_rewards, all_groups)


def with_fixed_logprobs(run: Run, rows: list[Row]) -> list[Row]:
    """The rows with what an update would change: old log-probabilities (when off-policy) and the reference's (for the KL)."""
    grpo = run.config.grpo
    if grpo.num_iterations * grpo.steps_per_generation > 1:
        rows = [replace(row, old_logprobs_T=lp) for row, lp in zip(rows, score_tokens(run, run.policy, rows), strict=True)]
    if run.algorithm.beta:
        module, context = run.reference_pass()
        with context:
            rows = [replace(row, ref_logprobs_T=lp) for row, lp in zip(rows, score_tokens(run, module, rows), strict=True)]
    return rows


@torch.no_grad()
def score_tokens(run: Run, module: nn.Module, rows: Sequence[Row]) -> list[Tensor]:
    """Each row's token log-probabilities under `module`, on the CPU, in the precision that training computes in."""
    run.vlm.model.eval()
    found = []
    for micro in cut(run, rows):
        with run.accelerator.autocast():
            logprobs_BT = module(to_batch(run, micro)).logprobs_BT.cpu()
        found += [logprobs_BT[b, : len(row.token_ids)] for b, row in enumerate(micro)]
    return found


def cut(run: Run, rows: Sequence[Row]) -> list[Sequence[Row]]:
    """Micro-batches of one pass; every process has the same number of them, because a forward may be a collective."""
    if not run.shares_prefixes:
        return _chunks(rows, run.config.optim.per_device_train_batch_size)
    batches = micro_batches(rows, run.config.optim.max_tokens_per_micro_batch)
    counts = run.accelerator.gather(torch.tensor([len(batches)], device=run.accelerator.device))
    return [*level(batches, int(counts.max()))]


def to_batch(run: Run, rows: Sequence[Row]) -> PackedBatch | RowBatch:
    """A micro-batch as tensors on the device."""
    lay_out = pack if run.shares_prefixes else collate
    prompts = [row.prompt for row in rows]
    return lay_out(run.vlm, prompts, [row.token_ids for row in rows], run.sharding.fillers(prompts))


def update(run: Run, rows: Sequence[Row]) -> dict[str, float]:
    """All optimiser steps on one batch of rollouts: `num_iterations` passes over `steps_per_generation` minibatches.

    Returns sums over this process's tokens and passes, with `tokens`, `loss`, `grad_norm` and `updates` among them.
    """
    run.vlm.model.train()
    minibatches = _chunks(rows, len(rows) // run.config.grpo.steps_per_generation)
    sums: dict[str, float] = {}
    for minibatch in minibatches * run.config.grpo.num_iterations:
        for name, value in optimizer_step(run, minibatch).items():
            sums[name] = sums.get(name, 0.0) + value
    return sums


def optimizer_step(run: Run, rows: Sequence[Row]) -> dict[str, float]:
    """One step on one minibatch, its gradients accumulated over micro-batches; the denominators are those of all processes."""
    accelerator, config = run.accelerator, run.config
    denominators = count(
        rows, config.rollout.max_completion_length, lambda t: accelerator.reduce(t.to(accelerator.device), reduction="sum").cpu()
    )
    micros = cut(run, rows)
    sums: dict[str, float] = {"tokens": float(sum(len(row.token_ids) for row in rows)), "updates": 1.0}
    for index, micro in enumerate(micros):
        with accumulation(accelerator, run.policy, last=index == len(micros) - 1):
            batch = to_batch(run, micro)
            with accelerator.autocast():
                stats = run.policy(batch)
            share, watched = loss_share(
                run.algorithm, config.grpo.use_bias_correction_kl, micro, stats, batch.mask_BT, denominators
            )
            accelerator.backward(share * accelerator.num_processes)
        for name, value in {"loss": share.detach(), **watched}.items():
            sums[name] = sums.get(name, 0.0) + float(value)
    norm = accelerator.clip_grad_norm_(run.policy.parameters(), config.optim.max_grad_norm)
    run.optimizer.step()
    run.scheduler.step()
    run.optimizer.zero_grad()
    return {**sums, "grad_norm": float(norm)}


def _chunks(rows: Sequence[Row], size: int) -> list[Sequence[Row]]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def make_groups(
    step: int,
    prompts: Sequence[PreparedPrompt],
    completions: Sequence[Sequence[Completion]],
    scores: Sequence[Sequence[Score]],
    advantages_PG: Sequence[Sequence[float]],
) -> list[RolloutGroup]:
    """The step's records, as the log keeps them."""
    return [
        RolloutGroup(step, prompt.sample, prompt.encoded.text, [Rollout(*parts) for parts in zip(*lists, strict=True)])
        for prompt, *lists in zip(prompts, completions, scores, advantages_PG, strict=True)
    ]


def save(run: Run) -> None:
    """A checkpoint of this step; the oldest ones go."""
    folder = run.folder.checkpoint_dir(run.step)
    state = {"step": run.step, "seconds": run.seconds()}
    with run.sharding.whole_weights(run.vlm):
        checkpoint.save(folder, run.accelerator, run.vlm, state, run.stream.cursor)
    if run.accelerator.is_main_process:
        checkpoint.prune(folder.parent, run.config.keep_checkpoints)
