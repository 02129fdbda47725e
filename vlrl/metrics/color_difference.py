"""How different two colours look: CIEDE2000."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_TO_XYZ = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]])


class Constants(NamedTuple):
    """What the step from linear sRGB to L*a*b* depends on: the matrix to XYZ, the white point, the slope near black."""

    to_xyz: Array
    white: Array
    slope: float


SRGB = Constants(_TO_XYZ, _TO_XYZ.sum(axis=1), 24389 / 27 / 116)


def hex_to_lab(colors: Sequence[str], constants: Constants = SRGB) -> Array:
    """CIE L*a*b* (white point D65), one row per colour `#rrggbb` of sRGB. Raises ValueError for another spelling.

    Other `constants` are for scores of libraries that round them.

    >>> hex_to_lab(["#ffffff", "#ff0000"]).round(1).tolist()
    [[100.0, 0.0, 0.0], [53.2, 80.1, 67.2]]
    """
    if not all(len(color) == 7 and color[0] == "#" and color[1:].isalnum() for color in colors):
        raise ValueError(f"colours are written #rrggbb, not {list(colors)!r}")
    rgb = np.array([list(bytes.fromhex(color[1:])) for color in colors], dtype=float).reshape(-1, 3) / 255
    linear = np.where(rgb > 0.04045, ((rgb + 0.055) / 1.055) ** 2.4, rgb / 12.92)
    ratio = linear @ constants.to_xyz.T / constants.white
    x, y, z = np.where(ratio > 216 / 24389, np.cbrt(ratio), constants.slope * ratio + 16 / 116).T
    return np.column_stack([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def delta_e_2000(first: Array, second: Array) -> Array:
    """The CIEDE2000 difference of L*a*b* colours along the last axis, which broadcast; black and white are 100 apart.

    Source: Sharma, Wu and Dalal (2005), with k_L = k_C = k_H = 1.

    >>> float(delta_e_2000(np.array([50, 2.6772, -79.7751]), np.array([50, 0, -82.7485])).round(4))
    2.0425
    """
    (l1, a1, b1), (l2, a2, b2) = (np.moveaxis(np.asarray(lab, dtype=float), -1, 0) for lab in (first, second))
    stretch = 1.5 - 0.5 * _saturation((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2)
    c1, c2 = np.hypot(a1 * stretch, b1), np.hypot(a2 * stretch, b2)
    h1, h2 = (np.degrees(np.arctan2(b, a * stretch)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn = np.where(c1 * c2 == 0, 0, (h2 - h1 + 180) % 360 - 180)
    lightness, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    hue = np.where(c1 * c2 == 0, h1 + h2, _mean_hue(h1, h2))
    weight = _hue_weight(hue)
    s_l = 1 + 0.015 * (lightness - 50) ** 2 / np.sqrt(20 + (lightness - 50) ** 2)
    d_l, d_c = (l2 - l1) / s_l, (c2 - c1) / (1 + 0.045 * chroma)
    d_h = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2)) / (1 + 0.015 * chroma * weight)
    rotation = -np.sin(np.radians(60 * np.exp(-(((hue - 275) / 25) ** 2)))) * 2 * _saturation(chroma)
    return np.sqrt(np.maximum(d_l**2 + d_c**2 + d_h**2 + rotation * d_c * d_h, 0))


def _saturation(chroma: Array) -> Array:
    return np.sqrt(chroma**7 / (chroma**7 + 25.0**7))


def _mean_hue(h1: Array, h2: Array) -> Array:
    """The mean angle on the shorter way round."""
    total = h1 + h2
    return np.where(np.abs(h1 - h2) <= 180, total / 2, np.where(total < 360, (total + 360) / 2, (total - 360) / 2))


def _hue_weight(hue: Array) -> Array:
    terms = ((-0.17, 1, -30), (0.24, 2, 0), (0.32, 3, 6), (-0.20, 4, -63))
    return 1 + np.sum([factor * np.cos(np.radians(times * hue + shift)) for factor, times, shift in terms], axis=0)
