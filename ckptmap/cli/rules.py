"""``ckptmap rules``: check mapping tables before they are used."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ckptmap.basics.text import plural, printable

app = typer.Typer(help="Work with mapping tables.", no_args_is_help=True, rich_markup_mode=None)


@app.command(name="check")
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
    typer.echo(plural(len(problems), "mistake") if problems else "no mistakes", err=True)
    if problems:
        raise typer.Exit(1)
