"""How close are points? Distances are in thousandths of the image's sides, so that they do not depend on its resolution."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from vlrl.geometry import Point, Size


def distances(points: Sequence[Point], gold: Sequence[Point], image_size: Size) -> NDArray[np.float64]:
    """Distance of every point (rows) to every gold point (columns): x in thousandths of the width, y of the height.

    >>> distances([(0, 0)], [(64, 0), (0, 48)], (640, 480)).tolist()
    [[100.0, 100.0]]
    """
    scale = 1000 / np.asarray(image_size, dtype=float)
    points_N2 = np.asarray(points, dtype=float).reshape(-1, 2) * scale
    gold_M2 = np.asarray(gold, dtype=float).reshape(-1, 2) * scale
    return np.hypot(*np.moveaxis(points_N2[:, None] - gold_M2[None, :], 2, 0))


def closeness(distance: NDArray[np.float64] | float, sigma: float) -> NDArray[np.float64]:
    """exp(-d^2 / (2 sigma^2)): 1 at no distance, 0.61 at sigma, 0.01 at three sigma.

    >>> round(float(closeness(50.0, 50.0)), 4)
    0.6065
    """
    return np.exp(-((np.asarray(distance, dtype=float) / sigma) ** 2) / 2)


def mean_distance(distances_NN: NDArray[np.float64]) -> float:
    """The mean distance of the one-to-one matching with the smallest sum; as many rows as columns.

    >>> mean_distance(np.array([[1.0, 0.0], [4.0, 3.0]]))
    2.0
    """
    rows, columns = linear_sum_assignment(distances_NN)
    return float(distances_NN[rows, columns].mean())
