"""``convert_back``: what was converted to TF2, and trained on, under its TF1 names again."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ckptmap.basics.documents import read_document
from ckptmap.basics.errors import CkptmapError, TargetError
from ckptmap.basics.wording import argument
from ckptmap.checkpoint.absence import refuse_unless_whole
from ckptmap.checkpoint.reader import Checkpoint, open_checkpoint
from ckptmap.checkpoint.store import Place, place_of
from ckptmap.execution.overwriting import CONVERTED, checkpoint_files, refuse_holding, refuse_overwriting
from ckptmap.planning.returning import Filling, Forward, plan_return
from ckptmap.report.conversion_document import document
from ckptmap.report.shown import Report
from ckptmap.request.conversion_report import forward_of_report
from ckptmap.verbs.conversion import plan
from ckptmap.verbs.writing import IfExists, Reading, Writing, check_output, report_there, write_plan

if TYPE_CHECKING:
    from ckptmap.execution.placing import DataMode
    from ckptmap.execution.writing import Progress

PathLike = str | os.PathLike[str]
_COMMAND = "convert --back"


def convert_back(
    source: PathLike,
    *,
    back: PathLike,
    output: PathLike | None,
    fill: PathLike | None = None,
    allow_unused: Sequence[str] = (),
    data: DataMode = "auto",
    verify_data: bool = False,
    verify: bool = True,
    force: bool = False,
    if_exists: IfExists = "fail",
    dry_run: bool = False,
    index_only: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Write the TF2 checkpoint ``source`` to ``output``/model.ckpt under the TF1 names that its model came from.

    Every operation of the conversion is undone; the old graph's ``Saver`` restores the result. Where a variable had a
    moving average, both get the one value. A class head of other classes, and a vocabulary that has grown, return as
    long as they are now. Optimizer slots stay behind on both sides.

    Args:
        source: a checkpoint of the TF2 model: prefix, any file, or directory.
        back: the report.json of the conversion to TF2, or the mapping table that it went by, shipped or your own; with
            a table ``fill`` has to say the old names.
        output: the folder; None is a dry run.
        fill: the old TF1 checkpoint: what no TF2 variable tells comes from there, ``global_step`` and dropped heads.
        allow_unused: globs of TF1 variables that may be left out, and of TF2 variables that may have no TF1 name.
        data: as in :func:`ckptmap.convert`, like the arguments that follow.
        verify_data: read back linked and cloned values too.
        verify: compare the source's checksums.
        force: replace what is in ``output``.
        if_exists: where ``output`` holds a checkpoint: ``fail``; ``skip``, leave it and return its report;
            ``replace``, as ``force``.
        dry_run: write nothing.
        index_only: of a dry run, do not check whether the data files exist.
        progress: called with (bytes done, bytes in all).

    Raises:
        CkptmapError: a checkpoint, the report or the table cannot be used; PlanError where the source is of another
            model, or an operation has no inverse; OutputError where ``output`` cannot be written or is not empty;
            VerificationError where what is read back is not what was written.
    """
    how = Writing(
        data=data,
        verify_data=verify_data,
        verify=verify,
        force=force,
        if_exists=if_exists,
        dry_run=dry_run or output is None,
        index_only=index_only,
        progress=progress,
    )
    folder = None if output is None else place_of(output)
    if (there := report_there(folder, how)) is not None:
        return Report(there)
    if folder is not None and not how.dry_run:
        check_output(folder, [source], force=how.replaces)
    with ExitStack() as opened:
        checkpoint = opened.enter_context(open_checkpoint(os.fspath(source), verify=verify))
        before = checkpoint.stamps()
        _refuse_names(checkpoint)
        old = opened.enter_context(open_checkpoint(os.fspath(fill))) if fill is not None else None
        if not index_only:
            for one in filter(None, (checkpoint, old)):
                refuse_unless_whole(one, index_suffices=how.dry_run)
        if folder is not None:
            _refuse_inputs(folder, checkpoint, old, back)
        forward = _forward(source, back, fill, old)
        filling = Filling(os.fspath(fill), old.inventory) if fill is not None and old is not None else None
        made = plan_return(checkpoint.inventory, forward, checkpoint.readable_names(), filling, allow_unused)
        if made.findings or folder is None or how.dry_run:
            return Report(document(made, command=_COMMAND))
        reading = Reading(checkpoint, before, {})
        return Report(write_plan(made, reading, folder, how, partial(document, made, None, command=_COMMAND)))


def _forward(source: PathLike, back: PathLike, fill: PathLike | None, old: Checkpoint | None) -> Forward:
    """The conversion that is undone: as its report tells it, or as the table makes it of the old checkpoint again."""
    path = os.fspath(back)
    if path.endswith(".json"):
        return forward_of_report(read_document(Path(path)), path, old.inventory if old is not None else None)
    if fill is None:
        hint = f"give the old checkpoint too, with {argument('fill')}"
        raise CkptmapError("a table alone does not say the old names", where=path, hint=hint)
    again = plan(fill, to=source, table=back, no_pipeline=True)
    return forward_of_report(document(again), path)


def _refuse_names(checkpoint: Checkpoint) -> None:
    if not checkpoint.inventory.object_based:
        raise TargetError(
            f"{checkpoint.inventory.path} has TF1 names already", hint="ckptmap edit gives a checkpoint other names"
        )


def _refuse_inputs(folder: Place, checkpoint: Checkpoint, old: Checkpoint | None, back: PathLike) -> None:
    refuse_holding(folder, "the source checkpoint", checkpoint_files(checkpoint.inventory))
    if old is not None:
        refuse_holding(folder, "the old checkpoint", checkpoint_files(old.inventory))
    refuse_overwriting(folder, CONVERTED, _read_files(checkpoint, old, back))


def _read_files(checkpoint: Checkpoint, old: Checkpoint | None, back: PathLike) -> Iterator[tuple[str, Place]]:
    """What is read, and each of its files; a second name of the source's data is what ``link`` makes."""
    own = (path for path in checkpoint_files(checkpoint.inventory) if str(path) not in checkpoint.inventory.data_files)
    yield from (("the source checkpoint", path) for path in own)
    if old is not None:
        yield from (("the old checkpoint", path) for path in checkpoint_files(old.inventory))
    yield "the report or table of the conversion", Path(back)
