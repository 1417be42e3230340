"""The measure itself: literal differences of literal arrays."""

from __future__ import annotations

import numpy as np

from ckptmap.tf.compare import compare


def detections(classes: list[float], count: int) -> dict[str, np.ndarray]:
    return {"detection_classes": np.array([classes], np.float32), "num_detections": np.array([count], np.float32)}


def test_largest_mean_and_relative_difference():
    left = {"box_encodings": np.array([[0, 2, 4, 6]], np.float32)}
    found = compare(left, {"box_encodings": np.array([[0, 2, 4, 7]], np.float32)})["box_encodings"]
    assert (found.largest, found.mean, found.spread) == (1, 0.25, 5**0.5)
    assert found.relative == 1 / 5**0.5
    assert not found.exact
    assert compare(left, left).exact


def test_shapes_that_differ_and_values_that_are_no_numbers_are_never_within():
    left = {"box_encodings": np.zeros((1, 4), np.float32)}
    assert not compare(left, {"box_encodings": np.zeros((1, 5), np.float32)}).within(1e9)
    assert not compare(left, {"box_encodings": np.full((1, 4), np.nan, np.float32)}).within(1e9)


def test_an_output_that_one_side_lacks_is_named_and_nothing_compared_is_not_equal():
    left = {"box_encodings": np.zeros((1, 4), np.float32)}
    found = compare(left, left | {"mask_predictions": np.zeros((1, 4), np.float32)})
    assert (found.only_reference, found.only_other, found.exact) == ((), ("mask_predictions",), False)
    assert not compare({}, {}).exact


def test_detections_are_the_same_in_the_same_order_up_to_their_number():
    raw = {"box_encodings": np.zeros((1, 4), np.float32)}
    left = raw | detections([1, 2, 9], 2)
    assert compare(left, raw | detections([1, 2, 0], 2)).same_detections
    assert not compare(left, raw | detections([2, 1, 9], 2)).same_detections
    assert not compare(left, raw | detections([1, 2, 9], 3)).same_detections
    assert not compare(left, raw | detections([2, 1, 9], 2)).exact


def test_proposals_of_a_first_stage_alone_have_no_classes():
    proposals = {"rpn_box_encodings": np.ones((1, 4), np.float32), "num_detections": np.array([3], np.float32)}
    assert compare(proposals, proposals).exact
    assert not compare(proposals, proposals | {"num_detections": np.array([4], np.float32)}).same_detections
    assert not compare(proposals, proposals | {"detection_classes": np.ones((1, 3), np.float32)}).same_detections
