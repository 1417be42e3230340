"""Which bytes a checkpoint is: the checksums of the files that decide its values, and whether they stay as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ckptmap.basics.errors import CheckpointError
from ckptmap.checkpoint.bundle import index_path
from ckptmap.checkpoint.files import CHUNK_SIZE, Files, stream
from ckptmap.checkpoint.inventory import Kind
from ckptmap.checkpoint.names import shortened

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ckptmap.checkpoint.inventory import Inventory

Stamps = dict[str, "tuple[int | None, float]"]
"""Size and time of the last change of each file."""


def digests(files: Files, inventory: Inventory) -> dict[str, str]:
    """The SHA-256 of the files that decide every value, by their names.

    Of a V2 bundle that is the index, which holds the checksum of each value; of other formats, all files.
    """
    return {files.split(path)[1]: _sha256(files, path) for path in _deciding(inventory)}


def stamps(files: Files, inventory: Inventory) -> Stamps:
    """What would change if somebody wrote to the checkpoint."""
    return dict(_stamps(files, inventory))


def refuse_changed(files: Files, inventory: Inventory, before: Mapping[str, tuple[int | None, float]]) -> None:
    """Refuses a checkpoint of which a file is not what it was.

    Raises:
        CheckpointError: it has changed since ``before``.
    """
    for path, stamp in _stamps(files, inventory):
        if stamp != before[path]:
            raise CheckpointError(
                "was changed while it was read",
                where=shortened(path),
                hint="wait until nobody writes to it, then run this again",
            )


def _deciding(inventory: Inventory) -> tuple[str, ...]:
    if inventory.kind in (Kind.V2, Kind.SAVED_MODEL):
        return (index_path(inventory.path),)
    return inventory.data_files or (inventory.path,)


def _stamps(files: Files, inventory: Inventory) -> Iterator[tuple[str, tuple[int | None, float]]]:
    for path in dict.fromkeys((*_deciding(inventory), *inventory.data_files)):
        size = files.size(path)
        yield path, (size, files.modified(path) if size is not None else 0.0)


def _sha256(files: Files, path: str) -> str:
    import hashlib

    found = hashlib.sha256()
    for piece in stream(files, path, 0, files.size(path) or 0, CHUNK_SIZE):
        found.update(piece)
    return found.hexdigest()
