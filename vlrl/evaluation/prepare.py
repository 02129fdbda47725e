"""A row becomes a prompt: media loaded, text written, tokens counted, gold checked. The same for training and evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from PIL import Image

from vlrl import tasks
from vlrl.data import RowError, gold_media, load_media
from vlrl.models.vlm import VLM, EncodedPrompt
from vlrl.tasks import Task
from vlrl.types import Sample, UserError
from vlrl.video import Video


@dataclass(frozen=True)
class PreparedPrompt:
    """A row ready for rollouts. `sample.answer` has gained `image_size`, `processed_size`, `space` and `prompt_mode`."""

    sample: Sample
    task: Task
    encoded: EncodedPrompt


def prepare(sample: Sample, vlm: VLM, prompt_mode: str, max_prompt_length: int) -> PreparedPrompt:
    """Raises RowError, naming the row and the mend, when its media, its gold answer or its length makes it unusable."""
    task = tasks.load(sample.task)
    sample, media = load_media(sample, vlm.video_limits, vlm.frame_factor)
    try:
        encoded = vlm.encode(task.prompt(sample.question, prompt_mode, vlm.space), media)
    except UserError as error:
        what, _, mend = str(error).rpartition("; ")
        raise RowError(sample.source, "", what, mend) from error
    if len(encoded) > max_prompt_length:
        mend = f"raise max_prompt_length, lower model.{_area(sample)}, or leave the row out"
        raise RowError(sample.source, "question", f"the prompt has {len(encoded)} tokens, more than {max_prompt_length}", mend)
    answer = {**sample.answer, "space": vlm.space, "prompt_mode": prompt_mode}
    if media:
        answer["processed_size"] = list(processed_size(sample, media, encoded))
    try:
        task.check_gold(answer)
    except ValueError as error:
        raise RowError(
            sample.source, "answer", str(error), "mend the gold answer; `vlrl validate` lists all such rows"
        ) from error
    return PreparedPrompt(replace(sample, answer=answer), task, encoded)


def _area(sample: Sample) -> str:
    """The key that bounds what the row's media cost."""
    return "video.total_pixels" if any(media.kind == "video" for media in sample.media) else "max_pixels"


def processed_size(sample: Sample, media: Sequence[Image.Image | Video], encoded: EncodedPrompt) -> tuple[int, int]:
    """(width, height), as the model saw it, of the medium that holds the gold."""
    index = gold_media(sample)
    found = media[index]
    if isinstance(found, Video):
        return found.size
    return encoded.processed_sizes[sum(not isinstance(item, Video) for item in media[:index])]
