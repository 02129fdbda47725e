"""The prompts of each step: drawn from the mixture, prepared, and replaced when a row turns out unusable."""

from __future__ import annotations

from collections.abc import Callable

from vlrl.data import Mixture, RowError
from vlrl.evaluation.prepare import PreparedPrompt
from vlrl.types import Sample, UserError

MAX_SKIPS_IN_A_ROW = 100


class PromptStream:
    """Process `rank` of `world` takes the draws rank, rank + world, ... of `mixture`; its state is one integer."""

    def __init__(self, mixture: Mixture, prepare: Callable[[Sample], PreparedPrompt], rank: int, world: int) -> None:
        self.mixture, self.prepare, self.rank, self.world = mixture, prepare, rank, world
        self.cursor = 0

    def take(self, count: int) -> tuple[list[PreparedPrompt], list[str]]:
        """The next `count` usable prompts, and one message per row that was skipped on the way.

        Raises UserError when 100 rows in a row are unusable.
        """
        prompts: list[PreparedPrompt] = []
        skipped: list[str] = []
        misses = 0
        while len(prompts) < count:
            sample = self.mixture.at(self.cursor * self.world + self.rank)
            self.cursor += 1
            try:
                prompts.append(self.prepare(sample))
                misses = 0
            except RowError as error:
                skipped.append(str(error))
                misses += 1
                if misses == MAX_SKIPS_IN_A_ROW:
                    what = f"{misses} rows in a row are unusable, the last one: {error}"
                    raise UserError(f"{what}; run `vlrl validate` on the data") from error
        return prompts, skipped
