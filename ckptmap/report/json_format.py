"""A report as JSON, one document with a schema name and version."""

from __future__ import annotations

import json

from ckptmap.report.document import Document


def to_json(report: Document) -> str:
    """``report`` as indented JSON with ASCII escapes: names with control characters or bad UTF-8 stay harmless."""
    return json.dumps(report, indent=1, ensure_ascii=True)
