"""Detections matched: literal boxes, literal fates."""

from __future__ import annotations

import numpy as np
import pytest

from ckptmap.tf.verify.detection_matching import Detection, Fate, Match, counts, detections, match

BOX = (0.1, 0.1, 0.5, 0.5)
FAR = (0.6, 0.6, 0.9, 0.9)


def found(*boxes: tuple[tuple[float, float, float, float], float, int]) -> tuple[Detection, ...]:
    return tuple(Detection(*box) for box in boxes)


@pytest.mark.parametrize(
    ("old", "new", "fates"),
    [
        ([(BOX, 0.9, 1)], [(BOX, 0.9, 1)], [Fate.EQUAL]),
        ([(BOX, 0.9, 1)], [(BOX, 0.90005, 1)], [Fate.EQUAL]),
        ([(BOX, 0.9, 1)], [(BOX, 0.7, 1)], [Fate.MOVED]),
        ([(BOX, 0.9, 1)], [((0.1, 0.1, 0.5, 0.51), 0.9, 1)], [Fate.MOVED]),
        ([(BOX, 0.9, 1)], [(BOX, 0.9, 2)], [Fate.RELABELLED]),
        ([(BOX, 0.9, 1)], [(FAR, 0.8, 1)], [Fate.LOST, Fate.NEW]),
        ([(BOX, 0.9, 1)], [], [Fate.LOST]),
        ([], [(BOX, 0.9, 1)], [Fate.NEW]),
        ([], [], []),
    ],
)
def test_fates(old: list, new: list, fates: list[Fate]) -> None:
    assert [one.fate for one in match(found(*old), found(*new))] == fates


def test_two_classes_on_one_place_find_their_own_class() -> None:
    both = found((BOX, 0.9, 1), (BOX, 0.8, 2))
    assert {one.fate for one in match(both, both[::-1])} == {Fate.EQUAL}


def test_an_overlap_of_less_than_half_is_another_object() -> None:
    half = match(found(((0.0, 0.0, 1.0, 0.5), 0.9, 1)), found(((0.0, 0.0, 1.0, 1.0), 0.9, 1)))
    assert [one.fate for one in half] == [Fate.MOVED]
    less = match(found(((0.0, 0.0, 1.0, 0.49), 0.9, 1)), found(((0.0, 0.0, 1.0, 1.0), 0.9, 1)))
    assert [one.fate for one in less] == [Fate.LOST, Fate.NEW]


def test_boxes_without_area_match_themselves() -> None:
    point = found(((0.2, 0.2, 0.2, 0.2), 0.9, 1))
    assert [one.fate for one in match(point, point)] == [Fate.EQUAL]


def test_detections_are_those_that_the_model_kept_counted_from_one() -> None:
    outputs = {
        "detection_boxes": np.array([[BOX, FAR]], np.float32),
        "detection_scores": np.array([[0.5, 0]], np.float32),
        "detection_classes": np.array([[2, 0]], np.float32),
        "num_detections": np.array([1], np.float32),
    }
    (only,) = detections(outputs)
    assert (only.score, only.label) == (0.5, 3)
    assert only.corners == pytest.approx(BOX)


def test_counts_have_every_fate() -> None:
    lost = Match(Fate.LOST, *found((BOX, 0.9, 1)), None)
    assert counts([lost]) == {"equal": 0, "moved": 0, "relabelled": 0, "lost": 1, "new": 0}
    assert lost.score == 0.9
