"""``edit``: a checkpoint of names becomes another one, by rules alone."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ckptmap.basics.errors import CkptmapError, TargetError
from ckptmap.checkpoint.absence import refuse_unless_whole
from ckptmap.checkpoint.dtypes import DType, dtype_from_label
from ckptmap.checkpoint.reader import open_checkpoint
from ckptmap.checkpoint.store import Place, place_of
from ckptmap.execution.overwriting import CONVERTED, checkpoint_files, refuse_holding, refuse_overwriting
from ckptmap.mapping import Table, load_table
from ckptmap.planning.editing import CASTS, Edit, Rename, plan_edit
from ckptmap.report.conversion_document import document
from ckptmap.report.shown import Report
from ckptmap.verbs.writing import IfExists, Reading, Writing, check_output, report_there, write_plan

if TYPE_CHECKING:
    from ckptmap.checkpoint.inventory import Inventory
    from ckptmap.execution.placing import DataMode
    from ckptmap.execution.writing import Progress

PathLike = str | os.PathLike[str]
_COMMAND = "edit"


def edit(
    source: PathLike,
    *,
    output: PathLike | None,
    table: PathLike | None = None,
    renames: Sequence[tuple[str, str]] = (),
    strip: Sequence[str] = (),
    scope: str | None = None,
    drop: Sequence[str] = (),
    weights_only: bool = False,
    ema: bool = False,
    cast: str | None = None,
    data: DataMode = "auto",
    verify_data: bool = False,
    verify: bool = True,
    force: bool = False,
    if_exists: IfExists = "fail",
    dry_run: bool = False,
    index_only: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Write ``source`` under other names to ``output``/model.ckpt, and return the report (also in report.json).

    The TF1 ``Saver`` and ``tf.train.load_checkpoint`` read the result. Its variables are what the rules make of the
    source's: first the table, then renames, then the new scope. Slots and moving averages go where their variable
    goes; those of a variable that operations change, and of one that is dropped, are dropped, but for moving averages,
    which the same operations are run on.

    Args:
        source: prefix, any file, or directory of a checkpoint; one of object paths needs a table.
        output: the folder; None is a dry run.
        table: your own YAML, or a shipped one: names that no rule matches stay as they are.
        renames: pairs of an old scope or name and the new one; for each variable the first that matches it counts.
        strip: scopes to remove: a name below such a scope loses it.
        scope: a scope to put every variable but bookkeeping into, last of all.
        drop: globs of variables to leave behind, by their old names.
        weights_only: leave optimizer slots, moving averages and bookkeeping behind.
        ema: put moving averages in the place of their variables.
        cast: ``float16``, ``bfloat16`` or ``float32``, for floating-point variables; bookkeeping stays as it is.
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
        CkptmapError: the source or the table cannot be used, two variables would have one name, a value is larger than
            the new type holds; OutputError where ``output`` cannot be written or is not empty; VerificationError where
            what is read back is not what was written.
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
    wanted = Edit(
        table=load_table(os.fspath(table)) if table is not None else None,
        renames=tuple(_renames(renames, strip)),
        scope=_scope(scope or ""),
        drop=tuple(drop),
        weights_only=weights_only,
        ema=ema,
        cast=_cast(cast) if cast is not None else None,
    )
    if (there := report_there(folder, how)) is not None:
        return Report(there)
    if folder is not None and not how.dry_run:
        check_output(folder, [source], force=how.replaces)
    with open_checkpoint(os.fspath(source), verify=verify) as checkpoint:
        before = checkpoint.stamps()
        _refuse_object_paths(checkpoint.inventory, wanted.table)
        if not index_only:
            refuse_unless_whole(checkpoint, index_suffices=how.dry_run)
        if folder is not None:
            refuse_holding(folder, "the source checkpoint", checkpoint_files(checkpoint.inventory))
            refuse_overwriting(folder, CONVERTED, _read_files(checkpoint.inventory, wanted.table))
        made = plan_edit(checkpoint.inventory, wanted)
        if made.findings or folder is None or how.dry_run:
            return Report(document(made, command=_COMMAND))
        reading = Reading(checkpoint, before, wanted.table.digests if wanted.table else {})
        return Report(write_plan(made, reading, folder, how, partial(document, made, None, command=_COMMAND)))


def _renames(renames: Sequence[tuple[str, str]], strip: Sequence[str]) -> Iterator[Rename]:
    """Both as renames; raises CkptmapError where one has no old name."""
    for old, new in (*renames, *((scope, "") for scope in strip)):
        rename = Rename(_scope(old), _scope(new))
        if not rename.old:
            raise CkptmapError(f"{rename} has no old name", hint="give the name, or the scope, that there is")
        yield rename


def _cast(label: str) -> DType:
    dtype = dtype_from_label(label)
    if dtype not in CASTS:
        raise CkptmapError(f"{label!r} is not a type to cast to", hint=f"one of: {', '.join(map(str, CASTS))}")
    return dtype


def _scope(text: str) -> str:
    return text.strip("/")


def _refuse_object_paths(inventory: Inventory, table: Table | None) -> None:
    if inventory.object_based and table is None:
        raise TargetError(
            f"{inventory.path} is a TF2 checkpoint: its variables are object paths, and nothing gives their names",
            hint="give a table that maps them; what ckptmap converted goes back by the report of the conversion",
        )


def _read_files(inventory: Inventory, table: Table | None) -> Iterator[tuple[str, Place]]:
    """What is read, and each of its files; a second name of the source's data is what ``link`` makes."""
    own = (path for path in checkpoint_files(inventory) if str(path) not in inventory.data_files)
    yield from (("the source checkpoint", path) for path in own)
    if table is not None:
        yield "the mapping table", Path(table.path)
