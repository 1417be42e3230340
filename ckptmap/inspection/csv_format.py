"""The variables of an inspection as CSV, one row each."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

from ckptmap.report.csv_format import cell

COLUMNS = ("name", "dtype", "shape", "bytes", "slices", "role", "owner", "readable_name")


def to_csv(variables: Iterable[dict[str, Any]]) -> str:
    """Rows of a document's ``variables`` under a header; a shape is its lengths joined by ``x``, empty for a scalar.

    Names are escaped, and none is a formula, as in the CSV of a report.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for variable in variables:
        row = {**variable, "shape": "x".join(map(str, variable["shape"]))}
        writer.writerow({column: cell(row[column]) for column in COLUMNS})
    return text.getvalue()
