"""``ckptmap suggest``: a mapping table drafted for a model of the user's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ckptmap.basics.errors import OutputError
from ckptmap.basics.text import printable
from ckptmap.cli.command import OUTPUT, WHAT, examples
from ckptmap.cli.completion import complete_targets
from ckptmap.cli.options import Source
from ckptmap.cli.speaking import quiet, say

EXAMPLES = examples(
    ("draft the table, then look at what is marked", "ckptmap suggest old/model.ckpt --to tf2/ckpt-1 -o mine.yaml"),
    ("settle what is doubtful at once", "ckptmap suggest old/ --to tf2/ --ask -o mine.yaml"),
    ("with the new model's graph, for models with branches", "ckptmap suggest old/ --to tf2/ --graph model.json"),
)


def suggest_command(
    source: Source,
    to: Annotated[
        str,
        typer.Option(
            metavar="NEW",
            autocompletion=complete_targets,
            help="A TF2 checkpoint of the model, or a shipped target.",
            show_default=False,
            rich_help_panel=WHAT,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write the table to FILE instead of the screen.",
            show_default=False,
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    graph: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The new model's graph: model.to_json() in a file, or model.keras.",
            show_default=False,
            rich_help_panel=WHAT,
        ),
    ] = None,
    ask: Annotated[
        bool,
        typer.Option(
            "--ask",
            help="Ask each doubtful choice on the terminal; the answers go into the table.",
            rich_help_panel=WHAT,
        ),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace FILE where it is there already.", rich_help_panel=OUTPUT)
    ] = False,
) -> None:
    """Draft the mapping table from a TF1 checkpoint to your TF2 model, and mark every rule that is doubtful.

    Exit code 1 where anything is doubtful or left over.
    """
    from ckptmap.cli.asking import terminal
    from ckptmap.suggest import suggest

    if output is not None:
        _refuse(output, force=force)
    found = suggest(source, to=to, graph=graph, ask=terminal() if ask else None)
    if output is None:
        typer.echo(printable_lines(found.text), nl=False)
    else:
        from ckptmap.checkpoint.staging import write_whole

        write_whole(output, found.text.encode())
        if not quiet():
            typer.echo(printable_lines("\n".join(found.summary)))
        say(f"wrote {output}")
    if not found.sure:
        raise typer.Exit(1)


def printable_lines(text: str) -> str:
    """The text with every line safe to print."""
    return "\n".join(printable(line) for line in text.split("\n"))


def _refuse(output: Path, *, force: bool) -> None:
    if output.suffix not in (".yaml", ".yml"):
        raise OutputError("is no name for a table", where=str(output), hint="give one that ends in .yaml")
    if output.exists() and not force:
        raise OutputError("is there already", where=str(output), hint="give another name, or --force")
