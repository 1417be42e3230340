"""A sheet as GitHub-flavoured Markdown that fits a pull request's comment and a CI job's summary."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ckptmap.basics.escapes import printable
from ckptmap.basics.text import plural
from ckptmap.report.sheet import ConfigEdit, Group, Level, Message, Sheet

LONGEST = 60_000
"""Characters: a comment on GitHub holds 65,536."""
_MOST_GROUPS = 40
_MOST_OF_ROWS = 45_000
"""Characters of a table that does not fold."""
_LONGEST_TEXT = 400
_MARKS = {Level.FAILURE: "❌", Level.WARNING: "⚠️", Level.NOTE: "ℹ️", Level.OK: "✅"}
_SPECIAL = re.compile(r"[\\`*{}\[\]<>#|~&@!$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|:(?=//)|(?<=www)\.")
"""What means something to Markdown: within a word ``_`` does not, alone ``:`` and ``.`` make no link."""


def to_markdown(sheet: Sheet) -> str:
    """Verdict, counts, messages, config edits and the folded groups; cut with a note where it would get too long."""
    kept: list[str] = []
    length = 0
    for block in _blocks(sheet):
        if length + len(block) > LONGEST:
            kept.append("*The rest is cut off; the JSON report has all of it.*")
            break
        kept.append(block)
        length += len(block) + 2
    return "\n\n".join(kept) + "\n"


def _blocks(sheet: Sheet) -> Iterator[str]:
    """The parts of the page, each whole Markdown by itself."""
    yield f"### {'✅' if sheet.passed else '❌'} {_text(sheet.title)}: {_text(sheet.verdict)}"
    yield _table(("", ""), ((_text(label), _code(value)) for label, value in sheet.facts))
    counts = [
        (_MARKS[one.level] if one.count else "", _text(f"{one.side} {one.label}".strip()), f"{one.count:,}")
        for one in sheet.counts
    ]
    units = f"{sheet.unit}s"
    yield _table(("", "fate", units), counts, right=2)
    yield from _messages(sheet.messages)
    yield from _edits(sheet.edits)
    yield from (_text(line) for line in sheet.advice)
    yield from (f"![{_text(one.caption)}](<{_file(one.file)}>)" for one in sheet.pictures)
    if not sheet.folded:
        yield from _row_tables(sheet)
        return
    found = [group for group in sheet.groups if group.level is not Level.OK]
    if found:
        ordered = sorted(found, key=lambda group: group.level)
        rows = [_group_row(group) for group in ordered[:_MOST_GROUPS]]
        yield _table(("", "modules", units, "what"), rows, right=2)
        if len(ordered) > _MOST_GROUPS:
            yield f"… and {plural(len(ordered) - _MOST_GROUPS, 'more group')}"


def _group_row(group: Group) -> tuple[str, ...]:
    worst = min(group.rows, key=lambda row: row.level)
    return _MARKS[group.level], _code(group.label), f"{len(group.rows):,}", _text(worst.told)


def _row_tables(sheet: Sheet) -> Iterator[str]:
    """A line for every row, the worst first; where they would not fit the page, how many are left out."""
    ordered = sorted(sheet.rows, key=lambda row: row.level)
    lines: list[tuple[str, ...]] = []
    room = _MOST_OF_ROWS
    for row in ordered:
        hints = "; ".join(message.hint for message in row.messages if message.hint)
        line = (_MARKS[row.level], _code(row.name), _text(row.told + (f" ({hints})" if hints else "")))
        room -= sum(map(len, line))
        if room < 0:
            break
        lines.append(line)
    if lines:
        yield _table(("", sheet.unit, "what"), lines)
    if len(lines) < len(ordered):
        left = ordered[len(lines) :]
        worst = plural(sum(row.level is Level.FAILURE for row in left), "failure")
        yield f"… and {plural(len(left), f'more {sheet.unit}')}, {worst} among them; the JSON report has every one"


def _messages(messages: Iterable[Message]) -> Iterator[str]:
    lines = [_message(message) for message in messages]
    if lines:
        yield "\n".join(lines)


def _message(message: Message) -> str:
    where = f"{_code(message.where)}: " if message.where else ""
    hint = f" ({_text(message.hint)})" if message.hint else ""
    return f"- {_MARKS[message.level]} {where}{_text(message.text)}{hint}"


def _edits(edits: Iterable[ConfigEdit]) -> Iterator[str]:
    rows = [(_code(edit.path), _code(edit.old), _code(edit.new or "(remove)"), _text(edit.reason)) for edit in edits]
    if rows:
        yield _table(("config field", "old", "new", "why"), rows)


def _file(name: str) -> str:
    """A file's name as a link's target between angle brackets."""
    return re.sub(r"[<>\\]", "", printable(name))


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]], right: int = -1) -> str:
    rule = ["--:" if place == right else ":--" for place in range(len(head))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))


def _code(text: str) -> str:
    """Text as it is, in a code span; as HTML where it holds what would end the span or the table's cell."""
    text = _short(text)
    if not text:
        return ""
    return f"`{text}`" if not set("`|\\") & set(text) else f"<code>{_text(text)}</code>"


def _text(text: str) -> str:
    """Text in which nothing means anything to Markdown, GitHub's mentions and links included."""
    return _SPECIAL.sub(lambda found: f"&#{ord(found[0])};", _short(text))


def _short(text: str) -> str:
    safe = printable(text)
    return safe if len(safe) <= _LONGEST_TEXT else f"{safe[:_LONGEST_TEXT]}…"
