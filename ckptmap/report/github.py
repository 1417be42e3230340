"""A sheet as workflow commands of GitHub Actions: annotations on files and lines, one line each.

The format: https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from ckptmap.basics.errors import CkptmapError, ProblemsError
from ckptmap.basics.escapes import printable
from ckptmap.basics.text import plural
from ckptmap.report.sheet import Group, Level, Message, Row, Sheet

_COMMANDS = {Level.FAILURE: "error", Level.WARNING: "warning", Level.NOTE: "notice", Level.OK: "notice"}
_PLACE = re.compile(r"(?P<file>.+?)(?::(?P<line>[0-9]+))?", re.DOTALL)
_MOST = 10
"""GitHub shows ten annotations of a kind for a step."""


def to_github(sheet: Sheet) -> str:
    """The messages, the worst groups, and the verdict at the end."""
    return "".join(f"{line}\n" for line in _lines(sheet))


def error_annotations(error: CkptmapError) -> str:
    """The problems of an error that left no report, each on the file and line that it names."""
    problems = error.problems if isinstance(error, ProblemsError) and error.problems else (error.problem,)
    messages = (Message(Level.FAILURE, problem.message, problem.where, problem.hint) for problem in problems)
    return "".join(f"{annotation(message, 'ckptmap')}\n" for message in messages)


def _lines(sheet: Sheet) -> Iterator[str]:
    for message in sheet.messages:
        yield annotation(message, sheet.title)
    failed = [group for group in sheet.groups if group.level is Level.FAILURE]
    for group in failed[:_MOST]:
        message = _group_message(group, sheet.unit) if sheet.folded else _row_message(group.rows[0])
        yield annotation(message, sheet.title)
    yield annotation(Message(Level.OK if sheet.passed else Level.FAILURE, sheet.verdict), sheet.title)


def annotation(message: Message, title: str) -> str:
    """One workflow command; nothing in the message can end it or start another."""
    place = _place(message.where)
    hint = f" ({message.hint})" if message.hint else ""
    text = message.text if place or not message.where else f"{message.where}: {message.text}"
    shown = ",".join(f"{name}={_property(value)}" for name, value in {**place, "title": title}.items())
    return f"::{_COMMANDS[message.level]} {shown}::{_data(text + hint)}"


def _group_message(group: Group, unit: str) -> Message:
    failed = [row for row in group.rows if row.level is Level.FAILURE]
    where = str(failed[0].record.get("rule") or "")
    return Message(Level.FAILURE, f"{group.label}: {plural(len(failed), unit)} {failed[0].told}", where)


def _row_message(row: Row) -> Message:
    """All that is said of a row in one annotation, in the first file that its messages name."""
    where = next((message.where for message in row.messages if _place(message.where)), "")
    hints = "; ".join(message.hint for message in row.messages if message.hint)
    return Message(Level.FAILURE, f"{row.name}: {row.told}", where, hints)


def _place(where: str) -> dict[str, str]:
    """``file`` and ``line`` of an annotation, where ``where`` names a file that is there, below the workspace.

    GitHub places annotations by paths relative to the repository, which is checked out in ``GITHUB_WORKSPACE``. A
    variable, the prefix of a checkpoint, or a file of another machine is no place: the text says it.
    """
    found = _PLACE.fullmatch(where)
    if found is None:
        return {}
    workspace = os.environ.get("GITHUB_WORKSPACE") or Path.cwd()
    try:
        path, root = Path(found["file"]).resolve(), Path(workspace).resolve()
        if not path.is_file() or not path.is_relative_to(root):
            return {}
    except (OSError, ValueError):
        return {}
    return {"file": path.relative_to(root).as_posix(), **({"line": found["line"]} if found["line"] else {})}


def _data(text: str) -> str:
    return printable(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
