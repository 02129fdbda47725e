"""The images and videos of a row, loaded in order, and which of them holds its gold geometry."""

from __future__ import annotations

from dataclasses import replace

from PIL import Image

from vlrl.data.errors import MediaError
from vlrl.data.media import load_image
from vlrl.data.video import load_video
from vlrl.types import Media, Sample
from vlrl.video import Video, VideoLimits


def load_media(sample: Sample, limits: VideoLimits, factor: int) -> tuple[Sample, list[Image.Image | Video]]:
    """A row's media, and the row with the `image_size` of the one that holds its gold (`gold_media`) in the answer.

    Videos are read within `limits` for a model of that `factor` (`vlrl.data.video.load_video`); their size is the original one.
    An answer that already declares another `image_size` than the file has is a `MediaError`: its boxes would mean other places.
    """
    loaded = [_load(media, sample.source, limits, factor) for media in sample.media]
    if not loaded:
        return sample, loaded
    index = gold_media(sample)
    found = loaded[index]
    size = list(found.original_size if isinstance(found, Video) else found.size)
    declared = sample.answer.get("image_size", size)
    if declared != size:
        mend = "leave image_size out, and give boxes in the file's own pixels (upright, after EXIF rotation)"
        what = f"says {declared}, but {sample.media[index].path} has {size}"
        raise MediaError(sample.source, "answer.image_size", what, mend)
    return replace(sample, answer={**sample.answer, "image_size": size}), loaded


def gold_media(sample: Sample) -> int:
    """Which of the row's media holds the gold geometry, from 0 on: an image where there are any, else the first video.

    `answer["image_index"]` counts the row's images from 1 on; default the first. Raises MediaError for one that is not there.
    """
    images = [index for index, media in enumerate(sample.media) if media.kind == "image"]
    if not images:
        return 0
    number = sample.answer.get("image_index", 1)
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= len(images):
        what = f"is {number!r}, but the row has {len(images)} images"
        raise MediaError(sample.source, "answer.image_index", what, f"give a number from 1 to {len(images)}")
    return images[number - 1]


def _load(media: Media, source: str, limits: VideoLimits, factor: int) -> Image.Image | Video:
    return load_video(media, source, limits, factor) if media.kind == "video" else load_image(media, source)
