import pytest

from vlrl.parsing.frame_boxes import parse_frame_boxes
from vlrl.parsing.spans import parse_span
from vlrl.rewards import load
from vlrl.types import Score

GOLD = {"span": [5, 12]}
FRAMES = {"0": [0, 0, 10, 10], "1": [0, 0, 10, 10]}


@pytest.mark.parametrize(
    "text",
    [
        "5.0 - 12.0",
        "5.0s - 12.0s",
        "5 to 12 seconds",
        "from 5 to 12 s",
        "between 5 and 12",
        "5.0 \u2013 12.0",
        "5.0 \u2014 12.0",
        "00:05 --> 00:12",
        "00:00:05.0 - 00:00:12.00",
        "[5.0, 12.0]",
        "(5s, 12s)",
        '{"start": 5.0, "end": 12.0}',
        '{"start_time": "00:05", "end_time": "00:12"}',
        '{"time": [5, 12]}',
        "Start time: 5.0 seconds\nEnd time: 12.0 seconds",
        "It starts at 5 s and ends at 12 s.",
        "12.0 - 5.0 seconds",
        "-5 - 12",
        "frame 3: the event happens in the 5.0 - 12.0 seconds",
        "5 - 12 seconds and again in 20 - 30 seconds",
    ],
)
def test_every_way_of_writing_a_span(text: str) -> None:
    assert parse_span(text) == (5.0, 12.0)
    assert load("temporal.iou")(text, GOLD).value == 1.0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I cannot find this event.",
        "at 5 seconds",
        "5, 12",
        "5 12",
        "[5]",
        "\u0665 - \u0661\u0662",
        "5 - 1e400",
        f"5 - {'9' * 400}",
    ],
)
def test_what_is_no_span(text: str) -> None:
    assert parse_span(text) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [("10 - 20", 2 / 15), ("0 - 1000", 0.007), ("20 - 30", 0.0), ("6 - 6", 0.0), ("5 - 8.5", 0.5), ("5 - 12", 1.0)],
)
def test_values_and_recalls(text: str, value: float) -> None:
    score = load("temporal.iou")(text, GOLD)
    assert (score.value, score.correct) == (pytest.approx(value), value >= 0.5)
    for percent in (30, 50, 70):
        assert load(f"temporal.r{percent}")(text, GOLD).value == float(value >= percent / 100)


def test_a_thought_is_no_answer() -> None:
    assert load("temporal.iou")("<think>maybe 1 - 2</think>\n<answer>5.0 - 12.0</answer>", GOLD).value == 1.0
    assert load("temporal.iou")("<think>5 - 12", GOLD).failure == "no_answer"
    assert load("temporal.iou")("no idea", GOLD) == Score(0.0, correct=False, failure="no_span")


@pytest.mark.parametrize("span", [None, [5], [12, 5], [-1, 5], [0, float("nan")], "5-12", [0, True]])
def test_a_malformed_span(span: object) -> None:
    with pytest.raises(ValueError, match="'span'"):
        load("temporal.iou")("", {"span": span})


def test_a_span_without_length_cannot_be_scored() -> None:
    assert load("temporal.iou")("5 - 5", {"span": [5, 5]}) == Score(None)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"0": [0, 0, 10, 10], "1": [0, 0, 10, 10]}', 1.0),
        ('{"boxes": {"0": [0, 0, 10, 10], "1.0": [0, 0, 10, 5]}}', 0.75),
        ('[{"frame": 0, "bbox_2d": [0, 0, 10, 10]}, {"frame": "01", "bbox_2d": [0, 0, 10, 10]}]', 1.0),
        ('{"0": [0, 0, 10, 10]}', 0.5),
        ('{"0": [0, 0, 10, 10], "7": [0, 0, 10, 10]}', 0.5),
        ('{"0": [0, 0, 10, 10], "1": [10, 10, 0, 0]}', 0.5),
        ('{"0": [0, 0, 10, 10], "1": [0, 0, 10]}', 0.5),
        ('{"0": [0, 0, 10, 10], "1": [0, 0', 0.5),
    ],
)
def test_tracking_counts_missing_frames_as_zero(text: str, value: float) -> None:
    score = load("temporal.tracking")(text, {"frames": FRAMES})
    assert (score.value, score.correct) == (pytest.approx(value), True)


@pytest.mark.parametrize("text", ["[0, 0, 10, 10]", "{}", "a box", '{"0": [NaN, 0, 1, 1]}', '{"0": null}', '{"boxes": 5}'])
def test_no_boxes_by_frame(text: str) -> None:
    assert parse_frame_boxes(text) == {}
    assert load("temporal.tracking")(text, {"frames": FRAMES}) == Score(0.0, correct=False, failure="no_frames")


def test_onethinker_naming_only_the_surest_frame_does_not_pay() -> None:
    gold = {**GOLD, "frames": FRAMES}
    score = load("temporal.spatio_temporal")('{"time": [5, 12], "boxes": {"0": [0, 0, 10, 10]}}', gold)
    assert score.parts == {"time": 1.0, "frames": 0.5}
    assert score.value == 0.75


@pytest.mark.parametrize(
    ("text", "failure"), [('{"boxes": {"0": [0, 0, 10, 10]}}', "no_span"), ('{"time": [5, 12]}', "no_frames"), ("", "no_answer")]
)
def test_spatio_temporal_needs_both(text: str, failure: str) -> None:
    assert load("temporal.spatio_temporal")(text, {**GOLD, "frames": FRAMES}).failure in (failure, "no_span")


@pytest.mark.parametrize("frames", [None, {}, [], {"0": [1, 2, 3]}, {"0": [3, 4, 1, 2]}])
def test_malformed_frames(frames: object) -> None:
    with pytest.raises(ValueError, match="'frames'"):
        load("temporal.tracking")("", {"frames": frames})


def test_frames_are_in_original_pixels() -> None:
    gold = {"frames": {"0": [64, 48, 320, 240]}, "image_size": [640, 480], "space": "thousandths"}
    assert load("temporal.tracking")('{"0": [100, 100, 500, 500]}', gold).value == 1.0
    assert load("temporal.tracking")("", {"frames": {"0": [5, 5, 5, 9]}}) == Score(None)
