"""Label map files, read.

A ``label_map.pbtxt`` is a text ``StringIntLabelMap`` (object_detection/protos/string_int_label_map.proto); the rules
are those of object_detection/utils/label_map_util.py: numbers start at 1, 0 is the background's.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator

from ckptmap.basics.errors import ConfigError, Problem, ProblemsError
from ckptmap.families.detection.pipeline import textproto
from ckptmap.families.detection.pipeline.syntax import Document, Field, Message, Scalar, ScalarKind
from ckptmap.families.detection.pipeline.values import unquote
from ckptmap.planning.label_maps import Label, LabelMap

_BACKGROUND = "background"
_NUMBER = re.compile("[0-9]{1,9}")
_EMPTY = "a label map is a list of item { id: 1 name: 'cat' }"


def read_label_map(path: str | os.PathLike[str]) -> LabelMap:
    """Read a ``label_map.pbtxt``.

    Raises:
        ConfigError: the file cannot be read or is no protobuf text.
        ProblemsError: classes without a number or a name, or two with the same; each with its line.
    """
    return _label_map(textproto.read(os.fspath(path)))


def parse_label_map(text: str, path: str = "") -> LabelMap:
    """Read a label map from a text; ``path`` names it in errors. Raises as :func:`read_label_map`."""
    return _label_map(textproto.parse(text, path))


def _label_map(document: Document) -> LabelMap:
    items = [(field, message) for field in document.root.named("item") for message in _messages(field)]
    if not items:
        raise ConfigError("there is no item in this file", where=document.path or "<text>", hint=_EMPTY)
    found = [(_label(document, field, message), document.where(message.start)) for field, message in items]
    problems = [label for label, _ in found if isinstance(label, Problem)]
    labels = [(label, where) for label, where in found if isinstance(label, Label) and label.id]
    problems += _repeated(labels)
    if problems:
        raise ProblemsError(f"{document.path or 'the text'} is not a label map", problems)
    return LabelMap(document.path, tuple(sorted((label for label, _ in labels), key=lambda label: label.id)))


def _messages(field: Field) -> Iterator[Message]:
    return (value for value in field.values if isinstance(value, Message))


def _label(document: Document, field: Field, item: Message) -> Label | Problem:
    where = document.where(item.start if field.listed else field.start)
    number, name, shown = (_last(item, key) for key in ("id", "name", "display_name"))
    if number is None:
        return Problem("an item without an id", where, "give every class its number, from 1: id: 1")
    if number.kind is not ScalarKind.NUMBER or not _NUMBER.fullmatch(number.text):
        return Problem(
            f"{number.text[:40]} is not a class number", document.where(number.start), "a whole number from 1"
        )
    label = Label(int(number.text), _text(name), _text(shown))
    if not label.shown:
        return Problem(f"class {label.id} has no name", where, "add name: 'cat'")
    if label.id == 0 and _BACKGROUND not in (label.name, label.display_name):
        return Problem(f"class {label.shown!r} has the number 0, the background's", where, "count classes from 1")
    return label


def _last(item: Message, name: str) -> Scalar | None:
    values = [value for field in item.named(name) for value in field.values if isinstance(value, Scalar)]
    return values[-1] if values else None


def _text(scalar: Scalar | None) -> str:
    """The text of a string; a name written without quotes is taken as it stands."""
    if scalar is None:
        return ""
    return unquote(scalar.text) if scalar.kind is ScalarKind.STRING else scalar.text


def _repeated(labels: Iterable[tuple[Label, str]]) -> Iterator[Problem]:
    seen: dict[int | str, str] = {}
    for label, where in labels:
        for what, shown in ((label.id, f"number {label.id}"), (label.name, f"name {label.name!r}")):
            if what and what in seen:
                yield Problem(f"a second class has the {shown}", where, f"the first stands at {seen[what]}")
            seen.setdefault(what, where)
