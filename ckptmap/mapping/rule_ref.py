"""Where a rule stands."""

from __future__ import annotations

from typing import NamedTuple


class RuleRef(NamedTuple):
    """Where a rule stands: the table's file, the line in it, counted from 1, and the column, which tells two apart.

    A rule that nobody wrote has line 0, and is called by the name of what made it.
    """

    file: str
    line: int
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file
