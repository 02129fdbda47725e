"""Builds what a run needs from its configuration: model, data, optimiser, run folder."""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import peft
import torch
from accelerate import Accelerator
from accelerate.tracking import get_available_trackers
from accelerate.utils import DistributedDataParallelKwargs, set_seed
from torch import nn
from transformers import get_scheduler

from vlrl import tasks
from vlrl.algorithms.table import Algorithm
from vlrl.data import Mixture, read_samples
from vlrl.evaluation.prepare import prepare
from vlrl.logs import CONFIG_FILE, RunFolder
from vlrl.models import shared_prefix
from vlrl.models import vlm as models
from vlrl.models.vision import VisionEncoder
from vlrl.models.vlm import VLM
from vlrl.rewards.composite import row_reward
from vlrl.rollout.transformers_engine import TransformersEngine
from vlrl.training import checkpoint, sharding
from vlrl.training.config import DatasetConfig, LoraConfig, ModelConfig, TrainConfig
from vlrl.training.policy import Policy
from vlrl.training.sharding import Sharding
from vlrl.training.stream import PromptStream
from vlrl.types import Sample, UserError


@dataclass
class Run:
    """Everything that the steps of a run share. `step` is the step in progress, or the last one."""

    config: TrainConfig
    algorithm: Algorithm
    accelerator: Accelerator
    vlm: VLM
    policy: nn.Module
    reference: Policy | None
    shares_prefixes: bool
    """Whether a group's prompt is computed once in the update; else every completion has a row of its own."""
    vision: list[VisionEncoder]
    sharding: Sharding
    engine: TransformersEngine
    optimizer: torch.optim.Optimizer
    scheduler: torch.optim.lr_scheduler.LRScheduler
    stream: PromptStream
    prompts_per_step: int
    held_out: list[Sample]
    folder: RunFolder
    checked: bool = False
    """Whether this process has seen that sharing prefixes gives the right log-probabilities."""
    step: int = 0
    seconds_before: float = 0.0
    """What earlier processes of this run have trained, when it is resumed."""
    started: float = field(default_factory=time.perf_counter)

    def seconds(self) -> float:
        """Wall time of the run so far, over all processes that worked on it."""
        return self.seconds_before + time.perf_counter() - self.started

    def forget_features(self) -> None:
        """Between steps: the prompts are others, and the weights may be."""
        for vision in self.vision:
            vision.forget()

    def reference_pass(self) -> tuple[nn.Module, AbstractContextManager[None]]:
        """What gives reference log-probabilities, and the context to call it in: a copy, or the policy without LoRA."""
        if self.reference is not None:
            return self.reference, nullcontext()
        return self.policy, self.vlm.model.disable_adapter()  # type: ignore[operator]

    def whole_weights(self) -> AbstractContextManager[None]:
        """The context to sample and evaluate in; the weights have the dtype that the policy computes in."""
        return self.sharding.whole_weights(self.vlm, self.sharding.dtype)


def build(config: TrainConfig) -> Run:
    """Raises UserError, before anything is written, for a configuration, data file or checkpoint that does not work."""
    config.check()
    _check_folder(Path(config.output_dir))
    _check_trackers(config.trackers)
    accelerator = Accelerator(
        log_with=config.trackers or None,
        project_dir=config.output_dir,
        kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)],
    )
    _check_processes(accelerator.num_processes)
    set_seed(config.seed)
    prompts_per_step = config.prompts_per_process(accelerator.num_processes)
    algorithm = config.grpo.resolve()
    datasets = [_read(dataset) for dataset in config.data]
    held_out = [sample for dataset in config.evaluation.data for sample in _read(dataset)]
    sharding.configure(accelerator, config.optim.max_grad_norm)
    vlm = load_model(config.model)
    shares_prefixes = config.optim.shared_prefix and _enable_shared_prefixes(vlm, accelerator.is_main_process)
    shards = sharding.prepare(accelerator, vlm)
    if shards.skeleton is None:
        vlm.to(accelerator.device)
    vision = VisionEncoder(vlm, config.optim.vision_cache_bytes, together=bool(shards.blanks))
    policy = Policy(vlm, config.rollout.temperature, vision, shards.most)
    needs_copy = algorithm.beta and config.model.lora is None
    reference = _frozen_copy(policy, shards.dtype).to(accelerator.device) if needs_copy else None
    optimizer, scheduler = _optimizer(config, policy)
    wrapped, optimizer = accelerator.prepare(policy, optimizer)
    accelerator.register_for_checkpointing(scheduler)
    mixture = Mixture(datasets, [dataset.weight for dataset in config.data], config.seed)
    run = Run(
        config=config,
        algorithm=algorithm,
        accelerator=accelerator,
        vlm=vlm,
        policy=wrapped,
        reference=reference,
        shares_prefixes=shares_prefixes,
        vision=[module.vision for module in (policy, reference) if module is not None],
        sharding=shards,
        engine=TransformersEngine(vlm, config.rollout.max_completion_length, vision, config.rollout.log_entropies),
        optimizer=optimizer,
        scheduler=scheduler,
        stream=PromptStream(
            mixture,
            lambda sample: prepare(sample, vlm, config.prompt_mode, config.rollout.max_prompt_length),
            accelerator.process_index,
            accelerator.num_processes,
        ),
        prompts_per_step=prompts_per_step,
        held_out=held_out,
        folder=RunFolder(config.output_dir),
    )
    _open_folder(run)
    return run


def load_model(config: ModelConfig) -> VLM:
    """The checkpoint with its parts frozen, its adapters added, and gradient checkpointing switched on, as configured."""
    try:
        pixels = config.min_pixels, config.max_pixels
        vlm = models.load(config.name_or_path, config.dtype, config.attn_implementation, *pixels, config.video)
    except UserError as error:
        raise UserError(f"model: {error}") from error
    if config.freeze_vision_tower:
        vlm.freeze_vision_tower()
    if config.gradient_checkpointing:
        vlm.model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    if config.lora is not None:
        vlm.model = _with_lora(vlm, config.lora)
    return vlm


def _with_lora(vlm: VLM, lora: LoraConfig) -> Any:
    settings = peft.LoraConfig(
        r=lora.r, lora_alpha=lora.alpha, lora_dropout=lora.dropout, target_modules=lora.target_modules, task_type="CAUSAL_LM"
    )
    try:
        return peft.get_peft_model(vlm.model, settings)
    except ValueError as error:  # such as target modules that the model does not have
        raise UserError(f"model.lora: {error}; `vlrl train --help` explains its keys") from error


def _enable_shared_prefixes(vlm: VLM, speak: bool) -> bool:
    """Whether the model can share prefixes; when it cannot, one line says why and what happens instead."""
    reason = shared_prefix.why_not(vlm.base)
    if reason is None:
        shared_prefix.enable(vlm.base)
    elif speak:
        print(f"{type(vlm.base).__name__} cannot share prefixes: {reason}. Every completion gets a row of its own", flush=True)
    return reason is None


def _optimizer(config: TrainConfig, policy: Policy) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    trainable = [p for p in policy.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trainable, lr=config.optim.learning_rate, weight_decay=config.optim.weight_decay)
    updates = config.max_steps * config.grpo.num_iterations * config.grpo.steps_per_generation
    return optimizer, get_scheduler(config.optim.lr_scheduler_type, optimizer, config.optim.warmup_steps, updates)


def _frozen_copy(policy: Policy, dtype: torch.dtype | None = None) -> Policy:
    """The reference, whole on every process. While the policy's vision tower is frozen and whole its features are shared.

    `dtype` is that of its weights; buffers keep theirs: positions would suffer from rounding.
    """
    vlm, vision = policy.vlm, policy.vision
    memo: dict[int, Any] = {id(p): nn.Parameter(p.detach().to(dtype, copy=True), False) for p in vlm.model.parameters()}
    twin = VLM(copy.deepcopy(vlm.model, memo).eval(), vlm.processor, vlm.family)
    if vision.together or vlm.vision_is_trained():
        vision = VisionEncoder(twin, vision.max_bytes)
    return Policy(twin, policy.temperature, vision)


def _read(dataset: DatasetConfig) -> list[Sample]:
    return read_samples(dataset.path, dataset.task, tasks.load, row_reward)


def _open_folder(run: Run) -> None:
    """Go on from the newest checkpoint, or start in an empty folder; a run that is there is moved aside, never deleted.

    A run that was killed before its first checkpoint starts anew, its first evaluation too: nothing tells that the rows on disk
    are of this model and configuration. A finished run stays as it is.
    """
    newest = run.folder.latest_checkpoint() if run.config.resume else None
    if newest is not None:
        _restore(run, newest)
    run.accelerator.wait_for_everyone()  # all have read the folder before it changes
    finished = newest is not None and run.step == run.config.max_steps and (run.folder.summary() or not run.held_out)
    if run.accelerator.is_main_process and not finished:
        if newest is None:
            _move_aside(run.folder.path, run.config.resume)
        run.folder.create(asdict(run.config))
        run.folder.forget_after(run.step)
    run.accelerator.wait_for_everyone()


def _restore(run: Run, folder: Path) -> None:
    state = checkpoint.load(folder, run.accelerator, run.vlm)
    if state["step"] > run.config.max_steps:
        mend = "raise max_steps, or choose another output_dir"
        raise UserError(f"{folder}: is {state['step']} steps into the run, past max_steps = {run.config.max_steps}; {mend}")
    run.step, run.seconds_before = state["step"], state["seconds"]
    run.stream.cursor = state["cursors"][run.accelerator.process_index]


def _check_processes(seen: int) -> None:
    """Under torchrun without GPUs accelerate takes every process for the only one, and all write the same run folder."""
    started = int(os.environ.get("WORLD_SIZE", 1))
    if started != seen:
        raise UserError(f"{started} processes were launched, but accelerate sees {seen}; on CPUs set ACCELERATE_USE_CPU=true")


def _check_trackers(names: Sequence[str]) -> None:
    """A tracker that is not installed would be left out by accelerate without a word."""
    installed = set(map(str, get_available_trackers()))
    for name in names:
        if name not in installed:
            raise UserError(f"trackers: {name} is not installed; `pip install {name}`, or leave it out")


def _check_folder(path: Path) -> None:
    """An existing folder must be a run's, or hold no file: nobody else's folder is moved or written into."""
    if (path / CONFIG_FILE).is_file() or not path.exists():
        return
    if path.is_file() or any(found.is_file() for found in path.rglob("*")):
        raise UserError(f"output_dir: {path} is there and is no run folder; choose another one")


def _move_aside(path: Path, resume: bool) -> None:
    if not (path / CONFIG_FILE).is_file():
        return
    aside = _free_name(path)
    try:
        path.rename(aside)
    except OSError as error:
        what = f"{path} holds a run and cannot be moved aside ({error.strerror})"
        raise UserError(f"output_dir: {what}; choose another one, or resume") from error
    what = "holds no complete checkpoint to resume from" if resume else "held an earlier run"
    print(f"{path} {what}: it is now {aside}, and the run starts anew", flush=True)


def _free_name(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.name}.old-{number}")).exists():
        number += 1
    return aside
