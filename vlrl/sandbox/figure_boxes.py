"""Box plots among an axes' lines and patches, found by their shape: matplotlib keeps no other trace of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vlrl.sandbox.figure_reading import floats, hex_colors

if TYPE_CHECKING:
    from vlrl.sandbox.figure_elements import Scene

CLOSED = (5, 6, 11, 12)
"""Corners of a closed box, plain or notched, the first one repeated, with or without a closing point."""


def pool_boxes(scene: Scene) -> None:
    """Adds marks `place, median, low whisker, q1, q3, high whisker`, of type `box` or, lying, `boxh`."""
    lines = {line: floats(line.get_xydata()) for line in scene.new(scene.axes.lines)}
    frames = [(line, points) for line, points in lines.items() if len(points) in CLOSED and np.array_equal(points[0], points[-1])]
    patches = [patch for patch in scene.new(scene.axes.patches) if type(patch).__name__ == "PathPatch"]
    frames += [(patch, points) for patch in patches if len(points := floats(patch.get_path().vertices)) in CLOSED]
    for frame, points in frames:
        for across in (0, 1):
            if _take_box(scene, frame, points, lines, across):
                break


def _take_box(scene: Scene, frame: Any, points: np.ndarray, lines: dict[Any, np.ndarray], across: int) -> bool:
    """Adds the box that stands at one place of dimension `across`, when a median line makes it one."""
    along = 1 - across
    left, right = points[:, across].min(), points[:, across].max()
    centre, q1, q3 = (left + right) / 2, points[:, along].min(), points[:, along].max()
    on_it = {line: at for line, at in lines.items() if len(at) and abs(at[:, across].mean() - centre) <= 1e-6 * (right - left)}
    level = {line: at for line, at in on_it.items() if len(at) == 2 and np.ptp(at[:, along]) == 0 < np.ptp(at[:, across])}
    medians = [line for line, at in level.items() if q1 <= at[0, along] <= q3 and np.ptp(at[:, across]) <= 1.001 * (right - left)]
    if not medians or left == right:
        return False
    median = max(medians, key=lambda line: np.ptp(level[line][:, across]))
    upright = {line: at for line, at in on_it.items() if np.ptp(at[:, across]) == 0}
    whiskers = {line: at for line, at in upright.items() if len(at) == 2 and ((q1 <= at[:, along]) & (at[:, along] <= q3)).any()}
    if len(whiskers) == 2:  # a notch may reach beyond the quartiles, where the whiskers begin
        q1, q3 = sorted(at[0, along] for at in whiskers.values())
    ends = np.concatenate([[q1, q3], *(at[:, along] for at in whiskers.values())])
    caps = [line for line, at in level.items() if at[0, along] in (ends.min(), ends.max())]
    fliers = [line for line in upright if line.get_linestyle() in ("None", "none", "", " ")]
    scene.take(frame, median, *whiskers, *caps, *fliers)
    values = [level[median][0, along], ends.min(), q1, q3, ends.max()]
    pairs = np.array([[centre, value] for value in values])
    read = scene.xy(pairs if across == 0 else pairs[:, ::-1])
    row = [read[0, across], *read[:, along]]
    color = frame.get_facecolor() if hasattr(frame, "get_facecolor") else frame.get_color()
    scene.pool("box" + "h" * across, [row], hex_colors([color]))
    return True
