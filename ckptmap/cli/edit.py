"""``ckptmap edit``: a checkpoint under other names, for the TF1 Saver."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

import typer

from ckptmap.cli.bundles import bundled
from ckptmap.cli.command import WHAT, examples
from ckptmap.cli.completion import complete_tables
from ckptmap.cli.options import Placing, Source
from ckptmap.cli.outputs import ReportsBeside, annotating, emit

EXAMPLES = examples(
    ("another scope, and nothing but weights", "ckptmap edit old/model.ckpt -o new/ --rename net=body --weights-only"),
    ("moving averages instead of raw values", "ckptmap edit old/ -o new/ --ema"),
    ("half the size", "ckptmap edit old/ -o new/ --cast bfloat16"),
)

Cast = Literal["float16", "bfloat16", "float32"]


@bundled
def edit_command(
    source: Source,
    placing: Placing,
    reports: ReportsBeside,
    table: Annotated[
        str | None,
        typer.Option(
            metavar="TABLE",
            autocompletion=complete_tables,
            help="Mapping table; names that no rule matches stay as they are.",
            show_default=False,
            rich_help_panel=WHAT,
        ),
    ] = None,
    rename: Annotated[
        list[str] | None,
        typer.Option(
            metavar="OLD=NEW",
            help="Another name for a scope or a variable; repeatable.",
            show_default=False,
            rich_help_panel=WHAT,
        ),
    ] = None,
    strip_scope: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SCOPE",
            help="Take a scope away from the names below it; repeatable.",
            show_default=False,
            rich_help_panel=WHAT,
        ),
    ] = None,
    scope: Annotated[
        str | None,
        typer.Option(
            metavar="SCOPE",
            help="Put everything but bookkeeping into a scope.",
            show_default=False,
            rich_help_panel=WHAT,
        ),
    ] = None,
    drop: Annotated[
        list[str] | None,
        typer.Option(
            metavar="GLOB",
            help="Leave out what matches, and its slots; repeatable.",
            show_default=False,
            rich_help_panel=WHAT,
        ),
    ] = None,
    weights_only: Annotated[
        bool,
        typer.Option(
            "--weights-only", help="Leave out optimizer slots, moving averages and bookkeeping.", rich_help_panel=WHAT
        ),
    ] = False,
    ema: Annotated[
        bool,
        typer.Option("--ema", help="Put moving averages into the variables that they average.", rich_help_panel=WHAT),
    ] = False,
    cast: Annotated[
        Cast | None,
        typer.Option(
            help="Another type for floating-point variables; bookkeeping keeps its own.",
            show_default=False,
            rich_help_panel=WHAT,
        ),
    ] = None,
) -> None:
    """Write a checkpoint under other names, without slots, with moving averages or in another type.

    The TF1 Saver and tf.train.load_checkpoint read the result, model.ckpt in the output directory. The table is
    applied first, then for each name the first --rename or --strip-scope that matches it, then --scope. Slots and
    moving averages go where their variable goes.
    """
    from ckptmap.checkpoint.store import place_of
    from ckptmap.cli.progress import progress_bar
    from ckptmap.execution.overwriting import CONVERTED, Made
    from ckptmap.verbs.edit import edit

    made = Made(place_of(placing.output), CONVERTED) if placing.output is not None and not placing.dry_run else None
    outputs = reports.outputs([source, table], made)
    placing.refuse_nowhere()
    with annotating(outputs), progress_bar("writing", "bytes") as progress:
        report = edit(
            source,
            output=placing.output,
            table=table,
            renames=tuple(_renames(rename or ())),
            strip=tuple(strip_scope or ()),
            scope=scope,
            drop=tuple(drop or ()),
            weights_only=weights_only,
            ema=ema,
            cast=cast,
            progress=progress,
            **placing.choices,
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
