"""Draws docs/img/packed_update.png: one row per completion, the shared stream, and who sees whom in it.

python scripts/draw_packed.py
"""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.patches import Rectangle

TARGET = Path(__file__).parents[1] / "docs" / "img" / "packed_update.png"
IMAGE, TEXT = 8, 4
"""Tokens of the prompt's image and of its text."""
COMPLETIONS = [5, 4, 6]
IMAGE_COLOR, TEXT_COLOR = "#c9d8f0", "#8fb0de"
COLORS = ["#e8a33d", "#5aa469", "#b5679d"]
PROMPT = IMAGE + TEXT


def bar(axis: Axes, left: float, y: float, width: float, color: str, label: str = "") -> None:
    """One piece of a row of tokens."""
    axis.add_patch(Rectangle((left, y), width, 0.8, facecolor=color, edgecolor="white"))
    axis.text(left + width / 2, y + 0.4, label, ha="center", va="center", fontsize=7)


def prompt(axis: Axes, y: float) -> None:
    """The prompt's two pieces, and the vision tower's pass above them."""
    bar(axis, 0, y, IMAGE, IMAGE_COLOR, "image")
    bar(axis, IMAGE, y, TEXT, TEXT_COLOR, "text")


def rows(axis: Axes) -> None:
    """The naive layout."""
    for row, length in enumerate(COMPLETIONS):
        prompt(axis, -row)
        bar(axis, PROMPT, -row, length, COLORS[row], f"completion {row + 1}")
    tokens = sum(PROMPT + length for length in COMPLETIONS)
    finish(axis, f"One row per completion: the image {len(COMPLETIONS)} times, {tokens} tokens", -len(COMPLETIONS))


def stream(axis: Axes) -> None:
    """The shared-prefix layout; a branch lacks its completion's last token, from which nothing is predicted."""
    prompt(axis, 0)
    left = PROMPT
    for row, length in enumerate(COMPLETIONS):
        bar(axis, left, 0, length - 1, COLORS[row], f"{row + 1}")
        axis.text(left, -0.15, f"{PROMPT}…", fontsize=7, va="top")
        left += length - 1
    axis.text(0, -0.15, "0…", fontsize=7, va="top")
    axis.text(-0.3, -0.15, "position", fontsize=7, va="top", ha="right")
    finish(axis, f"Shared prefix: the image once, {left} tokens in one stream", -1)


def finish(axis: Axes, title: str, bottom: float) -> None:
    """Frame and title of a row of bars."""
    axis.set(xlim=(-3, PROMPT + sum(COMPLETIONS)), ylim=(bottom + 0.5, 1))
    axis.set_title(title, fontsize=10, loc="left")
    axis.axis("off")


def mask(axis: Axes) -> None:
    """Row: the token that looks; column: what it sees."""
    lengths = [length - 1 for length in COMPLETIONS]
    owner = np.array([0] * PROMPT + [row + 1 for row, length in enumerate(lengths) for _ in range(length)])
    causal = np.tril(np.ones((len(owner), len(owner)), dtype=bool))
    seen = causal & ((owner == 0) | (owner[:, None] == owner))
    axis.imshow(
        np.where(seen, owner[:, None] + 1, 0), cmap=ListedColormap(["#f4f4f4", TEXT_COLOR, *COLORS]), interpolation="nearest"
    )
    for edge in np.flatnonzero(np.diff(owner)) + 0.5:
        axis.axhline(edge, color="white", linewidth=1.5)
        axis.axvline(edge, color="white", linewidth=1.5)
    axis.set_title("Who sees whom (row looks at column)", fontsize=10, loc="left")
    axis.set(xticks=[], yticks=[])
    for side in axis.spines.values():
        side.set_visible(False)


def main() -> None:
    """Write the picture."""
    figure = plt.figure(figsize=(10, 3.6), layout="constrained")
    grid = figure.add_gridspec(2, 2, width_ratios=[2.1, 1], height_ratios=[1.5, 1])
    rows(figure.add_subplot(grid[0, 0]))
    stream(figure.add_subplot(grid[1, 0]))
    mask(figure.add_subplot(grid[:, 1]))
    figure.savefig(TARGET, dpi=130)


if __name__ == "__main__":
    main()
