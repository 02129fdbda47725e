"""When does it happen, and where is it then? Spans of a video, and boxes by frame."""

from __future__ import annotations

from collections.abc import Callable

from vlrl.geometry import Box, answer_pixels, area
from vlrl.metrics.temporal import mean_frame_iou, span_iou
from vlrl.parsing.frame_boxes import frame_name, parse_frame_boxes
from vlrl.parsing.spans import parse_span
from vlrl.parsing.tags import answer_text
from vlrl.rewards import Example, Reward
from vlrl.rewards.gold_geometry import gold_frames, gold_span
from vlrl.types import Answer, Score

CORRECT_IOU = 0.5


def time_iou(text: str, answer: Answer) -> Score:
    """TIoU of the answer's first span with `answer["span"]`: length of the overlap / length of the union. Correct from 0.5 on.

    Times are seconds, `mm:ss` or `hh:mm:ss`; of reversed times the earlier is the start. Source: the temporal grounding
    reward of VideoChat-R1 (arXiv 2504.06958) and OneThinker (2512.03043); Charades-STA's measure. Range 0..1; None when the gold
    span has no length. Failures: `no_answer` (no closed answer), `no_span` (nothing reads as a span). Raises ValueError for a
    malformed gold (`vlrl.rewards.gold_geometry.gold_span`).

    >>> time_iou("from 5 to 20 seconds", {"span": [0, 10]}).value
    0.25
    """
    return _judge_span(text, answer, lambda value: value, CORRECT_IOU)


RECALL = """1 when the tIoU of the answer's first span with `answer["span"]` is at least {share}, else 0. Parts: `iou`.

    Source: R@1, IoU = {share}, of temporal grounding (Charades-STA, arXiv 1705.02101). Range 0..1; None when the gold span has no
    length. Failures: `no_answer`, `no_span`, as in `temporal.iou`. Raises ValueError for a malformed gold.

    >>> r{percent}("0 - {percent}", {{"span": [0, 100]}}).value, r{percent}("0 - {less}", {{"span": [0, 100]}}).value
    (1.0, 0.0)
    """


def _recall(percent: int) -> Callable[[str, Answer], Score]:
    def recall(text: str, answer: Answer) -> Score:
        return _judge_span(text, answer, lambda value: float(value >= percent / 100), percent / 100)

    recall.__name__ = recall.__qualname__ = f"r{percent}"
    recall.__doc__ = RECALL.format(share=percent / 100, percent=percent, less=percent - 1)
    return recall


r30, r50, r70 = (_recall(percent) for percent in (30, 50, 70))


def tracking(text: str, answer: Answer) -> Score:
    """The mean over the frames of `answer["frames"]` of the IoU of the answer's box and the gold box. Correct from 0.5 on.

    A frame without a box counts 0; boxes of other frames count nothing. Source: the tracking reward of VideoChat-R1
    (arXiv 2504.06958) and OneThinker (2512.03043). Range 0..1; None when a gold box has no area. Failures: `no_answer` (no
    closed answer), `no_frames` (nothing reads as boxes by frame). Raises ValueError for a malformed gold
    (`vlrl.rewards.gold_geometry.gold_frames`).

    The right box in one frame of two:

    >>> tracking('{"0": [0, 0, 2, 2]}', {"frames": {"0": [0, 0, 2, 2], "1": [0, 0, 2, 2]}}).value
    0.5
    """
    gold = _frames(answer)
    if gold is None:
        return Score(None)
    body = answer_text(text)
    if body is None:
        return _failed("no_answer")
    boxes = _boxes(body, answer)
    if not boxes:
        return _failed("no_frames")
    value = mean_frame_iou(boxes, gold)
    return Score(value, correct=value >= CORRECT_IOU, extracted={name: list(box) for name, box in boxes.items()})


def spatio_temporal(text: str, answer: Answer) -> Score:
    """0.5 * tIoU with `answer["span"]` + 0.5 * the mean IoU over the frames of `answer["frames"]`; parts `time` and `frames`.

    The answer is `{"time": [start, end], "boxes": {"0": [x1, y1, x2, y2], ...}}`. A frame without a box counts 0, so that
    naming only the surest frame does not pay. Correct when both parts are at least 0.5. Source: the spatio-temporal reward of
    OneThinker (arXiv 2512.03043), which takes the mean over the frames that both sides have. Range 0..1; None when the gold span
    has no length or a gold box no area. Failures: `no_answer`, `no_span`, `no_frames`, as in `temporal.iou` and
    `temporal.tracking`; one of both is missing, and the value is 0. Raises ValueError for a malformed gold.

    >>> gold = {"span": [0, 10], "frames": {"0": [0, 0, 2, 2], "5": [0, 0, 2, 2]}}
    >>> spatio_temporal('{"time": [0, 5], "boxes": {"0": [0, 0, 2, 2]}}', gold).value
    0.5
    """
    gold_time, gold = gold_span(answer), _frames(answer)
    if gold is None or gold_time[0] == gold_time[1]:
        return Score(None)
    body = answer_text(text)
    if body is None:
        return _failed("no_answer")
    span, boxes = parse_span(body), _boxes(body, answer)
    if span is None or not boxes:
        return _failed("no_frames" if span else "no_span")
    parts = {"time": span_iou(span, gold_time), "frames": mean_frame_iou(boxes, gold)}
    extracted = {"time": list(span), "boxes": {name: list(box) for name, box in boxes.items()}}
    return Score(sum(parts.values()) / 2, parts, min(parts.values()) >= CORRECT_IOU, extracted)


def _judge_span(text: str, answer: Answer, measure: Callable[[float], float], correct: float) -> Score:
    """The measure of the tIoU; `correct` is the tIoU from which on it is right."""
    gold = gold_span(answer)
    if gold[0] == gold[1]:
        return Score(None)
    body = answer_text(text)
    span = None if body is None else parse_span(body)
    if span is None:
        return _failed("no_answer" if body is None else "no_span")
    overlap = span_iou(span, gold)
    return Score(measure(overlap), {"iou": overlap}, overlap >= correct, list(span))


def _frames(answer: Answer) -> dict[str, Box] | None:
    """The gold boxes by frame; None when one has no area."""
    gold = {frame_name(name): box for name, box in gold_frames(answer).items()}
    return None if any(area(box) == 0 for box in gold.values()) else gold


def _boxes(body: str, answer: Answer) -> dict[str, Box]:
    found = parse_frame_boxes(body)
    values = answer_pixels([side for box in found.values() for side in box], answer)
    return dict(zip(found, zip(values[0::4], values[1::4], values[2::4], values[3::4], strict=True), strict=True))


def _failed(code: str) -> Score:
    return Score(0.0, correct=False, failure=code)


SPAN = Example("from 3.5 to 7 seconds", {"span": [3.5, 7.0]})
FRAMES = {"0": [64, 48, 320, 240], "1": [80, 48, 336, 240]}
TRACK = Example('{"0": [64, 48, 320, 240], "1": [80, 48, 336, 240]}', {"frames": FRAMES, "image_size": [640, 480]})
BOTH = Example(f'{{"time": [3.5, 7], "boxes": {TRACK.text}}}', {**SPAN.answer, **TRACK.answer})

REWARDS = {
    "iou": Reward(time_iou, failures=("no_answer", "no_span"), needs=("span",), example=SPAN),
    "r30": Reward(r30, failures=("no_answer", "no_span"), needs=("span",), example=SPAN),
    "r50": Reward(r50, failures=("no_answer", "no_span"), needs=("span",), example=SPAN),
    "r70": Reward(r70, failures=("no_answer", "no_span"), needs=("span",), example=SPAN),
    "tracking": Reward(tracking, failures=("no_answer", "no_frames"), needs=("frames",), example=TRACK),
    "spatio_temporal": Reward(
        spatio_temporal, failures=("no_answer", "no_span", "no_frames"), needs=("span", "frames"), example=BOTH
    ),
}
