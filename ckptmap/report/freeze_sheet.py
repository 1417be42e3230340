"""The sheet of a freezing (``ckptmap.freeze/1``): a row for each trainable variable."""

from __future__ import annotations

from collections.abc import Iterator

from ckptmap.basics.text import parameter_count, plural
from ckptmap.report.conversion_document import Document
from ckptmap.report.sheet import Cell, Level, Message, Row, Sheet, fate_counts

_FATES = (("", "frozen", Level.NOTE), ("", "trainable", Level.OK))
_LEVELS = {fate: level for _, fate, level in _FATES}
_COLUMNS = ("name", "fate", "part", "layer", "key", "shape", "parameters")
_MESSAGES = {"error": Level.FAILURE, "warning": Level.WARNING}


def sheet(document: Document) -> Sheet:
    """The sheet of a freezing."""
    rows = tuple(map(_row, document["variables"]))
    return Sheet(
        schema=document["schema"],
        generator=document["generator"],
        title="ckptmap freeze",
        subject=document["subject"],
        passed=document["passed"],
        verdict=_verdict(document, rows),
        facts=tuple(_facts(document)),
        counts=fate_counts(rows, _FATES),
        columns=_COLUMNS,
        rows=rows,
        messages=tuple(_message(remark) for remark in document["remarks"]),
    )


def _row(item: Document) -> Row:
    fate = "frozen" if item["frozen"] else "trainable"
    record: dict[str, Cell] = {
        "name": item["name"],
        "fate": fate,
        "part": item["part"],
        "layer": item["layer"],
        "key": item["key"],
        "shape": f"[{', '.join(map(str, item['shape']))}]",
        "parameters": item["parameters"],
    }
    return Row(item["name"], fate, _LEVELS[fate], record, parameters=item["parameters"])


def _message(remark: Document) -> Message:
    return Message(_MESSAGES[remark["level"]], remark["message"], remark["where"] or "", remark["hint"] or "")


def _verdict(document: Document, rows: tuple[Row, ...]) -> str:
    frozen = [row for row in rows if row.fate == "frozen"]
    parameters = parameter_count(sum(row.parameters for row in frozen))
    share = f"{len(frozen):,} of {plural(len(rows), 'trainable variable')} frozen ({parameters} parameters)"
    idle = sum(not one["matches"] for one in document["patterns"])
    return share if document["passed"] else f"{plural(idle, 'pattern')} matching nothing; {share}"


def _facts(document: Document) -> Iterator[tuple[str, str]]:
    yield "model", f"{document['subject']} (rule of {document['trainer']})"
    for one in document["patterns"]:
        yield one["field"], f"{one['pattern']} ({plural(len(one['matches']), 'variable')})"
    for stage in document["stages"]:
        yield f"stage {stage['stage']}", f"{plural(len(stage['trainable']), 'variable')} trainable"
