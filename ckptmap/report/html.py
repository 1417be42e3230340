"""A sheet as one self-contained HTML page: nothing is loaded, and its policy lets nothing but its own script run."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from string import Template
from types import MappingProxyType
from typing import Any

from ckptmap.basics.escapes import printable
from ckptmap.report.sheet import Sheet


def to_html(sheet: Sheet) -> str:
    """The page; names and reasons reach it as JSON data and become text nodes, never markup."""
    title = f"{sheet.title}: {sheet.subject}"
    body = _without_script(sheet)
    return whole_page("ckptmap.report", title, sheet.generator, _data(sheet), body, images="data: 'self' file:")


def whole_page(
    package: str,
    title: str,
    generator: str,
    data: dict[str, Any],
    body: Mapping[str, str] = MappingProxyType({}),
    *,
    images: str = "data:",
) -> str:
    """The page whose ``page.html`` (its body), ``page.css`` and ``page.js`` lie in the folder ``page`` of a package.

    ``data`` reaches its script as JSON, which cannot end the element it stands in; ``body`` is markup for places of the
    body; ``images`` says from where the page's policy lets images come.
    """
    folder = files(package) / "page"
    page, style, script = ((folder / f"page.{end}").read_text(encoding="utf-8") for end in ("html", "css", "js"))
    frame = (files("ckptmap.report") / "page" / "frame.html").read_text(encoding="utf-8")
    return Template(frame).substitute(
        body=Template(page).substitute(body),
        images=images,
        title=escape(printable(title)),
        generator=escape(printable(generator)),
        style=style,
        style_hash=_hash(style),
        script=script,
        script_hash=_hash(script),
        data=_json_in_html(data),
    )


def _without_script(sheet: Sheet) -> dict[str, str]:
    """What a reader sees whose browser runs no script: command, verdict, facts, counts and messages."""
    facts = (f"<dt>{_text(label)}</dt><dd>{_text(value)}</dd>" for label, value in sheet.facts)
    counts = (f"<li>{one.count:,} {_text(f'{one.side} {one.fate}'.strip())}</li>" for one in sheet.counts)
    remarks = "".join(f"<li>{_text(one.text)}</li>" for one in sheet.all_messages)
    return {
        "command": _text(f"{sheet.title}: {sheet.subject}"),
        "verdict": _text(sheet.verdict),
        "failed": "" if sheet.passed else ' class="failed"',
        "facts": "".join(facts),
        "counts": "".join(counts),
        "remarks": f"<h2>Messages</h2><ul>{remarks}</ul>" if remarks else "",
    }


def _text(text: str) -> str:
    """Text that can be nothing but text."""
    return escape(printable(text))


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def _json_in_html(data: dict[str, Any]) -> str:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _data(sheet: Sheet) -> dict[str, Any]:
    found = sheet.groups
    rows = [
        {
            "name": printable(row.name),
            "side": row.side,
            "fate": row.fate,
            "level": int(row.level),
            "group": number,
            "parameters": row.parameters,
            "cells": [_cell(row.record[column]) for column in sheet.columns],
        }
        for number, group in enumerate(found)
        for row in group.rows
    ]
    return {
        "counts": [
            {"fate": one.fate, "side": one.side, "count": one.count, "level": int(one.level)} for one in sheet.counts
        ],
        "messages": [
            {
                "level": int(one.level),
                "text": printable(one.text),
                "where": printable(one.where),
                "hint": printable(one.hint),
            }
            for one in sheet.all_messages
        ],
        "edits": [
            {
                "path": printable(one.path),
                "old": printable(one.old),
                "new": printable(one.new),
                "reason": printable(one.reason),
                "line": one.line,
            }
            for one in sheet.edits
        ],
        "advice": [printable(line) for line in sheet.advice],
        "pictures": [{"file": printable(one.file), "caption": printable(one.caption)} for one in sheet.pictures],
        "unit": sheet.unit,
        "folded": sheet.folded,
        "columns": list(sheet.columns),
        "groups": [{"label": printable(group.label), "side": group.side} for group in found],
        "rows": rows,
    }


def _cell(value: object) -> object:
    return printable(value) if isinstance(value, str) else value
