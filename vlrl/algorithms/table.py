"""The named algorithms: each is a choice of advantage, clip range, KL coefficient and aggregation."""

from dataclasses import dataclass
from typing import Literal

from vlrl.algorithms.advantages import Scale


@dataclass(frozen=True)
class Algorithm:
    """One row of the table; `scale` belongs to the advantage "group". `paper` is an arXiv id."""

    advantage: Literal["group", "leave_one_out"]
    scale: Scale
    aggregation: Literal["sequence_mean", "token_mean", "constant_length"]
    epsilon: float
    epsilon_high: float
    beta: float
    paper: str


ALGORITHMS: dict[str, Algorithm] = {
    "grpo": Algorithm("group", "group", "sequence_mean", 0.2, 0.2, 0.04, "2402.03300"),
    "dr_grpo": Algorithm("group", "none", "constant_length", 0.2, 0.2, 0.0, "2503.20783"),
    # DAPO's dynamic sampling and overlong penalty are not part of the loss and have their own switches.
    "dapo": Algorithm("group", "group", "token_mean", 0.2, 0.28, 0.0, "2503.14476"),
    # RLOO sums a row's tokens, hence no length in the denominator; the paper's KL is a part of the reward, not of the loss.
    "rloo": Algorithm("leave_one_out", "none", "constant_length", 0.2, 0.2, 0.0, "2402.14740"),
    "lite_ppo": Algorithm("group", "batch", "token_mean", 0.2, 0.2, 0.0, "2508.08221"),
}
