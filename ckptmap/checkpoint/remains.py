"""What is left of a checkpoint that is not whole: files that belong to one, in a folder that holds none."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import closing
from itertools import islice

from ckptmap.basics.errors import CheckpointError
from ckptmap.checkpoint.data_files import DATA, META, SHARD, TEMPORARY, is_table
from ckptmap.checkpoint.file_kind import LFS_MAGIC
from ckptmap.checkpoint.files import Files, LocalFiles
from ckptmap.checkpoint.folders import read_state
from ckptmap.checkpoint.paths import locate
from ckptmap.checkpoint.state import STATE_FILE

_MOST = 200
"""Files of a kind that are looked at in a folder."""
_GRAPH_BEGINS = (b"\n", b"\x12", LFS_MAGIC)
"""A MetaGraphDef begins with its field 1 or 2. Programs that are not TensorFlow write files called .meta too."""


def is_whole(path: str) -> bool:
    """Whether ``path`` means a checkpoint, of this machine."""
    with closing(LocalFiles()) as files:
        try:
            locate(path, files)
        except CheckpointError:
            return False
    return True


def remains(folder: str, names: list[str]) -> str | None:
    """A file in ``folder`` of a checkpoint that is not whole; None where there is none.

    It is a file of values, a shard, a graph or a state file, the first of these; ``locate`` says what is missing.
    """
    with closing(LocalFiles()) as files:
        for kind, is_ours in _KINDS.items():
            for name in islice(filter(kind.fullmatch, sorted(names)), _MOST):
                path = os.path.join(folder, name)  # noqa: PTH118
                if _holds(path, is_ours, files) and not is_whole(path):
                    return path
    return None


def _holds(path: str, is_ours: Callable[[str, Files], bool], files: Files) -> bool:
    try:
        return is_ours(path, files)
    except CheckpointError:
        return False


def _named_so(path: str, files: Files) -> bool:  # noqa: ARG001  (nobody else uses the name)
    return True


def _is_graph(path: str, files: Files) -> bool:
    return bool(files.size(path)) and files.read(path, 0, len(LFS_MAGIC)).startswith(_GRAPH_BEGINS)


def _is_state(path: str, files: Files) -> bool:
    return read_state(path, files) is not None


_KINDS = {DATA: _named_so, TEMPORARY: _named_so, SHARD: is_table, META: _is_graph, re.compile(STATE_FILE): _is_state}
"""The names of such files, and whether a file of the name is one: other programs use some of the names too."""
