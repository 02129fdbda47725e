"""Are the points where they should be? Distances are in thousandths of the image's sides (`vlrl.metrics.point_match`)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from vlrl.geometry import Point, answer_pixels
from vlrl.metrics.matching import best_pairs
from vlrl.metrics.point_match import closeness, distances
from vlrl.parsing.point_lists import NamedPoint, parse_points
from vlrl.parsing.tags import answer_text
from vlrl.rewards import Example, Reward
from vlrl.rewards.gold_geometry import gold_points, image_size_of, plain_label
from vlrl.types import Answer, Score

SIGMA = 50.0
REACH = 50.0
MAX_POINTS = 1000
"""More points than this are a flood and no answer."""


def distance(text: str, answer: Answer) -> Score:
    """S / max(n_pred, n_gold), S the greatest sum of exp(-d^2 / (2 * 50^2)) of a one-to-one matching with `answer["points"]`.

    d is the distance of two points in thousandths of the image's sides: 1 % off earns 0.98, 5 % 0.61, 15 % 0.01. An empty
    answer earns 1 when `points` is empty, else 0; extra points and copies lower the value. Correct when each gold point has
    a point of its own within 5 %, and none is left over. Source: the Gaussian of OneThinker's point reward (arXiv
    2512.03043), for any number of points. Range 0..1. Failures: `no_answer` (no closed answer), `no_points` (nothing reads as
    points or as "none"), `too_many_points` (more than 1000). Raises ValueError for a malformed gold
    (`vlrl.rewards.gold_geometry.gold_points`).

    One of two points:

    >>> distance("[[10, 10]]", {"points": [[10, 10], [90, 90]], "image_size": [100, 100]}).value
    0.5
    """
    return _judge(text, answer, _soft_share)


def hit(text: str, answer: Answer) -> Score:
    """F1 of hits: 2 * hits / (n_pred + n_gold), a hit being a pair of a one-to-one matching with `answer["points"]` within 5 %.

    The distance is in thousandths of the image's sides, 50 or less is a hit. Empty answers, extra points and copies as in
    `points.distance`; correct when the value is 1. Parts: `precision`, `recall`. Source: pointing scores of Molmo (arXiv
    2409.17146) match points one to one and report precision, recall and F1; the reach of 5 % is this project's, as PixMo
    uses masks. Range 0..1. Failures: `no_answer`, `no_points`, `too_many_points`, as in `points.distance`. Raises ValueError
    for a malformed gold.

    One point too many:

    >>> gold = {"points": [[10, 10], [90, 90]], "image_size": [100, 100]}
    >>> hit("[[10, 12], [90, 90], [50, 50]]", gold).value
    0.8
    """
    return _judge(text, answer, _hit_f1)


def keypoints(text: str, answer: Answer) -> Score:
    """The sum of exp(-d^2 / (2 * 50^2)) over the named gold points, / max(n_gold, n_pred); d between points of one name.

    `answer["keypoints"]` is `{"nose": [x, y], ...}`; the completion is the same object, or a list of
    `{"point_2d": [x, y], "label": "nose"}`. Of two points of one name the first counts. d is in thousandths of the image's
    sides. Correct when every gold point is within 5 % and nothing is left over. Source: inspired by COCO's object keypoint
    similarity, with one width for all points and the image in place of the object's scale. Range 0..1. Failures:
    `no_answer`, `no_points`, `too_many_points`, as in `points.distance`. Raises ValueError for `keypoints` that are missing,
    empty or malformed, or a missing `image_size`.

    Nose and ear mixed up:

    >>> gold = {"keypoints": {"nose": [10, 10], "ear": [90, 10]}, "image_size": [100, 100]}
    >>> keypoints('{"nose": [10, 10], "ear": [90, 10]}', gold).value
    1.0
    >>> round(keypoints('{"nose": [90, 10], "ear": [10, 10]}', gold).value, 6)
    0.0
    """
    gold, size = _gold_keypoints(answer), image_size_of(answer)
    found, failure = _found(text)
    if failure:
        return Score(0.0, correct=False, failure=failure)
    points = _in_pixels(found, answer)
    extracted = [{"point": list(point), "label": named.label} for named, point in zip(found, points, strict=True)]
    by_name: dict[str | None, Point] = {}
    for named, point in zip(found, points, strict=True):
        by_name.setdefault(plain_label(named.label), point)
    away = {name: float(distances([by_name[name]], [point], size)[0, 0]) for name, point in gold.items() if name in by_name}
    value = float(sum(closeness(d, SIGMA) for d in away.values())) / max(len(gold), len(found))
    correct = len(away) == len(gold) == len(found) and max(away.values()) <= REACH
    return Score(value, correct=correct, extracted=extracted)


def _gold_keypoints(answer: Answer) -> dict[str | None, Point]:
    if "keypoints" not in answer:
        raise ValueError("answer has no 'keypoints'")
    named = answer["keypoints"]
    if not isinstance(named, dict) or not named:
        raise ValueError(f"answer 'keypoints' is an object {{name: [x, y]}}, not {named!r}")
    points = gold_points({**answer, "keypoints": list(named.values())}, "keypoints")
    return {plain_label(str(name)): point for name, point in zip(named, points, strict=True)}


Rule = Callable[[NDArray[np.float64]], tuple[float, dict[str, float]]]


def _judge(text: str, answer: Answer, rule: Rule) -> Score:
    gold, size = gold_points(answer), image_size_of(answer)
    found, failure = _found(text)
    if failure:
        return Score(0.0, correct=False, failure=failure)
    points = _in_pixels(found, answer)
    extracted = [list(point) for point in points]
    if not points or not gold:
        return Score(float(len(points) == len(gold)), correct=len(points) == len(gold), extracted=extracted)
    away_NM = distances(points, gold, size)
    value, parts = rule(away_NM)
    correct = len(points) == len(gold) == _hits(away_NM)
    return Score(value, parts, correct, extracted)


def _soft_share(away_NM: NDArray[np.float64]) -> tuple[float, dict[str, float]]:
    close_NM = closeness(away_NM, SIGMA)
    return sum(float(close_NM[pair]) for pair in best_pairs(close_NM)) / max(close_NM.shape), {}


def _hit_f1(away_NM: NDArray[np.float64]) -> tuple[float, dict[str, float]]:
    hits, (found, gold) = _hits(away_NM), away_NM.shape
    return 2 * hits / (found + gold), {"precision": hits / found, "recall": hits / gold}


def _hits(away_NM: NDArray[np.float64]) -> int:
    """The greatest number of pairs of a one-to-one matching that are within reach."""
    return len(best_pairs((away_NM <= REACH).astype(float)))


def _found(text: str) -> tuple[list[NamedPoint], str | None]:
    """The points of a completion, and the failure code, if any."""
    body = answer_text(text)
    found = None if body is None else parse_points(body)
    if found is None:
        return [], "no_answer" if body is None else "no_points"
    return found, "too_many_points" if len(found) > MAX_POINTS else None


def _in_pixels(found: list[NamedPoint], answer: Answer) -> list[Point]:
    values = answer_pixels([value for named in found for value in named.point], answer)
    return list(zip(values[0::2], values[1::2], strict=True))


FAILURES = ("no_answer", "no_points", "too_many_points")
TWO = Example("[[64, 48], [320, 240]]", {"points": [[64, 48], [320, 240]], "image_size": [640, 480]})
FACE = Example(
    '{"nose": [64, 48], "ear": [320, 240]}', {"keypoints": {"nose": [64, 48], "ear": [320, 240]}, "image_size": [640, 480]}
)

REWARDS = {
    "distance": Reward(distance, failures=FAILURES, needs=("points", "image_size"), example=TWO),
    "hit": Reward(hit, failures=FAILURES, needs=("points", "image_size"), example=TWO),
    "keypoints": Reward(keypoints, failures=FAILURES, needs=("keypoints", "image_size"), example=FACE),
}
