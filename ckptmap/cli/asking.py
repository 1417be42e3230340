"""The doubtful choices of a draft on the terminal: asked on stderr, answered on stdin."""

from __future__ import annotations

import sys

import typer

from ckptmap.basics.errors import CkptmapError
from ckptmap.basics.escapes import printable
from ckptmap.suggest.asking import Ask, Choice, Question


def terminal() -> Ask:
    """Asks on the terminal.

    Raises:
        CkptmapError: stdin or stderr is not one.
    """
    if not (sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()):
        hint = "leave --ask out: what is doubtful is marked in the table"
        raise CkptmapError("--ask needs a terminal to ask on: stdin or stderr is not one", hint=hint)
    return _ask


def _ask(question: Question) -> Choice | str:
    for line in _lines(question):
        typer.echo(printable(line), err=True)
    while True:
        typer.echo(f"{_choices(question)}: ", err=True, nl=False)
        line = sys.stdin.readline()
        answer = line.strip()
        if not line:
            return Choice.STOP
        if answer:
            return next((choice for choice in Choice if choice.value == answer.lower()), answer)


def _lines(question: Question) -> list[str]:
    refused = [f"  {question.refused}"] if question.refused else []
    rival = [f"  or {question.rival}"] if question.rival else []
    return [
        *refused,
        "",
        f"{question.open} doubtful; {question.old} ({question.shapes})",
        f"  -> {question.new}",
        *rival,
        f"  {question.why}",
    ]


def _choices(question: Question) -> str:
    alike = [f"a: so are all {question.alike} that differ in numbers only"] if question.alike > 1 else []
    rival = ["r: the runner-up"] if question.rival else []
    return ", ".join(["y: yes", *alike, *rival, "s: skip", "q: ask no more", "or the name of another new layer"])
