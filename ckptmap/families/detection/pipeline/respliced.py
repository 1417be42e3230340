"""The tree of a text after edits, without reading the whole text again.

Only the fields that an edit touches are parsed; what stands before them is kept, what stands behind them is moved.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ckptmap.families.detection.pipeline import splice, textproto
from ckptmap.families.detection.pipeline.syntax import Document, Field, Message, Scalar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ckptmap.families.detection.pipeline.splice import Splice


def respliced(document: Document, splices: Sequence[Splice]) -> Document:
    """What :func:`ckptmap.families.detection.pipeline.textproto.parse` gives for the text after ``splices``.

    Raises ConfigError where the text is none of the format any more.
    """
    text = splice.apply(document, splices)
    start = min((one.start for one in splices), default=0)
    end = max((one.end for one in splices), default=0)
    if not splices:
        return document
    lines = text.count("\n") - document.text.count("\n")
    edit = _Edit(text, document.path, start, end, len(text) - len(document.text), lines)
    return Document(text, edit.message(document.root), document.path)


@dataclass(frozen=True, slots=True)
class _Edit:
    """The new text; the old characters from ``start`` to ``end`` are other ones now, ``by`` more in ``lines`` more."""

    text: str
    path: str
    start: int
    end: int
    by: int
    lines: int

    def message(self, message: Message) -> Message:
        """A message that holds the whole edit."""
        before = [field for field in message.fields if field.end <= self.start]
        behind = [field for field in message.fields[len(before) :] if field.start >= self.end]
        inside = message.fields[len(before) : len(message.fields) - len(behind)]
        if len(inside) == 1 and (child := inside[0].message) is not None and self._within(child):
            changed = [replace(inside[0], values=(self.message(child),), end=inside[0].end + self.by)]
        else:
            changed = self._read_again(message, before, behind)
        moved = (self._moved(field) for field in behind)
        return replace(message, fields=(*before, *changed, *moved), end=message.end + self.by)

    def _within(self, message: Message) -> bool:
        return message.start < self.start and self.end < message.end

    def _read_again(self, message: Message, before: Sequence[Field], behind: Sequence[Field]) -> list[Field]:
        """The fields between those that stay as they are."""
        inner = 0 if message.root else 1
        start = before[-1].end if before else message.start + inner
        end = behind[0].start if behind else message.end - inner
        return list(textproto.parse_part(self.text, start, end + self.by, self.path))

    def _moved(self, field: Field) -> Field:
        values = tuple(self._moved_value(value) for value in field.values)
        return Field(
            field.name,
            values,
            field.start + self.by,
            field.name_end + self.by,
            field.end + self.by,
            field.line + self.lines,
            field.listed,
        )

    def _moved_value(self, value: Scalar | Message) -> Scalar | Message:
        start, end = value.start + self.by, value.end + self.by
        if isinstance(value, Scalar):
            return Scalar(value.kind, value.text, start, end)
        return Message(tuple(self._moved(field) for field in value.fields), start, end)
