"""Put the shuffled patches of an image in order (Jigsaw-R1-style)."""

from __future__ import annotations

from vlrl.rewards.puzzle import order
from vlrl.tasks import Task
from vlrl.types import Answer, Sample


def gold_answer(answer: Answer) -> str:
    """The patch numbers row by row; all in one row when the answer has no `grid`.

    >>> gold_answer({"order": [3, 1, 2, 4], "grid": [2, 2]})
    '3 1\\n2 4'
    """
    order("", answer)
    patches = answer["order"]
    columns = answer["grid"][1] if "grid" in answer else len(patches)
    rows = (patches[start : start + columns] for start in range(0, len(patches), columns))
    return "\n".join(" ".join(map(str, row)) for row in rows)


TASK = Task(
    name="jigsaw",
    description="Put the shuffled patches of an image in order.",
    instruction="Give the number of the patch at each place, row by row. Puzzle:",
    rewards={"puzzle.order": 0.9, "format.prompted": 0.1},
    metrics={"patches_in_place": "puzzle.order", "solved": "correct"},
    headline="patches_in_place",
    gold_answer=gold_answer,
    example=Sample("example", "jigsaw", "2 rows of 2 patches", {"order": [3, 1, 2, 4], "grid": [2, 2]}),
)
