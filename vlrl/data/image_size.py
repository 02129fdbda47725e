"""The size of an image from its header, without decoding it."""

from __future__ import annotations

from PIL import Image

from vlrl.data import containers
from vlrl.data.errors import MediaError

ORIENTATION = 0x0112
TURNED = (5, 6, 7, 8)
"""EXIF orientations whose upright image has width and height exchanged."""


def image_size(path: str, source: str) -> list[int]:
    """`[width, height]` of an image as `vlrl.data.media.load_image` gives it: upright.

    `path` may be a reference into a container (`vlrl.data.containers`).
    Raises MediaError, naming `source` and the file, when it is missing or is no image.
    """
    if not containers.exists(path):
        raise MediaError(source, "image", f"{path} does not exist", "add the benchmark's images to its folder")
    try:
        with Image.open(containers.opened(path)) as image:
            width, height = image.size
            turned = image.getexif().get(ORIENTATION) in TURNED
    except Exception as error:  # arbitrary bytes make decoders raise nearly anything
        raise MediaError(source, "image", f"{path} cannot be read as an image ({error})", "get the file anew") from error
    return [height, width] if turned else [width, height]
