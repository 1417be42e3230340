"""``ckptmap export``: a converted checkpoint becomes a SavedModel that plain TensorFlow loads."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ckptmap.basics.text import printable


def export_command(
    migrated: Annotated[
        Path,
        typer.Argument(
            metavar="DIRECTORY",
            help="What convert --pipeline wrote: checkpoint and pipeline.config.",
            show_default=False,
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Directory of the SavedModel.", show_default=False)],
    input_type: Annotated[
        str, typer.Option(help="image_tensor, float_image_tensor, encoded_image_string_tensor or tf_example.")
    ] = "image_tensor",
) -> None:
    """Write a SavedModel whose detections are the TF1 graph's; needs the tf extra, loading it does not."""
    typer.echo("importing TensorFlow, building the model, tracing it: this takes a minute", err=True)
    from ckptmap.tf.export import INPUT_TYPES, export

    if input_type not in INPUT_TYPES:
        raise typer.BadParameter(f"one of {', '.join(INPUT_TYPES)}", param_hint="--input-type")
    typer.echo(printable(str(export(migrated, output, input_type=input_type))))
