"""What a folder means: the checkpoint that its state file names, the latest, or the best part of an export."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from ckptmap.basics.errors import CheckpointError
from ckptmap.checkpoint.data_files import (
    DATA,
    META,
    Located,
    few,
    index_missing,
    is_table,
    of_prefix,
    of_table,
    shown_name,
    v2_prefixes,
    variables_missing,
)
from ckptmap.checkpoint.inventory import Kind
from ckptmap.checkpoint.names import shortened
from ckptmap.checkpoint.state import STATE_FILE, CheckpointState, parse_state

if TYPE_CHECKING:
    from ckptmap.checkpoint.files import Files

SAVED_MODEL_FILE = "saved_model.pb"
_FROZEN_FILE = "frozen_inference_graph.pb"
_VARIABLES = "variables"
_INDEX_ALONE = ".index"
"""Of a checkpoint that was saved under an empty name."""
_STEP = re.compile(r"\D(\d+)(-\d+-of-\d+)?$")
_STATE_LIMIT = 1 << 22
# a V1 checkpoint has no ending of its own; these are endings of what lies beside checkpoints
_NEVER_A_TABLE = re.compile(
    r".*\.(index|meta|data-\d+-of-\d+|tempstate\d+|pb|pbtxt|txt|json|config|py|md|png|jpg)|\..*"
)

# a folder of images, or of a remote store, is not searched through for tables
_MOST_TABLES = 200


def in_folder(folder: str, files: Files, step: int | None) -> Located:
    """The checkpoint that a folder means.

    Raises:
        CheckpointError: there is none, or none of ``step``.
    """
    names = files.names(folder)
    if step is not None:
        return _of_step(folder, names, files, step)
    found = _latest(folder, names, files) or _export(folder, names, files)
    if found is None:
        raise _nothing_in(folder, names, files)
    return found.noting(*_passed_over(names, found))


def read_state(path: str, files: Files) -> CheckpointState | None:
    """The state in the file at ``path``; None where there is no such file, or no state in it."""
    if files.size(path) is None:
        return None
    return parse_state(files.read(path, 0, _STATE_LIMIT).decode("utf-8", "surrogateescape"))


def saved_model(folder: str, files: Files) -> Located:
    """The variables of the SavedModel in ``folder``; its graph where it was exported frozen and has none."""
    variables = files.join(files.join(folder, _VARIABLES), _VARIABLES)
    if files.size(f"{variables}.index") is not None:
        return Located(Kind.SAVED_MODEL, variables)
    note = "the SavedModel was exported frozen: its weights are constants of its graph"
    return Located(Kind.FROZEN_GRAPH, files.join(folder, SAVED_MODEL_FILE), (), (note,))


def _step_of(name: str) -> int:
    match = _STEP.search(f"_{name}")
    return int(match[1]) if match else -1


def _of_step(folder: str, names: list[str], files: Files, step: int) -> Located:
    prefixes = v2_prefixes(names)
    for prefix in prefixes:
        if _step_of(prefix) == step:
            return Located(Kind.V2, files.join(folder, prefix))
    steps = ", ".join(str(known) for known in sorted(_step_of(prefix) for prefix in prefixes) if known >= 0)
    hint = f"there are steps {steps}" if steps else "no checkpoint there has a step in its name"
    raise CheckpointError(f"holds no checkpoint of step {step}", where=shortened(folder), hint=hint)


def _latest(folder: str, names: list[str], files: Files) -> Located | None:
    """What the state file names; else the only V2 checkpoint, or the one of the highest step."""
    state = read_state(files.join(folder, STATE_FILE), files) if STATE_FILE in names else None
    if state is None:
        return _highest(folder, v2_prefixes(names), files)
    name = re.split(r"[/\\]", state.latest)[-1]
    beside = of_prefix(files.join(folder, name), files) if name or _INDEX_ALONE in names else None
    if beside:
        others = len(set(v2_prefixes(names)) - {name})
        return beside.noting(_chosen(name, others + 1)) if others else beside
    elsewhere = of_prefix(files.join(folder, state.latest), files)
    if elsewhere:
        return elsewhere.noting(f"the state file names {shortened(state.latest)}, which is used")
    other = _highest(folder, v2_prefixes(names), files)
    return other.noting(f"the state file names {shown_name(name)}, which is not there") if other else None


def _highest(folder: str, prefixes: list[str], files: Files) -> Located | None:
    if not prefixes:
        return None
    best = max(prefixes, key=lambda prefix: (_step_of(prefix), files.modified(files.join(folder, f"{prefix}.index"))))
    found = Located(Kind.V2, files.join(folder, best))
    return found if len(prefixes) == 1 else found.noting(_chosen(best, len(prefixes)))


def _chosen(name: str, count: int) -> str:
    return f"the folder holds {count} checkpoints; the latest, {shown_name(name)}, is used"


def _export(folder: str, names: list[str], files: Files) -> Located | None:
    """Other layouts, the best first: V1 files, ``checkpoint/``, a SavedModel with variables, frozen graphs."""
    return (
        _tables(folder, names, files)
        or _inner(folder, STATE_FILE, names, files)
        or _saved_models(folder, names, files)
        or _frozen(folder, names, files)
    )


def _passed_over(names: list[str], found: Located) -> tuple[str, ...]:
    """Of an export folder, what else holds the weights and is not used."""
    others = [name for name in ("saved_model", SAVED_MODEL_FILE, _FROZEN_FILE) if name in names]
    if found.kind not in (Kind.V1, Kind.V2) or not others:
        return ()
    return (f"the checkpoint is used; {' and '.join(others)} beside it {'is' if len(others) == 1 else 'are'} not read",)


def _tables(folder: str, names: list[str], files: Files) -> Located | None:
    likely = sorted((name for name in names if not _NEVER_A_TABLE.fullmatch(name)), key=lambda name: "ckpt" not in name)
    likely = likely[:_MOST_TABLES]
    tables = [name for name in likely if is_table(files.join(folder, name), files)]
    found = {located.path: located for name in tables if (located := of_table(files.join(folder, name), files))}
    if not found:
        return None
    best = max(found, key=lambda path: _step_of(files.split(path)[1]))
    if len(found) == 1:
        return found[best]
    return found[best].noting(_chosen(files.split(best)[1], len(found)))


def _inner(folder: str, name: str, names: list[str], files: Files) -> Located | None:
    inner = files.join(folder, name)
    return _latest(inner, files.names(inner), files) if name in names and files.is_folder(inner) else None


def _saved_models(folder: str, names: list[str], files: Files) -> Located | None:
    """The SavedModel that this folder is, or has in ``saved_model/``, if it has variables."""
    own = _inner(folder, _VARIABLES, names, files)
    if own:
        return replace(own, kind=Kind.SAVED_MODEL)
    below = files.join(folder, "saved_model")
    inner = _inner(below, _VARIABLES, files.names(below), files) if "saved_model" in names else None
    return replace(inner, kind=Kind.SAVED_MODEL).noting("the SavedModel in saved_model/ is used") if inner else None


def _frozen(folder: str, names: list[str], files: Files) -> Located | None:
    if _FROZEN_FILE in names:
        return Located(Kind.FROZEN_GRAPH, files.join(folder, _FROZEN_FILE))
    for place in (folder, files.join(folder, "saved_model")):
        if files.size(files.join(place, SAVED_MODEL_FILE)) is not None:
            return saved_model(place, files)
    return None


def _nothing_in(folder: str, names: list[str], files: Files) -> CheckpointError:
    where = shortened(folder)
    if not names:
        return CheckpointError("the folder is empty", where=where)
    for name in names:
        if match := META.fullmatch(name):
            return variables_missing(files.join(folder, name), match["prefix"], files)
        if match := DATA.fullmatch(name):
            return index_missing(files.join(folder, name), match["prefix"], files)
    state = read_state(files.join(folder, STATE_FILE), files) if STATE_FILE in names else None
    if state is not None:
        lost = shown_name(re.split(r"[/\\]", state.latest)[-1])
        hint = "copy its files there" if lost == _INDEX_ALONE else f"copy {lost}.index and .data-… there"
        message = f"holds no checkpoint: its state file names {lost}, which is not there"
        return CheckpointError(message, where=where, hint=hint)
    below = [name for name in names if v2_prefixes(files.names(files.join(folder, name)))]
    hint = f"there is one in {few(below)}" if below else f"it holds {few(names)}"
    return CheckpointError("holds no checkpoint", where=where, hint=hint)
