"""The one rule for everything that is written: an output never overwrites what a run reads, nor its other outputs.

Files are compared, not names: links are followed, and two names of one file are the same file.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from ckptmap.basics.contributions import contributions
from ckptmap.basics.documents import REPORT_NAME
from ckptmap.basics.errors import OutputError
from ckptmap.checkpoint.data_files import DATA, INDEX, META
from ckptmap.checkpoint.leftovers import PREFIX
from ckptmap.checkpoint.names import shortened
from ckptmap.checkpoint.paths import is_model_file, is_model_name
from ckptmap.checkpoint.store import Place, StorePath, place_of

if TYPE_CHECKING:
    from ckptmap.checkpoint.inventory import Inventory

PathLike = str | os.PathLike[str]
_MADE_BY_FAMILIES = "".join(f"|{re.escape(name)}" for family in contributions() for name in family.files)
CONVERTED = re.compile(
    r"(ckpt-0|model\.ckpt)\.(index|data-\d+-of-\d+)|model\.(weights\.h5|h5|safetensors)"
    rf"|checkpoint|{re.escape(REPORT_NAME)}|batch\.json{_MADE_BY_FAMILIES}",
    re.IGNORECASE,
)
"""What a run that makes a checkpoint writes into its folder; file systems may not tell capitals from small letters."""
VERIFIED = re.compile(r"report\.(json|md|html)|picture-\d+\.png|layers\.svg", re.IGNORECASE)
"""What a verification writes into its folder."""
_BELOW = ("", "checkpoint", "variables", "saved_model", "saved_model/variables")
_PART = re.compile(r"\.index|\.meta|\.data-\d+-of-\d+|-\d+-of-\d+")
_IMAGES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".gif"}
_REPORT_HINT = "give another file"


@dataclass(frozen=True, slots=True)
class Made:
    """A folder that the run writes itself: the names of its files; ``deep``: in the folders below it too."""

    folder: Place
    names: re.Pattern[str]
    deep: bool = False

    def has(self, path: Place) -> bool:
        """Whether the run writes ``path`` itself."""
        if not isinstance(path, Path) or not isinstance(self.folder, Path):
            return self._has_remote(path)
        place, folder = _real(path), _real(self.folder)
        inside = place.is_relative_to(folder) if self.deep else _same(place.parent, folder)
        return inside and self.names.fullmatch(place.name) is not None

    def _has_remote(self, path: Place) -> bool:
        if not isinstance(path, StorePath) or not isinstance(self.folder, StorePath):
            return False
        below = self.deep and path.url.startswith(f"{self.folder.url.rstrip('/')}/")
        return (below or path.parent.same(self.folder)) and self.names.fullmatch(path.name) is not None


def refuse_reports(reports: Sequence[Place], inputs: Iterable[PathLike | None], made: Made | None = None) -> None:
    """Refuse a report in place of a file that is read, of a model, or that the same run writes.

    Args:
        reports: the files to write.
        inputs: what the user named to read: files, prefixes, folders; None and what is remote are passed over.
        made: what the run writes besides.

    Raises:
        OutputError: it names the file.
    """
    named = [path for path in inputs if path is not None]
    for number, path in enumerate(reports):
        if isinstance(path, Path) and _is_dir(path):
            raise OutputError("is a directory", where=shortened(str(path)), hint="give a file")
        if _is_given(path, reports[:number]):
            raise _refused(path, "is given for two reports: one would replace the other")
        if made is not None and made.has(path):
            raise _refused(path, "is a file that this command writes itself: a report does not replace it")
        if _is_of_model(path):
            raise _refused(path, "is a file of a checkpoint or a config: a report does not replace it")
        if _is_read(path, named):
            raise _refused(path, "is read by this command: a report does not replace it")
        _refuse_no_folder(path, made)


def _refuse_no_folder(path: Place, made: Made | None) -> None:
    """Refuse a file in a folder that is not there, before the work that it would tell of; the run may make its own."""
    if not isinstance(path, Path) or _stat(path.parent) is not None:
        return
    if made is not None and isinstance(made.folder, Path):
        own, wanted = _real(made.folder), _real(path.parent)
        if wanted.is_relative_to(own) or own.is_relative_to(wanted):
            return
    hint = "make the folder first, or name another one"
    raise OutputError(f"there is no folder {shortened(str(path.parent))}", where=shortened(str(path)), hint=hint)


def refuse_config(output: Place, inputs: Iterable[PathLike | None]) -> None:
    """Refuse a config in place of a file that is read, or of another file of a model than a config.

    Raises:
        OutputError: it names the file.
    """
    if _is_read(output, [path for path in inputs if path is not None]):
        raise _refused(output, "is read by this command: its output does not replace it")
    ending = output.suffix if isinstance(output, StorePath) else _real(output).suffix
    if _is_of_model(output) and ending.lower() != ".config":
        raise _refused(output, "is a file of a model, not a config: a config does not replace it")


def _is_given(path: Place, others: Sequence[Place]) -> bool:
    """Whether an output is one of ``others``, and a file that one of them would replace."""
    if isinstance(path, StorePath):
        return any(path.same(other) for other in others)
    return any(_same(path, other) for other in others if isinstance(other, Path)) and _replaces(path)


def _is_read(path: Place, inputs: Iterable[PathLike]) -> bool:
    """Whether an output is a file that is read for ``inputs``; in a store, one of them."""
    if isinstance(path, StorePath):
        return any(path.same(place_of(one)) for one in inputs)
    return _is_one_of(path, chain.from_iterable(map(input_files, inputs)))


def _is_of_model(path: Place) -> bool:
    """Whether an output would replace a file of a checkpoint or a config; in a store the name decides."""
    if isinstance(path, StorePath):
        return is_model_name(path.name)
    return _is_file(path) and is_model_file(_real(path))


def refuse_overwriting(folder: Place, names: re.Pattern[str], inputs: Iterable[tuple[str, Place]]) -> None:
    """Refuse a folder in which one of ``inputs`` (what it is, the file) would be replaced: it has one of ``names``.

    Raises:
        OutputError: it says what the file is.
    """
    if isinstance(folder, StorePath):
        clash = [(what, path) for what, path in inputs if _in_folder(path, folder) and names.fullmatch(path.name)]
    else:
        written = [place for place in folder.iterdir() if names.fullmatch(place.name)] if _is_dir(folder) else []
        local = ((what, path) for what, path in inputs if isinstance(path, Path))
        clash = [(what, path) for what, path in local if any(_same_file(path, place) for place in written)]
    for what, path in clash:
        raise OutputError(
            f"{folder} holds {what}, {shortened(str(path))}, which would be replaced",
            hint="write the new one to a directory of its own",
        )


def refuse_holding(folder: Place, what: str, files: Iterable[Place]) -> None:
    """Refuse a folder that holds one of ``files`` itself, wherever links lead, or in a hidden folder of a run.

    Raises:
        OutputError: it says ``what`` the files are.
    """
    for path in files:
        if _in_folder(path, folder) if isinstance(path, StorePath) else _is_held(path, folder):
            raise OutputError(f"{folder} holds {what}", hint="write the new one to a directory of its own")


def _is_held(path: Path, folder: Place) -> bool:
    return isinstance(folder, Path) and _stat(path) is not None and _holds(folder, _real(path))


def _in_folder(path: Place, folder: Place) -> bool:
    return isinstance(path, StorePath) and path.parent.same(folder)


def refuse_circle(folders: Iterable[Place], sources: Iterable[str]) -> None:
    """Refuse folders that a run writes where one of them holds what it reads for another, wherever links lead.

    Raises:
        OutputError: it names the source.
    """
    folders = list(folders)
    stores = {folder.url.rstrip("/") for folder in folders if isinstance(folder, StorePath)}
    local = (folder for folder in folders if isinstance(folder, Path))
    written = {(found.st_dev, found.st_ino) for folder in local if (found := _stat(folder)) is not None}
    for source in sources if written or stores else ():
        if {source.rstrip("/"), source.rpartition("/")[0]} & stores:
            raise _circle(source)
        files = (Path(f"{source}{ending}") for ending in ("", ".index"))
        holders = (_stat(place if _is_dir(place) else _real(place).parent) for place in files if _stat(place))
        if any((found.st_dev, found.st_ino) in written for found in holders if found is not None):
            raise _circle(source)


def _circle(source: str) -> OutputError:
    message = "is in a folder that this run writes to"
    return OutputError(message, where=shortened(source), hint="write to another directory")


def checkpoint_files(inventory: Inventory) -> Iterator[Place]:
    """The files of a checkpoint, and those that its prefix could have."""
    for part in inventory.parts.values() or [inventory]:
        yield from (place_of(f"{part.path}{ending}") for ending in ("", ".index", ".meta"))
        yield from map(place_of, part.data_files)


def input_files(path: PathLike) -> Iterator[Path]:
    """The files that a command may read for ``path``: it, the other files of its checkpoint, what a folder holds."""
    place = Path(path)
    if _is_dir(place):
        for below in _BELOW:
            yield from (file for file in _files(place / below) if _is_input(file))
    prefix = next(
        (match["prefix"] for form in (INDEX, DATA, META) if (match := form.fullmatch(place.name))), place.name
    )
    yield place
    for file in _files(place.parent, prefix):
        if _PART.fullmatch(file.name[len(prefix) :]):
            yield file


def _files(folder: Path, prefix: str = "") -> Iterator[Path]:
    try:
        yield from (place for place in folder.iterdir() if place.name.startswith(prefix) and _is_file(place))
    except (OSError, ValueError):
        return


def _is_input(file: Path) -> bool:
    return file.suffix.lower() in _IMAGES or is_model_file(file)


def _is_one_of(path: Path, files: Iterable[Path]) -> bool:
    return _is_file(path) and any(_same_file(path, file) for file in files)


def _replaces(path: Path) -> bool:
    """Whether a file is replaced, or made; what is written to a pipe or a device replaces nothing."""
    return _stat(path) is None or _is_file(path)


def _same(one: Path, other: Path) -> bool:
    return _real(one) == _real(other) or _same_file(one, other)


def _real(path: Path) -> Path:
    """Where links lead; a circle of links, on which ``resolve`` raises, leads to itself."""
    return Path(os.path.realpath(path))


def _stat(path: Path) -> os.stat_result | None:
    """None where nothing is, or nothing can be: a name may be too long for any file."""
    try:
        return path.stat()
    except (OSError, ValueError):
        return None


def _is_dir(path: Path) -> bool:
    found = _stat(path)
    return found is not None and stat.S_ISDIR(found.st_mode)


def _is_file(path: Path) -> bool:
    found = _stat(path)
    return found is not None and stat.S_ISREG(found.st_mode)


def _same_file(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except (OSError, ValueError):
        return False


def _holds(folder: Path, place: Path) -> bool:
    """Whether ``place`` lies in ``folder``, or in or below a folder in it that is named as a run's."""
    if _same_file(place.parent, folder):
        return True
    above = zip(place.parents, place.parents[1:], strict=False)
    return any(inner.name.startswith(PREFIX) and _same_file(outer, folder) for inner, outer in above)


def _refused(path: Place, message: str) -> OutputError:
    return OutputError(message, where=shortened(str(path)), hint=_REPORT_HINT)
