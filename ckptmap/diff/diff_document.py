"""A comparison as plain JSON values, schema ``ckptmap.diff/1``: the one model of its report."""

from __future__ import annotations

from typing import Any

from ckptmap.checkpoint.inventory import Variable
from ckptmap.diff.comparison import Diff, DiffRecord
from ckptmap.report.source import described
from ckptmap.version import __version__

SCHEMA = "ckptmap.diff/1"


def diff_document(found: Diff) -> dict[str, Any]:
    """The document of a comparison."""
    options = found.options
    return {
        "schema": SCHEMA,
        "generator": f"ckptmap {__version__}",
        "a": described(found.a),
        "b": described(found.b),
        "options": {
            "read": options.read,
            "values": options.values,
            "tolerance": options.tolerance,
            "match": list(options.match),
            "map": found.mapping or None,
        },
        "equal": found.equal,
        "summary": found.summary,
        "notes": list(found.notes),
        "advice": list(found.advice),
        "variables": [_record(record) for record in found.records],
    }


def _record(record: DiffRecord) -> dict[str, Any]:
    delta = record.delta
    return {
        "name": record.name,
        "fate": record.fate.value,
        "sources": list(record.sources),
        "operations": list(record.operations),
        "a": _variable(record.a),
        "b": _variable(record.b),
        "different": delta.different if delta else None,
        "max_delta": delta.max_abs if delta else None,
        "rms": delta.rms if delta else None,
        "cosine": delta.cosine if delta else None,
        "incomparable": delta.incomparable if delta else None,
        "reason": record.reason or None,
        "role": record.role or None,
        "owner": record.owner or None,
    }


def _variable(variable: Variable | None) -> dict[str, Any] | None:
    if variable is None:
        return None
    return {"dtype": variable.dtype.label, "shape": list(variable.shape)}
