"""A sheet as workflow commands of GitHub Actions: annotations on files and lines, one line each.

The format: https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ckptmap.basics.errors import CkptmapError, ProblemsError
from ckptmap.basics.text import plural, printable
from ckptmap.report.sheet import Group, Level, Message, Sheet, groups

_COMMANDS = {Level.FAILURE: "error", Level.WARNING: "warning", Level.NOTE: "notice", Level.OK: "notice"}
_PLACE = re.compile(r"(?P<file>.+?\.\w+)(?::(?P<line>\d+))?")
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
    failed = [group for group in groups(sheet.rows) if group.level is Level.FAILURE]
    for group in failed[:_MOST]:
        yield annotation(_group_message(group, sheet.unit), sheet.title)
    yield annotation(Message(Level.OK if sheet.passed else Level.FAILURE, sheet.verdict), sheet.title)


def annotation(message: Message, title: str) -> str:
    """One workflow command; nothing in the message can end it or start another."""
    place = _PLACE.fullmatch(message.where)
    hint = f" ({message.hint})" if message.hint else ""
    text = message.text if place or not message.where else f"{message.where}: {message.text}"
    properties = {"title": title}
    if place:
        properties = {
            "file": _relative(place["file"]),
            **({"line": place["line"]} if place["line"] else {}),
            **properties,
        }
    shown = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{_COMMANDS[message.level]} {shown}::{_data(text + hint)}"


def _group_message(group: Group, unit: str) -> Message:
    failed = [row for row in group.rows if row.level is Level.FAILURE]
    told = ", ".join(filter(None, (failed[0].fate.replace("_", " "), failed[0].reason, failed[0].detail)))
    where = str(failed[0].record.get("rule") or "")
    return Message(Level.FAILURE, f"{group.label}: {plural(len(failed), unit)} {told}", where)


def _relative(file: str) -> str:
    """Annotations are placed by paths relative to the repository, where the step usually runs."""
    path, here = Path(file), Path.cwd()
    return path.relative_to(here).as_posix() if path.is_absolute() and path.is_relative_to(here) else file


def _data(text: str) -> str:
    return printable(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
