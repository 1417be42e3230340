"""An audit as plain JSON values, schema ``ckptmap.audit/1``: the one model of its report."""

from __future__ import annotations

from typing import Any

from ckptmap.audit.prediction import Audit, HeldEntry, ModelEntry
from ckptmap.report.source import described
from ckptmap.version import __version__

SCHEMA = "ckptmap.audit/1"


def audit_document(audit: Audit) -> dict[str, Any]:
    """The document of an audit."""
    return {
        "schema": SCHEMA,
        "generator": f"ckptmap {__version__}",
        "checkpoint": described(audit.checkpoint),
        "model": _model(audit),
        "loads": not audit.prediction.error,
        "error": audit.prediction.error or None,
        "hint": audit.prediction.hint or None,
        "passed": audit.passed,
        "restored_share": audit.restored_share,
        "summary": audit.summary,
        "findings": [
            {
                "level": remark.level,
                "message": remark.message,
                "where": remark.where or None,
                "hint": remark.hint or None,
                "cause": remark.cause,
            }
            for remark in audit.remarks
        ],
        "target_variables": [_entry(entry) for entry in audit.prediction.entries],
        "checkpoint_variables": [_held(entry) for entry in audit.held],
    }


def _model(audit: Audit) -> dict[str, Any]:
    model = audit.model
    return {
        "name": model.name,
        "api": model.api,
        "architecture": model.architecture or None,
        "type": model.kind if model.architecture else None,
        "type_said": model.kind_said,
        "config": model.config or None,
        "variables": len(model.variables) if model.variables is not None else None,
        "settings": dict(model.settings),
        "num_classes": model.num_classes,
    }


def _entry(entry: ModelEntry) -> dict[str, Any]:
    variable = entry.variable
    return {
        "key": variable.key,
        "name": variable.name,
        "part": variable.part,
        "fate": entry.fate.value,
        "source": entry.source or None,
        "reason": entry.reason or None,
        "shape": list(variable.shape),
        "dtype": variable.dtype.label,
    }


def _held(entry: HeldEntry) -> dict[str, Any]:
    variable = entry.variable
    return {
        "name": variable.name,
        "fate": entry.fate.value,
        "reason": entry.reason or None,
        "shape": list(variable.shape),
        "dtype": variable.dtype.label,
    }
