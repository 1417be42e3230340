"""``ckptmap convert``: an old checkpoint becomes a tf.train.Checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypedDict

import typer

from ckptmap.basics.bounds import CLASSES
from ckptmap.basics.globs import RULE
from ckptmap.cli.options import (
    Data,
    DataOption,
    DryRun,
    Force,
    IndexOnly,
    Json,
    NoVerify,
    Output,
    Sources,
    VerifyData,
    parse_settings,
    refuse_nowhere,
)
from ckptmap.cli.outputs import Formats, ReportFilesBeside, annotating, choose_outputs, emit

if TYPE_CHECKING:
    from ckptmap.execution.overwriting import Made
    from ckptmap.report.document import Document
    from ckptmap.request.choices import PlanChoices


Ema = Literal["prefer", "ignore", "only"]
Root = Literal["model", "feature_extractor"]
Prefer = Literal["exact", "stock"]
Anchors = Literal["api", "automl", "automl-2020"]
Form = Literal["target", "safetensors"]


_BOTH_WAYS = frozenset(
    {
        *("sources", "output", "back", "fill", "allow_unused", "data", "verify_data", "no_verify"),
        *("force", "dry_run", "index_only", "formats", "report_files", "json"),
    }
)
"""The arguments that mean something on the way back."""


def convert_command(
    context: typer.Context,
    sources: Sources = None,
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            help="Target: a name (see `ckptmap targets`), any TF2 checkpoint, or a file of Keras or safetensors; "
            "default: what the checkpoint shows.",
            show_default=False,
        ),
    ] = None,
    also: Annotated[
        list[str] | None,
        typer.Option(
            "--and",
            metavar="NAME=CHECKPOINT",
            help="A further checkpoint to take variables from, which rules call NAME:variable; repeatable.",
            show_default=False,
        ),
    ] = None,
    output: Output = None,
    write: Annotated[
        Form,
        typer.Option(help="What to write: what the target is, or a safetensors file with readable names as keys."),
    ] = "target",
    pipeline: Annotated[
        str | None,
        typer.Option(
            help="The model's TF1 pipeline.config: says target and settings, and is migrated to TF2; default: the one "
            "beside the checkpoint, where it agrees.",
            show_default=False,
        ),
    ] = None,
    no_pipeline: Annotated[
        bool, typer.Option("--no-pipeline", help="Leave the pipeline.config beside the checkpoint out.")
    ] = False,
    prefer: Annotated[
        Prefer,
        typer.Option(help="For the migrated config, where stock TF2 differs: the slim-exact extractor or stock."),
    ] = "exact",
    table: Annotated[
        str | None,
        typer.Option(
            help="Mapping table: a shipped name or your own YAML; default: the target's own.", show_default=False
        ),
    ] = None,
    num_classes: Annotated[
        int | None,
        typer.Option(
            min=CLASSES.low,
            max=CLASSES.high,
            help="Classes of the new model; another count than the source's re-initializes the class head.",
        ),
    ] = None,
    label_map: Annotated[
        tuple[str, str] | None,
        typer.Option(
            metavar="OLD NEW",
            help="label_map.pbtxt of the old and the new classes: head slices of shared classes are carried over.",
            show_default=False,
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=VALUE", help="A setting of the target, such as use_dropout=true; repeatable."
        ),
    ] = None,
    anchors: Annotated[
        Anchors,
        typer.Option(
            help="EfficientDet: api, weights reordered to the API's anchors; automl, weights untouched and AutoML's "
            "anchors in the config; automl-2020, those of before September 2020."
        ),
    ] = "api",
    root: Annotated[
        Root | None,
        typer.Option(
            help="model: for fine_tune_checkpoint_type full and detection; feature_extractor: for classification.",
            show_default=False,
        ),
    ] = None,
    ema: Annotated[
        Ema, typer.Option(help="Moving averages: prefer, ignore, or only (an error where one lacks).")
    ] = "prefer",
    allow_unused: Annotated[
        list[str] | None,
        typer.Option(
            metavar="GLOB", help=f"Accept unused source variables that match; {RULE}; repeatable.", show_default=False
        ),
    ] = None,
    init_missing: Annotated[
        bool, typer.Option("--init-missing", help="Accept missing target variables: initialize them.")
    ] = False,
    step: Annotated[
        bool, typer.Option("--step", help="Carry global_step over to `step`, where the TF2 trainer keeps it.")
    ] = False,
    ranges: Annotated[
        bool, typer.Option("--ranges", help="Keep the ranges of quantization-aware training in the JSON report.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of the initializers.")] = 0,
    data: DataOption = "auto",
    verify_data: VerifyData = False,
    no_verify: NoVerify = False,
    force: Force = False,
    dry_run: DryRun = False,
    index_only: IndexOnly = False,
    back: Annotated[
        str | None,
        typer.Option(
            metavar="REPORT|TABLE",
            help="The way back: the report.json of the conversion, or its table, under whose TF1 names the TF2 "
            "checkpoint is written.",
            show_default=False,
        ),
    ] = None,
    fill: Annotated[
        str | None,
        typer.Option(
            metavar="OLD", help="With --back: the old checkpoint, for what no TF2 variable tells.", show_default=False
        ),
    ] = None,
    batch: Annotated[
        Path | None,
        typer.Option(metavar="LIST", help="A file with a checkpoint a line, each converted too.", show_default=False),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Of several: leave what an earlier run made of the same files and options."),
    ] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Of several checkpoints, how many are converted at a time.")] = 4,
    formats: Formats = None,
    report_files: ReportFilesBeside = None,
    json: Json = False,
) -> None:
    """Convert a checkpoint to one of TF2, or to a file of Keras, and report the fate of every variable.

    Several checkpoints, named here, in a list or below a folder, go to folders of their own below the output
    directory; one that fails never stops the others, and the exit code is the worst of all.
    """
    _refuse_one_label_map(label_map)
    many = batch is not None or resume or _are_many(sources or ())
    further = _named(also or ())
    if further and many:
        raise typer.BadParameter("several checkpoints become one, or each one of its own", param_hint="--and")
    read = [*(sources or ()), *further.values(), to, pipeline, table, *(label_map or ()), batch, back, fill]
    outputs = choose_outputs(
        formats, report_files, json=json, inputs=read, made=None if dry_run else _made(output, many=many)
    )
    refuse_nowhere(output, dry_run=dry_run, index_only=index_only)
    if no_pipeline and pipeline is not None:
        raise typer.BadParameter("--pipeline names a config: leave one of the two out", param_hint="--no-pipeline")
    choices: PlanChoices = {
        "num_classes": num_classes,
        "label_maps": label_map,
        "settings": parse_settings(settings or ()),
        "ema": ema,
        "root": root,
        "allow_unused": tuple(allow_unused or ()),
        "init_missing": init_missing,
        "step": step,
        "anchors": anchors,
    }
    settled: _Settled = {
        "to": to,
        "output": output,
        "dry_run": dry_run,
        "index_only": index_only,
        "table": table,
        "pipeline": pipeline,
        "no_pipeline": no_pipeline,
        "prefer": prefer,
        "seed": seed,
        "data": data,
        "verify_data": verify_data,
        "verify": not no_verify,
        "ranges": ranges,
        "force": force,
        "form": write,
    }
    if back is not None or fill is not None:
        _refuse_forward(context, back, many=many)
    with annotating(outputs):
        if back is not None and sources:
            report = _back(sources[0], back, fill, settled, choices)
            exit_code = 1 if report["findings"] else 0
        elif not many and sources:
            report = _one(sources[0], further, settled, choices)
            exit_code = 1 if report["findings"] else 0
        else:
            report = _many(sources or (), batch, jobs, settled, choices, resume=resume)
            exit_code = report["exit_code"]
    emit(report, outputs)
    if exit_code:
        raise typer.Exit(exit_code)


def _refuse_one_label_map(given: tuple[str, str] | None) -> None:
    """With one file alone the option takes the next word of the line too, whatever that is."""
    if given is None:
        return
    other = next((text for text in given if text.startswith("-") or _is_checkpoint(text)), None)
    if other is not None:
        message = f"takes two files, OLD and NEW: that of the old classes and that of the new ones, not {other}"
        raise typer.BadParameter(message, param_hint="--label-map")


def _is_checkpoint(text: str) -> bool:
    return text.endswith(".index") or Path(text).is_dir() or Path(f"{text}.index").is_file()


class _Settled(TypedDict):
    """What one conversion and many take alike."""

    to: str | None
    output: Path | None
    dry_run: bool
    index_only: bool
    table: str | None
    pipeline: str | None
    no_pipeline: bool
    prefer: Prefer
    seed: int
    data: Data
    verify_data: bool
    verify: bool
    ranges: bool
    force: bool
    form: Form


def _named(texts: Sequence[str]) -> dict[str, str]:
    """``decoder=b/model.ckpt`` as the name and the path."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, path = text.partition("=")
        if not equals or not path or name in found:
            raise typer.BadParameter(f"{text!r}: write NAME=CHECKPOINT, each name once", param_hint="--and")
        found[name] = path
    return found


def _made(output: Path | None, *, many: bool) -> Made | None:
    """What the conversion writes besides its reports; of several, each has a folder of its own below ``output``."""
    if output is None:
        return None
    from ckptmap.execution.overwriting import CONVERTED, Made

    return Made(output, CONVERTED, deep=many)


def _one(source: str, also: dict[str, str], settled: _Settled, choices: PlanChoices) -> Document:
    from ckptmap.cli.progress import progress_bar
    from ckptmap.verbs.conversion import convert

    with progress_bar("writing", "bytes") as progress:
        return convert(source, also=also, progress=progress, **settled, **choices)


def _refuse_forward(context: typer.Context, back: str | None, *, many: bool) -> None:
    """Arguments of a conversion to TF2 mean nothing on the way back."""
    if back is None:
        raise typer.BadParameter("is for the way back: add --back", param_hint="--fill")
    if many:
        raise typer.BadParameter("name one checkpoint", param_hint="--back")
    for one in context.command.params:
        name = one.name or ""
        told = context.get_parameter_source(name)
        if name not in _BOTH_WAYS and told is not None and told.name == "COMMANDLINE":
            raise typer.BadParameter("means nothing on the way back: leave it out", param_hint=one.opts[0])


def _back(source: str, back: str, fill: str | None, settled: _Settled, choices: PlanChoices) -> Document:
    from ckptmap.cli.progress import progress_bar
    from ckptmap.verbs.back import convert_back

    with progress_bar("writing", "bytes") as progress:
        return convert_back(
            source,
            back=back,
            fill=fill,
            allow_unused=choices.get("allow_unused", ()),
            output=settled["output"],
            data=settled["data"],
            verify_data=settled["verify_data"],
            verify=settled["verify"],
            force=settled["force"],
            dry_run=settled["dry_run"],
            index_only=settled["index_only"],
            progress=progress,
        )


def _are_many(sources: Sequence[str]) -> bool:
    """Whether there are several checkpoints: named, or below a folder that is named."""
    if len(sources) != 1:
        return True
    from ckptmap.request.search import searched

    return searched(sources) != list(sources)


def _many(
    sources: Sequence[str], batch: Path | None, jobs: int, settled: _Settled, choices: PlanChoices, *, resume: bool
) -> Document:
    from ckptmap.cli.progress import progress_bar
    from ckptmap.request.batch_list import read_list
    from ckptmap.verbs.batch import convert_many

    listed = read_list(batch) if batch is not None else []
    if not sources and not listed:
        raise typer.BadParameter("name a checkpoint, or a list of them with --batch", param_hint="CHECKPOINT")
    with progress_bar("converting", "items") as progress:
        return convert_many([*sources, *listed], jobs=jobs, resume=resume, progress=progress, **settled, **choices)
