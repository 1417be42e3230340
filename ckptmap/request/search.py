"""Checkpoints below a folder that is none itself: ``models/`` with hundreds of them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from ckptmap.basics.errors import CheckpointError
from ckptmap.checkpoint.data_files import INDEX, prefix_of
from ckptmap.checkpoint.leftovers import PREFIX
from ckptmap.checkpoint.names import shortened
from ckptmap.checkpoint.remains import is_whole, remains
from ckptmap.checkpoint.remote import is_remote, opened_system, patient, remote_errors

_FILES = (".h5", ".hdf5", ".keras", ".safetensors")


def searched(sources: Iterable[str | os.PathLike[str]]) -> list[str]:
    """The sources, each folder of this machine that holds no checkpoint replaced by those in the folders below it.

    So is a URL with ``*`` by what it fits. They come in the order of their names; links to folders are not followed,
    and what a run of ours left unfinished is passed over. A folder below which there is nothing stays as it is, for the
    error that it deserves.
    """
    return [found for source in sources for found in _below(os.fspath(source))]


def _below(source: str) -> list[str]:
    if is_remote(source) and "*" in source and not source.startswith("http"):
        return _matching(source)
    # os.path takes a path that no folder can have for none, where Path raises an error
    if is_remote(source) or not os.path.isdir(source) or is_whole(source):  # noqa: PTH112
        return [source]
    below = list(_walk(source))
    return [*_left_in(source, os.listdir(source)), *below] if below else [source]  # noqa: PTH208


def _left_in(folder: str, names: list[str]) -> Iterator[str]:
    """What is left of a checkpoint that is not whole, for the error that it deserves."""
    if (left := remains(folder, names)) is not None:
        yield left


def _matching(pattern: str) -> list[str]:
    """The checkpoints whose index, or whose folder, a URL with ``*`` fits."""
    system = opened_system(pattern)
    with remote_errors(pattern):
        bare = str(system._strip_protocol(pattern)).lstrip("/")
        head = pattern.removesuffix(bare)
        found = [f"{head}{name.lstrip('/')}" for name in patient(lambda: system.glob(pattern))]
    found = [url for url in found if INDEX.fullmatch(url.rpartition("/")[2])] or found
    if not found:
        raise CheckpointError("does not exist", where=shortened(pattern))
    return list(dict.fromkeys(map(prefix_of, found)))


def _walk(top: str) -> Iterator[str]:
    refused: list[str] = []
    for folder, below, names in os.walk(top, onerror=lambda error: refused.append(str(error.filename))):
        below.sort()
        below[:] = [name for name in below if not name.startswith((PREFIX, "."))]
        files = [os.path.join(folder, name) for name in sorted(names) if name.lower().endswith(_FILES)]  # noqa: PTH118
        if folder != top and (any(map(INDEX.fullmatch, names)) or not files) and is_whole(folder):
            below.clear()
            yield folder
            continue
        yield from files
        if folder != top:
            yield from _left_in(folder, names)
    yield from (folder for folder in refused if folder != top)
