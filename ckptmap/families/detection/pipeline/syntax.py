"""The pieces of a protobuf text: fields, scalars and messages, each knowing where it stands in the text.

The tree holds no text of its own besides names and scalars: white space, comments, quotes and separators stay in
``Document.text``, so that a file is printed as it was read and an edit touches only its own characters.
"""

from __future__ import annotations

import enum
import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class ScalarKind(enum.Enum):
    """How a scalar is written."""

    STRING = "string"
    NUMBER = "number"
    WORD = "word"
    """An identifier: an enum value, ``true``, ``inf`` …"""


@dataclass(frozen=True, slots=True)
class Scalar:
    """One scalar as written: ``text`` is the source between ``start`` and ``end`` (character offsets)."""

    kind: ScalarKind
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Message:
    """A block of fields: ``start`` and ``end`` enclose its braces (the whole text for the root)."""

    fields: tuple[Field, ...]
    start: int
    end: int
    root: bool = False

    def named(self, name: str) -> tuple[Field, ...]:
        """All fields with this name, in the order of the file."""
        return tuple(field for field in self.fields if field.name == name)


@dataclass(frozen=True, slots=True)
class Field:
    """``name: value``, ``name { … }`` or ``name: [ … ]``.

    ``start`` to ``end`` covers name, values and the separator (``,`` or ``;``) where there is one.
    An extension keeps its brackets in the name: ``[pkg.Ext.field]``.
    """

    name: str
    values: tuple[Scalar | Message, ...]
    start: int
    name_end: int
    end: int
    line: int
    listed: bool = False
    """True for ``name: [a, b]``."""

    @property
    def message(self) -> Message | None:
        """The block of ``name { … }``, or None where the value is a scalar or a list."""
        value = self.values[0] if len(self.values) == 1 and not self.listed else None
        return value if isinstance(value, Message) else None


@dataclass(frozen=True)
class Document:
    """A parsed protobuf text; ``text`` is exactly what was read."""

    text: str
    root: Message
    path: str = ""

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer("\n", self.text))]

    def line(self, offset: int) -> int:
        """The number of the line, counted from 1, on which the character at ``offset`` stands."""
        return bisect_right(self._line_starts, offset)

    def where(self, offset: int) -> str:
        """``file:line`` of an offset, as errors print it."""
        return f"{self.path or '<text>'}:{self.line(offset)}"

    @property
    def newline(self) -> str:
        """The file's own line ending: CRLF where its first line ends so, else LF."""
        end = self.text.find("\n")
        return "\r\n" if end > 0 and self.text[end - 1] == "\r" else "\n"


def walk(message: Message) -> Iterator[Field]:
    """Every field of a message and of the messages in it, in the order of the file."""
    for field in message.fields:
        yield field
        for value in field.values:
            if isinstance(value, Message):
                yield from walk(value)
