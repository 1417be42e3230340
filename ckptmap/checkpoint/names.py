"""Names in messages: escaped, shortened, and the nearest ones to a name that is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ckptmap.basics.escapes import printable
from ckptmap.basics.nearest import Names

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST_SHOWN = 1000


def shortened(name: str) -> str:
    """``name`` on one line: control characters, and bytes that are not text, as escapes; long names shortened."""
    text = printable(name)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def nearest(name: str, choices: Iterable[str], count: int = 3) -> str:
    """A hint with the choices most like ``name``: ``did you mean a, b?``; empty when nothing is near."""
    found = Names(choices).nearest(name, count, cutoff=0.5)
    return f"did you mean {', '.join(shortened(each) for each in found)}?" if found else ""
