"""``ckptmap export``: a converted checkpoint becomes a SavedModel that plain TensorFlow loads."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ckptmap.basics.escapes import printable
from ckptmap.cli.command import HOW, OUTPUT, examples
from ckptmap.cli.speaking import say

EXAMPLES = examples(
    ("what convert wrote, as plain TensorFlow loads it", "ckptmap export new/ -o saved_model/"),
    ("for encoded images", "ckptmap export new/ -o saved_model/ --input-type encoded_image_string_tensor"),
)


def export_command(
    migrated: Annotated[
        Path,
        typer.Argument(
            metavar="DIRECTORY",
            help="What convert --pipeline wrote: checkpoint and pipeline.config.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="DIRECTORY",
            help="Directory of the SavedModel.",
            show_default=False,
            rich_help_panel=OUTPUT,
        ),
    ],
    input_type: Annotated[
        str,
        typer.Option(
            metavar="TYPE",
            rich_help_panel=HOW,
            help="image_tensor, float_image_tensor, encoded_image_string_tensor or tf_example.",
        ),
    ] = "image_tensor",
) -> None:
    """Write a SavedModel that gives the detections of the TF1 graph.

    This needs the tf extra; loading the SavedModel does not.
    """
    from ckptmap.tf.environment import check_installed
    from ckptmap.tf.export import INPUT_TYPES, export, exportable

    if input_type not in INPUT_TYPES:
        raise typer.BadParameter(f"one of {', '.join(INPUT_TYPES)}", param_hint="--input-type")
    exportable(migrated, output)
    check_installed()
    say("importing TensorFlow, building the model, tracing it: this takes a minute")
    typer.echo(printable(str(export(migrated, output, input_type=input_type))))
