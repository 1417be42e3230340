"""The nearest name, for hints in error messages: fast enough for a hundred thousand names."""

from __future__ import annotations

import difflib
import heapq
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_SHORTLIST = 40


def nearest(word: str, names: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The name most like ``word``, None when nothing is alike.

    Names are first ranked by shared beginning and end (linear), the best few by difflib's ratio.
    """
    reverse = word[::-1]
    shortlist = heapq.nlargest(
        _SHORTLIST, names, key=lambda name: (_shared(word, name) + _shared(reverse, name[::-1]), name)
    )
    found = difflib.get_close_matches(word, shortlist, n=1, cutoff=cutoff)
    return found[0] if found else None


def _shared(one: str, other: str) -> int:
    """How many characters two texts have in common at their beginning."""
    length = min(len(one), len(other))
    return next((i for i in range(length) if one[i] != other[i]), length)


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """A hint such as ``nearest: "weights"``; empty when nothing is alike."""
    found = nearest(word, names)
    return f'nearest: "{found}"' if found else ""
