"""A row becomes a prompt: media loaded, text written, tokens counted, gold checked. The same for training and evaluation."""

from __future__ import annotations

from dataclasses import dataclass, replace

from vlrl import tasks
from vlrl.data import RowError, gold_image, load_images
from vlrl.models.vlm import VLM, EncodedPrompt
from vlrl.tasks import Task
from vlrl.types import Sample, UserError


@dataclass(frozen=True)
class PreparedPrompt:
    """A row ready for rollouts. `sample.answer` has gained `image_size`, `processed_size`, `space` and `prompt_mode`."""

    sample: Sample
    task: Task
    encoded: EncodedPrompt


def prepare(sample: Sample, vlm: VLM, prompt_mode: str, max_prompt_length: int) -> PreparedPrompt:
    """Raises RowError, naming the row and the mend, when its media, its gold answer or its length makes it unusable."""
    task = tasks.load(sample.task)
    sample, images = load_images(sample)
    try:
        encoded = vlm.encode(task.prompt(sample.question, prompt_mode, vlm.space), images)
    except UserError as error:
        what, _, mend = str(error).rpartition("; ")
        raise RowError(sample.source, "", what, mend) from error
    if len(encoded) > max_prompt_length:
        mend = "raise max_prompt_length, lower model.max_pixels, or leave the row out"
        raise RowError(sample.source, "question", f"the prompt has {len(encoded)} tokens, more than {max_prompt_length}", mend)
    answer = {**sample.answer, "space": vlm.space, "prompt_mode": prompt_mode}
    if encoded.processed_sizes:
        answer["processed_size"] = list(encoded.processed_sizes[gold_image(sample)])
    try:
        task.check_gold(answer)
    except ValueError as error:
        raise RowError(
            sample.source, "answer", str(error), "mend the gold answer; `vlrl validate` lists all such rows"
        ) from error
    return PreparedPrompt(replace(sample, answer=answer), task, encoded)
