"""Which class slices of the source's heads go where, when two label maps say what the classes are.

No I/O: lengths and label maps decide. A head may have its slices for each class (``per_class`` of its rule) or, in some
configurations, one for all classes (class-agnostic masks, boxes shared by the classes): that stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ckptmap.basics.errors import Problem
from ckptmap.basics.text import plural
from ckptmap.basics.wording import argument
from ckptmap.mapping.ops import Slice
from ckptmap.mapping.ops_classes import FRESH, Classes
from ckptmap.mapping.table import PerClass
from ckptmap.planning.candidates import Offer
from ckptmap.planning.choices import LabelMaps, PlanOptions
from ckptmap.planning.draft import ClassTransfer, Solved
from ckptmap.planning.label_maps import ClassChanges, LabelMap, compare_label_maps

_ORDER = "the checkpoint's own label map goes first"


@dataclass(frozen=True, slots=True)
class _Head:
    """A variable with a class axis, and how long that is in the source and in the target."""

    key: str
    label: str
    rule: str
    per_class: PerClass
    old: int
    new: int

    def repeats(self, old_classes: int, new_classes: int) -> int:
        """How often the run of classes repeats, the same on both sides; 0 where these counts do not fit."""
        old, old_rest = divmod(self.old, self.unit(old_classes))
        new, new_rest = divmod(self.new, self.unit(new_classes))
        return old if old == new and not old_rest and not new_rest else 0

    def unit(self, classes: int) -> int:
        """The length of one run of ``classes``."""
        return self.per_class.run(classes)

    def old_classes(self, new_classes: int) -> int:
        """The source's class count if the target has ``new_classes``; 0 where the lengths do not fit."""
        repeats, rest = divmod(self.new, self.unit(new_classes))
        slots, odd = divmod(self.old, repeats * self.per_class.block or 1)
        return 0 if rest or odd else slots - self.per_class.background


def plan_class_transfer(
    offers: Mapping[str, Offer], solved: Solved, labels: LabelMaps | None, num_classes: int | None
) -> ClassTransfer:
    """How the heads among ``offers`` change from the old label map to the new one.

    ``num_classes`` is the target's class count where its shapes do not tell it. Label maps and heads that contradict
    each other are problems.
    """
    if labels is None or solved.problems:
        return ClassTransfer()
    heads = tuple(_heads(offers, solved))
    old, new = labels
    if not heads:
        return ClassTransfer(problems=(Problem("no rule of the table maps a head with classes", new.path),))
    new_count = solved.values.get("num_classes") or num_classes or new.num_classes
    old_count = solved.source_classes or _old_count(heads, new_count, old)
    problems = (*_swapped(labels, old_count), *_contradictions(heads, old, new, old_count, new_count))
    if problems:
        return ClassTransfer(problems=problems)
    changes = compare_label_maps(old, new)
    slots = _class_slots(changes, labels, old_count, new_count)
    moved = {head.key: _moved(head, old_count, slots) for head in heads if head.repeats(old_count, new_count)}
    return ClassTransfer(changes, {key: op for key, op in moved.items() if op.slots != tuple(range(op.old))})


def without_background(made: Offer, wanted: Sequence[int], options: PlanOptions) -> Offer:
    """The offer of a class head without its background, where the target, of shape ``wanted``, is to have none.

    That is so where the rule says that it may lack it (``background: optional``), and the target is shorter by just
    that; or label maps, which do not name it, say where the classes go.
    """
    per_class = made.assignment.per_class
    if per_class is None or not per_class.sheds or len(wanted) != len(made.shape):
        return made
    axis, block = per_class.axis % len(wanted), per_class.block
    if made.shape[axis] - block != wanted[axis] and options.labels is None:
        return made
    ops = (*made.assignment.ops, Slice(axis, block, None))
    shape = (*made.shape[:axis], made.shape[axis] - block, *made.shape[axis + 1 :])
    bare = made.assignment._replace(ops=ops, per_class=replace(per_class, background=False, sheds=False))
    return made._replace(assignment=bare, shape=shape, note="class 0, the background, is left out: exact")


def _heads(offers: Mapping[str, Offer], solved: Solved) -> Iterator[_Head]:
    for key, made in offers.items():
        per_class, shape = made.assignment.per_class, solved.variables[key].shape
        if per_class is not None and len(shape) == len(made.shape) > 0:
            old, new = made.shape[per_class.axis], shape[per_class.axis]
            yield _Head(key, made.label, str(made.assignment.rule), per_class, old, new)


def _old_count(heads: Iterable[_Head], new_count: int, old: LabelMap) -> int:
    """The source's class count as the first head tells it whose lengths fit both label maps; else the label map's."""
    counts = (head.old_classes(new_count) for head in heads)
    return next((count for count in counts if count >= old.num_classes), old.num_classes)


def _swapped(labels: LabelMaps, old_count: int) -> Iterator[Problem]:
    """The old label map has too few classes for the source, and the new one has just as many as the source."""
    old, new = labels
    if old.num_classes < old_count == new.num_classes:
        count = plural(old_count, "class", "classes")
        yield Problem(
            f"its largest class number is {old.num_classes}, but the source has {count}, "
            f"as many as the new label map {new.path}: the two label maps seem to be swapped",
            old.path,
            f"{argument('label_maps')}: the checkpoint's label map goes first. If this order is right, "
            f"give all {old_count} classes a name in {old.path}",
        )


def _contradictions(
    heads: Iterable[_Head], old: LabelMap, new: LabelMap, old_count: int, new_count: int
) -> Iterator[Problem]:
    for labels, count, side in ((old, old_count, "source"), (new, new_count, "target")):
        if labels.num_classes > count:
            message = (
                f"its largest class number is {labels.num_classes}, the {side} has {plural(count, 'class', 'classes')}"
            )
            hint = f"give the label map that the model was made for, or {argument('num_classes')}"
            yield Problem(message, labels.path, f"{hint}; {_ORDER}")
    for head in heads:
        if head.old != head.new and not head.repeats(old_count, new_count):
            yield Problem(
                f"{head.label}: the length of its class axis goes from {head.old} to {head.new}, which does not fit "
                f"a change from {old_count} to {plural(new_count, 'class', 'classes')}",
                head.rule,
                f"check the label maps and {argument('num_classes')}; {_ORDER}",
            )


def _class_slots(changes: ClassChanges, labels: LabelMaps, old_count: int, new_count: int) -> tuple[int, ...]:
    """For each class of the target, counted from 0, the source's, or FRESH.

    A number that neither label map names keeps its values: it was never anybody's class.
    """
    old_named, new_named = ({label.id for label in side.labels} for side in labels)
    slots = {number: number for number in range(1, old_count + 1) if number not in old_named | new_named}
    slots.update((new.id, old.id) for old, new in changes.pairs)
    return tuple(slots[number] - 1 if number in slots else FRESH for number in range(1, new_count + 1))


def _moved(head: _Head, old_count: int, slots: tuple[int, ...]) -> Classes:
    per_class = head.per_class
    if per_class.background:
        slots = (0, *(slot if slot == FRESH else slot + 1 for slot in slots))
    return Classes(per_class.axis, per_class.block, old_count + per_class.background, slots)
