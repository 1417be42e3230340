"""``ckptmap targets``: the models that a checkpoint can be converted to."""

from __future__ import annotations

from typing import Annotated

import typer

from ckptmap.cli.bundles import bundled
from ckptmap.cli.command import REPORTS, examples
from ckptmap.cli.outputs import Reports, emit
from ckptmap.cli.speaking import say
from ckptmap.report.formats import Format

EXAMPLES = examples(
    ("names for --to, each with its verdict", "ckptmap targets"),
    ("as a table", "ckptmap targets --format csv -o targets.csv"),
)


@bundled
def targets_command(
    reports: Reports,
    markdown: Annotated[
        bool, typer.Option("--markdown", rich_help_panel=REPORTS, help="Print the page docs/targets.md.")
    ] = False,
) -> None:
    """List the targets that ckptmap knows by name, and whether TF2 computes what TF1 did."""
    outputs = reports.outputs()
    from ckptmap.families.detection import catalogue

    if markdown:
        typer.echo("\n".join(catalogue.markdown()))
        return
    emit(catalogue.catalogue_document(), outputs)
    if Format.TEXT in outputs.stdout:
        say(f"{catalogue.SLIM_ONLY_NOTE}: {', '.join(catalogue.slim_only())}")
        say("verdicts are those of the official configurations; convert --pipeline gives yours")
