"""The files of one checkpoint: which belong together, and which of them are missing."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ckptmap.basics.errors import CheckpointError
from ckptmap.basics.text import plural
from ckptmap.basics.wording import names_options
from ckptmap.checkpoint.inventory import Kind
from ckptmap.checkpoint.names import nearest, shortened
from ckptmap.checkpoint.sstable import FOOTER_SIZE, MAGIC

if TYPE_CHECKING:
    from ckptmap.checkpoint.files import Files

# the name in front may be empty: ``saver.save(session, "folder/")`` writes ``folder/.index``
INDEX = re.compile(r"(?P<prefix>.*)\.index", re.DOTALL)
DATA = re.compile(r"(?P<prefix>.*)\.data-\d+-of-\d+", re.DOTALL)
META = re.compile(r"(?P<prefix>.*)\.meta", re.DOTALL)
SHARD = re.compile(r"(?P<prefix>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})")
_SHARD_PATTERN = re.compile(r"(?P<prefix>.+)-\?{5}-of-\d{5}")
_QUOTED = "nothing matches it; or it was in quotes, and so the shell did not replace the *"
TEMPORARY = re.compile(r"(?P<prefix>.*?)(\.(index|data-\d+-of-\d+))?\.tempstate\d+")


@dataclass(frozen=True, slots=True)
class Located:
    """What was found.

    ``path`` is the prefix (V2, V1, SavedModel variables) or the graph file; ``parts`` are the files of a V1
    checkpoint; ``notes`` say how it was found where that was not plain.
    """

    kind: Kind
    path: str
    parts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def noting(self, *notes: str) -> Located:
        """The same with further notes in front."""
        return Located(self.kind, self.path, self.parts, notes + self.notes)


def folder_of(prefix: str) -> Path:
    """The folder of the local checkpoint ``prefix``, which ends with a slash where the checkpoint has no name."""
    return Path(f"{prefix}.index").parent


def prefix_of(path: str) -> str:
    """The prefix that a checkpoint's ``path`` names where it is one of its files; any other path as it is."""
    cut = max(path.rfind("/"), path.rfind("\\") if os.sep == "\\" else -1) + 1
    for kind in (INDEX, DATA, META):
        if match := kind.fullmatch(path, cut):
            return path[:cut] + match["prefix"]
    return path


def shown_name(name: str) -> str:
    """The name of a checkpoint in a message; one without a name is called by its index."""
    return shortened(name) if name else ".index"


def v2_prefixes(names: list[str]) -> list[str]:
    """The V2 checkpoints among the names of a folder."""
    return [match["prefix"] for name in names if (match := INDEX.fullmatch(name))]


def of_prefix(prefix: str, files: Files) -> Located | None:
    """The checkpoint whose prefix this is: V2 where there is an index, else V1, whole or in shards.

    Raises:
        CheckpointError: a shard of it is missing.
    """
    if files.size(f"{prefix}.index") is not None:
        return Located(Kind.V2, prefix)
    if is_table(prefix, files):
        return of_table(prefix, files)
    folder, name = files.split(prefix)
    if match := _SHARD_PATTERN.fullmatch(name):
        name = match["prefix"]
    shards = [other for other in files.names(folder) if (match := SHARD.fullmatch(other)) and match["prefix"] == name]
    return of_table(files.join(folder, shards[0]), files) if shards else None


def is_table(path: str, files: Files) -> bool:
    """Whether there is a file that ends like a sorted table."""
    size = files.size(path) or 0
    return size >= FOOTER_SIZE and files.read(path, size - len(MAGIC), len(MAGIC)) == MAGIC


def of_table(path: str, files: Files) -> Located:
    """The V1 checkpoint that the table at ``path`` is, or is a shard of.

    Raises:
        CheckpointError: another shard is missing.
    """
    folder, name = files.split(path)
    match = SHARD.fullmatch(name)
    if match is None:
        return Located(Kind.V1, path, (path,))
    prefix, count = files.join(folder, match["prefix"]), int(match["count"])
    parts = tuple(f"{prefix}-{number:05d}-of-{count:05d}" for number in range(count))
    missing = [part for part in parts if files.size(part) is None]
    if missing:
        are = "is" if len(missing) == 1 else "are"
        raise CheckpointError(
            f"{len(missing)} of {plural(count, 'data file')} {are} missing",
            where=shortened(missing[0]),
            hint="copy all of them",
        )
    return Located(Kind.V1, prefix, parts)


def refuse_temporary(path: str, name: str) -> None:
    """Refuses what TensorFlow leaves behind when a save is interrupted.

    Raises:
        CheckpointError: ``name`` is such a file.
    """
    if match := TEMPORARY.fullmatch(name):
        raise CheckpointError(
            "is a temporary file that an interrupted save left behind",
            where=shortened(path),
            hint=f"point at the finished checkpoint, for instance {shown_name(match['prefix'])}",
        )


def missing_file(path: str, files: Files) -> CheckpointError:
    """The error for a path where nothing is, with the nearest names of its folder."""
    folder, name = files.split(path)
    names = files.names(folder)
    if not names:
        reason = "is empty" if files.is_folder(folder) else "does not exist either"
        return CheckpointError("no such file", where=shortened(path), hint=f"the folder {shortened(folder)} {reason}")
    if name in names:
        message = "is not a regular file, or a link that leads nowhere"
        return CheckpointError(message, where=shortened(path), hint="copy the file itself there")
    if "*" in name:
        hint = _QUOTED if names_options() else "a * stands for itself: glob.glob finds what matches"
        return CheckpointError("no such file", where=shortened(path), hint=hint)
    choices = [*filter(None, v2_prefixes(names)), *(other for other in names if not INDEX.fullmatch(other))]
    hint = (
        nearest(name, dict.fromkeys(choice for choice in choices if choice != name)) or f"the folder holds {few(names)}"
    )
    return CheckpointError("no such file", where=shortened(path), hint=hint)


def index_missing(path: str, prefix: str, files: Files) -> CheckpointError:
    """The error for a data file without its index."""
    return CheckpointError(
        f"is only the values of a checkpoint: {shortened(files.split(prefix)[1])}.index, which names them, is missing",
        where=shortened(path),
        hint="copy the .index file from where this file came from",
    )


def variables_missing(path: str, prefix: str, files: Files) -> CheckpointError:
    """The error for a ``.meta`` graph without its checkpoint."""
    return CheckpointError(
        "is only the graph of a checkpoint: the variables themselves are missing",
        where=shortened(path),
        hint=f"copy {shortened(files.split(prefix)[1])}.index and .data-… (or, of a V1 checkpoint, the file without an "
        "ending) from where it came from",
    )


def few(names: list[str]) -> str:
    """The first names of a list, for a message."""
    return ", ".join(shortened(name) for name in names[:5]) + (", …" if len(names) > 5 else "")
