"""Find the patterns that match a name without trying them all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ckptmap.mapping.patterns import Bindings, Pattern

_Item = TypeVar("_Item")


class PatternIndex(Generic[_Item]):
    """Patterns by their literal beginning; a name is tried only against those whose beginning it shares."""

    def __init__(self, entries: Iterable[tuple[Pattern, _Item]]) -> None:
        self._by_prefix: dict[str, list[tuple[Pattern, _Item]]] = {}
        for pattern, item in entries:
            self._by_prefix.setdefault(pattern.prefix, []).append((pattern, item))
        self._lengths = sorted({len(prefix) for prefix in self._by_prefix})

    def find(self, name: str) -> list[tuple[_Item, Bindings]]:
        """Each item whose pattern is this whole name, with the bindings."""
        found = []
        for length in self._lengths:
            if length > len(name):
                break
            for pattern, item in self._by_prefix.get(name[:length], ()):
                if name.endswith(pattern.suffix) and (bindings := pattern.match(name)) is not None:
                    found.append((item, bindings))
        return found
