"""The records that flow through the house: source -> Sample -> Completion -> Score -> Rollout -> RolloutGroup -> log.

Plain dataclasses of plain JSON values (stdlib only). `to_json` turns any of them into a dict for `json.dumps`; each class's
`from_json` is its inverse. Media are references, never pixels, so memory stays flat in the group size.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Answer = dict[str, Any]
"""Everything that scoring needs, as plain JSON, because some trainers hand a reward nothing else.

| key | meaning |
|---|---|
| `box` | gold box `[x1, y1, x2, y2]` in original pixels |
| `boxes` | gold boxes `[{"box": [...], "label": "cat"}]` in original pixels |
| `points`, `keypoints` | gold points `[[x, y]]`, or by name `{"nose": [x, y]}`, in original pixels |
| `positive_points`, `negative_points`, `polygons` | gold of a segmentation: points on it, points beside it, its outlines |
| `image_index` | number of the image that holds the gold box, from 1 on, where there are several |
| `frames` | gold boxes by frame, `{"0": [x1, y1, x2, y2]}` |
| `span` | gold `[start, end]` in seconds |
| `count` | gold number of things |
| `image_size` | `[width, height]` of the original image in pixels |
| `processed_size` | `[width, height]` of the image as the model saw it |
| `prompt_mode` | how the model was asked, `think` or `direct`; absent: either form of answer is well formed |
| `space` | what the completion's numbers mean: `pixels` (default), `processed`, `thousandths` or `unit` |
| `action`, `text`, `direction` | gold GUI action |
| `candidate_boxes` | boxes of elements whose click does the same, in original pixels |
| `history`, `step_instruction` | what was done before a GUI action; what the step is in words |
| `shapes`, `runs` | gold mask: outlines `[{"label": "target", "points": [[x, y]]}]`, or COCO's run lengths |
| `answer`, `choices`, `kind` | gold text answer |
| `precision` | decimals to which a gold number is given |
| `query`, `query_cot` | the published prompt of a benchmark's row, and the one that asks for reasoning |
| `order`, `grid` | gold order of a jigsaw's patches, and its rows and columns |
| `code`, `setup_code` | gold chart code; code that runs before the answer's |
| `crowds`, `labels` | gold regions of a crowd, shaped like `boxes`; all labels that are asked for |
| `groups`, `cluster` | labels for break-downs, `{"platform": "mobile"}`; what joins rows that are not independent |
| `reward` | the row's own rewards in place of its task's: a name, or an object of names and weights |
| `language`, `json_keys`, `length_budget` | what `language.script`, `format.json` and `length.dast` expect |
| `completion_tokens`, `max_completion_length` | the completion's length and its limit; whoever samples writes them |
"""

FinishReason = Literal["stop", "length"]


class UserError(ValueError):
    """A mistake of the user's, told in one sentence that names the place and the mend. The CLI prints it without a traceback."""


@dataclass(frozen=True, slots=True)
class Media:
    """A reference to an image or a video: `path` is absolute, or relative to the file that mentions it.

    A video is a file, a folder of frames, or a list of them: then `frames` holds their paths and `path` is the first. `fps`
    declares the frames per second of a video that states none.
    """

    kind: Literal["image", "video"]
    path: str
    frames: tuple[str, ...] = ()
    fps: float | None = None

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Media:
        return cls(**{**data, "frames": tuple(data.get("frames") or ())})


@dataclass(frozen=True, slots=True)
class Sample:
    """One row of a data set.

    `source` names where it came from (`file.jsonl:12`), for error messages; `id` is unique within its data set.
    """

    id: str
    task: str
    question: str
    answer: Answer
    media: tuple[Media, ...] = ()
    source: str = ""

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Sample:
        return cls(**{**data, "media": tuple(Media.from_json(m) for m in data["media"])})


@dataclass(frozen=True, slots=True)
class Score:
    """What a reward says of one completion.

    `value` lies in the reward's declared range, or is None when the *gold* cannot be scored (the row is then excluded from its
    group and counted). `parts` are named numbers before weighting. `failure` is a code such as `no_box`; None when fine.
    """

    value: float | None
    parts: dict[str, float] = field(default_factory=dict)
    correct: bool | None = None
    extracted: Any = None
    failure: str | None = None

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Score:
        return cls(**data)


@dataclass(frozen=True, slots=True)
class Completion:
    """One sampled continuation: its tokens (with the end-of-sequence token, if drawn) and their sampling log-probabilities.

    `entropies`, where asked for, are those of the distributions that the tokens were drawn from, in nats.
    """

    text: str
    token_ids: list[int]
    logprobs: list[float]
    finish_reason: FinishReason
    entropies: list[float] | None = None

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Completion:
        return cls(**data)


@dataclass(frozen=True, slots=True)
class Rollout:
    """A completion with its score and its advantage."""

    completion: Completion
    score: Score
    advantage: float

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Rollout:
        return cls(Completion.from_json(data["completion"]), Score.from_json(data["score"]), data["advantage"])


@dataclass(frozen=True, slots=True)
class RolloutGroup:
    """One prompt and its G rollouts: the unit of batching everywhere. Group sizes may differ.

    `sample.answer` here carries the `processed_size` and `space` that the model's encoding gave it.
    """

    step: int
    sample: Sample
    prompt: str
    rollouts: list[Rollout]

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> RolloutGroup:
        rollouts = [Rollout.from_json(r) for r in data["rollouts"]]
        return cls(data["step"], Sample.from_json(data["sample"]), data["prompt"], rollouts)


def to_json(record: Media | Sample | Score | Completion | Rollout | RolloutGroup) -> dict[str, Any]:
    """A record as a dict of plain JSON values.

    >>> to_json(Media("image", "a.png"))
    {'kind': 'image', 'path': 'a.png', 'frames': (), 'fps': None}
    """
    return asdict(record)
