from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckptmap.checkpoint.dtypes import DType
from ckptmap.mapping.ops_classes import Classes
from ckptmap.mapping.rule_ref import RuleRef
from ckptmap.mapping.table import Assignment, PerClass
from ckptmap.planning.candidates import Offer
from ckptmap.planning.class_transfer import plan_class_transfer
from ckptmap.planning.draft import ClassTransfer, Solved
from ckptmap.planning.label_maps import Label, LabelMap
from ckptmap.targets.variables import TargetVariable


def label_map(*names: str | None) -> LabelMap:
    """A label map of these classes by their order; None: the number is left out."""
    return LabelMap("map.pbtxt", tuple(Label(at, name) for at, name in enumerate(names, 1) if name))


def surgery(
    shape: tuple[int, ...],
    new_shape: tuple[int, ...],
    per_class: PerClass,
    labels: tuple[LabelMap, LabelMap],
    source_classes: int | None = None,
) -> ClassTransfer:
    assignment = Assignment(("old/head",), "Head/kernel", (), RuleRef("t.yaml", 3), per_class)
    offers = {"head": Offer(assignment, ("old/head",), shape, DType.FLOAT32)}
    variables = {"head": TargetVariable("head", "Head/kernel", DType.FLOAT32, new_shape)}
    return plan_class_transfer(offers, Solved(variables, {}, source_classes), labels, labels[1].num_classes)


OLD = label_map("cat", "dog", "cow")
NEW = label_map("cow", "horse", "cat", "dog")


def test_a_convolutional_head_has_its_slots_for_each_anchor() -> None:
    """Six anchors: 4 slots each become 5."""
    made = surgery((3, 3, 16, 24), (3, 3, 16, 30), PerClass(-1), (OLD, NEW))
    assert made.heads == {"head": Classes(-1, 1, 4, (0, 3, -1, 1, 2))}
    assert made.changes is not None
    assert [label.name for label in made.changes.new] == ["horse"]


def test_a_fully_connected_box_head_has_no_background() -> None:
    made = surgery((16, 12), (16, 16), PerClass(-1, background=False, block=4), (OLD, NEW))
    assert made.heads == {"head": Classes(-1, 4, 3, (2, -1, 0, 1))}


def test_a_mask_head_has_a_channel_for_each_class() -> None:
    made = surgery((1, 1, 8, 3), (1, 1, 8, 4), PerClass(-1, background=False), (OLD, NEW))
    assert made.heads == {"head": Classes(-1, 1, 3, (2, -1, 0, 1))}


def test_a_head_that_the_classes_share_stays_as_it_is() -> None:
    """A depthwise kernel, class-agnostic masks."""
    assert surgery((3, 3, 16, 1), (3, 3, 16, 1), PerClass(-1), (OLD, NEW)) == replace(
        surgery((24,), (30,), PerClass(-1), (OLD, NEW)), heads={}
    )


def test_the_same_classes_need_no_surgery() -> None:
    assert surgery((24,), (24,), PerClass(-1), (OLD, OLD)).heads == {}


def test_another_order_needs_surgery_although_shapes_are_equal() -> None:
    made = surgery((24,), (24,), PerClass(-1), (OLD, label_map("dog", "cat", "cow")))
    assert made.heads == {"head": Classes(-1, 1, 4, (0, 2, 1, 3))}


def test_numbers_that_no_label_map_names_keep_their_values() -> None:
    """COCO's 90 classes have 80 names: the gaps stay; a gap that has a name on one side is new."""
    made = surgery((5,), (6,), PerClass(-1), (label_map("a", None, None, "d"), label_map("d", None, "c", "a", "e")))
    assert made.heads == {"head": Classes(-1, 1, 5, (0, 4, 2, -1, 1, -1))}


def test_a_source_may_have_more_classes_than_its_label_map() -> None:
    """A template and a head of one run: 6 slots for 3 named classes and 2 unnamed ones."""
    made = surgery((6,), (5,), PerClass(-1), (OLD, NEW))
    assert made.heads == {"head": Classes(-1, 1, 6, (0, 3, -1, 1, 2))}


def test_swapped_label_maps_are_refused() -> None:
    """The model has four classes, as the map that is given as the new one says; the other map has three."""
    for source_classes in (None, 4):
        made = surgery((30,), (30,), PerClass(-1), (OLD, NEW), source_classes)
        (problem,) = made.problems
        assert str(problem) == (
            "map.pbtxt: its largest class number is 3, but the source has 4 classes, as many as the new label map "
            "map.pbtxt: the two label maps seem to be swapped (label_maps=(OLD, NEW): the checkpoint's label map goes "
            "first. If this order is right, give all 4 classes a name in map.pbtxt)"
        )
        assert made.heads == {}


def test_contradictions_name_label_map_and_rule() -> None:
    made = surgery((24,), (31,), PerClass(-1), (OLD, NEW), source_classes=2)
    assert [str(problem) for problem in made.problems] == [
        (
            "map.pbtxt: its largest class number is 3, the source has 2 classes "
            "(give the label map that the model was made for, or the argument num_classes; "
            "the checkpoint's own label map goes first)"
        ),
        (
            "t.yaml:3: old/head: the length of its class axis goes from 24 to 31, which does not fit a change from 2 "
            "to 4 classes (check the label maps and the argument num_classes; the checkpoint's own label map goes "
            "first)"
        ),
    ]
    assert made.heads == {}


@pytest.mark.parametrize(
    ("old", "new"),
    [(25, 30), (24, 31), (24, 35), (20, 30), (34, 30), (30, 31)],
    ids=["old rest", "new rest", "other repeats", "fewer", "odd slots", "rest of the new"],
)
def test_lengths_that_fit_no_class_counts(old: int, new: int) -> None:
    """3 classes of 4 slots become 4 of 5: a rest on one side, or another number of repeats, is refused."""
    made = surgery((old,), (new,), PerClass(-1), (OLD, NEW))
    assert [str(problem) for problem in made.problems] == [
        (
            f"t.yaml:3: old/head: the length of its class axis goes from {old} to {new}, which does not fit "
            "a change from 3 to 4 classes (check the label maps and the argument num_classes; "
            "the checkpoint's own label map goes first)"
        )
    ]
    assert made.heads == {}


def test_a_length_that_fits_no_class_count_and_stays_is_no_head_of_classes() -> None:
    made = surgery((7,), (7,), PerClass(-1), (OLD, NEW))
    assert (made.heads, made.problems) == ({}, ())


def test_without_heads_label_maps_have_no_use() -> None:
    made = plan_class_transfer({}, Solved({}, {}), (OLD, NEW), None)
    assert [problem.message for problem in made.problems] == ["no rule of the table maps a head with classes"]


@pytest.mark.parametrize("background", [True, False])
@given(st.data())
def test_there_and_back_is_where_it_began(background: bool, data: st.DataObject) -> None:
    names = data.draw(st.lists(st.text("abc", min_size=1, max_size=3), unique=True, min_size=2, max_size=6))
    there, back = label_map(*names), label_map(*data.draw(st.permutations(names)))
    per_class = PerClass(-1, background, 1)
    length = (2 * (len(names) + background),)
    one = surgery(length, length, per_class, (there, back)).heads.get("head")
    other = surgery(length, length, per_class, (back, there)).heads.get("head")
    assert (one is None) == (other is None) == (there.labels == back.labels)
    if one and other:
        assert [one.slots[slot] for slot in other.slots] == list(range(len(one.slots)))
