"""The two verbs of the library: ``plan`` says what would happen, ``convert`` does it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from ckptmap.basics.collector import collector_paused
from ckptmap.basics.errors import OutputError, TargetError
from ckptmap.checkpoint.inventory import Inventory
from ckptmap.checkpoint.leftovers import clear_leftovers, is_own
from ckptmap.checkpoint.reader import Checkpoint, open_checkpoint
from ckptmap.checkpoint.staging import Staging, output_errors
from ckptmap.execution.placing import DataMode
from ckptmap.execution.quantization import quantization_ranges
from ckptmap.execution.writing import CHECKPOINT_NAME, Progress, read_back, stage_checkpoint
from ckptmap.planning.draft import PlanChoices
from ckptmap.planning.ledger import Plan
from ckptmap.planning.name_matching import match
from ckptmap.planning.plan import make_plan
from ckptmap.report.document import Document, Output, document
from ckptmap.report.json_format import json_pieces
from ckptmap.request.destination import Destination, PathLike, find_destination, plan_options
from ckptmap.request.table_likeness import refuse_other_architecture

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ckptmap.checkpoint.identity import Stamps
    from ckptmap.families.detection.pipeline.verdict import Prefer

REPORT_NAME = "report.json"
CONFIG_NAME = "pipeline.config"
_UNVERIFIED = "--no-verify: the checksums of the source were not compared, its values may be damaged"


def plan(
    source: PathLike,
    *,
    to: PathLike | None = None,
    table: PathLike | None = None,
    pipeline: PathLike | None = None,
    prefer: Prefer = "exact",
    **choices: Unpack[PlanChoices],
) -> Plan:
    """The ledger of converting ``source``: every variable and its fate; reads indexes only, writes nothing.

    Args:
        source: prefix, any file, or directory of a TF1 checkpoint.
        to: name of a shipped target, or a TF2 checkpoint whose object graph and shapes are the template; None: what
            ``pipeline`` says.
        table: shipped table or your own YAML; None: the target's own.
        pipeline: the TF1 pipeline.config of the model: its settings decide the target's, and it is migrated too.
        prefer: where stock TF2 is not equal to the TF1 model: ``exact`` or ``stock`` in the migrated config.
        **choices: see :class:`ckptmap.planning.draft.PlanChoices`.

    Raises:
        CkptmapError: the source, table, config or target cannot be used, or they contradict each other.
    """
    with open_checkpoint(os.fspath(source)) as checkpoint:
        _refuse_object_paths(checkpoint, own_table=table is not None)
        destination = find_destination(to, table, pipeline, plan_options(choices), prefer)
        return plan_to(checkpoint.inventory, destination)


def convert(
    source: PathLike,
    *,
    to: PathLike | None = None,
    output: PathLike | None,
    table: PathLike | None = None,
    pipeline: PathLike | None = None,
    prefer: Prefer = "exact",
    seed: int = 0,
    data: DataMode = "auto",
    verify_data: bool = False,
    verify: bool = True,
    ranges: bool = False,
    force: bool = False,
    progress: Progress | None = None,
    **choices: Unpack[PlanChoices],
) -> Document:
    """Convert ``source`` into ``output``/ckpt-0, verify it, and return the report (also in ``output``/report.json).

    Arguments are those of :func:`plan`, and the ``seed`` of the initializers, ``force`` to replace what is in
    ``output``, ``progress`` called with (bytes done, bytes in all), and ``data``, how the bytes of unchanged values get
    there: ``copy``; ``reflink``, the old data file as a copy-on-write clone; ``link``, the old data file under a second
    name, so that whoever writes into the old file later changes the new checkpoint; ``auto``: reflink where the file
    system can, else copy. What is copied or computed is read back; of a linked or cloned file the checksums of the old
    index are carried over, and compared with the bytes where ``verify_data`` is set. With ``pipeline`` the migrated
    config goes to ``output``/pipeline.config. Where the plan has findings, or ``output`` is None (a dry run),
    nothing is written and the report's ``output`` is None. Without ``verify`` the checksums of the source's values
    are not compared: every value is read and gets a checksum of its own, and the report says so. With ``ranges``
    the report keeps the ranges of quantization-aware training, which no TF2 model takes.

    Raises:
        CkptmapError: as :func:`plan`; OutputError where ``output`` cannot be written or is not empty;
            VerificationError where what is read back is not what was written.
    """

    def planned(inventory: Inventory) -> tuple[Destination, Plan]:
        destination = find_destination(to, table, pipeline, plan_options(choices), prefer)
        return destination, plan_to(inventory, destination)

    how = Writing(seed, data, verify_data, verify, ranges, force, progress)
    folder = None if output is None else Path(output)
    return convert_planned(os.fspath(source), folder, planned, how, own_table=table is not None)


@dataclass(frozen=True, slots=True)
class Writing:
    """What the user decided about reading and writing; :func:`convert` says what each means."""

    seed: int
    data: DataMode
    verify_data: bool
    verify: bool
    ranges: bool
    force: bool
    progress: Progress | None = None


def convert_planned(
    source: str,
    folder: Path | None,
    planned: Callable[[Inventory], tuple[Destination, Plan]],
    how: Writing,
    *,
    own_table: bool,
) -> Document:
    """Convert ``source`` by the plan that ``planned`` makes of its inventory; :func:`convert` says the rest."""
    if folder is not None:
        _check_output(folder, force=how.force)
    with open_checkpoint(source, verify=how.verify) as checkpoint:
        before = checkpoint.stamps()
        _refuse_object_paths(checkpoint, own_table=own_table)
        if folder is not None:
            _refuse_source_folder(folder, checkpoint.inventory)
        destination, made = planned(checkpoint.inventory)
        learned = quantization_ranges(checkpoint) if how.ranges else None
        if made.findings or folder is None:
            return document(made, destination.migration(made), ranges=learned)
        _refuse_inputs(folder, destination)
        return _write(made, destination, checkpoint, folder, how, before, learned)


def plan_to(inventory: Inventory, destination: Destination) -> Plan:
    """The ledger of converting ``inventory`` to ``destination``; names, dtypes and shapes are all that it sees.

    Raises:
        CkptmapError: the inventory is of another architecture, or does not fit.
    """
    with collector_paused():
        matching = match(inventory, destination.table)
        refuse_other_architecture(matching, destination.target)
        return make_plan(matching, destination.target, destination.options)


def _refuse_object_paths(checkpoint: Checkpoint, *, own_table: bool) -> None:
    """Shipped tables speak of TF1 names; only the user's own table may speak of object paths."""
    if checkpoint.inventory.object_based and not own_table:
        raise TargetError(
            f"{checkpoint.inventory.path} is a TF2 checkpoint already: its variables are object paths",
            hint="restore it with tf.train.Checkpoint, or give your own table with --table",
        )


def _write(
    made: Plan,
    destination: Destination,
    checkpoint: Checkpoint,
    folder: Path,
    how: Writing,
    before: Stamps,
    ranges: Mapping[str, float] | None,
) -> Document:
    prefix = folder / CHECKPOINT_NAME
    migration = destination.migration(made, prefix.as_posix())
    with Staging(folder) as staging:
        _check_empty(folder, force=how.force)
        output = _staged(made, destination, checkpoint, staging, how, before)
        report = document(made, migration, output, ranges=ranges)
        staging.write(REPORT_NAME, chain(json_pieces(report), ["\n"]))
        if migration is not None:
            staging.write(CONFIG_NAME, migration.text)
        staging.commit()
    return report


def _staged(
    made: Plan, destination: Destination, checkpoint: Checkpoint, staging: Staging, how: Writing, before: Stamps
) -> Output:
    """Write the checkpoint into ``staging`` and read it back."""
    staged = stage_checkpoint(made, checkpoint, staging, seed=how.seed, data=how.data, progress=how.progress)
    staging.begin_flush()
    again = read_back(staging.unnamed(CHECKPOINT_NAME), made, staged, checkpoint, everything=how.verify_data)
    checkpoint.refuse_changed(before)
    kept = len(staged.written) - again.values
    notes = staged.placement.notes if checkpoint.verify else (*staged.placement.notes, _UNVERIFIED)
    checksums = {
        "source": checkpoint.digests(),
        "table": destination.table.digests,
        "output": again.digests,
        **({"template": staged.template} if staged.template else {}),
    }
    prefix = str(staging.folder / CHECKPOINT_NAME)
    return Output(prefix, staged.nbytes, again.values, notes, staged.placement.mode, kept, checksums)


def _check_output(folder: Path, *, force: bool) -> None:
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file", hint="give a directory to write to with -o")
    if folder.is_dir():
        with output_errors(folder):
            clear_leftovers(folder)
        _check_empty(folder, force=force)


def _check_empty(folder: Path, *, force: bool) -> None:
    if not force and any(not is_own(place.name) for place in folder.iterdir()):
        raise OutputError(
            f"{folder} is not empty", hint="choose another directory, or add --force to replace what is in it"
        )


def _refuse_source_folder(folder: Path, source: Inventory) -> None:
    if any(_same_file(Path(file).parent, folder) for file in (source.path, *source.data_files)):
        raise _holding(folder, "the source checkpoint")


def _refuse_inputs(folder: Path, destination: Destination) -> None:
    template, config = Path(f"{destination.target.origin}.index"), destination.config
    if template.is_file() and _same_file(template.parent, folder):
        raise _holding(folder, "the template checkpoint")
    if config is not None and _same_file(folder / CONFIG_NAME, Path(config.path)):
        raise _holding(folder, "the config that is migrated")


def _holding(folder: Path, what: str) -> OutputError:
    """Nothing is written over, or beside, what it is made from; ``force`` is for the output of an earlier run."""
    return OutputError(f"{folder} holds {what}", hint="write the new one to a directory of its own")


def _same_file(one: Path, other: Path) -> bool:
    """Whether both are there and the same; what is remote is not there."""
    return one.exists() and other.exists() and one.samefile(other)
