"""A report as JSON, one document with a schema name and version."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from ckptmap.basics.escapes import quiet_json
from ckptmap.report.conversion_document import Document

_TOGETHER = 512
_MARK = "\N{NULL}next\N{NULL}"
"""Between items that are encoded together."""


def to_json(report: Document) -> str:
    """``report`` as JSON, a line for each variable, finding or other member of its lists.

    With ASCII escapes: names with control characters, bad UTF-8 or commands of a CI stay harmless. Lines without
    indentation are made by the encoder in C, which a report of many variables is eight times as fast with.
    """
    return "".join(json_pieces(report))


def to_json_line(report: Document) -> str:
    """The same with a line's end, as a file has it."""
    return f"{to_json(report)}\n"


def json_pieces(report: Document) -> Iterator[str]:
    """The same, piece by piece: a report of many variables is many times as long as what it is made of."""
    yield "{\n"
    separator = ""
    for name, value in report.items():
        yield f"{separator} {json.dumps(name)}: "
        yield from _member(value)
        separator = ",\n"
    yield "\n}"


def _member(value: object) -> Iterator[str]:
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        yield "[\n"
        separator = ""
        for start in range(0, len(value), _TOGETHER):
            yield f"{separator}  {quiet_json(_lines(value[start : start + _TOGETHER]))}"
            separator = ",\n"
        yield "\n ]"
    else:
        yield quiet_json(json.dumps(value, indent=1)).replace("\n", "\n ")


def _lines(items: Sequence[object]) -> str:
    """Each item on a line of its own; together they take a third of the time that each alone would take."""
    marked: list[object] = [items[0]]
    for item in items[1:]:
        marked += (_MARK, item)
    between = f", {json.dumps(_MARK)}, "
    parts = json.dumps(marked)[1:-1].split(between)
    if len(parts) != len(items):  # one holds the very mark
        parts = [json.dumps(item) for item in items]
    return ",\n  ".join(parts)
