"""A sheet as one line a module, in the manner of ``git diff --stat``."""

from __future__ import annotations

from collections.abc import Iterator

from ckptmap.basics.escapes import printable
from ckptmap.report.sheet import Group, Level, Sheet, groups


def stat_lines(sheet: Sheet) -> Iterator[str]:
    """A line for each module that is not as it should be, then the verdict."""
    found = [group for group in groups(sheet.rows) if group.level is not Level.OK]
    width = max((len(group.label) for group in found), default=0)
    for group in sorted(found, key=lambda group: group.level):
        yield f" {printable(group.label):<{width}} | {_counts(group)}"
    yield printable(sheet.verdict)


def name_lines(sheet: Sheet, *, everything: bool = False) -> Iterator[str]:
    """The names of the variables that are not as they should be, one a line; all with ``everything``."""
    for row in sheet.rows:
        if everything or row.level < Level.NOTE:
            yield printable(row.name)


def _counts(group: Group) -> str:
    met: dict[str, int] = {}
    for row in group.rows:
        met[row.fate] = met.get(row.fate, 0) + 1
    counts = ", ".join(f"{count:,} {fate.replace('_', ' ')}" for fate, count in met.items())
    details = next((row.detail for row in group.rows if row.detail), "")
    return f"{counts}  {printable(details)}".rstrip()
