"""Counts of right boxes that no order and no score can change: what precision, recall and F1 of detections are made of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vlrl.metrics.average_precision import COCO_THRESHOLDS
from vlrl.metrics.box_iou import areas, iou_matrix
from vlrl.metrics.coco import Found, GoldObject
from vlrl.metrics.matching import best_pairs, greedy_pairs

HIT = 0.5
"""The IoU from which on a box is right where one threshold is meant."""


def detection_counts(gold: Sequence[GoldObject], found: Sequence[Found]) -> dict[str, float]:
    """What one image adds to order-free precision, recall and F1. Labels gate: a wrong label is no match.

    | key | is |
    |---|---|
    | `n_gold`, `n_found` | gold boxes; boxes found, without those that lie on a crowd region of their label and match nothing |
    | `hits50`, `hits` | matched pairs with an IoU of at least .5; their mean number over the thresholds .50:.05:.95 |
    | `greedy_hits50` | the same where pairs are matched greedily, the highest IoU first (VLM-R1's GP and GR) |
    | `iou_sum`, `matched` | the sum of the IoUs of the pairs of `hits50`, and their number |

    Pairs are those of the one-to-one matching with the greatest sum of IoUs.

    >>> gold = [GoldObject((0, 0, 10, 10), "cat")]
    >>> counts = detection_counts(gold, [Found((0, 0, 10, 6), "cat", 1.0), Found((0, 0, 10, 10), "dog", 1.0)])
    >>> counts["n_gold"], counts["n_found"], counts["hits50"], counts["hits"]
    (1.0, 2.0, 1.0, 0.3)
    """
    found = sorted(found, key=lambda one: (one.label, one.box))  # ties in the matching must not hang on the order
    single = [one for one in gold if not one.crowd]
    gated_NM = _gated(found, single)
    pairs = best_pairs(gated_NM)
    ious = np.array([gated_NM[pair] for pair in pairs])
    right = ious >= HIT
    taken = {row for (row, _), hit in zip(pairs, right, strict=True) if hit}
    spared = _on_crowd(found, [one for one in gold if one.crowd]) - taken
    return {
        "n_gold": float(len(single)),
        "n_found": float(len(found) - len(spared)),
        "hits50": float(right.sum()),
        "hits": float((ious[:, None] >= COCO_THRESHOLDS).sum() / len(COCO_THRESHOLDS)),
        "greedy_hits50": float(len(greedy_pairs(gated_NM, HIT))),
        "iou_sum": float(ious[right].sum()),
        "matched": float(right.sum()),
    }


def _gated(found: Sequence[Found], gold: Sequence[GoldObject]) -> NDArray[np.float64]:
    """IoU of every box found with every gold box, 0 where the labels differ."""
    same_NM = np.array([[a.label == b.label for b in gold] for a in found], dtype=bool).reshape(len(found), len(gold))
    return np.where(same_NM, iou_matrix([one.box for one in found], [one.box for one in gold]), 0.0)


def _on_crowd(found: Sequence[Found], crowds: Sequence[GoldObject]) -> set[int]:
    """The boxes of which at least half lies in a crowd region of their label (COCO's overlap with a crowd)."""
    return {row for row, one in enumerate(found) if any(_share_in(one, crowd) >= HIT for crowd in crowds)}


def _share_in(one: Found, crowd: GoldObject) -> float:
    if one.label != crowd.label:
        return 0.0
    box, region = np.array([one.box]), np.array([crowd.box])
    corners = np.concatenate([np.maximum(box[:, :2], region[:, :2]), np.minimum(box[:, 2:], region[:, 2:])], axis=1)
    whole, shared = areas(box)[0], areas(np.maximum(corners, np.tile(corners[:, :2], 2)))[0]
    return float(shared / whole) if whole > 0 else 0.0
