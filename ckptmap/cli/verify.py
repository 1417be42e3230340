"""``ckptmap verify``: the old and the new model, run on the same values."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ckptmap.cli.bundles import bundled
from ckptmap.cli.command import HOW, OUTPUT, REPORTS, WHAT, examples
from ckptmap.cli.options import All
from ckptmap.cli.outputs import ReportsBeside, annotating, emit
from ckptmap.cli.speaking import say
from ckptmap.cli.steps import step_progress
from ckptmap.cli.two_models import TwoModels, are_any

if TYPE_CHECKING:
    from ckptmap.execution.overwriting import Made
    from ckptmap.report.conversion_document import Document
    from ckptmap.tf.verify.general.model_verification import ModelVerification
    from ckptmap.tf.verify.verification import Verification

EXAMPLES = examples(
    ("any two models, on made-up inputs", "ckptmap verify old/model.ckpt new.keras"),
    ("with the code of both, which is run", "ckptmap verify old/ new/ --old-model nets:build --new-model mine:build"),
    (
        "detectors on photos, with pictures",
        "ckptmap verify old/ new/ --images photos/ -o verification/",
    ),
)

DIFFER = 3


@bundled
def verify_command(
    reports: ReportsBeside,
    models: TwoModels,
    old: Annotated[
        Path,
        typer.Argument(
            help="TF1: frozen graph, SavedModel, checkpoint with its .meta, with its pipeline.config or with "
            "--old-model; or a directory of them, in this order.",
            show_default=False,
        ),
    ],
    new: Annotated[
        Path,
        typer.Argument(
            help="TF2: SavedModel, .keras file, checkpoint with --new-model, or what convert --pipeline wrote.",
            show_default=False,
        ),
    ],
    images: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="Directory of images, or one image; default: seeded random values.",
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
            help="The TF1 pipeline.config, if it is not beside the checkpoint.",
            show_default=False,
            rich_help_panel=WHAT,
        ),
    ] = None,
    ema: Annotated[
        Literal["prefer", "ignore"],
        typer.Option(
            help="Run a TF1 checkpoint with its moving averages, if it has them, or with raw weights.",
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
        typer.Option(
            min=1,
            help="Use at most this many images (default for random ones: 4).",
            show_default=False,
            rich_help_panel=HOW,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the random images.", rich_help_panel=HOW)] = 0,
    min_score: Annotated[
        float,
        typer.Option(
            min=0.0, max=1.0, help="Count and draw detections with this score or a higher one.", rich_help_panel=HOW
        ),
    ] = 0.3,
    everything: All = False,
) -> None:
    """Run both models on the same inputs; exit 0 if they agree, 3 if they differ. The report says where and why.

    It needs TensorFlow. Detectors that a pipeline.config describes need the tf extra.
    """
    read = [old, new, images, pipeline, label_map]
    outputs = reports.outputs(read, _files_made(output))
    if output is not None:
        from ckptmap.tf.verify.folder import check_folder

        check_folder(output, read)
    if are_any(models, old, new, pipeline):
        with annotating(outputs), step_progress() as tell:
            both = _verify_models(models, old, new, images=images, limit=limit, seed=seed, say=tell)
        emit(_models_document(both, output), outputs, everything=everything)
        if not both.agree:
            raise typer.Exit(DIFFER)
        return
    from ckptmap.tf.verify import verify

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


def _verify_models(models: TwoModels, old: Path, new: Path, **others: Any) -> ModelVerification:
    from ckptmap.tf.verify import verify_models

    return verify_models(old, new, **models.keywords, **others)


def _models_document(found: ModelVerification, output: Path | None) -> Document:
    from ckptmap.tf.verify.general.models_document import models_document

    if output is None:
        return models_document(found)
    from ckptmap.tf.verify.folder import write_models

    document = write_models(output, found)
    say(f"wrote {output}: report.json, report.md and report.html")
    return document


def _files_made(output: Path | None) -> Made | None:
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
    from ckptmap.tf.verify.verify_document import verify_document

    if output is None:
        return verify_document(found, min_score)
    from ckptmap.tf.verify.folder import write_folder

    document = write_folder(output, found, min_score, names)
    say(f"wrote {output}: report.json, report.md, report.html and the pictures")
    return document
