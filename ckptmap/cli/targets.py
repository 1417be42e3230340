"""``ckptmap targets``: the models that a checkpoint can be converted to."""

from __future__ import annotations

from typing import Annotated

import typer

from ckptmap.cli.options import Json
from ckptmap.cli.outputs import Formats, ReportFiles, choose_outputs, emit
from ckptmap.report.formats import Format


def targets_command(
    json: Json = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the page docs/targets.md.")] = False,
    formats: Formats = None,
    report: ReportFiles = None,
) -> None:
    """List the targets that ckptmap knows by name, and whether TF2 computes what TF1 did."""
    outputs = choose_outputs(formats, report, json=json)
    from ckptmap.families.detection import catalogue

    if markdown:
        typer.echo("\n".join(catalogue.markdown()))
        return
    emit(catalogue.catalogue_document(), outputs)
    if Format.TEXT in outputs.stdout:
        typer.echo(f"{catalogue.SLIM_ONLY_NOTE}: {', '.join(catalogue.slim_only())}", err=True)
        typer.echo("verdicts are those of the official configurations; convert --pipeline gives yours", err=True)
