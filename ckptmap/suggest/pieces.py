"""Names cut into texts and numbers, with TensorFlow's numbering of equal names told from other numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

_NUMBER = re.compile(r"(?<![0-9])(0|[1-9][0-9]{0,8})(?![0-9])")
_COUNTED = re.compile(r"(.+)_([1-9][0-9]{0,8})")


@dataclass(frozen=True, slots=True)
class Number:
    """A number in a name; ``auto``: written as nothing for 0, else ``_1``, ``_2`` …"""

    value: int
    auto: bool = False


Pieces = tuple["str | Number", ...]


def counted_stems(names: Iterable[str]) -> frozenset[str]:
    """Scopes (``net/conv``) beside which there is a counted one (``net/conv_1``)."""
    scopes: set[str] = set()
    for name in names:
        parts = name.split("/")
        scopes.update("/".join(parts[:count]) for count in range(1, len(parts) + 1))
    matches = (_COUNTED.fullmatch(scope) for scope in scopes)
    return frozenset(match[1] for match in matches if match and match[1] in scopes)


def cut(name: str, stems: AbstractSet[str]) -> Pieces:
    """The texts and numbers of a name in turn; ``stems`` are those of ``counted_stems``."""
    pieces: list[str | Number] = []
    path = ""
    for at, component in enumerate(name.split("/")):
        before = f"{path}/" if at else ""
        path = before + component
        match = _COUNTED.fullmatch(component)
        if at:
            pieces.append("/")
        if match and before + match[1] in stems:
            pieces += [*_plain(match[1]), Number(int(match[2]), auto=True)]
        elif path in stems:
            pieces += [*_plain(component), Number(0, auto=True)]
        else:
            pieces += _plain(component)
    return _merged(pieces)


def _plain(text: str) -> list[str | Number]:
    return [Number(int(part)) if at % 2 else part for at, part in enumerate(_NUMBER.split(text)) if part]


def _merged(pieces: list[str | Number]) -> Pieces:
    found: list[str | Number] = []
    for piece in pieces:
        if isinstance(piece, str) and found and isinstance(found[-1], str):
            found[-1] += piece
        else:
            found.append(piece)
    return tuple(found)


def shape_of(pieces: Pieces) -> str:
    """The texts with ``#`` for a number and ``~`` for a count."""
    return "".join(piece if isinstance(piece, str) else "~" if piece.auto else "#" for piece in pieces)


def values_of(pieces: Pieces) -> tuple[int, ...]:
    """The numbers, in order."""
    return tuple(piece.value for piece in pieces if isinstance(piece, Number))


def written(piece: str | Number) -> str:
    """A piece as it stands in the name."""
    if isinstance(piece, str):
        return piece
    if piece.auto:
        return f"_{piece.value}" if piece.value else ""
    return str(piece.value)
