"""``ckptmap verify``: the old and the new model, run on the same images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ckptmap.cli.options import Json
from ckptmap.cli.outputs import Formats, ReportFilesBeside, annotating, choose_outputs, emit
from ckptmap.cli.steps import step_progress

if TYPE_CHECKING:
    from ckptmap.execution.overwriting import Made
    from ckptmap.report.document import Document
    from ckptmap.tf.verify.model import Verification

DIFFER = 3


def verify_command(
    old: Annotated[
        Path,
        typer.Argument(
            help="TF1: an export (frozen graph, SavedModel, .meta with its checkpoint; a directory of them, in this "
            "order) or a checkpoint with its pipeline.config.",
            show_default=False,
        ),
    ],
    new: Annotated[
        Path,
        typer.Argument(
            help="TF2: what convert --pipeline wrote (checkpoint and pipeline.config), or a SavedModel.",
            show_default=False,
        ),
    ],
    images: Annotated[
        Path | None,
        typer.Option(help="Directory of images, or one image; default: seeded random ones.", show_default=False),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Directory for report.json, .md, .html and the pictures.", show_default=False
        ),
    ] = None,
    pipeline: Annotated[
        Path | None,
        typer.Option(help="The TF1 pipeline.config, where it does not lie beside the checkpoint.", show_default=False),
    ] = None,
    ema: Annotated[
        Literal["prefer", "ignore"],
        typer.Option(help="Run a TF1 checkpoint with its moving averages where it has them, or with raw weights."),
    ] = "prefer",
    label_map: Annotated[
        Path | None,
        typer.Option(help="label_map.pbtxt: the names of the classes in the pictures.", show_default=False),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="At most so many images (random ones: 4).", show_default=False)
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the random images.")] = 0,
    min_score: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Count and draw detections from this score on.")
    ] = 0.3,
    everything: Annotated[bool, typer.Option("--all", help="List what is equal too.")] = False,
    formats: Formats = None,
    report: ReportFilesBeside = None,
    json: Json = False,
) -> None:
    """Run both models on the same images: exit 0 when they agree, 3 when they differ, with where and why.

    Needs the tf extra; of a frozen graph or SavedModel against a SavedModel plain TensorFlow.
    """
    read = [old, new, images, pipeline, label_map]
    outputs = choose_outputs(formats, report, json=json, inputs=read, made=_made(output))
    from ckptmap.tf.verify import verify

    if output is not None:
        from ckptmap.tf.verify.folder import check_folder

        check_folder(output, read)
    names = _class_names(label_map)
    with annotating(outputs), step_progress() as say:
        found = verify(
            old,
            new,
            images=images,
            limit=limit,
            seed=seed,
            pipeline=pipeline,
            weights="raw" if ema == "ignore" else "averages",
            say=say,
        )
    emit(_document(found, min_score, output, names), outputs, everything=everything)
    if not found.agree:
        raise typer.Exit(DIFFER)


def _made(output: Path | None) -> Made | None:
    if output is None:
        return None
    from ckptmap.execution.overwriting import VERIFIED, Made

    return Made(output, VERIFIED)


def _class_names(label_map: Path | None) -> dict[int, str]:
    if label_map is None:
        return {}
    from ckptmap.families.detection.label_files import read_label_map

    return {label.id: label.shown for label in read_label_map(label_map).labels}


def _document(found: Verification, min_score: float, output: Path | None, names: dict[int, str]) -> Document:
    """The document; with a directory to write to, it, its renderings and the pictures go there."""
    from ckptmap.tf.verify.document import verify_document

    if output is None:
        return verify_document(found, min_score)
    from ckptmap.tf.verify.folder import write_folder

    return write_folder(output, found, min_score, names)
