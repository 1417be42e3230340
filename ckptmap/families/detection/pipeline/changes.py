"""Edits of a config by dotted path: what shall change and why, then the text after it and a record for the report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ckptmap.families.detection.pipeline import splice
from ckptmap.families.detection.pipeline.respliced import respliced
from ckptmap.families.detection.pipeline.splice import Splice
from ckptmap.families.detection.pipeline.syntax import Document, Field, Message, Scalar
from ckptmap.families.detection.pipeline.values import quote
from ckptmap.families.detection.pipeline.view import View, root_view

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Change:
    """One wish: the field at ``path`` becomes ``new``, or goes away where ``new`` is None.

    ``path`` says which block of a repeated message is meant, from 0: ``eval_input_reader[1].label_map_path``.
    ``new`` is written as given; texts come through :func:`text`. A field that is not there yet is put in the place
    of ``instead_of``, a sibling that is to go, else behind the first sibling of ``after`` that is there, else at the
    end of its message.
    """

    path: str
    new: str | None
    reason: str
    after: tuple[str, ...] = ()
    instead_of: str = ""


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit that was made. ``line`` counts in the original file; ``old`` is empty where the field is new,
    ``new`` where it was removed; both are values (of a removed block its text on one line)."""

    line: int
    path: str
    old: str
    new: str
    reason: str


def text(value: str) -> str:
    """A string value in the quotes of the text format."""
    return quote(value)


def word(value: bool | float) -> str:
    """A boolean or a number as the text format writes it."""
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)


def make(
    document: Document, changes: Iterable[Change], original: Document | None = None
) -> tuple[Document, tuple[Edit, ...]]:
    """The document after all changes, and the edits that were made; a change that changes nothing makes none.

    Their lines are those of ``original``, where ``document`` is an edited one already.
    """
    first, current, edits = root_view(original or document), document, []
    for change in changes:
        splices, old, new = _splices(root_view(current), change)
        if splices:
            current = respliced(current, splices)
            edits.append(Edit(_line(first, change), change.path, old, new, change.reason))
    return current, tuple(edits)


def _splices(root: View, change: Change) -> tuple[list[Splice], str, str]:
    """The splices, and the old and the new value for the record."""
    parent, missing = _deepest(root, change.path)
    name, *below = missing
    fields = () if below else parent.fields(name)
    if change.new is None:
        return [splice.remove(root.document, field) for field in fields], _shown(root, fields), ""
    if fields:
        return _set(root, fields[-1], change.new)
    return [_new_field(parent, name, below, change)], _replaced(parent, change), change.new


def _set(root: View, field: Field, new: str) -> tuple[list[Splice], str, str]:
    value = field.values[-1]
    old = root.document.text[value.start : value.end]
    if old == new or (isinstance(value, Scalar) and _same_string(old, new)):
        return [], old, old
    written = _as_quoted(old, new)
    return [Splice(value.start, value.end, written)], old, written


def _same_string(old: str, new: str) -> bool:
    return old[:1] == "'" and new[:1] == '"' and old[1:-1] == new[1:-1] and "'" not in old[1:-1]


def _as_quoted(old: str, new: str) -> str:
    """The new string in the quotes of the old one."""
    plain = new[1:-1]
    return f"'{plain}'" if old[:1] == "'" and new[:1] == '"' and not set(plain) & {"'", '"', "\\"} else new


def _new_field(parent: View, name: str, below: list[str], change: Change) -> Splice:
    written = _written(name, below, str(change.new))
    going = _first(parent, (change.instead_of,))
    if going is not None:
        return Splice(going.start, going.end, written)
    sibling = _first(parent, change.after)
    block = _block_of(parent, sibling) if sibling else parent.blocks[-1]
    return splice.insert(parent.document, block, written, sibling)


def _first(parent: View, names: tuple[str, ...]) -> Field | None:
    """The first of the names that the message has."""
    return next((parent.field(name) for name in names if name in parent.type.fields and parent.has(name)), None)


def _block_of(parent: View, field: Field) -> Message:
    return next(block for block in parent.blocks if field in block.fields)


def _written(name: str, below: list[str], value: str) -> str:
    if not below:
        return f"{name} {value}" if value.startswith("{") else f"{name}: {value}"
    return f"{name} {{ {_written(below[0], below[1:], value)} }}"


def _deepest(root: View, path: str) -> tuple[View, list[str]]:
    """The last message on the way that the file has, and the names from there on."""
    view, names = root, path.split(".")
    while len(names) > 1 and (below := _child(view, names[0])).present:
        view, names = below, names[1:]
    return view, names


def _child(view: View, name: str) -> View:
    name, _, at = name.partition("[")
    return view.children(name)[int(at.removesuffix("]"))] if at else view.child(name)


def _replaced(parent: View, change: Change) -> str:
    going = _first(parent, (change.instead_of,))
    return _shown(parent, (going,), with_name=True) if going is not None else ""


def _shown(view: View, fields: tuple[Field, ...], *, with_name: bool = False) -> str:
    source = view.document.text
    return ", ".join(
        " ".join(source[field.start if with_name else value.start : value.end].split())
        for field in fields
        for value in field.values[:1]
    )


def _line(root: View, change: Change) -> int:
    parent, missing = _deepest(root, change.path)
    anchor = _first(parent, (missing[0], change.instead_of, *change.after))
    if anchor is not None:
        return anchor.line
    return parent.line() if parent.path else 0
