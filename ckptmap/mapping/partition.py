"""Which patterns may match a name in common: told from the literals at the same places, without trying all pairs.

Two patterns are apart where both say what stands at a place, and say different things. So a list of patterns is cut by
the place that leaves fewest pairs, and each piece again: a table whose patterns all differ in some literal takes time
that is nearly linear in its length.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Generic, NamedTuple, TypeVar

from ckptmap.mapping.overlap import Claim

_Item = TypeVar("_Item")
_FEW = 200
"""So many pairs are compared sooner than told apart."""
_ENOUGH = 0.9
"""A place is worth a cut where it leaves at most this share of the pairs."""
_MOST_COMPONENTS = 16
_LENGTHS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
"""How many characters of a literal beginning or end are looked at."""


class Place(NamedTuple):
    """A place in a name: a whole component (``length`` 0), or so many characters at the start or the end of one.

    ``component`` -1 is the whole name, whose end every pattern knows, and -2 the number of components.
    """

    component: int
    length: int = 0
    end: bool = False


_COUNT = Place(-2)
_ENDS = tuple(Place(-1, length, end) for length in _LENGTHS for end in (True, False))
_COMPONENTS = tuple(Place(component) for component in range(_MOST_COMPONENTS))
_PLACES = (_COUNT, *_COMPONENTS, *_ENDS)


@dataclass(frozen=True, slots=True)
class Entry(Generic[_Item]):
    """Something with what it claims."""

    item: _Item
    claim: Claim

    def at(self, place: Place) -> str | None:
        """What the pattern says of a place; None where it leaves that open."""
        if place is _COUNT:
            return str(len(self.claim.components)) if self.claim.whole else None
        if place.component >= 0:
            known = self.claim.components
            return known[place.component] if place.component < len(known) else None
        literal = self.claim.parts[-1 if place.end else 0]
        if not isinstance(literal, str) or len(literal) < place.length:
            return None
        return literal[-place.length :] if place.end else literal[: place.length]


_Pairs = Iterator[tuple[Entry[_Item], Entry[_Item]]]


def rival_pairs(entries: Sequence[Entry[_Item]]) -> _Pairs[_Item]:
    """The pairs of entries that no place tells apart, each once; few others."""
    if len(entries) * (len(entries) - 1) // 2 <= _FEW:
        yield from combinations(entries, 2)
        return
    place = _best(entries, entries)
    if place is None:
        yield from combinations(entries, 2)
        return
    classes, rest = _cut(entries, place)
    for same in classes.values():
        yield from rival_pairs(same)
        yield from _across(same, rest)
    yield from rival_pairs(rest)


def _across(one: Sequence[Entry[_Item]], other: Sequence[Entry[_Item]]) -> _Pairs[_Item]:
    """The pairs of an entry of each list that no place tells apart."""
    place = _best(one, other) if len(one) * len(other) > _FEW else None
    if place is None:
        yield from product(one, other)
        return
    (classes, rest), (others, other_rest) = _cut(one, place), _cut(other, place)
    for text, same in classes.items():
        yield from _across(same, others.get(text, []))
    yield from _across([entry for same in classes.values() for entry in same], other_rest)
    yield from _across(rest, other)


def _cut(entries: Sequence[Entry[_Item]], place: Place) -> tuple[dict[str, list[Entry[_Item]]], list[Entry[_Item]]]:
    """The entries by what they say of a place, and those that leave it open."""
    classes: dict[str, list[Entry[_Item]]] = {}
    rest = []
    for entry in entries:
        text = entry.at(place)
        if text is None:
            rest.append(entry)
        else:
            classes.setdefault(text, []).append(entry)
    return classes, rest


def _best(one: Sequence[Entry[_Item]], other: Sequence[Entry[_Item]]) -> Place | None:
    """The place that leaves fewest of the pairs of the two lists; None where none leaves notably fewer."""
    left, place = min(((_left(one, other, place), place) for place in _PLACES), key=lambda found: found[0])
    return place if left <= _ENOUGH * len(one) * len(other) else None


def _left(one: Sequence[Entry[_Item]], other: Sequence[Entry[_Item]], place: Place) -> int:
    """How many pairs a place does not tell apart."""
    first = Counter(entry.at(place) for entry in one)
    second = first if one is other else Counter(entry.at(place) for entry in other)
    open_one, open_other = first.pop(None, 0), second.pop(None, 0) if second is not first else 0
    if second is first:
        open_other = open_one
    known = sum(count * second[text] for text, count in first.items())
    return known + open_one * len(other) + (len(one) - open_one) * open_other
