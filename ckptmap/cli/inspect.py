"""``ckptmap inspect``: what is in a checkpoint, from its index alone."""

from __future__ import annotations

from typing import Annotated

import typer

from ckptmap.cli.options import Json, Source


def inspect_command(
    source: Source,
    match: Annotated[
        list[str] | None,
        typer.Option("--match", metavar="GLOB", help="Only variables that match; repeatable.", show_default=False),
    ] = None,
    json: Json = False,
) -> None:
    """Say what a checkpoint is and list its variables: names, dtypes, shapes."""
    from ckptmap.checkpoint import open_checkpoint
    from ckptmap.inspection import inspect_inventory, text_lines

    with open_checkpoint(source) as checkpoint:
        report = inspect_inventory(checkpoint.inventory, match=tuple(match or ()))
    if json:
        import json as json_module

        typer.echo(json_module.dumps(report, indent=1))
        return
    for line in text_lines(report):
        typer.echo(line)
