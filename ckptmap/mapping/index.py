"""Find the patterns that match a name without trying them all."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Generic, TypeVar

from ckptmap.mapping.patterns import components

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ckptmap.mapping.patterns import Bindings, Pattern

_Item = TypeVar("_Item")
_Place = tuple[int, str]
"""A component of a name: which one, and its text."""


class PatternIndex(Generic[_Item]):
    """Patterns by their most selective literal component; those without one by their literal beginning or end.

    A name is tried only against the patterns that share that component, beginning or end with it.
    """

    def __init__(self, entries: Iterable[tuple[Pattern, _Item]]) -> None:
        entries = list(entries)
        places = [_places(pattern) for pattern, _ in entries]
        counts = Counter(place for found in places for place in found)
        self._by_place: dict[_Place, list[tuple[Pattern, _Item]]] = {}
        self._by_prefix: dict[str, list[tuple[Pattern, _Item]]] = {}
        self._by_suffix: dict[str, list[tuple[Pattern, _Item]]] = {}
        prefixes = Counter(pattern.prefix for pattern, _ in entries)
        suffixes = Counter(pattern.suffix for pattern, _ in entries)
        for entry, found in zip(entries, places, strict=True):
            prefix, suffix = entry[0].prefix, entry[0].suffix
            if found:
                rarest = min(found, key=lambda place: (counts[place], place))
                self._by_place.setdefault(rarest, []).append(entry)
            elif prefixes[prefix] <= suffixes[suffix]:
                self._by_prefix.setdefault(prefix, []).append(entry)
            else:
                self._by_suffix.setdefault(suffix, []).append(entry)
        self._positions = sorted({position for position, _ in self._by_place})
        self._starts = sorted({len(prefix) for prefix in self._by_prefix})
        self._ends = sorted({len(suffix) for suffix in self._by_suffix})

    def find(self, name: str) -> list[tuple[_Item, Bindings]]:
        """Each item whose pattern is this whole name, with the bindings."""
        pieces = name.split("/")
        candidates: list[tuple[Pattern, _Item]] = []
        for position in self._positions:
            if position < len(pieces):
                candidates += self._by_place.get((position, pieces[position]), ())
        for length in self._starts:
            if length <= len(name):  # a longer slice is the whole name again, and finds what it has found
                candidates += self._by_prefix.get(name[:length], ())
        for length in self._ends:
            if length <= len(name):
                candidates += self._by_suffix.get(name[len(name) - length :], ())
        return [(item, found) for pattern, item in candidates if (found := pattern.match(name)) is not None]


def _places(pattern: Pattern) -> list[_Place]:
    found, _ = components(pattern.parts)
    return [(position, text) for position, text in enumerate(found) if text is not None]
