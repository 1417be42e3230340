"""The nearest names, for hints in error messages: fast enough for a hundred thousand names."""

from __future__ import annotations

from bisect import bisect_left
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ckptmap.basics.escapes import printable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

_FEW = 200
_WINDOW = 25
_LONGEST = 1000
"""Characters; difflib takes time for the product of two lengths, and no name of a model is near to it."""


class Names:
    """Names to look for the nearest in. Sorted once: looking one up takes time logarithmic in their number."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = list(names)

    @cached_property
    def _forward(self) -> list[str]:
        return sorted(self._names)

    @cached_property
    def _backward(self) -> list[str]:
        return sorted(name[::-1] for name in self._names)

    def nearest(self, word: str, count: int = 1, cutoff: float = 0.6) -> list[str]:
        """Up to ``count`` names that are most like ``word`` by difflib's ratio, the best first.

        Of many names only those are compared that share the longest beginnings or ends with it, and none with more than
        a thousand characters.
        """
        import difflib

        if len(word) > _LONGEST:
            return []
        names = [name for name in self._shortlist(word) if len(name) <= _LONGEST]
        return difflib.get_close_matches(word, names, n=count, cutoff=cutoff)

    def _shortlist(self, word: str) -> list[str]:
        if len(self._names) <= _FEW:
            return self._names
        same_start = _around(self._forward, word)
        same_end = [name[::-1] for name in _around(self._backward, word[::-1])]
        return list(dict.fromkeys(same_start + same_end))


def nearest(word: str, names: Iterable[str], count: int = 1, cutoff: float = 0.6) -> list[str]:
    """Up to ``count`` of ``names`` that are most like ``word``, the best first, as :meth:`Names.nearest` finds them."""
    return Names(names).nearest(word, count, cutoff)


def did_you_mean(word: str, names: Iterable[str] | Names) -> str:
    """A hint such as ``nearest: "weights"``; empty when nothing is alike."""
    found = (names if isinstance(names, Names) else Names(names)).nearest(word)
    return f'nearest: "{found[0]}"' if found else ""


def nearest_file(path: str | Path, suffixes: Collection[str] = ()) -> str:
    """A hint such as ``did you mean mine.yaml?`` for a file that is not there, with the nearest name in its folder.

    With ``suffixes`` only names that end so are looked at. Empty if the file exists, if nothing is alike, or if the
    folder cannot be read.
    """
    place = Path(path)
    try:
        names = [] if place.exists() else [file.name for file in place.parent.iterdir() if file.is_file()]
    except OSError:
        return ""
    found = nearest(place.name, [name for name in names if not suffixes or Path(name).suffix in suffixes])
    return f"did you mean {printable(str(place.with_name(found[0])))}?" if found else ""


def _around(ordered: list[str], word: str) -> list[str]:
    place = bisect_left(ordered, word)
    return ordered[max(0, place - _WINDOW) : place + _WINDOW]
