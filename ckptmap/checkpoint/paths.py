"""What a path means: a prefix, one of a checkpoint's files, or a folder that holds checkpoints."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ckptmap.checkpoint.inventory import Kind
from ckptmap.checkpoint.names import nearest, printable
from ckptmap.checkpoint.sniff import describe, head_of
from ckptmap.checkpoint.sstable import FOOTER_SIZE, MAGIC
from ckptmap.checkpoint.state import STATE_FILE, parse_state
from ckptmap.errors import CheckpointError

if TYPE_CHECKING:
    from ckptmap.checkpoint.files import Files

_INDEX = re.compile(r"(?P<prefix>.+)\.index")
_DATA = re.compile(r"(?P<prefix>.+)\.data-\d+-of-\d+")
_META = re.compile(r"(?P<prefix>.+)\.meta")
_SHARD = re.compile(r"(?P<prefix>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})")
_TEMPORARY = re.compile(r"(?P<prefix>.+?)(\.(index|data-\d+-of-\d+))?\.tempstate\d+")
_STEP = re.compile(r"\D(\d+)$")
_SAVED_MODEL_FILE = "saved_model.pb"
_FROZEN_FILE = "frozen_inference_graph.pb"
_STATE_LIMIT = 1 << 22


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
        return _in_folder(path, files, step)
    folder, name = files.split(path)
    _refuse_temporary(path, name)
    if match := _INDEX.fullmatch(name):
        return _of_index(path, files.join(folder, match["prefix"]), files)
    if match := _DATA.fullmatch(name):
        return _of_data(path, files.join(folder, match["prefix"]), files)
    if match := _META.fullmatch(name):
        return _of_meta(path, files.join(folder, match["prefix"]), files)
    return _of_prefix(path, files) or _of_file(path, files, step)


def _refuse_temporary(path: str, name: str) -> None:
    if match := _TEMPORARY.fullmatch(name):
        raise CheckpointError(
            "is a temporary file that an interrupted save left behind",
            where=printable(path),
            hint=f"point at the finished checkpoint, for instance {printable(match['prefix'])}",
        )


def _of_index(path: str, prefix: str, files: Files) -> Located:
    if files.size(path) is None:
        raise _missing(path, files)
    return Located(Kind.V2, prefix)


def _of_data(path: str, prefix: str, files: Files) -> Located:
    if files.size(f"{prefix}.index") is not None:
        return Located(Kind.V2, prefix)
    if files.size(path) is None:
        raise _missing(path, files)
    raise CheckpointError(
        f"is only the values of a checkpoint: {printable(files.split(prefix)[1])}.index, which names them, is missing",
        where=printable(path),
        hint="copy the .index file from where this file came from",
    )


def _of_meta(path: str, prefix: str, files: Files) -> Located:
    if files.size(path) is None:
        raise _missing(path, files)
    found = _of_prefix(prefix, files)
    if found:
        return found
    raise CheckpointError(
        "is only the graph of a checkpoint: the variables themselves are missing",
        where=printable(path),
        hint=f"copy {printable(files.split(prefix)[1])}.index and .data-… (or, of a V1 checkpoint, the file without an "
        "ending) from where it came from",
    )


def _of_prefix(prefix: str, files: Files) -> Located | None:
    """The checkpoint whose prefix this is: V2 where there is an index, else V1, whole or in shards."""
    if files.size(f"{prefix}.index") is not None:
        return Located(Kind.V2, prefix)
    if files.size(prefix) is not None and is_table(prefix, files):
        return _v1_parts(prefix, files)
    folder, name = files.split(prefix)
    shards = [other for other in files.names(folder) if (match := _SHARD.fullmatch(other)) and match["prefix"] == name]
    return _v1_shards(prefix, files.join(folder, shards[0]), files) if shards else None


def _v1_parts(path: str, files: Files) -> Located:
    """A V1 file, or all shards of the checkpoint that this file is one of."""
    folder, name = files.split(path)
    match = _SHARD.fullmatch(name)
    return _v1_shards(files.join(folder, match["prefix"]), path, files) if match else Located(Kind.V1, path, (path,))


def _v1_shards(prefix: str, shard: str, files: Files) -> Located:
    match = _SHARD.fullmatch(files.split(shard)[1])
    count = int(match["count"]) if match else 0
    parts = tuple(f"{prefix}-{number:05d}-of-{count:05d}" for number in range(count))
    missing = [part for part in parts if files.size(part) is None]
    if missing:
        raise CheckpointError(
            f"{len(missing)} of {count} data files are missing", where=printable(missing[0]), hint="copy all of them"
        )
    return Located(Kind.V1, prefix, parts)


def is_table(path: str, files: Files) -> bool:
    """Whether the file ends like a sorted table."""
    size = files.size(path) or 0
    return size >= FOOTER_SIZE and files.read(path, size - len(MAGIC), len(MAGIC)) == MAGIC


def _of_file(path: str, files: Files, step: int | None) -> Located:
    """A file that is no part of a checkpoint by its name: a state file, a graph, or something else."""
    if files.size(path) is None:
        raise _missing(path, files)
    folder, name = files.split(path)
    if name == STATE_FILE and parse_state(_text_of(path, files)):
        return _in_folder(folder, files, step)
    if name == _SAVED_MODEL_FILE:
        return _saved_model(folder, files)
    known = describe(head_of(files, path))
    if known:
        raise CheckpointError(known[0], where=printable(path), hint=known[1])
    if name.endswith(".pb"):
        return Located(Kind.FROZEN_GRAPH, path)
    raise CheckpointError(
        "is no TensorFlow checkpoint: the end of a table is missing, or it is another kind of file",
        where=printable(path),
        hint="download or copy it again if it should be a V1 checkpoint",
    )


def _missing(path: str, files: Files) -> CheckpointError:
    folder, name = files.split(path)
    names = files.names(folder)
    if not names:
        reason = "is empty" if files.is_folder(folder) else "does not exist either"
        return CheckpointError("no such file", where=printable(path), hint=f"the folder {printable(folder)} {reason}")
    prefixes = [*_prefixes(names), *(other for other in names if not _INDEX.fullmatch(other))]
    hint = nearest(name, dict.fromkeys(prefixes)) or f"the folder holds {_few(names)}"
    return CheckpointError("no such file", where=printable(path), hint=hint)


def _in_folder(folder: str, files: Files, step: int | None) -> Located:
    names = files.names(folder)
    if step is not None:
        return _of_steps(folder, names, files, step)
    found = _latest(folder, names, files) or _export(folder, names, files)
    if found is None:
        raise _nothing_in(folder, names, files)
    return found


def _prefixes(names: list[str]) -> list[str]:
    """The names of the V2 checkpoints among ``names``."""
    return [match["prefix"] for name in names if (match := _INDEX.fullmatch(name))]


def _step_of(prefix: str) -> int:
    match = _STEP.search(f"_{prefix}")
    return int(match[1]) if match else -1


def _of_steps(folder: str, names: list[str], files: Files, step: int) -> Located:
    prefixes = _prefixes(names)
    found = [prefix for prefix in prefixes if _step_of(prefix) == step]
    if found:
        return Located(Kind.V2, files.join(folder, found[0]))
    steps = ", ".join(str(known) for known in sorted(_step_of(prefix) for prefix in prefixes) if known >= 0)
    hint = f"there are steps {steps}" if steps else "no checkpoint there has a step in its name"
    raise CheckpointError(f"holds no checkpoint of step {step}", where=printable(folder), hint=hint)


def _latest(folder: str, names: list[str], files: Files) -> Located | None:
    """What the state file names; else the only checkpoint, or the one of the highest step."""
    stated = _stated(folder, names, files)
    if stated:
        return stated
    prefixes = _prefixes(names)
    if not prefixes:
        return None
    best = max(prefixes, key=lambda prefix: (_step_of(prefix), files.modified(files.join(folder, f"{prefix}.index"))))
    found = Located(Kind.V2, files.join(folder, best))
    return found if len(prefixes) == 1 else found.noting(_chosen(best, len(prefixes)))


def _chosen(name: str, count: int) -> str:
    return f"the folder holds {count} checkpoints; the latest, {printable(name)}, is used"


def _stated(folder: str, names: list[str], files: Files) -> Located | None:
    """The checkpoint that the state file names, looked for beside the state file first.

    The path in it is often absolute and of the machine that trained.
    """
    path = files.join(folder, STATE_FILE)
    state = parse_state(_text_of(path, files)) if STATE_FILE in names and files.size(path) is not None else None
    if state is None:
        return None
    name = re.split(r"[/\\]", state.latest)[-1]
    beside = _of_prefix(files.join(folder, name), files) if name else None
    if beside:
        others = len(set(_prefixes(names)) - {name})
        return beside.noting(_chosen(name, others + 1)) if others else beside
    elsewhere = _of_prefix(files.join(folder, state.latest), files)
    if elsewhere:
        return elsewhere.noting(f"the state file names {printable(state.latest)}, which is used")
    other = _latest(folder, [other for other in names if other != STATE_FILE], files)
    return other.noting(f"the state file names {printable(name)}, which is not there") if other else None


def _text_of(path: str, files: Files) -> str:
    return files.read(path, 0, _STATE_LIMIT).decode("utf-8", "surrogateescape")


def _export(folder: str, names: list[str], files: Files) -> Located | None:
    """A checkpoint in the layouts of exports: V1 files, ``checkpoint/``, SavedModel, frozen graph, the best first."""
    tables = [name for name in names if f"{name}.meta" in names and is_table(files.join(folder, name), files)]
    if tables:
        best = max(tables, key=_step_of)
        table = _v1_parts(files.join(folder, best), files)
        return table if len(tables) == 1 else table.noting(_chosen(best, len(tables)))
    for sub in (STATE_FILE, "variables"):
        inner = files.join(folder, sub)
        if sub in names and files.is_folder(inner) and (found := _latest(inner, files.names(inner), files)):
            kind = Kind.SAVED_MODEL if sub == "variables" else found.kind
            return Located(kind, found.path, found.parts, found.notes)
    if "saved_model" in names and files.is_folder(files.join(folder, "saved_model")):
        return _saved_model(files.join(folder, "saved_model"), files).noting("the SavedModel in saved_model/ is used")
    if _FROZEN_FILE in names:
        return Located(Kind.FROZEN_GRAPH, files.join(folder, _FROZEN_FILE))
    return None


def _saved_model(folder: str, files: Files) -> Located:
    variables = files.join(files.join(folder, "variables"), "variables")
    if files.size(f"{variables}.index") is None:
        raise CheckpointError(
            "this SavedModel has no variables: it was exported frozen, its weights are constants in the graph",
            where=printable(folder),
            hint="point at the frozen graph or the training checkpoint beside it",
        )
    return Located(Kind.SAVED_MODEL, variables)


def _nothing_in(folder: str, names: list[str], files: Files) -> CheckpointError:
    where = printable(folder)
    if not names:
        return CheckpointError("the folder is empty", where=where)
    metas = [name for name in names if _META.fullmatch(name)]
    if metas:
        return _meta_alone(files.join(folder, metas[0]), files)
    data = [name for name in names if _DATA.fullmatch(name)]
    if data:
        try:
            _of_data(files.join(folder, data[0]), files.join(folder, data[0].split(".data-")[0]), files)
        except CheckpointError as error:
            return error
    below = [name for name in names if files.is_folder(files.join(folder, name))]
    inner = next((name for name in below if _prefixes(files.names(files.join(folder, name)))), None)
    if inner:
        return CheckpointError("holds no checkpoint", where=where, hint=f"there is one in {printable(inner)}")
    return CheckpointError("holds no checkpoint", where=where, hint=f"it holds {_few(names)}")


def _few(names: list[str]) -> str:
    return ", ".join(printable(name) for name in names[:5]) + (", …" if len(names) > 5 else "")


def _meta_alone(path: str, files: Files) -> CheckpointError:
    try:
        _of_meta(path, files.split(path)[1].removesuffix(".meta"), files)
    except CheckpointError as error:
        return error
    return CheckpointError("holds no checkpoint", where=printable(path))
