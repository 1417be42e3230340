"""``ckptmap inspect``: what is in a checkpoint, from its index alone."""

from __future__ import annotations

import enum
import gc
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from ckptmap.cli.command import REPORTS, WHAT, examples
from ckptmap.cli.options import Json, Match, Source
from ckptmap.cli.outputs import ReportFiles, choose_outputs, emit
from ckptmap.cli.speaking import on_terminal, quiet, verbose

EXAMPLES = examples(
    ("what it is, and how to convert it", "ckptmap inspect old/"),
    ("one scope, a line a variable", "ckptmap inspect old/ --match 'BoxPredictor_*' --format table"),
    ("everything, for programs", "ckptmap inspect old/ --json"),
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ckptmap.inspection.inspector import Inspection


_GARBAGE_THRESHOLD = 100_000
"""Large indexes become a million objects that live to the end: looking for garbage takes a fifth of the time."""


class Format(str, enum.Enum):
    """How the variables are listed."""

    TREE = "tree"
    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def inspect_command(
    source: Source,
    match: Match = None,
    slots: Annotated[
        bool,
        typer.Option(
            "--slots",
            help="List slots, moving averages and the like too (json and csv always do).",
            rich_help_panel=WHAT,
        ),
    ] = False,
    form: Annotated[
        Format,
        typer.Option(
            "--format", "-f", help="A folded tree, a table, or everything for programs.", rich_help_panel=REPORTS
        ),
    ] = Format.TREE,
    step: Annotated[
        int | None,
        typer.Option(
            help="Of several checkpoints in a directory, the one of this step.",
            show_default=False,
            rich_help_panel=WHAT,
        ),
    ] = None,
    report: ReportFiles = None,
    json: Json = False,
) -> None:
    """Show what a checkpoint is: its kind, model, training state, and its variables."""
    outputs = choose_outputs(None, report, inputs=[source])
    from ckptmap.basics.globs import refuse_choosing_nothing
    from ckptmap.inspection.inspector import inspect

    gc.set_threshold(_GARBAGE_THRESHOLD)
    found = inspect(source, step=step)
    patterns = tuple(match or ())
    refuse_choosing_nothing("match", patterns, map(found.called, found.inventory.variables))
    if json or form is Format.JSON:
        _print_json(found, patterns)
    elif form is Format.CSV:
        _print_csv(found, patterns)
    elif not quiet():
        _print_text(found, patterns, slots=slots or verbose(), table=form is Format.TABLE)
    if outputs.files:
        from ckptmap.inspection.inspect_document import document

        emit(document(found, patterns), replace(outputs, stdout=()))


def _print_json(found: Inspection, patterns: Sequence[str]) -> None:
    from ckptmap.inspection.inspect_document import document
    from ckptmap.report.json_format import to_json

    typer.echo(to_json(document(found, tuple(patterns))))


def _print_csv(found: Inspection, patterns: Sequence[str]) -> None:
    from ckptmap.inspection.csv_format import to_csv
    from ckptmap.inspection.inspect_document import document

    typer.echo(to_csv(document(found, tuple(patterns))["variables"]), nl=False)


def _print_text(found: Inspection, patterns: Sequence[str], *, slots: bool, table: bool) -> None:
    from ckptmap.inspection.text import table_lines, text_lines
    from ckptmap.inspection.tree import tree_lines

    chosen = list(found.chosen(patterns))
    aside = set() if slots else {name for name, slot in found.roles.items() if slot.kind != "bookkeeping"}
    shown = [variable for variable in chosen if variable.name not in aside]
    listing = table_lines if table else tree_lines
    lines = text_lines(found, shown, listing, hidden=len(chosen) - len(shown))
    typer.echo("\n".join(on_terminal(lines, sys.stdout)))
