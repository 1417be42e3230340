"""Typed access to the fields of a parsed config, with the defaults of the proto.

Reading follows ``text_format.Merge``, with which the Object Detection API reads its files: of several values of a
singular scalar the last one counts, several blocks of a singular message are merged, and of a oneof the member
that comes last wins.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ckptmap.basics.errors import ConfigError
from ckptmap.families.detection.pipeline.schema import FieldType, MessageType, Schema, load_schema
from ckptmap.families.detection.pipeline.syntax import Document, Field, Message, Scalar
from ckptmap.families.detection.pipeline.values import Value, ValueTypeError, default_of, parse_scalar

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class View:
    """One message of a config: all blocks that the file has for it; none where the file does not mention it."""

    document: Document
    type: MessageType
    blocks: tuple[Message, ...]
    path: str = ""

    @property
    def present(self) -> bool:
        """Whether the file has a block for this message."""
        return bool(self.blocks)

    def fields(self, name: str) -> tuple[Field, ...]:
        """The fields with this name, in the order of the file; empty where another member of its oneof won."""
        declared = self._declared(name)
        if declared.oneof and self.which(declared.oneof) != name:
            return ()
        return tuple(field for block in self.blocks for field in block.named(name))

    def has(self, name: str) -> bool:
        """Whether the file sets the field (protobuf's ``HasField``)."""
        return bool(self.fields(name))

    def field(self, name: str) -> Field | None:
        """The field that counts: the last one with this name."""
        found = self.fields(name)
        return found[-1] if found else None

    def which(self, oneof: str) -> str:
        """The name of the member of a oneof that is set, or an empty string."""
        members = {name for name, field in self.type.fields.items() if field.oneof == oneof}
        found = [field.name for block in self.blocks for field in block.fields if field.name in members]
        return found[-1] if found else ""

    def value(self, name: str) -> Value:
        """The scalar value of a field, or its default. Raises ConfigError where the type does not allow it."""
        values = self.values(name)
        return values[-1] if values else default_of(self._declared(name), load_schema())

    def values(self, name: str) -> tuple[Value, ...]:
        """All scalar values of a repeated field."""
        declared = self._declared(name)
        return tuple(self._parsed(item, declared) for field in self.fields(name) for item in field.values)

    def flag(self, name: str) -> bool:
        """A boolean field."""
        return bool(self.value(name))

    def integer(self, name: str) -> int:
        """A whole-number field."""
        return int(self.value(name))

    def number(self, name: str) -> float:
        """A numeric field. Raises ConfigError where it is infinite or no number, with which no model can be built."""
        value = float(self.value(name))
        if not math.isfinite(value):
            raise ConfigError(f"{name} is {value}, which no model can be built with", where=self.where(name))
        return value

    def text(self, name: str) -> str:
        """A string or enum field."""
        return str(self.value(name))

    def child(self, name: str) -> View:
        """A message field: empty, with all defaults, where the file has none."""
        declared = self._declared(name)
        return View(self.document, self._message_type(declared), tuple(self._blocks(name)), self._under(name))

    def children(self, name: str) -> tuple[View, ...]:
        """Each block of a repeated message field."""
        declared = self._declared(name)
        kind, path = self._message_type(declared), self._under(name)
        return tuple(View(self.document, kind, (block,), path) for block in self._blocks(name))

    def at(self, path: str) -> View:
        """The message at a dotted path below this one."""
        view = self
        for name in path.split("."):
            view = view.child(name)
        return view

    def line(self, name: str = "") -> int:
        """The line of a field, or of this message; 0 where the file has none."""
        if name:
            field = self.field(name)
            return field.line if field else 0
        return self.document.line(self.blocks[-1].start) if self.blocks else 0

    def where(self, name: str = "") -> str:
        """``file:line`` of a field or of this message; the file alone where the file has none."""
        line = self.line(name)
        file = self.document.path or "<text>"
        return f"{file}:{line}" if line else file

    def _under(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def _declared(self, name: str) -> FieldType:
        return self.type.fields[name]

    def _message_type(self, field: FieldType) -> MessageType:
        return load_schema().messages[field.type]

    def _blocks(self, name: str) -> Iterator[Message]:
        for field in self.fields(name):
            for value in field.values:
                if isinstance(value, Message):
                    yield value

    def _parsed(self, item: Scalar | Message, declared: FieldType) -> Value:
        if isinstance(item, Message):
            where = self.document.where(item.start)
            raise ConfigError(f"{declared.name} is a {declared.type}, not a message", where=where)
        try:
            return parse_scalar(item, declared, load_schema())
        except ValueTypeError as problem:
            raise ConfigError(str(problem), where=self.document.where(item.start)) from None


def root_view(document: Document, schema: Schema | None = None) -> View:
    """The whole config, a ``TrainEvalPipelineConfig``."""
    schema = schema or load_schema()
    return View(document, schema.messages[schema.root], (document.root,))
