"""Lines of a report on a terminal: colored, and broken between words where they are too long for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ckptmap.basics.hanging import parts

if TYPE_CHECKING:
    from rich.console import Console


def print_line(console: Console, line: str, *, markup: bool = True) -> None:
    """Print one line; only a real terminal has a width to break it for: a file, or the log of a CI, has it whole."""
    from rich.text import Text

    text = Text.from_markup(line, emoji=False) if markup else Text(line)
    if not console.file.isatty():
        console.print(text, highlight=False, soft_wrap=True)
        return
    hang, pieces = parts(text.plain, console.width)
    for number, (start, end) in enumerate(pieces):
        console.print(Text(" " * hang if number else "") + text[start:end], highlight=False, soft_wrap=True)
