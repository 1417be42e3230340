"""``ckptmap diff``: what is different between two checkpoints."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from ckptmap.basics.collector import collector_paused
from ckptmap.cli.bundles import bundled
from ckptmap.cli.command import HOW, REPORTS, WHAT, examples
from ckptmap.cli.completion import complete_targets
from ckptmap.cli.options import All, Match
from ckptmap.cli.outputs import Reports, annotating, emit
from ckptmap.report.formats import Format

EXAMPLES = examples(
    ("what differs, worst first", "ckptmap diff a/model.ckpt b/model.ckpt"),
    ("did everything arrive? the old and the converted one", "ckptmap diff old/ new/ --map new/report.json"),
    ("a line for each module", "ckptmap diff a/ b/ --stat"),
)


@bundled
def diff_command(
    a: Annotated[str, typer.Argument(metavar="A", help="A checkpoint: prefix, file or directory.", show_default=False)],
    b: Annotated[str, typer.Argument(metavar="B", help="The one to compare with.", show_default=False)],
    reports: Reports,
    mapping: Annotated[
        str | None,
        typer.Option(
            "--map",
            metavar="NAME|REPORT",
            autocompletion=complete_targets,
            help="A is the TF1 checkpoint that B was made from: the target's name, a table, or the report.json.",
            show_default=False,
            rich_help_panel=WHAT,
        ),
    ] = None,
    match: Match = None,
    tolerance: Annotated[
        float,
        typer.Option(
            min=0.0, help="Values whose largest absolute difference is at most this are equal.", rich_help_panel=HOW
        ),
    ] = 0.0,
    read: Annotated[
        bool, typer.Option("--read", help="Compare every byte, even if checksums agree.", rich_help_panel=HOW)
    ] = False,
    everything: All = False,
    stat: Annotated[bool, typer.Option("--stat", help="Print one line a module.", rich_help_panel=REPORTS)] = False,
    names_only: Annotated[
        bool, typer.Option("--names-only", help="Print the names that differ, one a line.", rich_help_panel=REPORTS)
    ] = False,
) -> None:
    """Compare two checkpoints of any kind; exit 0 if they are equal, 1 if they differ.

    Stored checksums are compared first. Values are read only if their checksums differ.
    """
    if stat and names_only:
        raise typer.BadParameter("choose one of --stat and --names-only")
    outputs = reports.outputs([a, b, mapping])
    if (stat or names_only) and not {Format.TEXT, Format.GITHUB}.issuperset(outputs.stdout):
        raise typer.BadParameter("--stat and --names-only print text: give files for other formats with --report")
    from ckptmap.diff import diff
    from ckptmap.diff.diff_document import diff_document

    values = not names_only or outputs.files != ()
    with annotating(outputs), collector_paused():
        # the comparison itself holds both inventories: only its document is kept
        document = diff_document(
            diff(a, b, read=read, values=values, tolerance=tolerance, match=match or (), mapping=mapping)
        )
    if stat or names_only:
        _print_lines(document, names_only=names_only, everything=everything)
        outputs = replace(outputs, stdout=tuple(form for form in outputs.stdout if form is not Format.TEXT))
    with collector_paused():
        emit(document, outputs, everything=everything)
    if not document["equal"]:
        raise typer.Exit(1)


def _print_lines(document: dict[str, object], *, names_only: bool, everything: bool) -> None:
    from ckptmap.report.sheets import sheet_of
    from ckptmap.report.stat_text import name_lines, stat_lines

    sheet = sheet_of(document)
    for line in name_lines(sheet, everything=everything) if names_only else stat_lines(sheet):
        typer.echo(line)
