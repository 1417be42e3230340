"""Rules that list old layers, whatever their names, in the order in which the new names count them."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from ckptmap.suggest.drafted import MAX_CHOICES, Candidate, Drafted, Entry
from ckptmap.suggest.pieces import Number, shape_of, values_of, written

if TYPE_CHECKING:
    from collections.abc import Sequence

_ORDERED = 4
"""How many layers a list of them must have to be better than a rule for each."""


def order_rules(entries: Sequence[Entry]) -> list[Candidate]:
    """Rules that list old layers for the one number that their new names have."""
    groups: dict[tuple[str, int, tuple[int, ...]], list[Entry]] = defaultdict(list)
    for entry in entries:
        values = values_of(entry.new)
        for at in range(len(values)):
            groups[shape_of(entry.new), at, (*values[:at], *values[at + 1 :])].append(entry)
    found = []
    for (_, at, _), group in groups.items():
        if len(group) >= _ORDERED and len(group) <= MAX_CHOICES:
            rule = _ordered(at, group)
            if rule is not None:
                found.append(Candidate(rule, 3))
    return found


def _ordered(at: int, group: Sequence[Entry]) -> Drafted | None:
    """A list of what the old names have besides their common beginning and end, with the new number of each."""
    names = [entry.named.old.split("/") for entry in group]
    shortest = min(map(len, names)) - 1
    front = next((i for i in range(shortest) if len({name[i] for name in names}) > 1), shortest)
    back = next((i for i in range(shortest - front) if len({name[-1 - i] for name in names}) > 1), shortest - front)
    numbers = [values_of(entry.new)[at] for entry in group]
    if len(set(numbers)) < len(numbers):
        return None
    middle = {"/".join(name[front : len(name) - back]): str(n) for name, n in zip(names, numbers, strict=True)}
    old = "/".join([*names[0][:front], "{layer}", *(names[0][len(names[0]) - back :] if back else [])])
    ordered = dict(sorted(middle.items(), key=lambda item: int(item[1])))
    new, place = "", 0
    for piece in group[0].new:
        if isinstance(piece, Number) and place == at:
            new += "{layer:auto}" if piece.auto else "{layer}"
        else:
            new += written(piece)
        place += isinstance(piece, Number)
    return Drafted(old, new, {"layer": ordered}, tuple(entry.named.number for entry in group))
