"""A report as JSON, one document with a schema name and version."""

from __future__ import annotations

import json

from ckptmap.report.document import Document


def to_json(report: Document) -> str:
    """``report`` as JSON, a line for each variable, finding or other member of its lists.

    With ASCII escapes: names with control characters or bad UTF-8 stay harmless. Lines without indentation are made by
    the encoder in C, which a report of many variables is eight times as fast with.
    """
    members = ",\n".join(f" {json.dumps(name)}: {_member(value)}" for name, value in report.items())
    return f"{{\n{members}\n}}"


def _member(value: object) -> str:
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        lines = ",\n".join(f"  {json.dumps(item)}" for item in value)
        return f"[\n{lines}\n ]"
    return json.dumps(value, indent=1).replace("\n", "\n ")
