"""``ckptmap targets``: the models that a checkpoint can be converted to."""

from __future__ import annotations

import typer

from ckptmap.cli.options import Json


def targets_command(json: Json = False) -> None:
    """List the targets that ckptmap knows by name."""
    from ckptmap.targets import list_targets

    names = list_targets()
    if json:
        import json as json_module

        typer.echo(json_module.dumps({"schema": "ckptmap.targets/1", "targets": [{"name": name} for name in names]}))
        return
    for name in names:
        typer.echo(name)
