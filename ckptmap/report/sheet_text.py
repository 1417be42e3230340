"""A sheet for a person at a terminal: facts and counts first, then folded groups, then the verdict and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from ckptmap.basics.escapes import printable
from ckptmap.basics.text import plural
from ckptmap.report.sheet import FateCount, Group, Level, Message, Row, Sheet
from ckptmap.report.terminal import print_line

if TYPE_CHECKING:
    from rich.console import Console

_COLORS = {Level.FAILURE: "red", Level.WARNING: "yellow", Level.NOTE: "cyan", Level.OK: "green"}
_MARKUP = re.compile(r"(?<!\\)\[/?[a-z ]*\]")
_MOST_GROUPS = 12
_MOST_NOTED = 3
"""Groups shown of a reason: of what asks for attention, and of what is only noted."""


def print_sheet(sheet: Sheet, console: Console, *, everything: bool = False) -> None:
    """Print ``sheet`` on ``console``; with ``everything`` the rows that are as they should be are listed too."""
    for line in _lines(sheet, everything=everything):
        print_line(console, line)


def plain_lines(sheet: Sheet, *, everything: bool = False) -> Iterator[str]:
    """The lines without their markup, for what is no terminal: it needs no colors and can do without rich."""
    for line in _lines(sheet, everything=everything):
        yield _MARKUP.sub("", line).replace(r"\[", "[")


def _lines(sheet: Sheet, *, everything: bool) -> Iterator[str]:
    yield from _facts(sheet)
    yield ""
    for side, counts in groupby(sheet.counts, key=lambda count: count.side):
        label = f"{side:<10}" if _by_side(sheet, side) else ""
        yield f"  {label}" + "   ".join(map(_count, counts))
    yield ""
    first, others = _by_weight(sheet.all_messages)
    yield from _messages(first)
    for count in sheet.counts:
        if count.count and (everything or not (count.level is Level.OK or _is_told(sheet, count))):
            yield from _fate(sheet, count, everything=everything)
    yield from _messages(others)
    yield from _edits(sheet)
    for picture in sheet.pictures:
        yield f"[bold]picture[/]   {_safe(picture.file)}  [dim]{_safe(picture.caption)}[/]"
    for line in sheet.advice:
        yield f"[bold]next[/]      {_safe(line)}"
    yield f"[bold {'green' if sheet.passed else 'red'}]{_safe(_shortened_verdict(sheet))}[/]"


def _is_told(sheet: Sheet, count: FateCount) -> bool:
    """Whether a failure above names each row of the fate: a list would name them a second time."""
    rows = [row for row in sheet.rows if (row.side, row.fate) == (count.side, count.fate)]
    return all(any(message.level is Level.FAILURE for message in row.messages) for row in rows)


def _facts(sheet: Sheet) -> Iterator[str]:
    width = max(len(label) for label, _ in sheet.facts)
    for label, value in sheet.facts:
        yield f"[bold]{_safe(label):<{width}}[/]  {_safe(value)}"


def _count(count: FateCount) -> str:
    text = f"{count.count:>5,} {count.label}"
    return f"[{_COLORS[count.level]}]{text}[/]" if count.count else f"[dim]{text}[/]"


def _by_weight(messages: Iterable[Message]) -> tuple[list[Message], list[Message]]:
    """The failures, which a reader must see before any list; and the others."""
    told = list(messages)
    return [one for one in told if one.level is Level.FAILURE], [one for one in told if one.level is not Level.FAILURE]


def _shortened_verdict(sheet: Sheet) -> str:
    """The verdict without the failure that a line above says already."""
    for message in sheet.messages:
        if message.level is Level.FAILURE and sheet.verdict.endswith(f": {message.text}"):
            return sheet.verdict.removesuffix(f": {message.text}")
    return sheet.verdict


def _fate(sheet: Sheet, count: FateCount, *, everything: bool) -> Iterator[str]:
    rows = [row for row in sheet.rows if (row.side, row.fate) == (count.side, count.fate)]
    title, most = _title(sheet, count), _MOST_NOTED if count.level is Level.NOTE else _MOST_GROUPS
    if not everything and count.level is Level.NOTE and len(rows) > most and _is_whole_side(sheet, rows):
        yield f"{_head(count, title, len(rows))}  all of them [dim](--all lists them, --json has every one)[/]"
        return
    for reason, members in _by_reason(rows):
        yield from _reason(count, title, reason, sheet.grouped(members), None if everything else most)


def _is_whole_side(sheet: Sheet, rows: list[Row]) -> bool:
    """Whether these are all rows of their side: a list says nothing more then."""
    return len(rows) == sum(row.side == rows[0].side for row in sheet.rows)


def _head(count: FateCount, title: str, total: int) -> str:
    return f"  [{_COLORS[count.level]}]{title:<16}[/] {total:>5,}"


def _title(sheet: Sheet, count: FateCount) -> str:
    """The fate; of rows that are no variables with what they are, for their fates have the same names."""
    return f"{count.side} {count.label}" if _by_side(sheet, count.side) else count.label


def _by_side(sheet: Sheet, side: str) -> bool:
    return side != "" and sheet.unit != "variable"


def _by_reason(rows: Iterable[Row]) -> Iterator[tuple[str, list[Row]]]:
    by_reason: dict[str, list[Row]] = {}
    for row in rows:
        by_reason.setdefault(row.reason, []).append(row)
    return iter(by_reason.items())


def _reason(count: FateCount, title: str, reason: str, found: tuple[Group, ...], most: int | None) -> Iterator[str]:
    total = sum(len(group.rows) for group in found)
    head = _head(count, title, total)
    yield f"{head}  {_safe(reason)}" if reason else head
    for group in found[:most]:
        yield f"  {'':<16} {len(group.rows):>5,}  [dim]{_safe(_label(group))}[/]{_detail(group)}"
    if most is not None and len(found) > most:
        rest = plural(len(found) - most, "more group")
        yield f"  {'':<16} {'':>5}  [dim]… {rest} (--all lists them, --json has every one)[/]"


def _label(group: Group) -> str:
    """The one variable's name, or the group's label."""
    return group.rows[0].name if len(group.rows) == 1 else group.label


def _detail(group: Group) -> str:
    """What differs in the group's first row, which is its worst."""
    detail = group.rows[0].detail
    return f"  {_safe(detail)}" if detail else ""


def _messages(messages: Iterable[Message]) -> Iterator[str]:
    names = {Level.FAILURE: "error", Level.WARNING: "warning", Level.NOTE: "note", Level.OK: "ok"}
    for message in messages:
        where = f"{_safe(message.where)}: " if message.where else ""
        hint = f" ({_safe(message.hint)})" if message.hint else ""
        yield f"[{_COLORS[message.level]}]{names[message.level]:<8}[/]  {where}{_safe(message.text)}{hint}"


def _edits(sheet: Sheet) -> Iterator[str]:
    for edit in sheet.edits:
        change = f"{edit.old} → {edit.new or '(remove)'}" if edit.old else edit.new
        yield f"[bold]edit[/]      {_safe(edit.path)}: {_safe(change)}"


def _safe(text: str) -> str:
    return printable(text).replace("[", r"\[")
