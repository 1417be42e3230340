"""Mistakes that a config makes against the schema: unknown fields, wrong values, duplicates, deprecated fields."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ckptmap.basics.errors import Problem
from ckptmap.basics.nearest import nearest
from ckptmap.families.detection.pipeline.schema import FieldType, MessageType, Schema, load_schema
from ckptmap.families.detection.pipeline.syntax import Document, Field, Message, Scalar
from ckptmap.families.detection.pipeline.values import ValueTypeError, parse_scalar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KNOWN_MISTAKES = {"freeze_vars": "freeze_variables"}
"""Names seen in articles that are no fields, with the field that is meant."""


class Mistake(enum.Enum):
    """The kinds of findings. The API refuses to read a file with one of the first four."""

    UNKNOWN_FIELD = "unknown field"
    EXTENSION = "extension"
    WRONG_VALUE = "wrong value"
    WRONG_SHAPE = "message or scalar"
    DUPLICATE = "duplicate"
    SEVERAL_OF_ONEOF = "several members of a oneof"
    DEPRECATED = "deprecated field"


REFUSED_BY_THE_API = frozenset({Mistake.UNKNOWN_FIELD, Mistake.EXTENSION, Mistake.WRONG_VALUE, Mistake.WRONG_SHAPE})


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake: the field's dotted path, where it stands, what is wrong and how to fix it."""

    mistake: Mistake
    path: str
    field: Field
    problem: Problem


def check(document: Document, schema: Schema | None = None) -> tuple[Finding, ...]:
    """All findings of a config, in the order of the file."""
    schema = schema or load_schema()
    found = _Checker(document, schema, {}).message(document.root, schema.messages[schema.root], "")
    return tuple(sorted(found, key=lambda finding: finding.field.start))


_MOST_HINTS = 500


@dataclass(frozen=True, slots=True)
class _Checker:
    document: Document
    schema: Schema
    hints: dict[tuple[str, str], str]
    """What was found near to a name that a type does not have; of the first names only, since that takes time."""

    def message(self, message: Message, kind: MessageType, path: str) -> Iterator[Finding]:
        yield from self._repeated_singulars(message, kind, path)
        yield from self._oneofs(message, kind, path)
        for field in message.fields:
            under = f"{path}.{field.name}" if path else field.name
            declared = kind.fields.get(field.name)
            if declared is None:
                yield self._unknown(field, kind, under)
            else:
                yield from self._field(field, declared, under)

    def _field(self, field: Field, declared: FieldType, path: str) -> Iterator[Finding]:
        if declared.deprecated:
            yield self._finding(Mistake.DEPRECATED, field, path, f"{field.name} is deprecated")
        if field.listed and not declared.repeated:
            yield self._finding(Mistake.WRONG_SHAPE, field, path, f"{field.name} takes one value, not a list")
        message = self.schema.messages.get(declared.type)
        for value in field.values:
            if message is not None and isinstance(value, Message):
                yield from self.message(value, message, path)
            else:
                yield from self._value(value, field, declared, path)

    def _value(self, value: Scalar | Message, field: Field, declared: FieldType, path: str) -> Iterator[Finding]:
        if isinstance(value, Message):
            text = f"{field.name} is a {declared.type}, write {field.name}: value"
            yield self._finding(Mistake.WRONG_SHAPE, field, path, text)
            return
        if declared.type in self.schema.messages:
            text = f"{field.name} is a message, write {field.name} {{ … }}"
            yield self._finding(Mistake.WRONG_SHAPE, field, path, text)
            return
        try:
            parse_scalar(value, declared, self.schema)
        except ValueTypeError as problem:
            names = self.schema.enums.get(declared.type, {})
            hint = self._hint((declared.type, value.text), lambda: _did_you_mean(value.text, names))
            yield self._finding(Mistake.WRONG_VALUE, field, path, str(problem), hint)

    def _unknown(self, field: Field, kind: MessageType, path: str) -> Finding:
        if field.name.startswith("["):
            text = f"the extension {field.name} is not part of the Object Detection API"
            return self._finding(Mistake.EXTENSION, field, path, text, "the API refuses to read the file")
        hint = self._hint(
            (kind.name, field.name), lambda: _did_you_mean(field.name, kind.fields) or self._elsewhere(field.name)
        )
        return self._finding(Mistake.UNKNOWN_FIELD, field, path, f"{kind.name} has no field {field.name}", hint)

    def _hint(self, name: tuple[str, str], find: Callable[[], str]) -> str:
        if name not in self.hints and len(self.hints) < _MOST_HINTS:
            self.hints[name] = find()
        return self.hints.get(name, "")

    def _elsewhere(self, name: str) -> str:
        homes = sorted(kind.name for kind in self.schema.messages.values() if name in kind.fields)
        return f"it belongs in {', '.join(homes[:3])}" if homes else ""

    def _repeated_singulars(self, message: Message, kind: MessageType, path: str) -> Iterator[Finding]:
        seen: dict[str, Field] = {}
        for field in message.fields:
            declared = kind.fields.get(field.name)
            if declared is None or declared.repeated:
                continue
            if field.name in seen:
                under = f"{path}.{field.name}" if path else field.name
                merged = declared.type in self.schema.messages
                rule = "both are merged" if merged else "the last one counts"
                text = f"{field.name} stands here again, first on line {seen[field.name].line}: {rule}"
                yield self._finding(Mistake.DUPLICATE, field, under, text)
            seen.setdefault(field.name, field)

    def _oneofs(self, message: Message, kind: MessageType, path: str) -> Iterator[Finding]:
        first: dict[str, Field] = {}
        for field in message.fields:
            declared = kind.fields.get(field.name)
            if declared is None or not declared.oneof:
                continue
            other = first.setdefault(declared.oneof, field)
            if other.name != field.name:
                under = f"{path}.{field.name}" if path else field.name
                text = f"{field.name} replaces {other.name} of line {other.line}: only one of them can be set"
                yield self._finding(Mistake.SEVERAL_OF_ONEOF, field, under, text)

    def _finding(self, mistake: Mistake, field: Field, path: str, text: str, hint: str = "") -> Finding:
        return Finding(mistake, path, field, Problem(text, self.document.where(field.start), hint))


def _did_you_mean(name: str, known: dict[str, FieldType] | dict[str, int]) -> str:
    meant = KNOWN_MISTAKES.get(name)
    if meant in known:
        return f"did you mean {meant}"
    close = nearest(name, known, 2, cutoff=0.7) or nearest(name.upper(), known, 2, cutoff=0.7)
    return f"did you mean {' or '.join(close)}" if close else ""
