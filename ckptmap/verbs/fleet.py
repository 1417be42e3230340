"""The verb ``catalogue``: what many checkpoints are, a row each; one that cannot be read never stops the others."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from ckptmap.basics.documents import unforeseen
from ckptmap.basics.errors import CkptmapError, OutputError
from ckptmap.basics.secrets import without_secrets
from ckptmap.checkpoint.names import shortened
from ckptmap.checkpoint.remote import is_remote
from ckptmap.families.advice import advice
from ckptmap.families.registry import verdict_on
from ckptmap.inspection.inspector import Inspection, inspect
from ckptmap.report.conversion_document import Document
from ckptmap.report.shown import Report
from ckptmap.request.batch_list import output_names
from ckptmap.request.choices import PathLike
from ckptmap.request.search import searched
from ckptmap.targets.load import list_targets
from ckptmap.verbs.lanes import LaneEndedError, Progress, can_fork, cores, forked, side_by_side, worth
from ckptmap.version import __version__

SCHEMA = "ckptmap.catalogue/1"
_SECONDS_EACH = 0.01
_REMOTE_JOBS = 16
"""Threads that wait for a store at a time."""
_Item = tuple[str, str]
"""A checkpoint, and what it is called among the others."""


def catalogue(sources: Iterable[PathLike], *, jobs: int | None = None, progress: Progress | None = None) -> Report:
    """Inspect each of ``sources``, and return one report of all (``ckptmap.catalogue/1``), a row a checkpoint.

    A folder that holds no checkpoint stands for all those below it. Of the data at most the step is read. The verdict
    is that of the official configuration of the target that the model has. Interrupted (Ctrl-C), the checkpoints that
    have not been looked at are rows that say so.

    Args:
        sources: checkpoints, and folders of them.
        jobs: how many are read at a time, at most; None: one a core, and 16 where a source is remote.
        progress: called with (checkpoints done, checkpoints in all).

    Raises:
        CkptmapError: a path cannot be searched. What is wrong with one checkpoint is in its row.
    """
    paths = searched(sources)
    remote = any(map(is_remote, paths))
    most = max(1, min(jobs or (_REMOTE_JOBS if remote else cores()), len(paths)))
    processes = worth(len(paths) * _SECONDS_EACH, most) if not remote and can_fork() else 1
    with forked(_named_row, processes - 1) as helpers:
        lanes = [_named_row] * (most if remote else 1) + helpers
        rows = side_by_side(named_paths(paths), lanes, ended=_ended, not_begun=_not_begun, progress=progress)
    return Report(catalogue_of(rows))


def catalogue_of(rows: Sequence[Document]) -> Document:
    """The report of all, of rows that :func:`catalogue_row` has made."""
    return {
        "schema": SCHEMA,
        "generator": f"ckptmap {__version__}",
        "exit_code": int(any(row["problems"] for row in rows)),
        "checkpoints": list(rows),
    }


def named_paths(paths: Sequence[str]) -> list[_Item]:
    """Each path with its name, as ``convert`` names the outputs of several; numbers where one is inside another."""
    distinct = list(dict.fromkeys(paths))
    if len(distinct) == 1:
        return [(path, "") for path in paths]
    try:
        names = output_names(distinct)
    except OutputError:
        names = []
    if len({name.replace("/", "-") for name in names}) < len(distinct):
        names = [str(number) for number in range(1, len(distinct) + 1)]
    named = dict(zip(distinct, names, strict=True))
    return [(path, named[path]) for path in paths]


def _named_row(item: _Item) -> Document:
    return catalogue_row(*item)


def catalogue_row(path: str, name: str = "") -> Document:
    """What the checkpoint at ``path`` is, as JSON values; what is wrong with it are its ``problems``.

    ``name`` is what it is called among several: what its commands write is called by it.
    """
    try:
        return _row(path, name, inspect(path))
    except CkptmapError as error:
        return _unread(path, str(error))
    except Exception as error:  # noqa: BLE001  (whatever one file brings up, the others are looked at)
        return _unread(path, unforeseen(error))


def _row(path: str, name: str, found: Inspection) -> Document:
    model, variables = found.architecture, found.inventory.variables.values()
    shipped = list_targets()
    target = next((name for name in model.targets if name in shipped), None) if model else None
    verdict = verdict_on(target) if target else None
    next_step = advice(found.inventory, model, shipped, found.config, name)
    return {
        "path": without_secrets(path),
        "kind": found.inventory.kind.value,
        "object_based": found.inventory.object_based,
        "architecture": model.name if model else None,
        "classes": model.document().get("num_classes") if model else None,
        "step": found.training.step,
        "optimizer": " and ".join(found.training.optimizers) or None,
        "averages": found.training.averages,
        "variables": len(variables),
        "bytes": sum(variable.nbytes for variable in variables),
        "target": target,
        "verdict": verdict.kind.value if verdict else None,
        "command": next_step.command or None,
        "note": next_step.note or None,
        "problems": [_below(path, f"{data.path}: {data.problem}") for data in found.data if data.problem],
    }


_FACTS = (
    "kind", "object_based", "architecture", "classes", "step", "optimizer", "averages", "variables", "bytes",
    "target", "verdict", "command", "note",
)  # fmt: skip


def _unread(path: str, problem: str) -> Document:
    return {"path": without_secrets(path), **dict.fromkeys(_FACTS), "problems": [_below(path, problem)]}


def _below(path: str, problem: str) -> str:
    """A problem of the row of ``path``, which says what the path is: a file below it by its name alone."""
    for place in (path, shortened(path)):
        folder = place.rstrip("/\\")
        for start in (f"{place}: ", f"{folder}: ", f"{folder}/", f"{folder}{os.sep}"):
            if problem.startswith(start):
                return problem[len(start) :]
    return problem


def _ended(item: _Item, error: LaneEndedError) -> Document:
    return _unread(item[0], f"the process that read it died (exit code {error.code})")


def _not_begun(item: _Item) -> Document:
    return _unread(item[0], "was not looked at: the run was interrupted")
