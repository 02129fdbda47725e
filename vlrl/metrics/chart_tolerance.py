"""How far a value in a chart may be off."""

from __future__ import annotations

import numpy as np

from vlrl.metrics.chart import Array

TOLERANCE = 0.05
"""A value may differ from the gold one by this share of it."""

LEAST = 0.005
"""Share of an axis' visible length that is always tolerated: nobody reads more exactly."""

MOST_VALUE = 0.05
"""Share of an axis' visible length that a value may be off at most: 2010 is not 2020."""

MOST_PLACE = 0.02
"""The same for the place of a mark."""

LOG_TOLERANCE = float(np.log10(1 + TOLERANCE))
SMALLEST = 1e-300


def tolerances(values: Array, span: float, log: bool, most: float) -> Array:
    """What each gold value may be off by: 5 % of it, between half a percent and `most` of the axis' visible length.

    On a logarithmic axis, whose values come as logarithms (`scaled`), it is always 5 %.

    >>> tolerances(np.array([0.0, 1.0, 50.0, 2010.0]), 100, False, MOST_VALUE).tolist()
    [0.5, 0.5, 2.5, 5.0]
    """
    if log:
        return np.full(values.shape, LOG_TOLERANCE)
    return np.maximum(LEAST * span, np.minimum(TOLERANCE * np.abs(values), most * span))


def scaled(values: Array, log: bool) -> Array:
    """The values, or their logarithms for a logarithmic axis."""
    return np.log10(np.maximum(values, SMALLEST)) if log else values
