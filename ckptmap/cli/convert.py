"""``ckptmap convert``: an old checkpoint becomes a tf.train.Checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ckptmap.cli.bundles import bundled
from ckptmap.cli.command import Command, examples
from ckptmap.cli.convert_options import Back, How, Several, What, plan_choices, with_optimizer
from ckptmap.cli.options import Placing, Sources
from ckptmap.cli.outputs import ReportsBeside, annotating, emit
from ckptmap.cli.proving import Proving, prove
from ckptmap.cli.speaking import say
from ckptmap.cli.two_models import TwoModels

if TYPE_CHECKING:
    from ckptmap.execution.overwriting import Made
    from ckptmap.execution.writing import Progress
    from ckptmap.report.conversion_document import Document
    from ckptmap.request.surroundings import Wish
    from ckptmap.verbs.writing import Writing

EXAMPLES = examples(
    ("the pipeline.config beside it names the target, and is migrated", "ckptmap convert old/model.ckpt -o new/"),
    ("see what would become of every variable", "ckptmap convert old/ --to ssd_mobilenet_v2 --dry-run"),
    ("a model of your own", "ckptmap convert mine/ --table my_model.yaml --to mine_tf2/ckpt-1 -o new/"),
    ("all below a folder; again: only what is missing", "ckptmap convert zoo/ -o new/ --resume"),
)

_BOTH_WAYS = frozenset(
    {"sources", "allow_unused", *(field.name for bundle in (Back, Placing, ReportsBeside) for field in fields(bundle))}
)
"""The arguments that mean something on the way back."""


class ConvertCommand(Command):
    """``convert``, whose ``--optimizer`` may stand alone."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The arguments with the value that ``--optimizer`` has when it stands alone."""
        return super().parse_args(ctx, with_optimizer(args))


COMMAND = ConvertCommand


@bundled
def convert_command(
    context: typer.Context,
    what: What,
    how: How,
    back: Back,
    several: Several,
    placing: Placing,
    reports: ReportsBeside,
    proving: Proving,
    models: TwoModels,
    sources: Sources = None,
) -> None:
    """Convert a checkpoint to one of TF2, or to a file of Keras, and report the fate of every variable.

    Several checkpoints, named here, in a list or below a folder, go to folders of their own below the output
    directory; if one fails, the others are still converted, and the exit code is the worst of all.
    """
    named = sources or []
    what.check()
    if not named and several.batch is None and back.back is None:
        raise typer.BadParameter("name a checkpoint, or a list of them with --batch", param_hint="CHECKPOINT")
    many = several.are_meant(named)
    if what.further and many:
        raise typer.BadParameter("several checkpoints become one, or each one of its own", param_hint="--and")
    made = None if placing.dry_run else _files_made(placing.output, many=many)
    outputs = reports.outputs([*named, *what.read, several.batch, back.back, back.fill], made)
    placing.refuse_nowhere()
    proving.check(placing.output, models, many=many, dry_run=placing.dry_run)
    if back.back is not None or back.fill is not None:
        _refuse_forward(context, back.back, many=many)
    with annotating(outputs):
        if back.back is not None and named:
            report = _convert_back(named[0], back.back, back.fill, how.allow_unused or (), placing)
        elif named and not many:
            report = _convert_one(named[0], what, how, placing)
        else:
            report = _convert_many(named, several, what, how, placing)
    emit(report, outputs)
    if code := report.get("exit_code", 1 if report["findings"] else 0):
        raise typer.Exit(code)
    if proving.verify and placing.output is not None:
        prove(named[0], report, Path(placing.output), models, pipeline=what.pipeline, raw=how.ema == "ignore")


def _files_made(output: str | None, *, many: bool) -> Made | None:
    """What the conversion writes besides its reports; of several, each has a folder of its own below ``output``."""
    if output is None:
        return None
    from ckptmap.checkpoint.store import place_of
    from ckptmap.execution.overwriting import CONVERTED, Made

    return Made(place_of(output), CONVERTED, deep=many)


def _wish(what: What, how: How) -> Wish:
    from ckptmap.request.choices import plan_options
    from ckptmap.request.surroundings import Wish

    return Wish(
        what.to, what.table, what.pipeline, plan_options(plan_choices(what, how)), what.prefer, what.no_pipeline
    )


def _writing(how: How, placing: Placing, progress: Progress | None = None) -> Writing:
    from ckptmap.verbs.writing import Writing

    return Writing(seed=how.seed, ranges=how.ranges, progress=progress, form=how.write, **placing.choices)


def _convert_one(source: str, what: What, how: How, placing: Placing) -> Document:
    from ckptmap.checkpoint.store import place_of
    from ckptmap.cli.progress import progress_bar
    from ckptmap.verbs.conversion import Conversion, convert_planned
    from ckptmap.verbs.writing import report_there

    wish = _wish(what, how)
    with progress_bar("writing", "bytes") as progress:
        writing = _writing(how, placing, progress)
        folder = place_of(placing.output) if placing.output is not None else None
        if report_there(folder, writing) is not None:
            say(f"{placing.output} holds a whole checkpoint: nothing is written, and this is its report")
        return convert_planned(Conversion(source, folder, wish, writing, what.further))


def _refuse_forward(context: typer.Context, back: str | None, *, many: bool) -> None:
    """Arguments of a conversion to TF2 mean nothing on the way back."""
    if back is None:
        raise typer.BadParameter("is for the way back: add --back", param_hint="--fill")
    if many:
        raise typer.BadParameter("name one checkpoint", param_hint="--back")
    for one in context.command.params:
        name = one.name or ""
        told = context.get_parameter_source(name)
        if name not in _BOTH_WAYS and told is not None and told.name == "COMMANDLINE" and one.expose_value:
            raise typer.BadParameter("has no meaning with --back: leave it out", param_hint=one.opts[0])


def _convert_back(source: str, back: str, fill: str | None, allow_unused: Sequence[str], placing: Placing) -> Document:
    from ckptmap.cli.progress import progress_bar
    from ckptmap.verbs.back import convert_back

    with progress_bar("writing", "bytes") as progress:
        return convert_back(
            source,
            back=back,
            fill=fill,
            allow_unused=tuple(allow_unused),
            output=placing.output,
            progress=progress,
            **placing.choices,
        )


def _convert_many(sources: Sequence[str], several: Several, what: What, how: How, placing: Placing) -> Document:
    from ckptmap.cli.progress import progress_bar
    from ckptmap.request.batch_list import read_list
    from ckptmap.request.search import searched
    from ckptmap.verbs.batch import convert_all

    listed = read_list(several.batch, searched(sources)) if several.batch is not None else []
    if not sources and not listed:
        raise typer.BadParameter("name a checkpoint, or a list of them with --batch", param_hint="CHECKPOINT")
    wish = _wish(what, how)
    with progress_bar("converting", "items") as progress:
        return convert_all(
            [*sources, *listed],
            placing.output,
            wish,
            _writing(how, placing),
            jobs=several.jobs,
            resume=several.resume,
            progress=progress,
        )
