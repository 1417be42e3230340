"""``ckptmap targets``: the models that a checkpoint can be converted to."""

from __future__ import annotations

from typing import Annotated

import typer

from ckptmap.cli.options import Json


def targets_command(
    json: Json = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the page docs/targets.md.")] = False,
) -> None:
    """List the targets that ckptmap knows by name, and whether TF2 computes what TF1 did."""
    from ckptmap.families.detection import catalogue

    if markdown:
        typer.echo("\n".join(catalogue.markdown()))
        return
    entries = catalogue.catalogue()
    if json:
        import json as json_module
        from dataclasses import asdict

        document = {"schema": "ckptmap.targets/1", "targets": [asdict(entry) for entry in entries]}
        typer.echo(json_module.dumps(document, indent=1))
        return
    name = max(len(entry.name) for entry in entries)
    verdict = max(len(entry.verdict) for entry in entries)
    for entry in entries:
        typer.echo(f"{entry.name:<{name}}  {entry.verdict:<{verdict}}  {entry.extractor_type}")
    typer.echo(f"{catalogue.SLIM_ONLY_NOTE}: {', '.join(catalogue.slim_only())}", err=True)
    typer.echo("verdicts are those of the official configurations; convert --pipeline gives yours", err=True)
