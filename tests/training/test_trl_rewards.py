"""TRL's own GRPOTrainer scores with an exported file: its rewards are vlrl's, None and the token count included."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset
from reward_pairs import COUNT, TASK, Pair, pairs
from toys import ToyShape, save_toy
from transformers import AutoModelForImageTextToText, AutoProcessor
from trl import GRPOConfig, GRPOTrainer

from vlrl.cli.export import reward_file
from vlrl.types import Answer

FLAT: Answer = {"box": [5, 5, 5, 5], "reward": "gui.click"}
"""A gold box without area: it cannot be scored."""


class ScoringTrainer(GRPOTrainer):
    """GRPOTrainer that is given its completions and stops once they are scored."""

    given_completions: list[list[int]]
    rewards_per_func: torch.Tensor

    def _generate_single_turn(self, prompt_ids: list[list[int]], *_: Any, **__: Any) -> tuple[list[list[int]], None]:
        assert len(prompt_ids) == len(self.given_completions)
        return self.given_completions, None

    def _calculate_rewards(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        self.rewards_per_func = super()._calculate_rewards(*args, **kwargs)
        raise StopIteration


def score_with_trl(folder: Path, rows: list[Pair]) -> tuple[list[float], list[int]]:
    """The rewards that TRL computes, in float32, and the tokens of the completions: row i is a prompt with two equal ones."""
    path = folder / "for_trl.py"
    path.write_text(reward_file("trl", TASK, None, path.stem))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    toy = save_toy(folder / "toy", shape=ToyShape(hidden_size=32, text_layers=1, num_heads=2, image_side=64))
    processor = AutoProcessor.from_pretrained(toy)
    processor.tokenizer.padding_side = "left"
    ids = [[*processor.tokenizer(row.text)["input_ids"], processor.tokenizer.eos_token_id] for row in rows]
    config = {"num_generations": 2, "per_device_train_batch_size": 2 * len(rows), "max_steps": 1, "shuffle_dataset": False}
    quiet = {"use_cpu": True, "bf16": False, "report_to": "none", "disable_tqdm": True, "save_strategy": "no"}
    trainer = ScoringTrainer(
        model=AutoModelForImageTextToText.from_pretrained(toy, dtype=torch.float32),
        args=GRPOConfig(output_dir=str(folder / "run"), **config, **quiet),
        train_dataset=Dataset.from_list(
            [{"prompt": [{"role": "user", "content": "Where?"}], "answer": row.answer_json} for row in rows]
        ),
        processing_class=processor,
        reward_funcs=[getattr(module, f"vlrl_{TASK}")],
    )
    trainer.given_completions = [tokens for tokens in ids for _ in range(2)]
    with pytest.raises(StopIteration):
        trainer.train()
    assert trainer.reward_func_names == [f"vlrl_{TASK}"]
    rewards = trainer.rewards_per_func[:, 0]
    assert torch.equal(rewards[0::2].nan_to_num(-9), rewards[1::2].nan_to_num(-9))
    return rewards[0::2].tolist(), [len(tokens) for tokens in ids]


def test_grpo_trainer_gets_the_values_of_vlrl(tmp_path: Path) -> None:
    rows = [*pairs(), Pair("[5, 5]", FLAT)]
    found, tokens = score_with_trl(tmp_path, rows)
    expected = [row.value(completion_tokens=count) for row, count in zip(rows, tokens, strict=True)]
    assert len(found) == COUNT + 1
    assert expected[-1] is None
    as_trl_keeps_them = torch.tensor([float("nan") if value is None else value for value in expected], dtype=torch.float32)
    assert torch.equal(torch.tensor(found).nan_to_num(-9), as_trl_keeps_them.nan_to_num(-9))
