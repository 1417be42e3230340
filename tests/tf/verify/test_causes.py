"""Causes that need no model to be run: from values, detections and configs."""

from __future__ import annotations

import pytest

from ckptmap.tf.verify.causes import Case, Cause, find_causes
from ckptmap.tf.verify.detection_matching import Detection, Match, match
from ckptmap.tf.verify.sources import New, NewKind, Old, OldKind
from ckptmap.tf.verify.tf2_side import Ran
from ckptmap.tf.verify.values import Instead, Values, Wrong
from ckptmap.tf.verify.walking import Part

PLACES = ((0.1, 0.1, 0.5, 0.5), (0.6, 0.6, 0.9, 0.9))


def causes(
    wrong: tuple[Wrong, ...] = (),
    matches: tuple[tuple[Match, ...], ...] = (),
    *,
    first: Part | None = None,
    agrees_reversed: bool = False,
    clips_first: bool = False,
    raw_agrees: bool = False,
) -> tuple[Cause, ...]:
    return find_causes(
        Case(
            old=Old(OldKind.FROZEN, "old.pb"),
            new=New(NewKind.SAVED_MODEL, "new"),
            values=Values(1, wrong),
            first=first,
            matches=matches,
            clips_first=clips_first,
            raw_agrees=raw_agrees,
            model=None,
            rerun=lambda _model, reverse: Ran({"reversed": reverse}),
            agrees=lambda ran: agrees_reversed and bool(ran.outputs["reversed"]),
            say=lambda _: None,
        )
    )


def held(instead: Instead, part: str = "backbone", other: str = "") -> Wrong:
    return Wrong("A/weights", "model/a", part, instead, other)


def labelled(*labels: int) -> tuple[Detection, ...]:
    return tuple(Detection(box, 0.9 - place / 10, labels[place]) for place, box in enumerate(PLACES))


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        (held(Instead.RAW), "raw weights in place of moving averages"),
        (held(Instead.AVERAGE), "moving averages in place of raw weights"),
        (held(Instead.OTHER_VARIABLE, other="B/weights"), "swapped variables"),
        (held(Instead.REVERSED_CHANNELS), "BGR in place of RGB"),
        (held(Instead.SHAPE), "other shapes"),
        (held(Instead.UNKNOWN), "other values"),
        (held(Instead.UNKNOWN, "class head"), "class head re-initialized"),
        (held(Instead.SHAPE, "class head"), "class head re-initialized"),
    ],
)
def test_wrong_values_are_causes(wrong: Wrong, name: str) -> None:
    (cause,) = causes((wrong,))
    assert (cause.name, cause.proven) == (name, True)
    assert "A/weights" in cause.text


def test_many_variables_are_counted_and_four_named() -> None:
    (cause,) = causes((held(Instead.RAW),) * 6)
    assert cause.text == (
        "6 variables hold the raw value in place of its moving average: "
        "A/weights, A/weights, A/weights, A/weights, … (2 more)"
    )


@pytest.mark.parametrize(("new", "text"), [((2, 4), "are 1 higher than"), ((0, 2), "are 1 lower than")])
def test_a_label_offset(new: tuple[int, int], text: str) -> None:
    (cause,) = causes(matches=(match(labelled(1, 3), labelled(*new)),))
    assert cause.name == "label offset"
    assert text in cause.text


def test_other_classes_are_no_offset() -> None:
    assert causes(matches=(match(labelled(1, 3), labelled(2, 2)),)) == ()


def test_bgr_is_confirmed_by_running_the_model_so() -> None:
    (cause,) = causes(agrees_reversed=True)
    assert (cause.name, cause.evidence) == ("BGR in place of RGB", "with the channels reversed the outputs agree")


def test_an_older_graph_clips_boxes_before_suppression() -> None:
    (cause,) = causes(clips_first=True, raw_agrees=True)
    assert (cause.name, cause.proven) == ("clipping before suppression", True)
    assert causes(clips_first=True) == ()
    assert [one.name for one in causes((held(Instead.RAW),), clips_first=True, raw_agrees=True)] == [
        "raw weights in place of moving averages"
    ]


def test_other_images_at_the_first_layer_are_a_cause_where_no_other_was_confirmed() -> None:
    image = Part("preprocessed image", "", "", "", 1.0, ((1, 8, 8, 3), (1, 8, 8, 3)))
    (cause,) = causes(first=image)
    assert (cause.name, cause.text) == ("preprocessing", "the images that reach the first layer are not the same")
    assert [one.name for one in causes((held(Instead.RAW),), first=image)] == [
        "raw weights in place of moving averages"
    ]


def test_without_a_confirmed_cause_there_is_none() -> None:
    assert causes() == ()
