"""``ckptmap edit``: a checkpoint under other names, for the TF1 Saver."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ckptmap.cli.options import (
    DataOption,
    DryRun,
    Force,
    IndexOnly,
    Json,
    NoVerify,
    Output,
    Source,
    VerifyData,
    refuse_nowhere,
)
from ckptmap.cli.outputs import Formats, ReportFilesBeside, annotating, choose_outputs, emit

if TYPE_CHECKING:
    from ckptmap.verbs.edit import EditChoices

Cast = Literal["float16", "bfloat16", "float32"]


def edit_command(
    source: Source,
    output: Output = None,
    table: Annotated[
        str | None,
        typer.Option(help="Mapping table; names that no rule matches stay as they are.", show_default=False),
    ] = None,
    rename: Annotated[
        list[str] | None,
        typer.Option(metavar="OLD=NEW", help="Another name for a scope or a variable; repeatable.", show_default=False),
    ] = None,
    strip_scope: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SCOPE", help="Take a scope away from the names below it; repeatable.", show_default=False
        ),
    ] = None,
    scope: Annotated[
        str | None,
        typer.Option(metavar="SCOPE", help="Put everything but bookkeeping into a scope.", show_default=False),
    ] = None,
    drop: Annotated[
        list[str] | None,
        typer.Option(metavar="GLOB", help="Leave out what matches, and its slots; repeatable.", show_default=False),
    ] = None,
    weights_only: Annotated[
        bool, typer.Option("--weights-only", help="Leave out optimizer slots, moving averages and bookkeeping.")
    ] = False,
    ema: Annotated[
        bool, typer.Option("--ema", help="Put moving averages in the place of the variables that they average.")
    ] = False,
    cast: Annotated[
        Cast | None,
        typer.Option(help="Another type for floating-point variables; bookkeeping keeps its own.", show_default=False),
    ] = None,
    data: DataOption = "auto",
    verify_data: VerifyData = False,
    no_verify: NoVerify = False,
    force: Force = False,
    dry_run: DryRun = False,
    index_only: IndexOnly = False,
    formats: Formats = None,
    report_files: ReportFilesBeside = None,
    json: Json = False,
) -> None:
    """Write a checkpoint under other names, without slots, with moving averages or in another type.

    The TF1 Saver and tf.train.load_checkpoint read the result, model.ckpt in the output directory. First the table
    counts, then for each name the first of --rename and --strip-scope that speaks of it, last --scope. Slots and
    moving averages go where their variable goes.
    """
    from ckptmap.cli.progress import progress_bar
    from ckptmap.execution.overwriting import CONVERTED, Made
    from ckptmap.verbs.edit import edit

    made = Made(output, CONVERTED) if output is not None and not dry_run else None
    outputs = choose_outputs(formats, report_files, json=json, inputs=[source, table], made=made)
    refuse_nowhere(output, dry_run=dry_run, index_only=index_only)
    choices: EditChoices = {
        "table": table,
        "renames": tuple(_renames(rename or ())),
        "strip": tuple(strip_scope or ()),
        "scope": scope,
        "drop": tuple(drop or ()),
        "weights_only": weights_only,
        "ema": ema,
        "cast": cast,
    }
    with annotating(outputs), progress_bar("writing", "bytes") as progress:
        report = edit(
            source,
            output=output,
            data=data,
            verify_data=verify_data,
            verify=not no_verify,
            force=force,
            dry_run=dry_run,
            index_only=index_only,
            progress=progress,
            **choices,
        )
    emit(report, outputs)
    if report["findings"]:
        raise typer.Exit(1)


def _renames(texts: Iterable[str]) -> Iterable[tuple[str, str]]:
    for text in texts:
        old, equals, new = text.partition("=")
        if not equals or not old or not new:
            raise typer.BadParameter(f"{text!r}: write it as OLD=NEW", param_hint="--rename")
        yield old, new
