"""``ckptmap audit``: what restoring a checkpoint into a model would do."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from ckptmap.basics.bounds import CLASSES
from ckptmap.basics.globs import RULE
from ckptmap.cli.bundles import bundled
from ckptmap.cli.command import HOW, WHAT, examples
from ckptmap.cli.completion import complete_targets
from ckptmap.cli.options import All, Source, parse_settings
from ckptmap.cli.outputs import Reports, annotating, emit

EXAMPLES = examples(
    ("what fine-tuning by this config would restore", "ckptmap audit new/ckpt-0 --pipeline pipeline.config"),
    ("a gate in CI, with a page to read", "ckptmap audit new/ --to ssd_mobilenet_v2 --min-restored 0.95 -o audit.html"),
)

Kind = Literal["full", "detection", "classification"]


@bundled
def audit_command(
    checkpoint: Source,
    reports: Reports,
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="TARGET",
            help="The model: a name (see `ckptmap targets`).",
            show_default=False,
            autocompletion=complete_targets,
            rich_help_panel=WHAT,
        ),
    ] = None,
    like: Annotated[
        str | None,
        typer.Option(
            "--like",
            metavar="TF2_CHECKPOINT",
            help="The model: as this TF2 checkpoint has it.",
            show_default=False,
            rich_help_panel=WHAT,
        ),
    ] = None,
    pipeline: Annotated[
        str | None,
        typer.Option(
            metavar="CONFIG",
            help="The model, and how it is restored: a pipeline.config of TF1 or TF2.",
            show_default=False,
            rich_help_panel=WHAT,
        ),
    ] = None,
    kind: Annotated[
        Kind | None,
        typer.Option(
            "--type",
            help="With --to or --like: the fine_tune_checkpoint_type.  [default: full]",
            show_default=False,
            rich_help_panel=WHAT,
        ),
    ] = None,
    num_classes: Annotated[
        int | None,
        typer.Option(
            min=CLASSES.low,
            max=CLASSES.high,
            help="With --to: classes of the model.",
            show_default=False,
            rich_help_panel=WHAT,
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="With --to: a setting of the model; repeatable.",
            show_default=False,
            rich_help_panel=WHAT,
        ),
    ] = None,
    min_restored: Annotated[
        float,
        typer.Option(
            min=0.0,
            max=1.0,
            help="Fail when a smaller share of the model's variables is restored.",
            rich_help_panel=HOW,
        ),
    ] = 0.0,
    require: Annotated[
        list[str] | None,
        typer.Option(
            metavar="GLOB",
            help=f"Fail unless all variables that match are restored; {RULE}; repeatable.",
            show_default=False,
            rich_help_panel=HOW,
        ),
    ] = None,
    fail_on: Annotated[
        str,
        typer.Option(
            metavar="FATES",
            help="Fail on variables of these fates: missing, unused, reinitialized, none.",
            rich_help_panel=HOW,
        ),
    ] = "missing",
    allow: Annotated[
        list[str] | None,
        typer.Option(
            metavar="GLOB",
            help=f"Variables that --fail-on passes over; {RULE}; repeatable.",
            show_default=False,
            rich_help_panel=HOW,
        ),
    ] = None,
    index_only: Annotated[
        bool, typer.Option("--index-only", help="Do not look whether the data files are there.", rich_help_panel=HOW)
    ] = False,
    elsewhere: Annotated[
        bool,
        typer.Option(
            "--elsewhere",
            help="The config is for another machine: say nothing about its paths that are not here.",
            rich_help_panel=HOW,
        ),
    ] = False,
    exit_zero: Annotated[
        bool, typer.Option("--exit-zero", help="Exit with 0, whatever is found.", rich_help_panel=HOW)
    ] = False,
    everything: All = False,
) -> None:
    """Say what restoring a checkpoint into a model would do. Exit 0 if it is as you demand, 1 if not.

    This reads the index of the checkpoint, and checks that its data files are there with the right sizes. It needs no
    TensorFlow.
    """
    outputs = reports.outputs([checkpoint, like, pipeline])
    _check_choice(to, like, pipeline, kind, num_classes, settings, elsewhere=elsewhere)
    from ckptmap.audit.audit_document import audit_document
    from ckptmap.verbs.audit import audit

    fates = _fates(fail_on)
    with annotating(outputs):
        found = audit(
            checkpoint,
            to=to,
            like=like,
            pipeline=pipeline,
            kind=kind,
            num_classes=num_classes,
            settings=parse_settings(settings or ()),
            min_restored=min_restored,
            require=require or (),
            fail_on=fates,
            allow=allow or (),
            index_only=index_only,
            elsewhere=elsewhere,
        )
    emit(audit_document(found), outputs, everything=everything)
    if not found.passed and not exit_zero:
        raise typer.Exit(1)


def _check_choice(
    to: str | None,
    like: str | None,
    pipeline: str | None,
    kind: str | None,
    num_classes: int | None,
    settings: list[str] | None,
    *,
    elsewhere: bool,
) -> None:
    if to is None and like is None and pipeline is None:
        raise typer.BadParameter("say what is restored into: --to NAME, --like TF2_CHECKPOINT or --pipeline CONFIG")
    if to is not None and (like is not None or pipeline is not None):
        raise typer.BadParameter("--to names the model: leave --like and --pipeline away")
    if pipeline is not None and kind is not None:
        raise typer.BadParameter("the config says the type: leave --type away")
    if to is None and (num_classes is not None or settings):
        raise typer.BadParameter("--num-classes and --set go with --to")
    if pipeline is None and elsewhere:
        raise typer.BadParameter("--elsewhere goes with --pipeline")


def _fates(text: str) -> tuple[str, ...]:
    from ckptmap.audit.thresholds import FATES

    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        raise typer.BadParameter(f"give one of {', '.join(FATES)}; none demands nothing", param_hint="--fail-on")
    chosen = tuple(part for part in parts if part != "none")
    unknown = [fate for fate in chosen if fate not in FATES]
    if unknown:
        raise typer.BadParameter(f"{unknown[0]!r} is not one of {', '.join(FATES)}, none", param_hint="--fail-on")
    return chosen
