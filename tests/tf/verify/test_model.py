"""Where a verification says that two models part."""

from __future__ import annotations

from pathlib import Path

from ckptmap.tf.verify.detection_matching import Detection, match
from ckptmap.tf.verify.images import Image
from ckptmap.tf.verify.measuring import Finding, Measure
from ckptmap.tf.verify.sources import New, NewKind, Old, OldKind
from ckptmap.tf.verify.values import Values
from ckptmap.tf.verify.verification import Seen, Verification

STRONG, WEAK = Detection((0.0, 0.0, 0.5, 0.5), 0.9, 1), Detection((0.5, 0.5, 0.9, 0.9), 0.2, 1)


def verification(relative: float, new: tuple[Detection, ...]) -> Verification:
    measures = (Measure("box_encodings", "", (1, 3, 4), (1, 3, 4), relative, relative, 1.0, relative),)
    finding = Finding(measures, match((STRONG, WEAK), new), (), ())
    seen = Seen(Image("a.jpg", Path("a.jpg")), (10, 20), finding)
    return Verification(Old(OldKind.FROZEN, "o"), New(NewKind.SAVED_MODEL, "n"), (seen,), measures, Values())


def test_models_that_agree_part_nowhere() -> None:
    found = verification(0.0, (STRONG, WEAK))
    assert (found.agree, found.parting) == (True, "")


def test_equal_outputs_and_other_detections_part_in_post_processing() -> None:
    found = verification(0.0, (STRONG,))
    assert (found.agree, found.parting) == (False, "post-processing: the raw outputs agree")


def test_outputs_that_differ_without_a_walk_part_somewhere() -> None:
    found = verification(0.5, (STRONG, WEAK))
    assert (found.agree, found.parting) == (False, "")


def test_matches_are_those_of_which_one_side_scores_enough() -> None:
    assert [len(image) for image in verification(0.0, (STRONG,)).matches(0.3)] == [1]
    assert [len(image) for image in verification(0.0, (STRONG,)).matches(0.1)] == [2]
