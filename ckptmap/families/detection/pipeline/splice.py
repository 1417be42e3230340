"""Edits of a parsed text, as replacements of its own characters: everything else of the file stays as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ckptmap.families.detection.pipeline.textproto import BYTE_ORDER_MARK

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ckptmap.families.detection.pipeline.syntax import Document, Field, Message, Scalar

INDENT = "  "
_SPACES = " \t"
_BLANKS = " \t\r\f\v"


@dataclass(frozen=True, slots=True)
class Splice:
    """Replace the characters from ``start`` to ``end`` of the original text with ``new``."""

    start: int
    end: int
    new: str


def apply(document: Document, splices: Iterable[Splice]) -> str:
    """The text after all splices. Splices at one place are made in the order given; one inside another is dropped."""
    pieces: list[str] = []
    done = 0
    for splice in sorted(splices, key=lambda s: (s.start, s.end > s.start, -s.end)):
        if splice.start < done:
            continue
        pieces += [document.text[done : splice.start], splice.new]
        done = splice.end
    return "".join([*pieces, document.text[done:]])


def set_value(scalar: Scalar, text: str) -> Splice:
    """Write another value in the place of a scalar."""
    return Splice(scalar.start, scalar.end, text)


def rename(field: Field, name: str) -> Splice:
    """Give a field another name."""
    return Splice(field.start, field.name_end, name)


def remove(document: Document, field: Field) -> Splice:
    """Take a field out: with its line where nothing but white space shares it; comments beside it stay."""
    text = document.text
    first, last = _before(text, field.start, _BLANKS), _behind(text, field.end, _BLANKS)
    opens, closes = not first or text[first - 1] == "\n", last == len(text) or text[last] == "\n"
    if opens and closes:
        return Splice(first, min(last + 1, len(text)), "")
    if closes:
        return Splice(_before(text, field.start, _SPACES), field.end, "")
    return Splice(field.start, _behind(text, field.end, _SPACES), "")


def _before(text: str, place: int, blanks: str) -> int:
    """Where the ``blanks`` begin that end at ``place``. The line is not looked for: it can be the whole file."""
    while place > 0 and text[place - 1] in blanks:
        place -= 1
    return place


def _behind(text: str, place: int, blanks: str) -> int:
    """Where the ``blanks`` end that begin at ``place``."""
    while place < len(text) and text[place] in blanks:
        place += 1
    return place


def insert(document: Document, message: Message, text: str, after: Field | None = None) -> Splice:
    """Write a new field into a message: after a field of it, else at its end, indented as its neighbors are."""
    neighbor = after or (message.fields[-1] if message.fields else None)
    if neighbor is None:
        return _first_field(document, message, text)
    source = document.text
    line_end = _line_end(source, neighbor.end)
    rest = source[neighbor.end : line_end]
    if rest.strip() and not rest.lstrip().startswith("#"):
        return Splice(neighbor.end, neighbor.end, f" {text}")
    return Splice(line_end, line_end, document.newline + _indent(source, neighbor.start) + text)


def _first_field(document: Document, message: Message, text: str) -> Splice:
    at = message.start + 1
    if message.root:
        at = len(BYTE_ORDER_MARK) if document.text.startswith(BYTE_ORDER_MARK) else 0
        return Splice(at, at, text + document.newline)
    outer = _indent(document.text, message.start)
    rest = document.text[at : message.end - 1]
    if rest.strip():  # comments alone
        return Splice(at, at, document.newline + outer + INDENT + text)
    return Splice(at, message.end - 1, document.newline + outer + INDENT + text + document.newline + outer)


def _line_end(text: str, start: int) -> int:
    """Where the line of ``start`` ends, before its line break."""
    end = text.find("\n", start)
    end = len(text) if end < 0 else end
    return end - 1 if end > start and text[end - 1] == "\r" else end


def _indent(text: str, start: int) -> str:
    line_start = text.rfind("\n", 0, start) + 1
    line = text[line_start:start]
    return line[: len(line) - len(line.lstrip(" \t"))]
