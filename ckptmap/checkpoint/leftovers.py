"""What a run that died has left in an output folder: recognized, undone or finished, and removed.

A run collects its files in a folder of its own, ``.ckptmap-…``, and moves them into place one by one. One of them is
decisive: with a checkpoint's index its other files become visible. Before the first move the journal is written, which
names the files in their order. What was moved by a run that died before the decisive move is taken back, what it had
yet to move after that is moved now. Files that somebody else has changed since stay as they are.

Only a folder that a run of this machine made is a leftover. Its name alone says little: somebody may keep files in a
folder of such a name, or unpack one with a journal that names other files.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeAlias

from ckptmap.basics.documents import parse_json, read_text
from ckptmap.checkpoint.folder_lock import LOCK_NAME, FolderLock

PREFIX = ".ckptmap-"
_MADE = re.compile(re.escape(PREFIX) + "[a-z0-9_]{8}")
"""The names that tempfile.mkdtemp gives."""
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


def make_aside(folder: Path) -> Path:
    """A new staging folder in ``folder``, marked as a run's own.

    The marker is an empty file that bears the folder's own number, so that no copy of the folder is taken for it.

    Raises:
        OSError: it cannot be made.
    """
    import tempfile

    aside = Path(tempfile.mkdtemp(prefix=PREFIX, dir=folder))
    try:
        _marker(aside).touch()
    except BaseException:
        discard(aside)
        raise
    return aside


def is_leftover(place: Path) -> bool:
    """Whether ``place`` is a staging folder that a run of this user made here: by name, owner and marker.

    An empty one needs no marker: its run died before it, and nothing is lost with it.
    """
    if not _MADE.fullmatch(place.name):
        return False
    try:
        found = place.lstat()
        if not stat.S_ISDIR(found.st_mode) or not _is_ours(found):
            return False
        return not any(place.iterdir()) or _is_marker(_marker(place).lstat())
    except OSError:
        return False


def surviving(folder: Path) -> set[str]:
    """The names that are in ``folder`` once what dead runs began is ended; only reads.

    Raises:
        OSError: the folder cannot be read.
    """
    asides = [place for place in folder.iterdir() if is_leftover(place)]
    names = {place.name for place in folder.iterdir()} - {LOCK_NAME} - {aside.name for aside in asides}
    names = names.difference(*(_removed(folder, aside) for aside in asides))
    return names.union(*(_added(folder, aside) for aside in asides))


def end_dead_runs(folder: Path, lock: FolderLock) -> None:
    """Ends what dead runs began in ``folder``: all that is there, since no other run can hold the ``lock``."""
    for place in sorted(folder.iterdir()) if lock.certain else ():
        if is_leftover(place):
            _end(folder, place)


def discard(aside: Path) -> None:
    """Removes a staging folder, as far as that is possible.

    The journal goes first, so that nobody finishes what was given up, and the marker last: until then the folder is
    known as a run's.
    """
    with suppress(OSError):
        marker, journal = _marker(aside), aside / _JOURNAL
        journal.unlink(missing_ok=True)
        for place in aside.iterdir():
            if place != marker:
                _remove(place)
        if list(aside.iterdir()) == [marker]:
            marker.unlink()
        aside.rmdir()


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
    if journal is not None and _undone(aside, journal):
        move_back(folder, aside, _moved(folder, aside, journal))
    elif journal is not None:
        _finish(folder, aside, journal)
    discard(aside)


def _undone(aside: Path, journal: Journal) -> bool:
    """Whether the run died before the decisive move, so that its moves are taken back."""
    return journal.decisive in journal.files and (aside / journal.decisive).exists()


def _moved(folder: Path, aside: Path, journal: Journal) -> Iterator[str]:
    """What the run moved, and nobody has changed since."""
    moved = (name for name in journal.files if not (aside / name).exists())
    return (name for name in moved if _identity(folder / name) == journal.files[name])


def _removed(folder: Path, aside: Path) -> Iterator[str]:
    """What goes away when the run of ``aside`` is ended: new files that were moved, and files that they made void."""
    journal = read_journal(aside)
    if journal is None:
        return
    if _undone(aside, journal):
        yield from (name for name in _moved(folder, aside, journal) if not (aside / KEPT / name).exists())
    else:
        void = (name for name in journal.replaced if name not in journal.files)
        yield from (name for name in void if _identity(folder / name) == journal.replaced[name])


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
        if not stat.S_ISREG((aside / _JOURNAL).lstat().st_mode):
            return None
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


def _added(folder: Path, aside: Path) -> Iterator[str]:
    """What comes when the run of ``aside`` is ended: new files that are yet to be moved."""
    journal = read_journal(aside)
    if journal is None or _undone(aside, journal):
        return
    waiting = (name for name in journal.files if (aside / name).exists())
    yield from (name for name in waiting if _identity(folder / name) == journal.replaced.get(name))


def _marker(aside: Path) -> Path:
    return aside / f"run-{aside.lstat().st_ino}"


def _is_marker(found: os.stat_result) -> bool:
    return stat.S_ISREG(found.st_mode) and found.st_size == 0 and _is_ours(found)


def _is_ours(found: os.stat_result) -> bool:
    return sys.platform == "win32" or found.st_uid == os.geteuid()


def _remove(place: Path) -> None:
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place, ignore_errors=True)
        return
    with suppress(OSError):
        place.unlink()


def _identity(path: Path) -> Identity:
    try:
        found = path.stat()
    except OSError:
        return None
    return [found.st_ino, found.st_size, found.st_mtime_ns]
