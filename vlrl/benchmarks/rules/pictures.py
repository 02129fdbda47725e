"""Where the pictures of a data set are: in one of several folders, or still in the archive that was downloaded."""

from __future__ import annotations

import zipfile
from functools import lru_cache
from pathlib import Path

from vlrl.data.containers import member
from vlrl.types import Media


def picture(folder: Path, name: str, *places: str) -> Media:
    """The picture of that name in the first of the places, subfolders of `folder` or archives `<place>.zip`, that holds it.

    Where none does it is the file in the first place, whose absence is told when it is opened.
    """
    for place in places:
        if (folder / place / name).is_file():
            return Media("image", str(folder / place / name))
    for place in places:
        archive = folder / f"{place}.zip"
        for inside in (f"{place}/{name}", name):
            if inside in _members(archive):
                return Media("image", member(archive, inside))
    return Media("image", str(folder / places[0] / name))


@lru_cache(maxsize=8)
def _members(archive: Path) -> frozenset[str]:
    if not archive.is_file():
        return frozenset()
    with zipfile.ZipFile(archive) as file:
        return frozenset(file.namelist())
