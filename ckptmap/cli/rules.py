"""``ckptmap rules``: check mapping tables before they are used."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ckptmap.basics.text import plural, printable
from ckptmap.cli.command import Command, Group, examples
from ckptmap.cli.speaking import say

EXAMPLES = examples(("every mistake, with file and line", "ckptmap rules check mine.yaml"))

app = typer.Typer(cls=Group, help="Work with mapping tables.", no_args_is_help=True, rich_markup_mode=None)


@app.command(name="check", cls=Command, epilog=EXAMPLES)
def check_command(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Tables, or directories of tables.", show_default=False)
    ],
) -> None:
    """Check tables and report every mistake with file and line; exit 1 when there are any."""
    from ckptmap.mapping import check_tables

    problems = [problem for path in paths for problem in check_tables(path)]
    for problem in problems:
        typer.echo(printable(str(problem)))
    say(plural(len(problems), "mistake") if problems else "no mistakes")
    if problems:
        raise typer.Exit(1)
