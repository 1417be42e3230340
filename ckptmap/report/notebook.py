"""A sheet in a few lines: for the cell of a notebook, and for the prompt of Python."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from ckptmap.basics.card import card
from ckptmap.basics.escapes import printable
from ckptmap.basics.text import plural
from ckptmap.report.sheet import Group, Level, Sheet

_MOST = 8
"""Rows of each table: what is more is counted."""
_Item = TypeVar("_Item")


def sheet_card(sheet: Sheet) -> str:
    """The counts, the verdict and what needs a look, as a small piece of HTML."""
    word = "✔" if sheet.passed else "✘"
    lines = (sheet.subject, f"{word} {sheet.verdict}", *_few(sheet.advice))
    return card(sheet.title, filter(None, lines), (_facts(sheet), _counts(sheet), _groups(sheet), _messages(sheet)))


def one_line(sheet: Sheet) -> str:
    """``<ckptmap convert: a → b: equal; to_frame(), to_html() and to_json() have it all>``."""
    told = ": ".join(filter(None, (sheet.title, sheet.subject, sheet.verdict)))
    return f"<{printable(told)}; to_frame(), to_html() and to_json() have it all>"


def _facts(sheet: Sheet) -> list[tuple[str, str]]:
    return [("", ""), *sheet.facts[:_MOST]]


def _counts(sheet: Sheet) -> list[tuple[object, ...]]:
    met = [one for one in sheet.counts if one.count]
    return [("", sheet.unit + "s", ""), *((one.label, one.count, one.side) for one in met)]


def _groups(sheet: Sheet) -> list[tuple[object, ...]]:
    """The groups of rows that ask for attention, the worst first."""
    asking = sorted((one for one in sheet.groups if one.level <= Level.WARNING), key=lambda one: one.level)
    shown = [(group.label, len(group.rows), _told(group)) for group in asking[:_MOST]]
    return [("needs a look", "", ""), *shown, *_more(asking)]


def _told(group: Group) -> str:
    return min(group.rows, key=lambda row: row.level).told


def _messages(sheet: Sheet) -> list[tuple[object, ...]]:
    asking = [one for one in sheet.messages if one.level <= Level.WARNING]
    shown = [(one.where, one.text, one.hint) for one in asking[:_MOST]]
    return [("", "message", "hint"), *shown, *_more(asking)]


def _more(items: Sequence[object]) -> Iterator[tuple[object, ...]]:
    if len(items) > _MOST:
        yield (f"and {plural(len(items) - _MOST, 'more', 'more')}", "", "")


def _few(items: Sequence[_Item]) -> Sequence[_Item]:
    return items[:_MOST]
