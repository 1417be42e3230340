"""``ckptmap rules``: mapping tables checked before they are used, and the shipped ones to read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ckptmap.basics.escapes import printable
from ckptmap.basics.text import plural
from ckptmap.cli.command import REPORTS, Command, Group, examples
from ckptmap.cli.completion import complete_all_tables
from ckptmap.cli.speaking import say

app = typer.Typer(cls=Group, help="Work with mapping tables.", no_args_is_help=True, rich_markup_mode=None)


@app.command(
    name="check",
    cls=Command,
    epilog=examples(("every mistake, with file and line", "ckptmap rules check my_model.yaml")),
)
def check_command(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Tables, or directories of tables.", show_default=False)
    ],
) -> None:
    """Check tables and report every mistake with file and line; exit 1 if there are any.

    To see whether the names of a table fit your two models, use `ckptmap convert --dry-run`.
    """
    from ckptmap.mapping import check_tables
    from ckptmap.mapping.doubtful import doubtful_names

    problems = [problem for path in paths for problem in check_tables(path)]
    doubts = [doubt for path in paths for doubt in doubtful_names(path)]
    for problem in problems:
        typer.echo(printable(str(problem)))
    for doubt in doubts:
        say(f"warning: {doubt}")
    mistakes = plural(len(problems), "mistake") if problems else "no mistakes"
    say(f"{mistakes}, {plural(len(doubts), 'warning')}" if doubts else mistakes)
    if problems:
        raise typer.Exit(1)


@app.command(
    name="list",
    cls=Command,
    epilog=examples(
        ("the tables that --table and include take", "ckptmap rules list"),
        ("those for heads alone", "ckptmap rules list heads"),
    ),
)
def list_command(
    folders: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FOLDER]...", help="Only tables of these folders.", show_default=False),
    ] = None,
    paths: Annotated[
        bool, typer.Option("--paths", help="Print the file of each table.", rich_help_panel=REPORTS)
    ] = False,
) -> None:
    """List the shipped mapping tables by the names that `--table` and `include` take."""
    from ckptmap.mapping.locate import all_tables

    for name, path in all_tables(folders or ()).items():
        typer.echo(f"{name}  {printable(str(path))}" if paths else name)


@app.command(
    name="show",
    cls=Command,
    epilog=examples(("a table to begin your own with", "ckptmap rules show detectors/ssd_mobilenet_v2")),
)
def show_command(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="A shipped table, such as kinds/slim or ssd_mobilenet_v2, or a file.",
            show_default=False,
            autocompletion=complete_all_tables,
        ),
    ],
) -> None:
    """Print a mapping table. Its path goes to stderr."""
    from ckptmap.mapping import load_table

    path = Path(load_table(name).path)
    say(str(path))
    typer.echo("\n".join(map(printable, path.read_text("utf-8").splitlines())))


@app.command(
    name="schema",
    cls=Command,
    epilog=examples(("for an editor that completes tables", "ckptmap rules schema")),
)
def schema_command() -> None:
    """Print the path of the JSON Schema of mapping tables, for editors that check and complete them."""
    from ckptmap.mapping.locate import schema_file

    typer.echo(str(schema_file()))
