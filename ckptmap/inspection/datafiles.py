"""Whether the data files that an index points to are there, without reading them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ckptmap.basics.regular import open_regular, refuse_irregular
from ckptmap.checkpoint.file_kind import HEAD_SIZE, LFS_MAGIC, describe
from ckptmap.checkpoint.inventory import Inventory, Span


@dataclass(frozen=True, slots=True)
class DataFile:
    """One data file: its size in bytes, None where it is not there; ``problem`` says what is wrong with it."""

    path: str
    size: int | None
    problem: str = ""


def data_files(inventory: Inventory) -> tuple[DataFile, ...]:
    """The data files of the checkpoint on this machine; those of a remote one are not looked at."""
    if "://" in inventory.path:
        return tuple(DataFile(path, None) for path in inventory.data_files)
    needed = _needed(inventory)
    return tuple(_state(path, needed.get(number, 0)) for number, path in enumerate(inventory.data_files))


def _needed(inventory: Inventory) -> dict[int, int]:
    """How many bytes the index needs of each data file."""
    needed: dict[int, int] = {}
    for span in _spans(inventory):
        needed[span.file] = max(needed.get(span.file, 0), span.offset + span.size)
    return needed


def _spans(inventory: Inventory) -> Iterator[Span]:
    for variable in inventory.variables.values():
        if variable.span is not None:
            yield variable.span
        for part in variable.slices:
            if part.span is not None:
                yield part.span


def _state(path: str, needed: int) -> DataFile:
    try:
        status = Path(path).stat()
    except OSError:
        return DataFile(path, None, "missing: copy it from where the index came from")
    try:
        refuse_irregular(status.st_mode, path)
    except OSError as error:
        return DataFile(path, None, f"{error.strerror}: copy the file from where the index came from")
    size = status.st_size
    if size >= needed and size > HEAD_SIZE:
        return DataFile(path, size)
    head = _head(path)
    known = describe(head) if size < needed or head.startswith(LFS_MAGIC) else None
    if known:
        return DataFile(path, size, f"{known[0]}: {known[1]}")
    return DataFile(path, size, _too_short(size, needed) if size < needed else "")


def _head(path: str) -> bytes:
    try:
        with open_regular(path) as file:
            return file.read(HEAD_SIZE)
    except OSError:
        return b""


def _too_short(size: int, needed: int) -> str:
    return f"too short: {size:,} of {needed:,} bytes, download or copy it again"
