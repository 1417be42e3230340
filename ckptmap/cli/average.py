"""``ckptmap average``: several checkpoints of one model become their mean."""

from __future__ import annotations

from typing import Annotated

import typer

from ckptmap.cli.options import DryRun, Force, Json, NoVerify, Output, refuse_nowhere
from ckptmap.cli.outputs import Formats, ReportFilesBeside, annotating, choose_outputs, emit


def average_command(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="CHECKPOINT...",
            help="Two or more checkpoints of one model; what is no weight comes from the last.",
            show_default=False,
        ),
    ],
    output: Output = None,
    no_verify: NoVerify = False,
    force: Force = False,
    dry_run: DryRun = False,
    formats: Formats = None,
    report_files: ReportFilesBeside = None,
    json: Json = False,
) -> None:
    """Write the mean of the weights of several checkpoints of one model, TF1 or TF2.

    It is computed in double precision. Optimizer slots are left out; bookkeeping, such as global_step, and what is no
    floating-point number come from the last checkpoint.
    """
    from ckptmap.cli.progress import progress_bar
    from ckptmap.execution.overwriting import CONVERTED, Made
    from ckptmap.verbs.average import average

    made = Made(output, CONVERTED) if output is not None and not dry_run else None
    outputs = choose_outputs(formats, report_files, json=json, inputs=sources, made=made)
    refuse_nowhere(output, dry_run=dry_run)
    with annotating(outputs), progress_bar("averaging", "bytes") as progress:
        report = average(sources, output=output, verify=not no_verify, force=force, dry_run=dry_run, progress=progress)
    emit(report, outputs)
