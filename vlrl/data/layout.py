"""Where a benchmark's files are: in its folder, below a common root, or in an offline cache of the Hugging Face hub."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from vlrl.types import UserError


class LayoutError(UserError):
    """A folder does not hold the files of a benchmark."""


def find_files(folder: Path, *patterns: str) -> list[Path]:
    """The files of the first pattern that matches any, sorted by path: one pattern for each layout that is understood.

    Patterns are those of `Path.glob`. Raises LayoutError, which names them, when none matches.
    """
    for pattern in patterns:
        found = sorted(path for path in folder.glob(pattern) if path.is_file())
        if found:
            return found
    raise LayoutError(f"{folder}: holds none of {', '.join(patterns)}; `vlrl eval --list` shows the layout")


def places(name: str, data_root: Path | None, hub_ids: Sequence[str]) -> list[Path]:
    """The folders in which a benchmark's files may be, best first.

    `data_root/<name>`, `data_root`, and the snapshots of `hub_ids` in the hub cache that `data_root` is; without a
    `data_root`, those in the cache of this machine (`HF_HUB_CACHE`, `HF_HOME`). Nothing is ever downloaded.
    """
    if data_root is None:
        return _snapshots(_hub_cache(), hub_ids)
    if not data_root.is_dir():
        raise UserError(f"data_root: {data_root} is no folder; give the one that holds the benchmark's files")
    below = [data_root / name] if (data_root / name).is_dir() else []
    return [*below, data_root, *_snapshots(data_root, hub_ids), *_snapshots(data_root / "hub", hub_ids)]


def _hub_cache() -> Path:
    home = os.environ.get("HF_HOME", os.path.join(os.path.expanduser("~"), ".cache", "huggingface"))
    return Path(os.environ.get("HF_HUB_CACHE", os.path.join(home, "hub")))


def _snapshots(cache: Path, hub_ids: Iterable[str]) -> list[Path]:
    """The newest snapshot of each data set that the cache holds."""
    folders = [cache / f"datasets--{hub_id.replace('/', '--')}" / "snapshots" for hub_id in hub_ids]
    found = [sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime) for folder in folders if folder.is_dir()]
    return [snapshots[-1] for snapshots in found if snapshots]
