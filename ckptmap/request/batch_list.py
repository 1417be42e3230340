"""Lists of checkpoints, and where each of several goes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from itertools import pairwise, takewhile
from pathlib import Path

from ckptmap.basics.documents import read_text, reason
from ckptmap.basics.errors import CkptmapError, OutputError
from ckptmap.basics.nearest import nearest_file
from ckptmap.checkpoint.data_files import prefix_of
from ckptmap.checkpoint.names import shortened
from ckptmap.checkpoint.paths import is_model_name
from ckptmap.checkpoint.remote import is_remote

_LARGEST = 64 << 20
"""Bytes of a list."""
_TABLES = ("path,kind,", "source,fate,")
"""What the catalogue and the report of several conversions begin with as CSV."""


def read_list(path: str | os.PathLike[str], beside: Sequence[str] = ()) -> list[str]:
    """The checkpoints that a list names: one a line, relative to the list; empty lines and those with ``#`` in front
    are passed over.

    ``beside`` are checkpoints that are given beside the list, which may not name them again.

    Raises:
        CkptmapError: the file cannot be read, names none, or names one that is given already.
    """
    file = Path(path)
    if is_model_name(file.name):
        hint = "give the checkpoints as CHECKPOINT, or a file with one path a line"
        raise CkptmapError("is a file of a model, not a list of checkpoints", where=shortened(str(file)), hint=hint)
    try:
        text = read_text(file, _LARGEST, "utf-8-sig")
    except (OSError, ValueError) as error:
        message, hint = f"cannot be read as a list: {reason(error)}", _folder_hint(file) or nearest_file(file)
        raise CkptmapError(message, where=shortened(str(file)), hint=hint) from error
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1)]
    named = [(number, line) for number, line in lines if line and not line.startswith("#")]
    if not named:
        raise CkptmapError("names no checkpoint", where=shortened(str(file)), hint="write one path a line")
    if named[0][1].startswith(_TABLES):
        hint = "write one path a line, without other columns"
        raise CkptmapError("is a table, not a list of checkpoints", where=shortened(str(file)), hint=hint)
    paths = {number: line if is_remote(line) else str(file.parent / line) for number, line in named}
    _refuse_again(file, paths, {_parts(one): one for one in beside})
    return list(paths.values())


def _folder_hint(file: Path) -> str:
    """A folder of checkpoints is no list of them."""
    return "give a folder of checkpoints as CHECKPOINT, not as the list" if os.path.isdir(file) else ""  # noqa: PTH112


def _refuse_again(file: Path, paths: Mapping[int, str], beside: Mapping[tuple[str, ...], str]) -> None:
    """Raises where a line names what an earlier one names, or what is given beside the list."""
    met: dict[tuple[str, ...], int] = {}
    lengths = {len(parts) for parts in beside}
    for number, path in paths.items():
        parts, where = _parts(path), shortened(f"{file}:{number}")
        earlier = met.setdefault(parts, number)
        if earlier != number:
            message = f"{shortened(path)} is given twice: line {earlier} names it too"
            raise CkptmapError(message, where=where, hint="name each checkpoint once")
        known = next((beside[parts[:end]] for end in lengths if parts[:end] in beside), None)
        if known is not None:
            message = f"{shortened(path)} is given twice: {shortened(known)} is given beside the list"
            raise CkptmapError(message, where=where, hint="leave it out of the list, or give the list alone")


def output_names(sources: Sequence[str]) -> list[str]:
    """The folder of each source below the output: its path below the folder that all of them share.

    ``model.ckpt.index`` and other files of a checkpoint go by its prefix, ``model.ckpt``.

    Raises:
        OutputError: a source is given twice, or is below another one: one output would be inside the other.
    """
    paths = [_parts(source) for source in sources]
    _refuse_nested(sources, paths)
    levels = zip(*(path[:-1] for path in paths), strict=False)
    shared = sum(1 for _ in takewhile(lambda names: len(set(names)) == 1, levels))
    return ["/".join(path[shared:]) for path in paths]


def below_all(sources: Sequence[str]) -> tuple[list[str], str]:
    """The sources with whole paths, and the folder below which each is called as ``output_names`` says.

    Raises:
        OutputError: as ``output_names``.
    """
    paths = [prefix_of(path if is_remote(path) else os.path.abspath(path)) for path in sources]  # noqa: PTH100
    name = output_names(paths)[0]
    return paths, paths[0].replace(os.sep, "/")[: -len(name)].rstrip("/") or "/"


def _parts(source: str) -> tuple[str, ...]:
    """The components of a prefix, made absolute; without the scheme of a remote one and the drive of a local one.

    A checkpoint is called the same by each of its files.
    """
    source = prefix_of(source)
    if is_remote(source):
        return tuple(part for part in source.partition("://")[2].split("/") if part)
    path = Path(os.path.abspath(source))  # noqa: PTH100  (resolve would follow links: names are what the user wrote)
    return path.parts[1:]


def _refuse_nested(sources: Sequence[str], paths: Sequence[tuple[str, ...]]) -> None:
    """In their order every path that is below another one follows one that it is below: neighbors are enough."""
    for (path, number), (below, other) in pairwise(sorted(zip(paths, range(len(paths)), strict=True))):
        if path == below:
            raise OutputError("is given twice", where=shortened(sources[other]), hint="name each checkpoint once")
        if below[: len(path)] == path:
            message = f"is below {shortened(sources[number])}, so its output would be, too"
            raise OutputError(message, where=shortened(sources[other]), hint="convert them to different folders")
