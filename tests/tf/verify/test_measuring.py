"""Outputs of two models measured: literal arrays, levels and judgments."""

from __future__ import annotations

import numpy as np

from ckptmap.tf.verify.measuring import Finding, measure, together
from ckptmap.tf.verify.tf2_side import Level, Ran

LEVELS = (Level("P3 (2x1)", 2), Level("P4 (1x1)", 1))


def outputs(
    encodings: list[float], boxes: list[list[float]] | None = None, **more: np.ndarray
) -> dict[str, np.ndarray]:
    kept = boxes or [[0.0, 0.0, 1.0, 1.0]]
    return {
        "box_encodings": np.array(encodings, np.float32).reshape(1, -1, 1),
        "detection_boxes": np.array([kept], np.float32),
        "detection_scores": np.full((1, len(kept)), 0.5, np.float32),
        "detection_classes": np.zeros((1, len(kept)), np.float32),
        "num_detections": np.array([len(kept)], np.float32),
        **more,
    }


def compared(new: dict[str, np.ndarray], **more: np.ndarray) -> Finding:
    return measure(outputs([0, 2, 4], **more), Ran(new, LEVELS))


def test_equal_outputs_agree() -> None:
    found = compared(outputs([0, 2, 4]))
    assert found.agrees
    assert (found.relative, found.badness) == (0, (0, 0))


def test_the_level_that_differs_is_told() -> None:
    found = compared(outputs([0, 2, 5]))
    assert not found.agrees
    by_level = {one.level: one.largest for one in found.measures if one.name == "box_encodings"}
    assert by_level == {"": 1, "P3 (2x1)": 0, "P4 (1x1)": 1}


def test_rounding_is_no_difference() -> None:
    assert compared(outputs([0, 2, 4 + 1.5e-5])).agrees
    assert not compared(outputs([0, 2, 4 + 2e-5])).agrees


def test_other_detections_from_equal_outputs_are_a_difference() -> None:
    found = compared(outputs([0, 2, 4], [[0.0, 0.0, 1.0, 0.9]]))
    assert not found.agrees
    assert found.badness[0] == 1
    assert not compared(outputs([0, 2, 4], [[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 0.1, 0.1]])).agrees


def test_masks_count() -> None:
    masks = np.arange(4, dtype=np.float32).reshape(1, 1, 2, 2)
    old = outputs([0, 2, 4], detection_masks=masks)
    assert measure(old, Ran(outputs([0, 2, 4], detection_masks=masks))).agrees
    assert not measure(old, Ran(outputs([0, 2, 4], detection_masks=masks + 1))).agrees


def test_outputs_of_one_side_are_named_and_not_judged() -> None:
    found = compared(outputs([0, 2, 4], raw_detection_boxes=np.zeros((1, 3, 4), np.float32)))
    assert found.agrees
    assert (found.only_old, found.only_new) == ((), ("raw_detection_boxes",))


def test_all_images_together() -> None:
    found = {one.level: one for one in together([compared(outputs([0, 2, 4])), compared(outputs([0, 2, 6]))])
             if one.name == "box_encodings"}  # fmt: skip
    assert (found[""].largest, found[""].mean) == (2, 1 / 3)
    assert found[""].relative == 2 / np.std([0, 2, 4])
    assert found["P4 (1x1)"].largest == 2
