"""A small table for a notebook: a title, a few lines, short tables, as HTML without scripts; everything is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from ckptmap.basics.escapes import printable

_LONGEST = 160
"""Characters of one cell: what is longer is cut in its middle."""
_CELL = 'style="text-align:left;vertical-align:top;padding:0.1em 0.8em 0.1em 0"'
_Table = Sequence[Sequence[object]]


def card(title: str, lines: Iterable[str], tables: Iterable[_Table] = ()) -> str:
    """The HTML; the first row of each of the ``tables`` is its head."""
    told = "".join(f"<div>{_text(line)}</div>" for line in lines)
    shown = "".join(_table(rows) for rows in tables if len(rows) > 1)
    return f"<div><b>{_text(title)}</b>{told}{shown}</div>"


def _table(rows: _Table) -> str:
    head, *body = rows
    return f"<table><thead>{_row(head, 'th')}</thead><tbody>{''.join(_row(row, 'td') for row in body)}</tbody></table>"


def _row(cells: Sequence[object], tag: str) -> str:
    return f"<tr>{''.join(f'<{tag} {_CELL}>{_text(str(cell))}</{tag}>' for cell in cells)}</tr>"


def _text(text: str) -> str:
    half = _LONGEST // 2
    short = text if len(text) <= _LONGEST else f"{text[: half - 1]}…{text[-half:]}"
    return escape(printable(short))
