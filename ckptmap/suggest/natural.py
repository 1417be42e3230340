"""Names in the order of their numbers: ``block_2`` before ``block_10``, ``conv2d`` before ``conv2d_1``."""

from __future__ import annotations

import re

_PIECE = re.compile(r"(\d+)")
Key = tuple[tuple[tuple[int, str], ...], ...]


def natural(name: str) -> Key:
    """A key to sort names by: component for component, numbers by their value."""
    return tuple(_component(component) for component in name.split("/"))


def _component(text: str) -> tuple[tuple[int, str], ...]:
    pieces = _PIECE.split(text)
    return tuple(
        (int(piece), "") if at % 2 else (-1, piece.rstrip("_-"))
        for at, piece in enumerate(pieces)
        if piece.rstrip("_-") or at % 2
    )
