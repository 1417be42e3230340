"""``ckptmap verify``: the old and the new model, run on the same images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ckptmap.cli.bundles import bundled
from ckptmap.cli.command import HOW, OUTPUT, REPORTS, WHAT, examples
from ckptmap.cli.options import All
from ckptmap.cli.outputs import ReportsBeside, annotating, emit
from ckptmap.cli.speaking import say
from ckptmap.cli.steps import step_progress

if TYPE_CHECKING:
    from ckptmap.execution.overwriting import Made
    from ckptmap.report.document import Document
    from ckptmap.tf.verify.model import Verification

EXAMPLES = examples(
    ("on photos, with pictures of what differs", "ckptmap verify old/ new/ --images photos/ -o verification/"),
    ("on four random images", "ckptmap verify frozen_inference_graph.pb new/"),
)

DIFFER = 3


@bundled
def verify_command(
    reports: ReportsBeside,
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
        typer.Option(
            metavar="PATH",
            help="Directory of images, or one image; default: seeded random ones.",
            show_default=False,
            rich_help_panel=WHAT,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="DIRECTORY",
            help="Directory for report.json, .md, .html and the pictures.",
            show_default=False,
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    pipeline: Annotated[
        Path | None,
        typer.Option(
            metavar="CONFIG",
            help="The TF1 pipeline.config, where it does not lie beside the checkpoint.",
            show_default=False,
            rich_help_panel=WHAT,
        ),
    ] = None,
    ema: Annotated[
        Literal["prefer", "ignore"],
        typer.Option(
            help="Run a TF1 checkpoint with its moving averages where it has them, or with raw weights.",
            rich_help_panel=WHAT,
        ),
    ] = "prefer",
    label_map: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="label_map.pbtxt: the names of the classes in the pictures.",
            show_default=False,
            rich_help_panel=REPORTS,
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="At most so many images (random ones: 4).", show_default=False, rich_help_panel=HOW),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the random images.", rich_help_panel=HOW)] = 0,
    min_score: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Count and draw detections from this score on.", rich_help_panel=HOW)
    ] = 0.3,
    everything: All = False,
) -> None:
    """Run both models on the same images: exit 0 when they agree, 3 when they differ, with where and why.

    Needs the tf extra; of a frozen graph or SavedModel against a SavedModel plain TensorFlow.
    """
    read = [old, new, images, pipeline, label_map]
    outputs = reports.outputs(read, _made(output))
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

    document = write_folder(output, found, min_score, names)
    say(f"wrote {output}: report.json, report.md, report.html and the pictures")
    return document
