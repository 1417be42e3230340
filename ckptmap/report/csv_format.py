"""A sheet's rows as CSV: a header, then one line a variable; safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io

from ckptmap.basics.escapes import printable
from ckptmap.report.sheet import Cell, Sheet

_FORMULA_STARTS = ("=", "+", "-", "@")


def to_csv(sheet: Sheet) -> str:
    """RFC 4180 text with LF line ends. A text that a spreadsheet would take for a formula gets a ``'`` in front."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(sheet.columns)
    writer.writerows([cell(row.record[column]) for column in sheet.columns] for row in sheet.rows)
    return out.getvalue()


def cell(value: Cell) -> Cell:
    """A value as it may stand in a CSV: a text escaped, and no formula."""
    if not isinstance(value, str):
        return value
    text = printable(value)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
