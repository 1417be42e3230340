"""``average``: the mean of the weights of several checkpoints of one model."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

from ckptmap.checkpoint.reader import Checkpoint, open_checkpoint
from ckptmap.checkpoint.store import Place, place_of
from ckptmap.execution.averaging import Mean
from ckptmap.execution.overwriting import CONVERTED, checkpoint_files, refuse_holding, refuse_overwriting
from ckptmap.planning.averaging import average_ledger, plan_average
from ckptmap.report.conversion_document import document
from ckptmap.report.shown import Report
from ckptmap.verbs.writing import IfExists, Reading, Writing, check_output, report_there, write_plan

if TYPE_CHECKING:
    from ckptmap.execution.writing import Progress

PathLike = str | os.PathLike[str]
_COMMAND = "average"


def average(
    sources: Iterable[PathLike],
    *,
    output: PathLike | None,
    verify: bool = True,
    force: bool = False,
    if_exists: IfExists = "fail",
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Write the mean of several checkpoints of one model to ``output``, and return the report (also in report.json).

    Of TF1 checkpoints it is ``output``/model.ckpt, of TF2 checkpoints ``output``/ckpt-0. The mean is computed in double
    precision, a piece at a time, and rounded once to the variable's type. Optimizer slots are left out. Bookkeeping,
    such as ``global_step``, and values that are not floating-point numbers come from the last checkpoint named.

    Args:
        sources: two or more checkpoints: each a prefix, any file, or a directory.
        output: the folder; None is a dry run.
        verify: compare the sources' checksums.
        force: replace what is in ``output``.
        if_exists: where ``output`` holds a checkpoint: ``fail``; ``skip``, leave it and return its report;
            ``replace``, as ``force``.
        dry_run: write nothing.
        progress: called with (bytes done, bytes in all).

    Raises:
        CkptmapError: a source cannot be read; PlanError where the checkpoints have other variables, shapes or types
            than the first; OutputError where ``output`` cannot be written or is not empty; VerificationError where
            what is read back is not what was written.
    """
    how = Writing(
        verify=verify,
        data="copy",
        force=force,
        if_exists=if_exists,
        dry_run=dry_run or output is None,
        progress=progress,
    )
    sources = list(sources)
    folder = None if output is None else place_of(output)
    if (there := report_there(folder, how)) is not None:
        return Report(there)
    if folder is not None and not how.dry_run:
        check_output(folder, sources, force=how.replaces)
    with ExitStack() as opened:
        held = [opened.enter_context(open_checkpoint(os.fspath(source), verify=verify)) for source in sources]
        planned = plan_average([one.inventory for one in held])
        mean = opened.enter_context(Mean(held, planned))
        before = mean.stamps()
        for one in held:
            one.refuse_absent_data()
            if folder is not None:
                refuse_holding(folder, "a source checkpoint", checkpoint_files(one.inventory))
        if folder is not None:
            refuse_overwriting(folder, CONVERTED, _read_files(held))
        made = average_ledger(planned, len(held), held[-1].readable_names())
        if folder is None or how.dry_run:
            return Report(document(made, command=_COMMAND))
        return Report(
            write_plan(made, Reading(mean, before, {}), folder, how, partial(document, made, None, command=_COMMAND))
        )


def _read_files(held: Iterable[Checkpoint]) -> Iterator[tuple[str, Place]]:
    for one in held:
        yield from (("a source checkpoint", path) for path in checkpoint_files(one.inventory))
