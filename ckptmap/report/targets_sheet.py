"""The sheet of the shipped targets (``ckptmap.targets/1``): a row for each."""

from __future__ import annotations

from ckptmap.basics.text import plural
from ckptmap.report.conversion_document import Document
from ckptmap.report.sheet import Cell, FateCount, Level, Row, Sheet

_COLUMNS = ("name", "verdict", "extractor_type", "differences")
_NO_VERDICT = "no verdict"


def sheet(document: Document) -> Sheet:
    """The sheet of the catalogue."""
    rows = tuple(map(_row, document["targets"]))
    verdicts = dict.fromkeys(row.fate for row in rows)
    counts = tuple(FateCount(fate, sum(row.fate == fate for row in rows), Level.OK) for fate in verdicts)
    return Sheet(
        schema=document["schema"],
        generator=document["generator"],
        title="ckptmap targets",
        subject="the models that a checkpoint can be converted to",
        passed=True,
        verdict=plural(len(rows), "target"),
        facts=(("verdicts", "those of the official configurations"),),
        counts=counts,
        columns=_COLUMNS,
        rows=rows,
        unit="target",
        folded=False,
    )


def _row(item: Document) -> Row:
    differences = "; ".join(item["differences"])
    record: dict[str, Cell] = {
        "name": item["name"],
        "verdict": item["verdict"] or None,
        "extractor_type": item["extractor_type"] or None,
        "differences": differences or None,
    }
    detail = ", ".join(filter(None, (item["extractor_type"], differences)))
    return Row(item["name"], item["verdict"] or _NO_VERDICT, Level.OK, record, detail=detail)
