import contextlib
import io
import itertools

import numpy as np
import pytest

from vlrl.metrics.average_precision import COCO_THRESHOLDS, average_precision, average_precision_of

SMALL, MEDIUM = (0.0, 32.0**2), (32.0**2, 96.0**2)
BOX = (0, 0, 10, 10)


def coco(boxes, labels, scores, gold, gold_labels, area_range, most):
    """COCOeval on one image; None when nothing is asked for."""
    pytest.importorskip("pycocotools", reason="pycocotools, the oracle, is not installed")
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    number = {label: index for index, label in enumerate(dict.fromkeys([*gold_labels, *labels]), start=1)}

    def xywh(box):
        return [box[0], box[1], box[2] - box[0], box[3] - box[1]]

    truth = COCO()
    truth.dataset = {
        "images": [{"id": 1}],
        "categories": [{"id": index, "name": label} for label, index in number.items()],
        "annotations": [
            {
                "id": index,
                "image_id": 1,
                "category_id": number[label],
                "bbox": xywh(box),
                "area": (box[2] - box[0]) * (box[3] - box[1]),
                "iscrowd": 0,
            }
            for index, (box, label) in enumerate(zip(gold, gold_labels, strict=True), start=1)
        ],
    }
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
        found = truth.loadRes(
            [
                {"image_id": 1, "category_id": number[label], "bbox": xywh(box), "score": score}
                for box, label, score in zip(boxes, labels, scores, strict=True)
            ]
        )
        evaluation = COCOeval(truth, found, "bbox")
        evaluation.params.maxDets = [most]
        evaluation.params.areaRng, evaluation.params.areaRngLbl = [list(area_range or (0, 1e10))], ["asked"]
        evaluation.evaluate()
        evaluation.accumulate()
    precision = evaluation.eval["precision"]
    return precision[precision > -1].mean() if (precision > -1).any() else None


def random_set(rng, shaken=0.6):
    """Boxes, labels, tied scores, gold boxes, gold labels; copies, boxes without area and labels that the gold lacks included."""
    gold_count, count, labels = rng.integers(1, 12), rng.integers(1, 30), rng.integers(1, 4)

    def boxes(number):
        corner = rng.integers(0, 60, (number, 2))
        return np.hstack([corner, corner + rng.integers(0, 120, (number, 2))]).astype(float)

    gold = boxes(gold_count)
    near = gold[rng.integers(0, gold_count, count)] + rng.integers(-2, 3, (count, 4))
    found = np.where(rng.random((count, 1)) < shaken, near, boxes(count))
    found[:, 2:] = np.maximum(found[:, 2:], found[:, :2])
    copies = rng.random(count) < 0.2
    found[copies] = found[rng.integers(0, count, copies.sum())]
    gold_labels = [f"label {number}" for number in rng.integers(0, labels, gold_count)]
    found_labels = [f"label {number}" for number in rng.integers(0, labels + 1, count)]
    return found.tolist(), found_labels, rng.choice([0.1, 0.5, 0.5, 0.9, 1.0], count).tolist(), gold.tolist(), gold_labels


@pytest.mark.parametrize("area_range", [None, SMALL, MEDIUM], ids=["any", "small", "medium"])
@pytest.mark.parametrize("most", [100, 4])
def test_equal_to_pycocotools_on_random_sets(area_range, most) -> None:
    rng = np.random.default_rng([most, int((area_range or (0, 0))[1])])
    for _ in range(75):
        images = random_set(rng)
        ranged = {"area_range": area_range} if area_range else {}
        theirs, ours = coco(*images, area_range, most), average_precision(*images, max_detections=most, **ranged)
        assert (theirs is None) == (ours is None)
        assert theirs is None or ours == pytest.approx(theirs, abs=1e-12)


def test_equal_to_pycocotools_with_real_coordinates() -> None:
    rng = np.random.default_rng(1)
    for _ in range(50):
        boxes, labels, _, gold, gold_labels = random_set(rng)
        boxes = (np.array(boxes) * 1.7 + 0.3).tolist()
        gold = (np.array(gold) * 1.7 + 0.1).tolist()
        scores = rng.random(len(boxes)).tolist()
        theirs = coco(boxes, labels, scores, gold, gold_labels, None, 100)
        assert average_precision(boxes, labels, scores, gold, gold_labels) == pytest.approx(theirs, abs=1e-12)


def test_equal_to_pycocotools_when_all_boxes_are_near_each_other() -> None:
    rng = np.random.default_rng(2)
    for _ in range(20):
        gold = (np.array([10, 10, 110, 110]) + rng.integers(-6, 7, (15, 4))).tolist()
        boxes = (np.array([10, 10, 110, 110]) + rng.integers(-6, 7, (40, 4))).tolist()
        images = (boxes, ["a"] * 40, [1.0] * 40, gold, ["a"] * 15)
        assert average_precision(*images) == pytest.approx(coco(*images, None, 100), abs=1e-12)


def test_thresholds_are_those_of_coco() -> None:
    assert pytest.approx([0.5 + 0.05 * step for step in range(10)]) == COCO_THRESHOLDS


@pytest.mark.parametrize(
    ("boxes", "scores", "value"),
    [
        ([BOX], [1.0], 1.0),
        ([BOX, BOX], [1.0, 1.0], 1.0),
        ([(50, 50, 60, 60), BOX], [1.0, 1.0], 0.5),
        ([(50, 50, 60, 60), BOX], [0.2, 0.9], 1.0),
        ([(0, 0, 10, 5)], [1.0], 0.1),
        ([(0, 0, 10, 4.9)], [1.0], 0.0),
        ([(10, 10, 0, 0)], [1.0], 0.0),
        ([], [], 0.0),
    ],
)
def test_one_gold_box(boxes, scores, value) -> None:
    assert average_precision(boxes, ["a"] * len(boxes), scores, [BOX], ["a"]) == pytest.approx(value)


def test_no_gold_is_no_number() -> None:
    assert average_precision([BOX], ["a"], [1.0], [], []) is None


def test_a_label_of_the_gold_that_nobody_found_counts_zero() -> None:
    gold = [BOX, (20, 0, 30, 10), (40, 0, 50, 10)]
    assert average_precision([BOX], ["a"], [1.0], gold, ["a", "b", "c"]) == pytest.approx(1 / 3)


def test_the_order_of_equal_scores_is_the_order_of_the_text() -> None:
    values = {
        average_precision_of(np.array([[value] for value in order]), ["a"] * 3, [1.0] * 3, ["a"])
        for order in itertools.permutations([1.0, 0.0, 0.0])
    }
    assert sorted(values) == pytest.approx([1 / 3, 0.5, 1.0])
