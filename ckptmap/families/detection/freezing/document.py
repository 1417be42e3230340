"""What ``ckptmap freeze`` found as plain JSON values, and as lines for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ckptmap.basics.errors import Problem
from ckptmap.basics.text import parameter_count, plural, printable
from ckptmap.families.detection.freezing.model import Freezing, Matched, Stage, Weight
from ckptmap.families.detection.freezing.remarks import no_match
from ckptmap.version import __version__

SCHEMA = "ckptmap.freeze/1"
_MOST_PATTERNS = 4

Document = dict[str, Any]


def freeze_document(found: Freezing) -> Document:
    """Everything that ``found`` says; every trainable variable is listed once."""
    return {
        "schema": SCHEMA,
        "generator": f"ckptmap {__version__}",
        "subject": found.subject,
        "trainer": found.trainer,
        "passed": all(one.names for one in found.matched),
        "patterns": [_pattern(one) for one in found.matched],
        "parts": _parts(found.frozen, found.trainable),
        "stages": [_stage(stage) for stage in found.stages],
        "remarks": list(_remarks(found)),
        "variables": [
            {**_weight(weight), "frozen": frozen}
            for frozen, weights in ((True, found.frozen), (False, found.trainable))
            for weight in weights
        ],
    }


def _remarks(found: Freezing) -> Iterator[Document]:
    """All remarks; that a pattern matches nothing is an error."""
    errors = {no_match(one) for one in found.matched if not one.names}
    for one in found.remarks:
        level = "error" if one in errors else "warning"
        yield {"level": level, "message": one.message, "where": one.where or None, "hint": one.hint or None}


def _pattern(one: Matched) -> Document:
    return {
        "pattern": one.pattern.text,
        "field": one.pattern.field,
        "where": one.pattern.where or None,
        "matches": list(one.names),
        "nearest": one.nearest or None,
    }


def _weight(weight: Weight) -> Document:
    return {
        "name": weight.name,
        "part": weight.part,
        "shape": list(weight.shape),
        "parameters": weight.parameters,
        "layer": weight.layer,
        "key": weight.key,
    }


def _stage(stage: Stage) -> Document:
    return {
        "stage": stage.name,
        "patterns": list(stage.patterns),
        "parts": _parts(stage.frozen, stage.trainable),
        "trainable": [weight.name for weight in stage.trainable],
        "frozen": [weight.name for weight in stage.frozen],
    }


def _parts(frozen: Iterable[Weight], trainable: Iterable[Weight]) -> list[Document]:
    """Variables and parameters of each part, frozen and trainable, in the order of the parts' first variables."""
    parts: dict[str, Document] = {}
    for side, weights in (("frozen", frozen), ("trainable", trainable)):
        for weight in weights:
            empty = {"variables": 0, "parameters": 0}
            entry = parts.setdefault(
                weight.part, {"part": weight.part, "frozen": dict(empty), "trainable": dict(empty)}
            )
            entry[side]["variables"] += 1
            entry[side]["parameters"] += weight.parameters
    return list(parts.values())


def freeze_lines(document: Document) -> Iterator[str]:
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
