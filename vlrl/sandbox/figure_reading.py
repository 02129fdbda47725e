"""What a reader sees of an artist's numbers and colours: coordinates read off the tick labels, colours as they look on white."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

INVISIBLE = 0.02
"""An artist whose opacity is lower is not seen."""

MAX_NUMBER = 1e100
"""Larger numbers count as infinite."""

MAX_COLORS = 16
"""Distinct colours that are kept of one element."""

Read = Callable[[Any], np.ndarray]

_NUMBER = re.compile(r"[-+]?+(?:\d++(?:,\d\d\d)*+(?:\.\d*+)?+|\.\d++)(?:[eE][-+]?+\d++)?+", re.ASCII)
_UNIT = re.compile(r"^[$\u20ac\u00a3]|(?:%|[kKMB])$")


def floats(values: Any) -> np.ndarray:
    """The values as an array of floats; what is masked becomes NaN."""
    return np.ma.filled(np.ma.asarray(values).astype(float), np.nan)


def plain(array: np.ndarray) -> list[Any]:
    """The array as nested lists of numbers with six significant digits."""
    with np.errstate(all="ignore"):
        size = np.floor(np.log10(np.abs(array), where=array != 0, out=np.zeros(array.shape)))
        factor = 10.0 ** np.clip(5 - size, -300, 300)
        rounded = np.round(array * factor) / factor
    return np.where(np.isfinite(rounded), rounded, array).tolist()


def finite_rows(array: np.ndarray, limit: int) -> np.ndarray:
    """The rows without NaN or infinity; of more than `limit`, evenly spaced ones."""
    rows = array[(np.abs(array) <= MAX_NUMBER).all(axis=1)]
    return rows if len(rows) <= limit else rows[np.linspace(0, len(rows) - 1, limit).round().astype(int)]


def visible(artist: Any) -> bool:
    """False for a hidden artist and for one of (almost) no opacity."""
    alpha = artist.get_alpha()
    return bool(artist.get_visible()) and (alpha is None or float(np.max(alpha)) > INVISIBLE)


def hex_colors(colors: Any, alpha: float | None = None) -> list[str]:
    """The distinct visible colours, as they look on white paper, sorted; at most `MAX_COLORS` of them.

    >>> hex_colors(["red", "#ff0000", "none"]), hex_colors("red", alpha=0.5)
    (['#ff0000'], ['#ff8080'])
    """
    from matplotlib.colors import to_hex, to_rgba_array

    rgba = to_rgba_array(colors, alpha)
    rgba = rgba[rgba[:, 3] > INVISIBLE]
    seen = sorted({to_hex(row[3] * row[:3] + 1 - row[3]) for row in np.clip(rgba, 0, 1)})
    return seen if len(seen) <= MAX_COLORS else [seen[i] for i in np.linspace(0, len(seen) - 1, MAX_COLORS).astype(int)]


def mapped_colors(artist: Any) -> list[str]:
    """Five colours of the artist's colour map, from its lowest to its highest."""
    return hex_colors(artist.get_cmap()(np.linspace(0, 1, 5)))


def tick_labels(axis: Any) -> list[tuple[float, str]]:
    """Place and label of the major ticks inside the view."""
    axis.get_majorticklabels()  # brings the ticks up to date
    low, high = sorted(axis.get_view_interval())
    slack = 1e-6 * (high - low)
    ticks = [(float(tick.get_loc()), tick.label1.get_text().strip()) for tick in axis.get_major_ticks()]
    return sorted((place, label) for place, label in ticks if low - slack <= place <= high + slack and label)


def has_words(axis: Any) -> bool:
    """True when the labels were given one by one, so that they, not the places of the ticks, say where something stands."""
    from matplotlib.category import StrCategoryLocator
    from matplotlib.ticker import FixedLocator, LogFormatter, NullFormatter, ScalarFormatter

    by_hand = isinstance(axis.get_major_locator(), (FixedLocator, StrCategoryLocator))
    return by_hand and not isinstance(axis.get_major_formatter(), (ScalarFormatter, LogFormatter, NullFormatter))


def as_number(label: str) -> float | None:
    """The number that a tick label shows, without its unit.

    >>> as_number("1,500"), as_number("20%"), as_number("$5K"), as_number("\u22123"), as_number("Jan 3")
    (1500.0, 20.0, 5.0, -3.0, None)
    """
    text = _UNIT.sub("", _UNIT.sub("", label.strip().replace("\u2212", "-").strip("$")))
    return float(text.replace(",", "")) if len(text) < 40 and _NUMBER.fullmatch(text) else None


def axis_reader(axis: Any) -> Read:
    """Places on an axis as a reader would name them, so that different code for the same picture gives the same numbers.

    Where the tick labels were given by hand, a place is read between the labels: their numbers if they are rising numbers, else
    their ranks (the bars over A, B and C stand at 0, 1 and 2, wherever the code put them). Elsewhere it is the data's own.
    """
    ticks = dict(tick_labels(axis)) if has_words(axis) else {}
    if not ticks:
        return floats
    places = np.array(list(ticks))
    numbers = [as_number(label) for label in ticks.values()]
    shown = np.array([number for number in numbers if number is not None])
    rising = len(shown) == len(places) and bool(np.all(np.diff(shown) > 0))
    values = shown if rising else np.arange(len(places), dtype=float)
    return lambda at: _interpolate(floats(at), places, values)


def _interpolate(at: np.ndarray, places: np.ndarray, values: np.ndarray) -> np.ndarray:
    if len(places) == 1:
        return at - places[0] + values[0]
    i = np.clip(np.searchsorted(places, at) - 1, 0, len(places) - 2)
    return values[i] + (at - places[i]) * (values[i + 1] - values[i]) / (places[i + 1] - places[i])


def span_of(axis: Any, read: Read) -> float:
    """Length of the visible stretch of an axis, as read; 1 when it has none."""
    length = float(np.ptp(read(axis.get_view_interval())))
    return length if 1 / MAX_NUMBER <= length <= MAX_NUMBER else 1.0


def thin_paths(paths: Iterable[np.ndarray], limit: int) -> list[list[list[float]]]:
    """Polylines without NaN, of `limit` points in all."""
    whole = [path for path in paths if len(path)]
    share = max(2, limit // max(1, len(whole)))
    kept = [finite_rows(path, share) for path in whole[: limit // 2]]
    return [plain(path) for path in kept if len(path)]
