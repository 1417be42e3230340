"""How a command shows its help, and the options that every command has.

Help is as wide as the terminal, options stand in groups, examples come last; no word is cut and nothing left out.
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

from ckptmap.cli.speaking import be_quiet, be_verbose, has_colors

WHAT = "What"
HOW = "How"
SEVERAL = "Several checkpoints"
OUTPUT = "Output"
REPORTS = "Reports"
GENERAL = "General"
PANELS = ("Arguments", WHAT, HOW, SEVERAL, OUTPUT, REPORTS, GENERAL)
"""The groups of options, in the order of the help."""

SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 1 << 16}
"""Of every command: the help is as wide as the terminal."""

_RANGE = re.compile("<(int|float) range>|(INTEGER|FLOAT) RANGE")  # by the version of typer
_FIRST_COLUMN = 30
_LEAST = 20
_Rows = Sequence[tuple[str, str]]


_LOUDNESS = (
    ("-q", "--quiet", be_quiet, "Print errors only; reports that you ask for are still written."),
    ("-v", "--verbose", be_verbose, "Print more: also what is right, the time taken, and where an error came from."),
)


def _general_options() -> Iterator[TyperOption]:
    for short, long, act, text in _LOUDNESS:
        yield TyperOption(
            param_decls=[short, long],
            is_flag=True,
            default=False,
            expose_value=False,
            show_default=False,
            callback=partial(_told, act),
            help=text,
            rich_help_panel=GENERAL,
        )


def _told(act: Callable[[bool], None], _context: object, _parameter: object, wanted: object) -> None:
    act(bool(wanted))


class _Helped:
    """How the help of a command, and of a group of commands, is written."""

    help: str | None
    epilog: str | None

    def format_help_text(self, ctx: Any, formatter: Any) -> None:
        """What the command does, a paragraph each."""
        del ctx
        for paragraph in filter(None, (self.help or "").split("\n\n")):
            formatter.write_paragraph()
            formatter.write("\n".join(_wrapped(paragraph, formatter.width, "  ", "  ")) + "\n")

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """The arguments and options in their groups."""
        panels: dict[str, list[tuple[str, str]]] = {panel: [] for panel in PANELS}
        for parameter in self.get_params(ctx):  # type: ignore[attr-defined]
            row = parameter.get_help_record(ctx)
            if row is not None:
                panels[_panel(parameter)].append((_RANGE.sub("<number>", row[0]), row[1]))
        for panel, rows in panels.items():
            if rows:
                _write_rows(panel, rows, formatter)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """The examples."""
        del ctx
        if self.epilog:
            _write_title("Examples", formatter)
            for line in self.epilog.splitlines():
                formatter.write("\n".join(_example(line, formatter.width)) + "\n")


class Command(_Helped, TyperCommand):
    """A command with grouped help, examples, ``-q`` and ``-v``."""

    def __init__(self, name: str | None, **attributes: Any) -> None:
        params = [*(attributes.pop("params", None) or ()), *_general_options()]
        settings = SETTINGS | (attributes.pop("context_settings", None) or {})
        super().__init__(name, params=params, context_settings=settings, **attributes)


class Group(_Helped, TyperGroup):
    """A group of commands whose summaries stand whole in its help."""

    def __init__(self, **attributes: Any) -> None:
        params = [*(attributes.pop("params", None) or ()), *_general_options()]
        settings = SETTINGS | (attributes.pop("context_settings", None) or {})
        super().__init__(params=params, context_settings=settings, **attributes)

    def list_commands(self, ctx: Any) -> list[str]:
        """The names; typer asks for the commands too, which are imported when they are run."""
        del ctx
        return list(self.commands)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """The commands, then the options."""
        panels: dict[str, list[tuple[str, str]]] = {}
        for name in self.list_commands(ctx):
            panel, summary = self.about(name)
            panels.setdefault(panel, []).append((name, summary))
        for panel, rows in panels.items():
            _write_rows(panel, rows, formatter)
        super().format_options(ctx, formatter)

    def about(self, name: str) -> tuple[str, str]:
        """The group that a command stands in, and its summary: the first sentence of its help."""
        command = self.commands[name]
        return "Commands", (command.help or "").partition("\n\n")[0].replace("\n", " ").partition(". ")[0].rstrip(".")


def examples(*told: tuple[str, str]) -> str:
    """Examples of a command, each with what it does, as the end of its help."""
    return "\n".join(f"# {what}\n{line}" for what, line in told)


def _panel(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return "Arguments"
    return getattr(parameter, "rich_help_panel", None) or GENERAL


def _write_rows(title: str, rows: _Rows, formatter: Any) -> None:
    _write_title(title, formatter)
    column = min(max(len(name) for name, _ in rows), _FIRST_COLUMN)
    formatter.write("".join(f"{line}\n" for name, text in rows for line in _row(name, text, column, formatter.width)))


def _write_title(title: str, formatter: Any) -> None:
    formatter.write_paragraph()
    told = f"{title}:"
    formatter.write(f"{typer.style(told, bold=True) if has_colors(sys.stdout) else told}\n")


def _row(name: str, text: str, column: int, width: int) -> Iterator[str]:
    """A name and what it means beside it; below it where the name is long or the terminal narrow."""
    beside = width - column - 4
    indent = " " * (column + 4) if beside >= _LEAST else " " * 6
    lines = _wrapped(text, width, indent, indent)
    if len(name) <= column and beside >= _LEAST and lines:
        yield f"  {name:<{column}}  {lines[0].lstrip()}"
        yield from lines[1:]
    else:
        yield from _wrapped(name, width, "  ", " " * 4)
        yield from lines


def _example(line: str, width: int) -> Iterable[str]:
    if line.startswith("# "):
        return _wrapped(line, width, "  ", "  # ")
    return [f"  {line}"]


def _wrapped(text: str, width: int, first: str, other: str) -> list[str]:
    return textwrap.wrap(
        " ".join(text.split()),
        width,
        initial_indent=first,
        subsequent_indent=other,
        break_long_words=False,
        break_on_hyphens=False,
    )
