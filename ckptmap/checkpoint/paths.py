"""What a path means: a prefix, one of a checkpoint's files, a graph, or a folder that holds checkpoints."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from ckptmap.basics.errors import CheckpointError
from ckptmap.checkpoint.data_files import (
    DATA,
    INDEX,
    META,
    Located,
    index_missing,
    is_table,
    missing_file,
    of_prefix,
    refuse_temporary,
    variables_missing,
)
from ckptmap.checkpoint.file_kind import other_format, refuse
from ckptmap.checkpoint.files import LocalFiles
from ckptmap.checkpoint.folders import SAVED_MODEL_FILE, in_folder, read_state, saved_model
from ckptmap.checkpoint.inventory import Kind
from ckptmap.checkpoint.names import shortened
from ckptmap.checkpoint.state import STATE_FILE

if TYPE_CHECKING:
    from ckptmap.checkpoint.files import Files

_MODEL_SUFFIXES = {".pb", ".pbtxt", ".config", ".yaml", ".yml", ".h5", ".hdf5", ".keras", ".safetensors"}


def locate(path: str, files: Files, step: int | None = None) -> Located:
    """What ``path`` means.

    Args:
        path: a prefix, a file of a checkpoint, a graph, or a folder.
        files: where to look.
        step: choose the checkpoint of this step in a folder.

    Raises:
        CheckpointError: nothing there, or nothing that is a checkpoint.
    """
    if files.is_folder(path):
        # a folder may bear the name of a checkpoint beside it, and ``folder/`` be the prefix of one without a name; for
        # TensorFlow, too, both mean the checkpoint
        wanted = step is None or not path.endswith(("/", "\\"))
        is_prefix = wanted and files.size(f"{path}.index") is not None
        return Located(Kind.V2, path) if is_prefix else in_folder(path, files, step)
    folder, name = files.split(path)
    refuse_temporary(path, name)
    if match := INDEX.fullmatch(name):
        return _of_index(path, files.join(folder, match["prefix"]), files)
    if match := DATA.fullmatch(name):
        return _of_data(path, files.join(folder, match["prefix"]), files)
    if match := META.fullmatch(name):
        return _of_meta(path, files.join(folder, match["prefix"]), files)
    return of_prefix(path, files) or _of_file(path, files, step)


def _of_index(path: str, prefix: str, files: Files) -> Located:
    if files.size(path) is None:
        raise missing_file(path, files)
    return Located(Kind.V2, prefix)


def _of_data(path: str, prefix: str, files: Files) -> Located:
    if files.size(f"{prefix}.index") is not None:
        return Located(Kind.V2, prefix)
    raise missing_file(path, files) if files.size(path) is None else index_missing(path, prefix, files)


def _of_meta(path: str, prefix: str, files: Files) -> Located:
    found = of_prefix(prefix, files) if files.size(path) is not None else None
    if found:
        return found
    raise missing_file(path, files) if files.size(path) is None else variables_missing(path, prefix, files)


def _of_file(path: str, files: Files, step: int | None) -> Located:
    """A file that is no part of a checkpoint by its name: a state file, a graph, or something else."""
    folder, name = files.split(path)
    if files.size(path) is None:
        raise _incomplete(path, folder, name, files) or missing_file(path, files)
    if name == STATE_FILE and read_state(path, files):
        return in_folder(folder, files, step)
    if (kind := other_format(files, path)) is not None:
        return Located(kind, path)
    refuse(files, path)
    if name == SAVED_MODEL_FILE:
        return saved_model(folder, files)
    if name.endswith(".pb"):
        return Located(Kind.FROZEN_GRAPH, path)
    raise CheckpointError(
        "is not a TensorFlow checkpoint: the end of a table is missing, or it is another kind of file",
        where=shortened(path),
        hint="download or copy it again if it should be a V1 checkpoint",
    )


def _incomplete(prefix: str, folder: str, name: str, files: Files) -> CheckpointError | None:
    """What is wrong where ``prefix`` has files, but not the one that lists the variables."""
    others = [other for other in files.names(folder) if other.startswith(f"{name}.")]
    data = next((other for other in others if (match := DATA.fullmatch(other)) and match["prefix"] == name), None)
    if data:
        return index_missing(files.join(folder, data), prefix, files)
    return variables_missing(f"{prefix}.meta", prefix, files) if f"{name}.meta" in others else None


def is_model_name(name: str) -> bool:
    """Whether a file of this name is one that a model needs, whatever it holds."""
    named = any(pattern.fullmatch(name) for pattern in (INDEX, DATA, META)) or name == STATE_FILE
    return named or Path(name).suffix.lower() in _MODEL_SUFFIXES


def is_model_file(path: Path) -> bool:
    """Whether the existing local file is one that a model needs: of a checkpoint, a graph, a config or a table."""
    if is_model_name(path.name):
        return True
    with closing(LocalFiles()) as files:
        return is_table(str(path), files)
