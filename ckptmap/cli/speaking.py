"""How much is said, and in which colors; data goes to stdout, all that is said here to stderr."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO

import typer

from ckptmap.basics.escapes import printable
from ckptmap.basics.hanging import folded

_ERROR = "error:"


@dataclass(slots=True)
class _Voice:
    quiet: bool = False
    verbose: bool = False


_voice = _Voice()


@contextmanager
def voice() -> Iterator[None]:
    """One run of the command line: what it is told of quiet and verbose is forgotten behind it."""
    before = _voice.quiet, _voice.verbose
    _voice.quiet = _voice.verbose = False
    try:
        yield
    finally:
        _voice.quiet, _voice.verbose = before


def be_quiet(wanted: bool) -> None:
    """Errors alone are said from now on."""
    _voice.quiet = _voice.quiet or wanted


def be_verbose(wanted: bool) -> None:
    """More is said from now on."""
    _voice.verbose = _voice.verbose or wanted


def quiet() -> bool:
    """Whether errors alone are to be said."""
    return _voice.quiet


def verbose() -> bool:
    """Whether more is to be said than is needed."""
    return _voice.verbose


def say(text: str) -> None:
    """A remark beside the data: safe to print, on stderr, and not at all where the run is quiet."""
    if not _voice.quiet:
        typer.echo("\n".join(on_terminal([printable(text)], sys.stderr)), err=True)


def on_terminal(lines: Iterable[str], stream: TextIO) -> Iterator[str]:
    """The lines, broken between words where ``stream`` is a terminal that they are too long for."""
    if not stream.isatty():
        yield from lines
        return
    width = shutil.get_terminal_size().columns
    for line in lines:
        yield from folded(line, width)


def has_colors(stream: TextIO) -> bool:
    """Whether ``stream`` shows colors: a terminal does, unless NO_COLOR is set (https://no-color.org).

    FORCE_COLOR stands for a terminal.
    """
    if os.environ.get("NO_COLOR"):
        return False
    return (stream.isatty() and os.environ.get("TERM") != "dumb") or "FORCE_COLOR" in os.environ


def _error_word() -> str:
    """The word before an error: red where stderr shows colors."""
    return typer.style(_ERROR, fg="red", bold=True) if has_colors(sys.stderr) else _ERROR


def tell_error(lines: list[str]) -> None:
    """An error on stderr; the first line follows the word. ``lines`` are safe to print."""
    first, *others = on_terminal((f"{_ERROR} {lines[0]}", *lines[1:]), sys.stderr)
    told = "\n".join((f"{_error_word()}{first.removeprefix(_ERROR)}", *others))
    typer.echo(told, err=True, color=has_colors(sys.stderr))
