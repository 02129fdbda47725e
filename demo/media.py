"""Files that a record names -> small pictures for the page. Only files below the run's roots are opened; all are encoded anew."""

from __future__ import annotations

import base64
import io
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import Image

from vlrl.data.errors import MediaError
from vlrl.data.media import load_image
from vlrl.types import Media

RASTER_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")
LARGEST_FILE = 256 << 20
SHARP_SIDE = 512
"""Pictures up to this side are sent without loss."""


@dataclass(frozen=True, slots=True)
class Picture:
    """An image ready for the page, or the reason why there is none."""

    uri: str = ""
    size: tuple[int, int] = (0, 0)
    problem: str = ""


class Roots:
    """The folders whose pictures may be shown. Links are followed before a file is compared with them."""

    def __init__(self, folders: Sequence[str | Path]) -> None:
        self.folders = tuple(dict.fromkeys(os.path.realpath(folder) for folder in folders))

    def file_of(self, path: str) -> str | None:
        """The real path of a plain file below one of the folders; None when it lies elsewhere.

        >>> Roots(["/data"]).file_of("/data/../etc/passwd") is None
        True
        """
        try:
            real = os.path.realpath(path)
        except (OSError, ValueError):
            return None
        return real if any(real.startswith(folder.rstrip("/") + "/") for folder in self.folders) else None


def load_picture(media: Media, roots: Roots, max_side: int) -> Picture:
    """The image behind `media` as a data URI, at most `max_side` pixels long. Never raises for a bad file."""
    if "\0" in media.path:
        return Picture(problem="the image's path holds a zero byte")
    container, _, fragment = media.path.rpartition("#")
    file = container if fragment and container and not os.path.exists(media.path) else media.path
    real = roots.file_of(file)
    if real is None:
        return Picture(
            problem=f"not shown, because it lies outside the run and its data folders (--media_root adds one): {media.path}"
        )
    try:
        found = os.stat(real)
    except OSError:
        return Picture(problem=f"the image file is missing: {media.path}")
    if not stat.S_ISREG(found.st_mode) or found.st_size > LARGEST_FILE:
        return Picture(problem=f"this is no plain file, or one of more than {LARGEST_FILE >> 20} MB: {media.path}")
    reference = real if file == media.path else f"{real}#{fragment}"
    return _encode(reference, max_side, (found.st_mtime_ns, found.st_size))


@lru_cache(maxsize=256)
def _encode(reference: str, max_side: int, stamp: tuple[int, int]) -> Picture:
    """The picture exactly as the model's loader sees it. `stamp` is part of the cache key only: a changed file is read again."""
    try:
        if os.path.isfile(reference):
            with Image.open(reference, formats=RASTER_FORMATS):  # never a format that Pillow hands to another program
                pass
        pixels = load_image(Media("image", reference), "inspector")
    except MediaError as error:
        return Picture(problem=f"the image cannot be shown: {error.what}")
    except Exception as error:  # a hostile header makes Pillow raise nearly anything
        return Picture(problem=f"the image cannot be shown: {error}")
    return encode_picture(pixels, max_side)


def encode_picture(pixels: Image.Image, max_side: int) -> Picture:
    """An RGB image as a data URI: PNG when it is small, else JPEG."""
    size = pixels.size
    pixels.thumbnail((max_side, max_side))
    kind, options = ("PNG", {}) if max(size) <= SHARP_SIDE else ("JPEG", {"quality": 88})
    buffer = io.BytesIO()
    pixels.save(buffer, kind, **options)
    return Picture(f"data:image/{kind.lower()};base64," + base64.b64encode(buffer.getvalue()).decode("ascii"), size)
