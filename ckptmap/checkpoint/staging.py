"""Files that appear together or not at all: written aside, flushed to the disk, then moved into place in order."""

from __future__ import annotations

import os
import shutil
import threading
from abc import ABC, abstractmethod
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ckptmap.basics.errors import OutputError
from ckptmap.checkpoint.folder_lock import FolderLock
from ckptmap.checkpoint.leftovers import (
    KEPT,
    PREFIX,
    discard,
    end_dead_runs,
    keep_old,
    make_aside,
    move_back,
    write_journal,
)
from ckptmap.checkpoint.names import shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from types import TracebackType

    from typing_extensions import Self


_BLOCK = 1 << 20


class Waiting(ABC):
    """New files that wait in a folder of this machine, to appear in their order; a context manager.

    Leaving the context without ``commit`` removes them.
    """

    def __init__(self) -> None:
        self._aside = Path()
        self._order: list[str] = []
        self._decisive = ""
        self._obsolete: list[str] = []

    @abstractmethod
    def place(self, name: str) -> str:
        """The path, or the URL, that the file ``name`` will have."""

    @abstractmethod
    def names(self) -> Iterable[str]:
        """The names that are there already."""

    @abstractmethod
    def commit(self) -> None:
        """Lets the new files appear. Raises OutputError where one cannot."""

    @abstractmethod
    def close(self) -> None:
        """Removes what waits."""

    @abstractmethod
    def begin_flush(self) -> None:
        """Begins to bring the files named so far to where they will be safe, beside what is done next."""

    def reaches(self, path: str) -> bool:  # noqa: ARG002  (of a folder of this machine nothing is)
        """Whether the remote file ``path`` can become one of the new files without coming to this machine."""
        return False

    def refer(self, name: str, path: str) -> None:
        """Makes a copy of the remote file ``path``, which ``reaches``, the file ``unnamed(name)``."""
        raise NotImplementedError

    def new(self, name: str, *, decisive: bool = False) -> Path:
        """Where to write the file that will be called ``name``; files appear in the order of these calls.

        With the ``decisive`` one (the last where there is none) those before it become visible, as with the index of a
        checkpoint: a run that dies before leaves what was there, a run that dies behind it what is new.
        """
        if name not in self._order:
            self._order.append(name)
        if decisive:
            self._decisive = name
        return self.unnamed(name)

    def write(self, name: str, text: str | Iterable[str]) -> None:
        """A whole file in UTF-8, its line ends as they are; bytes that are none survive (``surrogateescape``).

        A long text may come in pieces, which are not held together.

        Raises:
            OutputError: it cannot be written.
        """
        with output_errors(self.place(name)):
            path = self.new(name)
            with path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as handle:
                for block in [text] if isinstance(text, str) else _blocks(text):
                    handle.write(block)

    def unnamed(self, name: str) -> Path:
        """Where to write a file whose final name is not known yet; ``rename`` gives it one."""
        return self._aside / name

    def rename(self, old: str, name: str) -> Path:
        """Gives a file written under ``unnamed(old)`` its final name; it takes its place in the order now."""
        with output_errors(self._aside / old):
            (self._aside / old).replace(self.new(name))
        return self._aside / name

    def discard_later(self, name: str) -> None:
        """Marks a file beside the new ones that they make void: ``commit`` removes it at the end."""
        self._obsolete.append(name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _void(self) -> list[str]:
        return sorted(set(self._obsolete) - set(self._order))


class Staging(Waiting):
    """A hidden folder inside ``folder`` in which new files wait; a context manager.

    ``folder`` is made where it does not exist, and locked: no other run writes into it meanwhile. What runs that died
    have left in it is cleared first. Leaving the context without ``commit`` removes everything that was made, the
    folder too where it is new. What ``commit`` replaces stays readable until its successor is complete.

    Raises:
        OutputError: the folder cannot be made or written to, or another run is writing into it.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        super().__init__()
        self.folder = Path(folder)
        self._made = _missing_parents(self.folder)
        self._lock: FolderLock | None = None
        self._stuck = False
        self._flush: _Flush | None = None
        try:
            with output_errors(self.folder):
                self.folder.mkdir(parents=True, exist_ok=True)
                self._lock = FolderLock(self.folder)
                end_dead_runs(self.folder, self._lock)
                self._aside = make_aside(self.folder)
        except BaseException:
            self._leave()
            raise

    def place(self, name: str) -> str:
        """The path of ``name`` in the folder."""
        return str(self.folder / name)

    def names(self) -> Iterable[str]:
        """The names in the folder."""
        return [place.name for place in self.folder.iterdir()]

    def begin_flush(self) -> None:
        """Begins to put the files named so far on the disk, beside what is done next; ``commit`` waits for the end."""
        self._flush = _Flush([self._aside / name for name in self._order])
        self._flush.start()

    def commit(self) -> None:
        """Moves every new file into place; where one cannot be moved, those before it are moved back.

        Each move is on the disk before the next one, so that a power failure too leaves the old files or the new ones.

        Raises:
            OutputError: a file cannot be flushed or moved.
        """
        self._prepare()
        moved: list[str] = []
        try:
            for name in self._order:
                moved.append(name)
                with output_errors(self.folder / name):
                    (self._aside / name).replace(self.folder / name)
                sync_folder(self.folder)
        except BaseException:
            self._give_up(moved)
            raise
        for name in self._void():
            with suppress(OSError):
                (self.folder / name).unlink()
        self._made = []

    def close(self) -> None:
        """Removes what waits, and the folder where it was made for nothing."""
        if self._flush is not None:
            self._flush.join()
        if not self._stuck:
            discard(self._aside)
        self._leave()

    def _prepare(self) -> None:
        """Flushes the new files, keeps the old ones under second names, and says what is about to happen."""
        if self._flush is not None:
            self._flush.end()
        with output_errors(self._aside):
            (self._aside / KEPT).mkdir()
        for name in self._order:
            sync_own(self._aside / name)
            with output_errors(self.folder / name):
                keep_old(self.folder, self._aside, name)
        with output_errors(self.folder):
            decisive = self._decisive or self._order[-1]
            journal = write_journal(self.folder, self._aside, self._order, decisive, self._void())
        sync(journal)
        sync_folder(self._aside)

    def _give_up(self, moved: list[str]) -> None:
        """Takes back what was moved; where not even that is possible, all stays for the next run, as after a crash."""
        try:
            move_back(self.folder, self._aside, moved)
        except OSError:
            self._stuck = True

    def _leave(self) -> None:
        if self._lock is not None:
            self._lock.release()
        for folder in self._made:
            with suppress(OSError):
                folder.rmdir()


def _blocks(pieces: Iterable[str]) -> Iterator[str]:
    """The text in blocks that are worth a write."""
    block: list[str] = []
    length = 0
    for piece in pieces:
        block.append(piece)
        length += len(piece)
        if length > _BLOCK:
            yield "".join(block)
            block, length = [], 0
    yield "".join(block)


def _missing_parents(folder: Path) -> list[Path]:
    """The folders that ``mkdir`` has to make, the innermost first."""
    return [place for place in (folder, *folder.parents) if not place.exists()]


@contextmanager
def output_errors(path: Path | str) -> Iterator[None]:
    """Turns what the operating system refuses into an error that names the file."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"cannot be written: {error.strerror or error}", where=shortened(str(path))) from error


class _Flush(threading.Thread):
    """Puts files on the disk; ``end`` waits until they are, and raises what went wrong."""

    def __init__(self, paths: Sequence[Path]) -> None:
        super().__init__(name="flush", daemon=True)
        self._paths = paths
        self._error: OutputError | None = None

    def run(self) -> None:
        """Flush one file after the other; the kernel tells an error once only, so it is kept."""
        try:
            for path in self._paths:
                sync_own(path)
        except OutputError as error:
            self._error = error

    def end(self) -> None:
        """Wait; raises OutputError where the disk refused."""
        self.join()
        if self._error is not None:
            raise self._error


def sync_own(path: Path) -> None:
    """``sync``, but for a file with another name: it is not of our making, and may be write-protected."""
    with output_errors(path):
        own = path.stat().st_nlink == 1
    if own:
        sync(path)


def write_whole(path: Path, content: bytes) -> None:
    """One file that appears whole or not at all; what is not a regular file, such as a pipe, is written to as it is.

    Raises:
        OutputError: it cannot be written; what was there is still there.
    """
    with output_errors(path):
        place = Path(os.path.realpath(path))  # a circle of links, on which resolve raises, leads to itself
        if place.exists() and not place.is_file():
            place.write_bytes(content)
            return
        aside = place.with_name(f"{PREFIX}{os.getpid()}-{place.name}")
        try:
            with aside.open("xb") as handle:
                handle.write(content)
                handle.flush()
                os.fsync(handle.fileno())
            if place.exists():
                shutil.copymode(place, aside)
            aside.replace(place)
        finally:
            with suppress(OSError):
                aside.unlink()


def sync(path: Path) -> None:
    """Waits until the file's bytes are on the disk.

    Raises:
        OutputError: the disk refuses.
    """
    # Windows flushes only what is open for writing
    with output_errors(path), path.open("rb+" if os.name == "nt" else "rb") as handle:
        os.fsync(handle.fileno())


def sync_folder(folder: Path) -> None:
    """Waits until the folder's entries are on the disk, where the platform can (Windows cannot open a folder)."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
