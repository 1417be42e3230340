"""Checkpoints below a folder that is none itself: ``models/`` with hundreds of them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import closing

from ckptmap.basics.errors import CheckpointError
from ckptmap.checkpoint.data_files import INDEX, prefix_of
from ckptmap.checkpoint.files import LocalFiles
from ckptmap.checkpoint.leftovers import PREFIX
from ckptmap.checkpoint.names import shortened
from ckptmap.checkpoint.paths import locate
from ckptmap.checkpoint.remote import is_remote, patient
from ckptmap.checkpoint.store import StorePath, store_errors

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
    if is_remote(source) or not os.path.isdir(source) or _is_checkpoint(source):  # noqa: PTH112
        return [source]
    return list(_walk(source)) or [source]


def _matching(pattern: str) -> list[str]:
    """The checkpoints whose index, or whose folder, a URL with ``*`` fits."""
    system = StorePath(pattern).system
    with store_errors(StorePath(pattern)):
        bare = str(system._strip_protocol(pattern)).lstrip("/")
        head = pattern.removesuffix(bare)
        found = [f"{head}{name.lstrip('/')}" for name in patient(lambda: system.glob(pattern))]
    found = [url for url in found if INDEX.fullmatch(url.rpartition("/")[2])] or found
    if not found:
        raise CheckpointError("there is nothing of this name", where=shortened(pattern))
    return list(dict.fromkeys(map(prefix_of, found)))


def _is_checkpoint(folder: str) -> bool:
    with closing(LocalFiles()) as files:
        try:
            locate(folder, files)
        except CheckpointError:
            return False
    return True


def _walk(top: str) -> Iterator[str]:
    for folder, below, names in os.walk(top):
        below.sort()
        below[:] = [name for name in below if not name.startswith((PREFIX, "."))]
        files = [os.path.join(folder, name) for name in sorted(names) if name.lower().endswith(_FILES)]  # noqa: PTH118
        if folder != top and (any(map(INDEX.fullmatch, names)) or not files) and _is_checkpoint(folder):
            below.clear()
            yield folder
        else:
            yield from files
