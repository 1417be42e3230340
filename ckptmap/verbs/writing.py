"""What every verb that makes a checkpoint shares: the user's choices about writing, the folder, the outcome."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Literal

from ckptmap.basics.collector import collector_paused
from ckptmap.basics.documents import REPORT_NAME
from ckptmap.basics.errors import CkptmapError, OutputError
from ckptmap.basics.secrets import without_secrets
from ckptmap.basics.wording import argument
from ckptmap.checkpoint.leftovers import surviving
from ckptmap.checkpoint.staging import Staging, Waiting, output_errors
from ckptmap.checkpoint.store import Place, StorePath
from ckptmap.checkpoint.store_staging import StoreStaging
from ckptmap.execution.overwriting import CONVERTED, PathLike, input_files, refuse_holding
from ckptmap.execution.writing import Progress, read_back, stage_checkpoint
from ckptmap.report.conversion_document import Document, Output
from ckptmap.report.json_format import json_pieces
from ckptmap.verbs.resuming import earlier_report, is_whole, wish_checksums

if TYPE_CHECKING:
    from ckptmap.checkpoint.identity import Stamps
    from ckptmap.checkpoint.reader import Checkpoint
    from ckptmap.execution.files import FileForm
    from ckptmap.execution.placing import DataMode
    from ckptmap.planning.ledger import Plan

_UNVERIFIED = "the checksums of the source were not compared, its values may be damaged"


IfExists = Literal["fail", "skip", "replace"]
"""What becomes of a checkpoint that is there: the run is refused, or makes nothing, or replaces it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Writing:
    """What the user decided about reading and writing; ``ckptmap.convert`` says what each means."""

    seed: int = 0
    data: DataMode = "auto"
    verify_data: bool = False
    verify: bool = True
    ranges: bool = False
    force: bool = False
    dry_run: bool = False
    index_only: bool = False
    progress: Progress | None = None
    form: FileForm = "target"
    if_exists: IfExists = "fail"
    wish: str = ""
    """A digest of all that the user wants, for a later run to know this one's work by; empty where none is kept."""

    @property
    def replaces(self) -> bool:
        """Whether a checkpoint that is there is replaced."""
        return self.force or self.if_exists == "replace"

    def __post_init__(self) -> None:
        if self.index_only and not self.dry_run:
            raise CkptmapError("without the data files nothing can be written", hint="index_only is for a dry run")


@dataclass(frozen=True, slots=True)
class Reading:
    """What is read while a checkpoint is written: it may not change meanwhile.

    ``before`` are the stamps of the source from before the plan was made, ``digests`` the SHA-256 of the table's files.
    """

    checkpoint: Checkpoint
    before: Stamps
    digests: Mapping[str, str]


def write_plan(
    made: Plan, reading: Reading, folder: Place, how: Writing, told: Callable[[Output], Document]
) -> Document:
    """Write the checkpoint of ``made`` and its report into ``folder``, whole or not at all.

    Args:
        made: the plan, without findings.
        reading: what it is read from.
        folder: where it goes; empty but with ``force``.
        how: the user's choices.
        told: makes the report of what was written.

    Raises:
        CkptmapError: as ``ckptmap.convert``.
    """
    with opened_staging(folder, force=how.replaces) as staging:
        report = told(staged(made, reading, staging, how))
        staging.write(REPORT_NAME, chain(json_pieces(report), ["\n"]))
        staging.commit()
    return report


def report_there(folder: Place | None, how: Writing) -> Document | None:
    """The report of the whole checkpoint in ``folder``, where such a one may stay; None where one is to be made.

    Raises:
        OutputError: a store does not answer.
    """
    if folder is None or how.if_exists != "skip" or how.dry_run:
        return None
    report = earlier_report(folder)
    return report if report is not None and is_whole(folder, report) else None


def opened_staging(folder: Place, *, force: bool) -> Waiting:
    """Where the new files wait, once it is sure that they may go to ``folder``; a context manager.

    Raises:
        OutputError: it cannot be written to, or holds something and ``force`` is not set.
    """
    if isinstance(folder, StorePath):
        check_empty(folder, force=force)
        return StoreStaging(folder, replace=force)
    staging = Staging(folder)
    try:
        check_empty(folder, force=force)
    except BaseException:
        staging.close()
        raise
    return staging


def staged(made: Plan, reading: Reading, staging: Waiting, how: Writing) -> Output:
    """Write the checkpoint into ``staging`` and read it back."""
    checkpoint = reading.checkpoint
    with collector_paused():
        written = stage_checkpoint(
            made, checkpoint, staging, seed=how.seed, data=how.data, form=how.form, progress=how.progress
        )
    staging.begin_flush()
    again = read_back(staging.unnamed(written.name), made, written, checkpoint, everything=how.verify_data)
    checkpoint.refuse_changed(reading.before)
    kept = len(written.written) - again.values
    notes = (
        written.placement.notes
        if checkpoint.verify
        else (*written.placement.notes, f"{argument('no verify')}: {_UNVERIFIED}")
    )
    checksums = {
        "source": checkpoint.digests(),
        **({"table": reading.digests} if reading.digests else {}),
        "output": again.digests,
        **({"template": written.template} if written.template else {}),
        **wish_checksums(how.wish),
    }
    prefix = without_secrets(staging.place(written.name))
    return Output(prefix, written.nbytes, again.values, notes, written.placement.mode, kept, checksums)


def check_output(folder: Place, sources: Iterable[PathLike], *, force: bool) -> None:
    """Refuse a folder that cannot be written to, or holds something.

    Raises:
        OutputError: it is a file, or is not empty and ``force`` is not set. Of a folder with one of ``sources`` in it
            nothing is said of ``force``, which would not help.
    """
    if isinstance(folder, StorePath):
        check_empty(folder, force=force)
        return
    with output_errors(folder):
        there, is_folder = folder.exists(), folder.is_dir()
    if there and not is_folder:
        raise OutputError(f"{folder} is a file", hint=f"give a directory to write to with {argument('output')}")
    if is_folder and not force:
        for source in sources:
            files = (file for file in input_files(source) if os.path.isfile(file))  # noqa: PTH113  (names too long)
            refuse_holding(folder, "the source checkpoint", files)
        check_empty(folder, force=force)


def check_empty(folder: Place, *, force: bool) -> None:
    """Refuse a folder that holds more than what dead runs began and the next run takes back, or goes on with.

    Raises:
        OutputError: it does, and ``force`` is not set.
    """
    if force:
        return
    if isinstance(folder, StorePath):
        full = any(_is_finished(name) for name in folder.names())
    else:
        with output_errors(folder):
            full = bool(surviving(folder))
    if full:
        raise OutputError(
            f"{folder} is not empty",
            hint=f"choose another directory, or add {argument('force')} to replace what is in it",
        )


def _is_finished(name: str) -> bool:
    """Whether a name in a store is more than a part of a checkpoint that has no index yet."""
    return CONVERTED.fullmatch(name) is None or name.lower().endswith((".index", ".h5", ".safetensors"))
