"""Image files -> pixels: RGB, upright, fully decoded, so that whatever is wrong with a file shows here and nowhere later."""

from __future__ import annotations

import os
import warnings
from dataclasses import replace

import numpy as np
from PIL import Image, ImageOps

from vlrl.data.errors import MediaError
from vlrl.types import Media, Sample

MAX_PIXELS = 100_000_000
"""Larger images are refused: a file of some kilobytes can unpack to gigabytes."""

SIXTEEN_BIT_MODES = ("I;16", "I;16L", "I;16B", "I;16N")


def load_images(sample: Sample) -> tuple[Sample, list[Image.Image]]:
    """A row's images, and the row with the `image_size` of the image that holds its gold (`gold_image`) in the answer.

    An answer that already declares another `image_size` than the file has is a `MediaError`: its boxes would mean other places.
    """
    images = [load_image(media, sample.source) for media in sample.media]
    if not images:
        return sample, images
    index = gold_image(sample)
    size = list(images[index].size)
    declared = sample.answer.get("image_size", size)
    if declared != size:
        mend = "leave image_size out, and give boxes in the file's own pixels (upright, after EXIF rotation)"
        what = f"says {declared}, but {sample.media[index].path} has {size}"
        raise MediaError(sample.source, "answer.image_size", what, mend)
    return replace(sample, answer={**sample.answer, "image_size": size}), images


def gold_image(sample: Sample) -> int:
    """Which of the row's images holds the gold geometry, from 0 on: `answer["image_index"]` counts from 1, default the first."""
    number = sample.answer.get("image_index", 1)
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= len(sample.media):
        mend = f"give a number from 1 to {len(sample.media)}"
        raise MediaError(sample.source, "answer.image_index", f"is {number!r}, but the row has {len(sample.media)} images", mend)
    return number - 1


def load_image(media: Media, source: str) -> Image.Image:
    """An image as upright RGB pixels, else a `MediaError` that names `source`, the file and the mend.

    Transparent pixels become white; 16-bit grey keeps its upper eight bits. Of an animation the first frame is taken.
    """
    path = media.path
    if media.kind != "image":
        raise MediaError(source, media.kind, f"{path} is no image", "give an image file")
    if not os.path.isfile(path):
        mend = "mend the path (it is relative to the data file) or add the file"
        raise MediaError(source, "image", f"{path} does not exist", mend)
    try:
        return _as_rgb(_decode(path))
    except Image.DecompressionBombError as error:
        raise MediaError(source, "image", f"{path} has more than {MAX_PIXELS:,} pixels", "scale it down") from error
    except Exception as error:  # arbitrary bytes make decoders raise nearly anything: OSError, SyntaxError, struct.error ...
        reason = " ".join(str(error).split()) or type(error).__name__
        raise MediaError(source, "image", f"{path} cannot be decoded ({reason})", "replace the file or drop the row") from error


def _decode(path: str) -> Image.Image:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the limit is enforced below
        opened = Image.open(path)
    with opened as image:
        if image.width * image.height > MAX_PIXELS:
            raise Image.DecompressionBombError
        image.load()
        ImageOps.exif_transpose(image, in_place=True)
        return image


def _as_rgb(image: Image.Image) -> Image.Image:
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    if image.mode in SIXTEEN_BIT_MODES or (image.mode == "I" and image.format == "PNG"):  # older Pillow reads 16-bit PNG as "I"
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):
        raise ValueError("32-bit pixels have no agreed range of brightness: save it with 8 or 16 bits")
    return image.convert("RGB")
