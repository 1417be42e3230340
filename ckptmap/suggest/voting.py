"""Rules vote: pairs whose names differ in numbers only say how the numbers go together, and what does not follow."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ckptmap.suggest.numbering import numbers, template

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from ckptmap.suggest.layer_values import Layer

_LEAST, _SHARE = 6, 0.7
"""From how many pairs on, and from what share of them, a rule has a say."""
Shift = tuple[int, int]
"""Which of the old numbers a new one is, -1 for none, and what is added."""


@dataclass(frozen=True, slots=True)
class Vote:
    """How the new numbers come from the old ones, and for what share of the group's pairs they do."""

    shifts: tuple[Shift, ...]
    share: float

    def predicted(self, row: Sequence[int]) -> tuple[int, ...]:
        """The new numbers for these old ones."""
        return tuple(add + (row[at] if at >= 0 else 0) for at, add in self.shifts)


def votes(old: Sequence[Layer], new: Sequence[Layer], pairs: Iterable[tuple[int, int]]) -> NDArray[np.float32]:
    """What the rules of all groups say of each pair, [old, new]: the share of the group that agrees, 0 for nothing."""
    found = np.zeros((len(old), len(new)), np.float32)
    groups: dict[tuple[str, str, bool], list[tuple[int, int]]] = defaultdict(list)
    for one, other in pairs:
        groups[template(old[one].scope), template(new[other].scope), old[one].is_norm].append((one, other))
    by_name = {(layer.scope, layer.is_norm): at for at, layer in enumerate(new)}
    members: dict[tuple[str, bool], list[int]] = defaultdict(list)
    for at, layer in enumerate(old):
        members[template(layer.scope), layer.is_norm].append(at)
    for (source, target, norm), group in groups.items():
        vote = elected([(numbers(old[a].scope), numbers(new[b].scope)) for a, b in group])
        if vote is None:
            continue
        for at in members[source, norm]:
            name = _filled(target, vote.predicted(numbers(old[at].scope)))
            place = by_name.get((name, norm))
            if place is not None:
                found[at, place] = max(found[at, place], vote.share)
    return found


def elected(rows: Sequence[tuple[tuple[int, ...], tuple[int, ...]]]) -> Vote | None:
    """The rule that most of these old and new numbers follow; None where too few do, or there are too few."""
    if len(rows) < _LEAST or not rows[0][0] or not rows[0][1]:
        return None
    shifts = tuple(
        _shift([row for row, _ in rows], [values[at] for _, values in rows]) for at in range(len(rows[0][1]))
    )
    vote = Vote(shifts, 0.0)
    share = sum(vote.predicted(row) == values for row, values in rows) / len(rows)
    return Vote(shifts, share) if share >= _SHARE else None


def _shift(rows: Sequence[tuple[int, ...]], values: Sequence[int]) -> Shift:
    """The simplest of what most values follow: always the same, or an old number plus something."""
    counted = [(count, (-1, value)) for value, count in Counter(values).most_common(1)]
    for at in range(len(rows[0])):
        differences = Counter(value - row[at] for row, value in zip(rows, values, strict=True))
        counted += [(count, (at, value)) for value, count in differences.most_common(1)]
    return max(counted, key=lambda item: item[0])[1]


def _filled(text: str, values: Sequence[int]) -> str:
    """A template with its numbers."""
    parts = text.split("#")
    return "".join(part + (str(values[at]) if at < len(values) else "") for at, part in enumerate(parts))
