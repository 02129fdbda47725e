"""Summaries of evaluated rows against numbers worked out by hand: means, counts, clusters, pairs, and rows without a score."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from toys import draw_rows, toy_vlm, write_rows

from vlrl.data import read_samples
from vlrl.evaluation.runner import BAD_ROW, compare, evaluate, refuse_all_bad, summarise, unscorable
from vlrl.metrics.bootstrap import mean_interval, paired_difference_interval
from vlrl.models.vlm import VLM
from vlrl.rollout.transformers_engine import TransformersEngine
from vlrl.types import UserError

Row = dict[str, Any]


def gui_row(row_id: str, click: float | None, image: str | None = "a.png", source: str = "", failure: str | None = None) -> Row:
    """An evaluated row of the task `gui` whose click earned `click`; None has no score."""
    media = [{"kind": "image", "path": image}] if image else []
    sample = {"id": row_id, "task": "gui", "question": "q", "answer": {}, "media": media, "source": source or f"f.jsonl:{row_id}"}
    parts = {} if click is None else {"gui.click": click, "format.prompted": 1.0}
    correct = None if click is None else click == 1.0
    score = {"value": click, "parts": parts, "correct": correct, "extracted": None, "failure": failure}
    return {"sample": sample, "prompt_mode": "direct", "text": "[1, 1]", "finish_reason": "stop", "score": score}


def box_row(row_id: str, iou: float) -> Row:
    row = gui_row(row_id, None)
    score = {**row["score"], "value": iou, "parts": {"grounding.iou": iou}, "correct": iou >= 0.5}
    return {**row, "sample": {**row["sample"], "task": "grounding"}, "score": score}


def bad_row(row_id: str) -> Row:
    row = gui_row(row_id, None, failure=BAD_ROW)
    row["score"]["extracted"] = f"f.jsonl:{row_id}: image: a.png does not exist; mend the path"
    return row


# summarise


def test_means_and_counts_of_every_metric_of_every_task() -> None:
    rows = [gui_row("1", 1.0), gui_row("2", 0.0), gui_row("3", 0.0), box_row("4", 0.75), box_row("5", 0.25)]
    summary = summarise(rows)
    assert list(summary) == ["grounding/acc50", "grounding/iou", "gui/click_accuracy"]
    assert {name: (m["mean"], m["n"]) for name, m in summary.items()} == {
        "grounding/acc50": (0.5, 2),
        "grounding/iou": (0.5, 2),
        "gui/click_accuracy": (pytest.approx(1 / 3), 3),
    }
    assert all(m["unscorable"] == 0 for m in summary.values())


def test_the_interval_resamples_images_not_rows() -> None:
    """Eight rows on two images, all right on one and all wrong on the other: a draw of images has mean 0, 1/2 or 1."""
    rows = [gui_row(str(i), float(i < 4), image=f"{i // 4}.png") for i in range(8)]
    (m,) = summarise(rows).values()
    assert (m["mean"], m["ci95"]) == (0.5, [0.0, 1.0])
    own = [gui_row(str(i), float(i < 4), image=f"{i}.png") for i in range(8)]
    (m,) = summarise(own).values()
    assert m["ci95"] == list(mean_interval([1.0] * 4 + [0.0] * 4)[1:])
    assert 0 < m["ci95"][0] < m["ci95"][1] < 1


def test_rows_without_an_image_are_independent() -> None:
    """They share no image, so they are no cluster: an interval without width would be a lie."""
    (m,) = summarise([gui_row(str(i), float(i < 4), image=None) for i in range(8)]).values()
    assert m["ci95"] == list(mean_interval([1.0] * 4 + [0.0] * 4)[1:])


def test_equal_ids_of_two_files_are_two_rows() -> None:
    rows = [gui_row("1", 1.0, source="a.jsonl:1"), gui_row("1", 0.0, source="b.jsonl:1")]
    (m,) = summarise(rows).values()
    assert (m["mean"], m["n"]) == (0.5, 2)


def test_rows_without_a_score_are_counted_beside_the_mean() -> None:
    rows = [gui_row("1", 1.0), bad_row("2"), gui_row("3", None), gui_row("4", 0.0)]
    (m,) = summarise(rows).values()
    assert (m["mean"], m["n"], m["unscorable"]) == (0.5, 2, 2)


def test_a_metric_without_any_scored_row_is_not_hidden() -> None:
    summary = summarise([bad_row("1"), box_row("2", 0.5)])
    assert (summary["gui/click_accuracy"]["n"], summary["gui/click_accuracy"]["unscorable"]) == (0, 1)
    assert math.isnan(summary["gui/click_accuracy"]["mean"])
    assert summary["grounding/iou"]["n"] == 1


def test_nothing_gives_nothing() -> None:
    assert summarise([]) == {}
    assert compare([], []) == {}


# rows that have no score


def test_each_row_without_a_score_has_a_sentence() -> None:
    rows = [gui_row("1", 1.0), bad_row("2"), gui_row("3", None)]
    assert unscorable(rows) == [
        "f.jsonl:2: image: a.png does not exist; mend the path",
        "f.jsonl:3: its gold has no score",
    ]


def test_only_a_set_of_nothing_but_bad_rows_is_refused() -> None:
    refuse_all_bad([])
    refuse_all_bad([bad_row("1"), gui_row("2", 0.0)])
    refuse_all_bad([gui_row("2", None)])
    with pytest.raises(
        UserError, match=r"none of the 2 rows can be evaluated, the first one: f\.jsonl:1: image: a\.png does not"
    ):
        refuse_all_bad([bad_row("1"), bad_row("2")])


# compare


def test_the_difference_is_paired() -> None:
    before = [gui_row(str(i), value, image=f"{i}.png") for i, value in enumerate([0.0, 0.0, 1.0, 1.0])]
    after = [gui_row(str(i), value, image=f"{i}.png") for i, value in enumerate([1.0, 1.0, 1.0, 0.0])]
    (m,) = compare(before, after[::-1]).values()  # the order of the rows does not matter
    assert (m["before"], m["after"], m["diff"], m["n"], m["unscorable"]) == (0.5, 0.75, 0.25, 4, 0)
    assert m["diff_ci95"] == list(paired_difference_interval([0, 0, 1, 1], [1, 1, 1, 0])[1:])
    assert m["before_ci95"] == list(mean_interval([0, 0, 1, 1])[1:])
    assert m["after_ci95"] == list(mean_interval([1, 1, 1, 0])[1:])


def test_a_constant_gain_has_an_exact_interval() -> None:
    """Where every row gains the same, the difference is certain however uncertain the two means are."""
    ious = [0.1, 0.5, 0.2, 0.7]
    table = compare([box_row(str(i), v) for i, v in enumerate(ious)], [box_row(str(i), v + 0.25) for i, v in enumerate(ious)])
    assert table["grounding/iou"]["diff"] == pytest.approx(0.25)
    assert table["grounding/iou"]["diff_ci95"] == pytest.approx([0.25, 0.25])
    assert table["grounding/acc50"]["diff"] == 0.0  # 0.5 was correct before: 2 of 4 then and now


def test_the_difference_resamples_images() -> None:
    before = [gui_row(str(i), 0.0, image=f"{i // 4}.png") for i in range(8)]
    after = [gui_row(str(i), float(i < 4), image=f"{i // 4}.png") for i in range(8)]
    (m,) = compare(before, after).values()
    assert (m["diff"], m["diff_ci95"]) == (0.5, [0.0, 1.0])


def test_rows_that_only_one_side_scored_are_left_out_of_all_three_and_counted() -> None:
    before = [gui_row("1", 0.0), gui_row("2", 1.0), bad_row("3"), gui_row("4", 1.0)]
    after = [gui_row("1", 1.0), gui_row("2", 1.0), gui_row("3", 1.0), gui_row("5", 0.0)]
    (m,) = compare(before, after).values()
    assert (m["before"], m["after"], m["diff"], m["n"], m["unscorable"]) == (0.5, 1.0, 0.5, 2, 3)


def test_evaluations_without_a_common_row() -> None:
    (m,) = compare([gui_row("1", 0.0)], [gui_row("2", 1.0)]).values()
    assert (m["n"], m["unscorable"]) == (0, 2)
    assert all(math.isnan(value) for value in (m["before"], m["after"], m["diff"], *m["diff_ci95"]))


# evaluate


@pytest.fixture(scope="module")
def vlm() -> VLM:
    return toy_vlm()


def test_rows_stay_in_order_and_bad_ones_stay_in_their_place(tmp_path: Path, vlm: VLM) -> None:
    good = draw_rows(tmp_path, 5)
    (tmp_path / "cut.png").write_bytes((tmp_path / "0.png").read_bytes()[:100])
    long = {**good[1], "question": "please " * 100}
    bad = [{**good[0], "image": "none.png"}, {**good[0], "image": "cut.png"}, long, {**good[0], "answer": {"box": [0, 0, 99, 9]}}]
    rows = [{**row, "id": str(i)} for i, row in enumerate([good[0], *bad, *good[1:]])]
    samples = read_samples(write_rows(tmp_path / "rows.jsonl", rows))
    done: list[int] = []
    found = evaluate(samples, vlm, TransformersEngine(vlm, 8), "direct", 200, 4, done.append)
    assert [row["sample"]["id"] for row in found] == [str(i) for i in range(9)]
    assert done == [4, 4, 1]
    assert [i for i, row in enumerate(found) if row["score"]["failure"] == BAD_ROW] == [1, 2, 3, 4]
    words = ["none.png does not exist; ", "cut.png cannot be decoded ", "tokens, more than 200; ", "lies outside the image"]
    for line, (row, expected) in enumerate(zip(found[1:5], words, strict=True), start=2):
        assert row["score"]["extracted"].startswith(f"{tmp_path}/rows.jsonl:{line}: ")
        assert expected in row["score"]["extracted"]
        assert (row["text"], row["finish_reason"], row["score"]["value"]) == (None, None, None)
    assert all(row["sample"]["answer"]["processed_size"] == [64, 64] for row in (found[0], *found[5:]))
    (m,) = summarise(found).values()
    assert (m["n"], m["unscorable"]) == (5, 4)


@pytest.mark.parametrize("batch_size", [1, 3])
def test_the_batch_size_changes_no_completion(tmp_path: Path, vlm: VLM, batch_size: int) -> None:
    samples = read_samples(write_rows(tmp_path / "rows.jsonl", draw_rows(tmp_path, 5)))
    engine = TransformersEngine(vlm, 12)
    together, apart = (evaluate(samples, vlm, engine, "think", 200, size) for size in (5, batch_size))
    assert together == apart
    assert {row["prompt_mode"] for row in together} == {"think"}
