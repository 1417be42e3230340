"""The text of a freezing (``ckptmap.freeze/1``): counts for each part of the model in the place of rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ckptmap.basics.errors import Problem
from ckptmap.basics.escapes import printable
from ckptmap.basics.text import parameter_count, plural
from ckptmap.report.conversion_document import Document

_MOST_PATTERNS = 4


def lines(document: Document) -> Iterator[str]:
    """The document for a person: what each pattern matches, counts for each part, stages, remarks."""
    yield f"model    {printable(document['subject'])}  (rule of {document['trainer']})"
    for one in document["patterns"]:
        yield f"pattern  {printable(one['pattern'])}  {plural(len(one['matches']), 'variable')}  ({one['field']})"
    yield ""
    yield from _table(document["parts"])
    for stage in document["stages"]:
        yield ""
        yield f"stage    {printable(stage['stage'])}  {_patterns_text(stage['patterns'])}"
        yield from _table(stage["parts"])
    yield ""
    yield from _becomes(document)
    for remark in document["remarks"]:
        yield f"note     {printable(str(Problem(remark['message'], remark['where'] or '', remark['hint'] or '')))}"


def _table(parts: Iterable[Document]) -> Iterator[str]:
    yield f"  {'part':<12}{'frozen':>24}{'trainable':>24}"
    for part in parts:
        yield f"  {part['part'] or 'other':<12}{_count(part['frozen']):>24}{_count(part['trainable']):>24}"


def _count(side: Document) -> str:
    return f"{side['variables']:,} ({parameter_count(side['parameters'])})" if side["variables"] else "-"


def _patterns_text(patterns: list[str]) -> str:
    if not patterns:
        return "freezes nothing"
    more = f" … {len(patterns) - _MOST_PATTERNS} more; --json lists all" if len(patterns) > _MOST_PATTERNS else ""
    return "freeze " + " ".join(printable(pattern) for pattern in patterns[:_MOST_PATTERNS]) + more


def _becomes(document: Document) -> Iterator[str]:
    """The first frozen variable of each part with its place in TF2, as an example of what --json lists."""
    seen = set()
    for weight in document["variables"]:
        if weight["frozen"] and weight["part"] not in seen and weight["layer"]:
            seen.add(weight["part"])
            place = f"  at {printable(weight['key'])}" if weight["key"] else ""
            yield f"in TF2   {printable(weight['name'])} is {printable(weight['layer'])}{place}"
