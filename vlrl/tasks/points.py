"""Point at everything that a phrase describes (PixMo-Points-style)."""

from __future__ import annotations

from collections.abc import Sequence

from vlrl.geometry import Point, from_pixels
from vlrl.metrics.point_match import distances
from vlrl.rewards.gold_geometry import gold_points
from vlrl.tasks import Task, shortest_list
from vlrl.types import Answer, Sample


def gold_answer(answer: Answer) -> str:
    """The gold points in the answer's space, with the fewest decimals that move none by more than a thousandth of the image.

    >>> gold_answer({"points": [[64, 48]], "image_size": [640, 480], "space": "unit"})
    '[[0.1, 0.1]]'
    """
    return "[" + ", ".join(_written(point, answer) for point in gold_points(answer)) + "]"


def _written(point: Point, answer: Answer) -> str:
    def in_space(values: Sequence[float]) -> tuple[float, float]:
        x, y = from_pixels(values, answer.get("space", "pixels"), answer["image_size"], answer.get("processed_size"))
        return x, y

    exact, sides = in_space(point), in_space(answer["image_size"])
    return shortest_list(exact, lambda rounded: distances([(rounded[0], rounded[1])], [exact], sides)[0, 0] <= 1)


TASK = Task(
    name="points",
    description="Give a point on everything that a phrase describes.",
    instruction="Give one point for each as [[x, y], ...] {space}, or [] for none. Point at:",
    rewards={"points.distance": 0.9, "format.prompted": 0.1, "points.hit": 0.0},
    metrics={"closeness": "points.distance", "f1": "points.hit", "all_right": "correct"},
    headline="f1",
    gold_answer=gold_answer,
    example=Sample("example", "points", "the cups", {"points": [[64, 48], [320, 240]], "image_size": [640, 480]}),
)
