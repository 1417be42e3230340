"""``ckptmap average``: several checkpoints of one model become their mean."""

from __future__ import annotations

from typing import Annotated

import typer

from ckptmap.cli.bundles import bundled
from ckptmap.cli.command import examples
from ckptmap.cli.options import DryRun, Force, IfExists, NoVerify, Output, refuse_nowhere
from ckptmap.cli.outputs import ReportsBeside, annotating, emit

EXAMPLES = examples(
    ("the mean of the last three of a run", "ckptmap average run/ckpt-7 run/ckpt-8 run/ckpt-9 -o mean/"),
    ("what it would make", "ckptmap average run/ckpt-7 run/ckpt-8 --dry-run"),
)


@bundled
def average_command(
    reports: ReportsBeside,
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="CHECKPOINT...",
            help="Two or more checkpoints of one model; what is not a weight comes from the last.",
            show_default=False,
        ),
    ],
    output: Output = None,
    no_verify: NoVerify = False,
    force: Force = False,
    if_exists: IfExists = "fail",
    dry_run: DryRun = False,
) -> None:
    """Write the mean of the weights of several checkpoints of one model, TF1 or TF2.

    It is computed in double precision. Optimizer slots are left out; bookkeeping, such as global_step, and what is no
    floating-point number come from the last checkpoint.
    """
    from ckptmap.checkpoint.store import place_of
    from ckptmap.cli.progress import progress_bar
    from ckptmap.execution.overwriting import CONVERTED, Made
    from ckptmap.verbs.average import average

    made = Made(place_of(output), CONVERTED) if output is not None and not dry_run else None
    outputs = reports.outputs(sources, made)
    refuse_nowhere(output, dry_run=dry_run)
    with annotating(outputs), progress_bar("averaging", "bytes") as progress:
        report = average(
            sources,
            output=output,
            verify=not no_verify,
            force=force,
            if_exists=if_exists,
            dry_run=dry_run,
            progress=progress,
        )
    emit(report, outputs)
