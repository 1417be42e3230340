"""The two verbs of the library: ``plan`` says what would happen, ``convert`` does it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ckptmap.checkpoint.reader import Checkpoint, open_checkpoint
from ckptmap.checkpoint.staging import Staging
from ckptmap.draft import PlanChoices, PlanOptions
from ckptmap.errors import OutputError, TargetError
from ckptmap.ledger import Plan
from ckptmap.mapping import Table, load_table
from ckptmap.planning import make_plan
from ckptmap.recognition import refuse_other_architecture
from ckptmap.report.document import Document, Output, document
from ckptmap.report.json_format import to_json
from ckptmap.targets import Target, load_target
from ckptmap.writing import CHECKPOINT_NAME, Progress, read_back, stage_checkpoint

if TYPE_CHECKING:
    from typing_extensions import Unpack

PathLike = str | os.PathLike[str]

REPORT_NAME = "report.json"


def plan(source: PathLike, *, to: PathLike, table: PathLike | None = None, **choices: Unpack[PlanChoices]) -> Plan:
    """The ledger of converting ``source``: every variable and its fate; reads indexes only, writes nothing.

    Args:
        source: prefix, any file, or directory of a TF1 checkpoint.
        to: name of a shipped target, or a TF2 checkpoint whose object graph and shapes are the template.
        table: shipped table or your own YAML; None: the target's own.
        **choices: see :class:`ckptmap.draft.PlanChoices`.

    Raises:
        CkptmapError: the source, table or target cannot be used, or they contradict each other.
    """
    with open_checkpoint(os.fspath(source)) as checkpoint:
        return _plan(checkpoint, to, table, PlanOptions(**choices))


def convert(
    source: PathLike,
    *,
    to: PathLike,
    output: PathLike,
    table: PathLike | None = None,
    seed: int = 0,
    force: bool = False,
    progress: Progress | None = None,
    **choices: Unpack[PlanChoices],
) -> Document:
    """Convert ``source`` into ``output``/ckpt-0, verify it, and return the report (also in ``output``/report.json).

    Arguments are those of :func:`plan`, and the ``seed`` of the initializers, ``force`` to replace what is in
    ``output``, ``progress`` called with (bytes done, bytes in all). Where the plan has findings nothing is written
    and the report's ``output`` is None.

    Raises:
        CkptmapError: as :func:`plan`; OutputError where ``output`` cannot be written or is not empty;
            VerificationError where what is read back is not what was written.
    """
    folder = Path(output)
    _check_output(folder, force=force)
    with open_checkpoint(os.fspath(source)) as checkpoint:
        made = _plan(checkpoint, to, table, PlanOptions(**choices))
        if made.findings:
            return document(made)
        _refuse_source_folder(folder, checkpoint)
        return _write(made, checkpoint, folder, seed, progress)


def _plan(checkpoint: Checkpoint, to: PathLike, table: PathLike | None, options: PlanOptions) -> Plan:
    target = load_target(os.fspath(to))
    if checkpoint.inventory.object_based and table is None:
        raise TargetError(
            f"{checkpoint.inventory.path} is a TF2 checkpoint already: its variables are object paths",
            hint="restore it with tf.train.Checkpoint, or give your own table with --table",
        )
    loaded = load_table(os.fspath(table)) if table is not None else _own_table(target)
    refuse_other_architecture(checkpoint.inventory, loaded, target)
    return make_plan(checkpoint.inventory, loaded, target, options)


def _own_table(target: Target) -> Table:
    if target.table is None:
        raise TargetError(
            f"{target.name} is no model that ckptmap has a table for", hint="give your own with --table my_model.yaml"
        )
    return load_table(target.table)


def _write(made: Plan, checkpoint: Checkpoint, folder: Path, seed: int, progress: Progress | None) -> Document:
    with Staging(folder) as staging:
        written = stage_checkpoint(made, checkpoint, staging, seed=seed, progress=progress)
        verified = read_back(staging.unnamed(CHECKPOINT_NAME), written)
        size = sum(value.size for value in written.values())
        report = document(made, Output(str(folder / CHECKPOINT_NAME), size, verified))
        staging.new(REPORT_NAME).write_text(to_json(report) + "\n", encoding="ascii")
        staging.commit()
    return report


def _check_output(folder: Path, *, force: bool) -> None:
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file", hint="give a directory to write to with -o")
    if not force and folder.is_dir() and any(folder.iterdir()):
        raise OutputError(
            f"{folder} is not empty", hint="choose another directory, or add --force to replace what is in it"
        )


def _refuse_source_folder(folder: Path, checkpoint: Checkpoint) -> None:
    if folder.exists() and any(Path(file).parent.samefile(folder) for file in checkpoint.inventory.data_files):
        raise OutputError(f"{folder} holds the source checkpoint", hint="write the new one to a directory of its own")
