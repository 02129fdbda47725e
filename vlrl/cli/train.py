"""`vlrl train`: GRPO from one YAML file; the command line may override any key (`--optim.learning_rate 1e-5`)."""

from __future__ import annotations

from dataclasses import fields

from jsonargparse import ArgumentParser, Namespace

from vlrl.training.config import TrainConfig


def add_arguments(parser: ArgumentParser) -> None:
    """`vlrl train --config FILE [--key value ...]`."""
    parser.add_argument("--config", action="config", help="YAML file with any of the keys below")
    parser.add_class_arguments(TrainConfig, as_group=False)


def run(args: Namespace) -> int:
    """Train to the end."""
    import torch.distributed  # only now: --help and a wrong key need no torch

    from vlrl.training.grpo import train

    try:
        train(TrainConfig(**{field.name: args[field.name] for field in fields(TrainConfig)}))
    finally:
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()
    return 0
