"""The nearest name, for hints in error messages: fast enough for a hundred thousand names."""

from __future__ import annotations

import difflib
import heapq
from collections.abc import Iterable
from os.path import commonprefix

_SHORTLIST = 40


def nearest(word: str, names: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The name most like ``word``, None when nothing is alike.

    Names are first ranked by shared beginning and end (linear), the best few by difflib's ratio.
    """
    reverse = word[::-1]

    def shared(name: str) -> int:
        return len(commonprefix((word, name))) + len(commonprefix((reverse, name[::-1])))

    shortlist = heapq.nlargest(_SHORTLIST, names, key=lambda name: (shared(name), name))
    found = difflib.get_close_matches(word, shortlist, n=1, cutoff=cutoff)
    return found[0] if found else None


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """A hint such as ``nearest: "weights"``; empty when nothing is alike."""
    found = nearest(word, names)
    return f'nearest: "{found}"' if found else ""
