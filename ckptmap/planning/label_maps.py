"""Label maps: which class each number of a detector means, and what two of them have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Label:
    """One class: its number, counted from 1, and its names; ``display_name`` is empty where the file has none."""

    id: int
    name: str
    display_name: str = ""

    @property
    def shown(self) -> str:
        """The name for people."""
        return self.display_name or self.name


@dataclass(frozen=True, slots=True)
class LabelMap:
    """The classes of a detector, by ascending number; numbers may be left out, as COCO's do."""

    path: str
    labels: tuple[Label, ...]

    @property
    def num_classes(self) -> int:
        """How many classes a model needs for it: the largest number, as ``num_classes`` of a pipeline.config."""
        return max((label.id for label in self.labels), default=0)


@dataclass(frozen=True, slots=True)
class ClassChanges:
    """From an old label map to a new one: ``pairs`` are the classes of both, old and new; the rest is one side's."""

    pairs: tuple[tuple[Label, Label], ...]
    new: tuple[Label, ...]
    dropped: tuple[Label, ...]


def compare_label_maps(old: LabelMap, new: LabelMap) -> ClassChanges:
    """What the label maps share: classes of the same name, else of the same display name where only one has it."""
    pairs = _by(old.labels, new.labels, _names)
    taken = {id(label) for pair in pairs for label in pair}
    rest_old, rest_new = ([x for x in labels if id(x) not in taken] for labels in (old.labels, new.labels))
    pairs += _by(rest_old, rest_new, _shown)
    taken = {id(label) for pair in pairs for label in pair}
    return ClassChanges(
        tuple(sorted(pairs, key=lambda pair: pair[1].id)),
        tuple(label for label in new.labels if id(label) not in taken),
        tuple(label for label in old.labels if id(label) not in taken),
    )


def _by(
    old: Iterable[Label], new: Iterable[Label], key: Callable[[Iterable[Label]], dict[str, Label]]
) -> list[tuple[Label, Label]]:
    before, after = key(old), key(new)
    return [(before[name], label) for name, label in after.items() if name in before]


def _names(labels: Iterable[Label]) -> dict[str, Label]:
    return {label.name: label for label in labels if label.name}


def _shown(labels: Iterable[Label]) -> dict[str, Label]:
    """Labels by the name for people, those left out that share it with another."""
    labels = list(labels)
    counts = Counter(label.shown for label in labels)
    return {label.shown: label for label in labels if counts[label.shown] == 1}
