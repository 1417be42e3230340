"""What a run that died has left in an output folder: recognised, undone or finished, and removed.

A run collects its files in a folder of its own, ``.ckptmap-…``, and moves them into place one by one. One of them is
decisive: with a checkpoint's index its other files become visible. Before the first move the journal is written, which
names the files in their order. What was moved by a run that died before the decisive move is taken back, what it had
yet to move after that is moved now. Files that somebody else has changed since stay as they are.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeAlias

from ckptmap.basics.documents import parse_json, read_text
from ckptmap.checkpoint.folder_lock import LOCK_NAME, FolderLock

PREFIX = ".ckptmap-"
KEPT = "old"
"""The folder of the second names, or copies, of the files that are about to be replaced."""
_JOURNAL = "journal"
_LARGEST = 1 << 20
"""Bytes of a journal: it names a handful of files."""
_LONGEST = 255
"""Bytes of a file's name, on all common file systems."""


Identity: TypeAlias = "list[int] | None"
"""What a file keeps when it is moved, and loses when it is replaced or written to; None where there is none."""


@dataclass(frozen=True, slots=True)
class Journal:
    """The files that are moved, in their order, and those that they replace or make void, each with its identity."""

    files: Mapping[str, Identity]
    replaced: Mapping[str, Identity]
    decisive: str


def is_own(name: str) -> bool:
    """Whether a file or folder of this name is a run's own, alive or dead."""
    return name.startswith(PREFIX)


def clear_leftovers(folder: Path) -> None:
    """Ends what dead runs began in ``folder``.

    Raises:
        OutputError: a run is alive there.
        OSError: the folder cannot be written.
    """
    if any(is_own(place.name) for place in folder.iterdir()):
        lock = FolderLock(folder)
        try:
            end_dead_runs(folder, lock)
        finally:
            lock.release()


def end_dead_runs(folder: Path, lock: FolderLock) -> None:
    """Ends what dead runs began in ``folder``: all that is there, since no other run can hold the ``lock``."""
    for place in sorted(folder.iterdir()) if lock.certain else ():
        if is_own(place.name) and place.name != LOCK_NAME and place.is_dir() and not place.is_symlink():
            _end(folder, place)


def write_journal(folder: Path, aside: Path, order: Iterable[str], decisive: str, obsolete: Iterable[str] = ()) -> Path:
    """The journal of the files in ``aside`` that are about to be moved to ``folder``, where they make others void."""
    new = {name: _identity(aside / name) for name in order}
    old = {name: _identity(folder / name) for name in (*new, *obsolete)}
    path = aside / _JOURNAL
    path.write_text(json.dumps(asdict(Journal(new, old, decisive))), encoding="utf-8")
    return path


def keep_old(folder: Path, aside: Path, name: str) -> None:
    """A second name for the file about to be replaced; a copy where the file system has no hard links.

    Raises:
        OSError: neither is possible.
    """
    old = folder / name
    if not old.exists():
        return
    try:
        (aside / KEPT / name).hardlink_to(old)
    except OSError:
        shutil.copy2(old, aside / KEPT / name)


def move_back(folder: Path, aside: Path, moved: Iterable[str]) -> None:
    """Brings back what was replaced and removes what was new, the last first: each step leaves a whole checkpoint.

    Raises:
        OSError: a step is not possible; those that were to follow are not tried.
    """
    for name in reversed(list(moved)):
        old = aside / KEPT / name
        if old.exists():
            old.replace(folder / name)
        else:
            (folder / name).unlink(missing_ok=True)


def _end(folder: Path, aside: Path) -> None:
    journal = read_journal(aside)
    if journal is not None:
        waiting = [name for name in journal.files if (aside / name).exists()]
        if journal.decisive in waiting:
            moved = [name for name in journal.files if name not in waiting]
            move_back(folder, aside, (name for name in moved if _identity(folder / name) == journal.files[name]))
        else:
            _finish(folder, aside, journal)
    shutil.rmtree(aside, ignore_errors=True)


def _finish(folder: Path, aside: Path, journal: Journal) -> None:
    """The moves that are left, and the removal of what is void, of files that nobody has changed since."""
    for name, identity in journal.replaced.items():
        if _identity(folder / name) != identity:
            continue
        if name not in journal.files:
            (folder / name).unlink(missing_ok=True)
        elif (aside / name).exists():
            (aside / name).replace(folder / name)


def read_journal(aside: Path) -> Journal | None:
    """The journal of a dead run; None where it died before it had moved anything."""
    try:
        found = parse_json(read_text(aside / _JOURNAL, _LARGEST))
        journal = Journal(dict(found["files"]), dict(found["replaced"]), found["decisive"])
    except (OSError, ValueError, LookupError, TypeError):
        return None
    # a folder that somebody else has made must not lead out of itself
    return journal if all(map(_stays, (*journal.files, *journal.replaced))) else None


def _stays(name: object) -> bool:
    """Whether it can be the name of a file in a folder, and of no other place."""
    if not isinstance(name, str) or Path(name).name != name or name in ("", ".."):
        return False
    try:
        return "\0" not in name and len(os.fsencode(name)) <= _LONGEST
    except UnicodeEncodeError:
        return False


def _identity(path: Path) -> Identity:
    try:
        found = path.stat()
    except OSError:
        return None
    return [found.st_ino, found.st_size, found.st_mtime_ns]
