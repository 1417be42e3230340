"""A new checkpoint on its way into a store, where nothing can be renamed.

It is made and read back on this machine. Then its objects are written one after the other: data files, state, report
and config, and last what makes it a checkpoint, the index. A reader who finds an index finds all that it speaks of.

No data object is ever written over. A run that finds one of its names taken goes on where the content is its own: what
an earlier attempt, or another worker at the same work, has put there. Where it is something else the run ends.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from ckptmap.basics.errors import BusyError, CheckpointError, CkptmapError, OutputError
from ckptmap.basics.wording import argument
from ckptmap.checkpoint.bundle import read_bundle_index
from ckptmap.checkpoint.data_files import DATA
from ckptmap.checkpoint.names import shortened
from ckptmap.checkpoint.remote import RemoteFiles, is_remote
from ckptmap.checkpoint.staging import Waiting, output_errors
from ckptmap.checkpoint.store import StorePath

_INDEX = ".index"
_ABANDONED = 24 * 3600
"""Seconds after which a data object that no index speaks of is a dead run's, not one that is on its way."""


class StoreStaging(Waiting):
    """New files that wait on this machine until ``commit`` writes them into ``folder``; a context manager.

    Args:
        folder: where they go.
        replace: whether an index, state, report or config that is there may be replaced.

    Raises:
        OutputError: the store does not answer, or there is no place on this machine.
    """

    def __init__(self, folder: StorePath, *, replace: bool) -> None:
        super().__init__()
        self.folder = folder
        self._replace = replace
        self._referred: dict[str, StorePath] = {}
        self._there = folder.names()
        self._replaced = self._data_of_the_old() if replace else frozenset()
        with output_errors(Path(tempfile.gettempdir())):
            self._aside = Path(tempfile.mkdtemp(prefix="ckptmap-"))

    def place(self, name: str) -> str:
        """The URL of ``name`` in the folder."""
        return str(self.folder / name)

    def names(self) -> Iterable[str]:
        """What was in the folder when this began and may not be written over.

        Where nothing is replaced that is nothing: all runs of one work give the same names to the same objects.
        """
        return self._there if self._replace else ()

    def reaches(self, path: str) -> bool:
        """Whether ``path`` is in the same store, which copies it itself."""
        return is_remote(path) and type(StorePath(path).system) is type(self.folder.system)

    def refer(self, name: str, path: str) -> None:
        """Has the store copy ``path`` at the time of ``commit``."""
        self._referred[name] = StorePath(path)

    def rename(self, old: str, name: str) -> Path:
        """Gives a file its final name; one that the store will copy, too."""
        if old not in self._referred:
            return super().rename(old, name)
        self._referred[name] = self._referred.pop(old)
        return self.new(name)

    def begin_flush(self) -> None:
        """Nothing: what is on this machine need not survive it."""

    def commit(self) -> None:
        """Writes the objects, the decisive one last; then removes what the index that it replaces spoke of.

        Raises:
            BusyError: there is something else than this run makes: another run writes there, or one has died.
            OutputError: the store does not take an object.
        """
        last = self._decisive or self._order[0]  # a file of weights comes before its report
        for name in [*(name for name in self._order if name != last), last]:
            if not self._written(name):
                raise self._taken(name)
        for name in self._void():
            if name in self._replaced or (self.folder / name).age() > _ABANDONED:
                self._remove(name, last)

    def close(self) -> None:
        """Removes what waits on this machine. What is in the store without an index stays for the next attempt."""
        shutil.rmtree(self._aside, ignore_errors=True)

    def _written(self, name: str) -> bool:
        """Whether the object is there with its content, by this run or by another one that makes the same."""
        place, source = self.folder / name, self._referred.get(name)
        if source is not None:
            return _copied(source, place)
        create = not self._replace or DATA.fullmatch(name) is not None
        file = self._aside / name
        return place.upload(file, create=create) or place.holds(file)

    def _remove(self, name: str, last: str) -> None:
        """Removes an old data object, while the index is still the one of this run."""
        if (self.folder / last).holds(self._aside / last):
            (self.folder / name).remove()

    def _data_of_the_old(self) -> frozenset[str]:
        """The data objects that the indexes in the folder speak of."""
        files = RemoteFiles(self.folder.url)
        spoken: set[str] = set()
        for name in self._there:
            if name.endswith(_INDEX):
                try:
                    held = read_bundle_index(files, str(self.folder / name.removesuffix(_INDEX)))
                except CheckpointError:
                    continue
                spoken.update(StorePath(path).name for path in held.data_files)
        return frozenset(spoken)

    def _taken(self, name: str) -> CkptmapError:
        message = (
            "holds something other than what this run makes: another run writes there, or one that died has left it"
        )
        hint = f"if no other run writes there, add {argument('force')}"
        return BusyError(message, where=shortened(self.place(name)), hint=hint)


def _copied(source: StorePath, place: StorePath) -> bool:
    """Whether the store has a copy of ``source`` at ``place``, by this run or by another one that wants the same.

    No store that fsspec knows copies on the condition that nothing is there. So the name is taken first, by a note on
    what is to come, and who finds that note there wants the same.
    """
    size = source.size()
    note = f"ckptmap: here comes a copy of {source} with {size} bytes\n".encode()
    if not place.send(note, create=True):
        found = place.size()
        if found is None or found != len(note) or place.read() != note:
            return place.equals(source)
    place.copy_from(source)
    if place.size() != size:
        raise OutputError("is not as long as what it is a copy of", where=shortened(place.url))
    return True
