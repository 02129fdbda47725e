"""Image files -> pixels: RGB, upright, fully decoded, so that whatever is wrong with a file shows here and nowhere later."""

from __future__ import annotations

import warnings
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps

from vlrl.data import containers
from vlrl.data.errors import MediaError
from vlrl.types import Media

MAX_PIXELS = 100_000_000
"""Larger images are refused: a file of some kilobytes can unpack to gigabytes."""

SIXTEEN_BIT_MODES = ("I;16", "I;16L", "I;16B", "I;16N")


def load_image(media: Media, source: str) -> Image.Image:
    """An image as upright RGB pixels, else a `MediaError` that names `source`, the file and the mend.

    Transparent pixels become white; 16-bit grey keeps its upper eight bits. Of an animation the first frame is taken.
    """
    path = media.path
    if media.kind != "image":
        raise MediaError(source, media.kind, f"{path} is no image", "give an image file")
    if not containers.exists(path):
        mend = "mend the path (it is relative to the data file) or add the file"
        raise MediaError(source, "image", f"{path} does not exist", mend)
    try:
        return as_rgb(_decode(containers.opened(path)))
    except Image.DecompressionBombError as error:
        raise MediaError(source, "image", f"{path} has more than {MAX_PIXELS:,} pixels", "scale it down") from error
    except Exception as error:  # arbitrary bytes make decoders raise nearly anything: OSError, SyntaxError, struct.error ...
        reason = " ".join(str(error).split()) or type(error).__name__
        raise MediaError(source, "image", f"{path} cannot be decoded ({reason})", "replace the file or drop the row") from error


def _decode(source: str | BinaryIO) -> Image.Image:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the limit is enforced below
        opened = Image.open(source)
    with opened as image:
        if image.width * image.height > MAX_PIXELS:
            raise Image.DecompressionBombError
        image.load()
        ImageOps.exif_transpose(image, in_place=True)
        return image


def as_rgb(image: Image.Image) -> Image.Image:
    """A decoded image as RGB: transparent pixels white, 16-bit grey by its upper eight bits. ValueError for 32-bit pixels."""
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    if image.mode in SIXTEEN_BIT_MODES or (image.mode == "I" and image.format == "PNG"):  # older Pillow reads 16-bit PNG as "I"
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):
        raise ValueError("32-bit pixels have no agreed range of brightness: save it with 8 or 16 bits")
    return image.convert("RGB")
