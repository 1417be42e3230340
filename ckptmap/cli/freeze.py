"""``ckptmap freeze``: what a training run leaves as it is."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from ckptmap.cli.bundles import bundled
from ckptmap.cli.command import HOW, WHAT, examples
from ckptmap.cli.completion import complete_stages
from ckptmap.cli.outputs import Reports, annotating, emit

EXAMPLES = examples(
    ("what a pattern really freezes", "ckptmap freeze old/model.ckpt --pattern 'FeatureExtractor/.*'"),
    ("what trains in three stages", "ckptmap freeze old/ --pipeline pipeline.config --stages heads,top,all"),
)

Trainer = Literal["train", "model_main"]


@bundled
def freeze_command(
    reports: Reports,
    checkpoint: Annotated[
        str | None,
        typer.Argument(
            metavar="[CHECKPOINT]", help="A TF1 checkpoint of the model: prefix, file or directory.", show_default=False
        ),
    ] = None,
    pipeline: Annotated[
        str | None,
        typer.Option(
            metavar="CONFIG",
            help="A TF1 pipeline.config: its patterns, and its model.",
            show_default=False,
            rich_help_panel=WHAT,
        ),
    ] = None,
    pattern: Annotated[
        list[str] | None,
        typer.Option(
            metavar="REGEX",
            help="Freeze what matches, instead of freeze_variables; repeatable.",
            show_default=False,
            rich_help_panel=WHAT,
        ),
    ] = None,
    stages: Annotated[
        str | None,
        typer.Option(
            metavar="PARTS",
            autocompletion=complete_stages,
            help="What trains in each stage: heads,top,all, or parts such as class_head+neck.",
            show_default=False,
            rich_help_panel=HOW,
        ),
    ] = None,
    trainer: Annotated[
        Trainer,
        typer.Option(
            help="How patterns match: as in legacy/train.py (re.match) or in model_main.py (re.search).",
            rich_help_panel=HOW,
        ),
    ] = "train",
) -> None:
    """Show which variables TF1's freeze_variables freezes, which still train, and what they are in TF2.

    Exit 1 if a pattern matches no variable.
    """
    outputs = reports.outputs([checkpoint, pipeline])
    from ckptmap.families.detection.freezing.freeze_document import freeze_document
    from ckptmap.verbs.freeze import freeze

    if checkpoint is None and pipeline is None:
        raise typer.BadParameter("give a checkpoint, or --pipeline CONFIG")
    wanted = tuple(stage.strip() for stage in (stages or "").split(",") if stage.strip())
    with annotating(outputs):
        found = freeze(checkpoint, pipeline=pipeline, patterns=tuple(pattern or ()), stages=wanted, trainer=trainer)
    document = freeze_document(found)
    emit(document, outputs)
    if not document["passed"]:
        raise typer.Exit(1)
