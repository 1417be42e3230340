"""The verb ``catalogue``: what many checkpoints are, a row each; one that cannot be read never stops the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from ckptmap.basics.documents import unforeseen
from ckptmap.basics.errors import CkptmapError, OutputError
from ckptmap.basics.secrets import without_secrets
from ckptmap.checkpoint.remote import is_remote
from ckptmap.families.advice import output_of, with_output
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
    with forked(catalogue_row, processes - 1) as helpers:
        lanes = [catalogue_row] * (most if remote else 1) + helpers
        rows = side_by_side(paths, lanes, ended=_ended, not_begun=_not_begun, progress=progress)
    return Report(catalogue_document(rows))


def catalogue_document(rows: Sequence[Document]) -> Document:
    """The report of all, of rows that :func:`catalogue_row` has made; each command has an output folder of its own."""
    rows = list(_apart(rows))
    return {
        "schema": SCHEMA,
        "generator": f"ckptmap {__version__}",
        "exit_code": int(any(row["problems"] for row in rows)),
        "checkpoints": list(rows),
    }


def _apart(rows: Sequence[Document]) -> Iterator[Document]:
    """The rows, those whose commands would write into one folder with a folder below it for each."""
    met = Counter(output_of(row["command"]) for row in rows if row["command"])
    shared = [row["path"] for row in rows if row["command"] and met[output_of(row["command"])] > 1]
    names = _names(list(dict.fromkeys(shared)))
    for row in rows:
        if row["path"] in names and row["command"]:
            folder = f"{output_of(row['command'])}/{names[row['path']]}"
            yield {**row, "command": with_output(row["command"], folder)}
        else:
            yield row


def _names(paths: Sequence[str]) -> dict[str, str]:
    """A name for each path, as ``convert`` names the outputs of several; numbers where one is inside another."""
    try:
        return dict(zip(paths, output_names(paths), strict=True))
    except OutputError:
        return {path: str(number) for number, path in enumerate(paths, 1)}


def catalogue_row(path: str) -> Document:
    """What the checkpoint at ``path`` is, as JSON values; what is wrong with it are its ``problems``."""
    try:
        return _row(path, inspect(path))
    except CkptmapError as error:
        return _unread(path, str(error))
    except Exception as error:  # noqa: BLE001  (whatever one file brings up, the others are looked at)
        return _unread(path, unforeseen(error))


def _row(path: str, found: Inspection) -> Document:
    model, variables = found.architecture, found.inventory.variables.values()
    target = next((name for name in model.targets if name in list_targets()), None) if model else None
    verdict = verdict_on(target) if target else None
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
        "command": found.advice.command or None,
        "note": found.advice.note or None,
        "problems": [f"{data.path}: {data.problem}" for data in found.data if data.problem],
    }


_FACTS = (
    "kind", "object_based", "architecture", "classes", "step", "optimizer", "averages", "variables", "bytes",
    "target", "verdict", "command", "note",
)  # fmt: skip


def _unread(path: str, problem: str) -> Document:
    return {"path": without_secrets(path), **dict.fromkeys(_FACTS), "problems": [problem]}


def _ended(path: str, error: LaneEndedError) -> Document:
    return _unread(path, f"the process that read it died (exit code {error.code})")


def _not_begun(path: str) -> Document:
    return _unread(path, "was not looked at: the run was interrupted")
