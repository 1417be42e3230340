"""The variables of an inspection as CSV, one row each."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

COLUMNS = ("name", "dtype", "shape", "bytes", "slices", "role", "owner")


def to_csv(variables: Iterable[dict[str, Any]]) -> str:
    """Rows of a document's ``variables`` under a header; a shape is its lengths joined by ``x``, empty for a scalar."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for variable in variables:
        writer.writerow({**variable, "shape": "x".join(map(str, variable["shape"]))})
    return text.getvalue()
