"""From the text behind ``--to`` to a Target: the name of a shipped spec, or the path of a TF2 checkpoint."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from ckptmap.basics.collector import collector_paused
from ckptmap.basics.contributions import contributions
from ckptmap.basics.errors import MissingDataError, Problem, TargetError
from ckptmap.basics.nearest import nearest
from ckptmap.basics.regular import open_regular
from ckptmap.checkpoint.inventory import OBJECT_GRAPH_KEY, OF_OTHERS
from ckptmap.checkpoint.reader import Checkpoint, open_checkpoint
from ckptmap.checkpoint.remote import is_remote
from ckptmap.mapping.locate import mappings_root, shipped_tables
from ckptmap.targets.optimizer_template import is_of_optimizer, template_optimizers
from ckptmap.targets.spec import has_keys, load_spec
from ckptmap.targets.template import as_shipped, file_target, template_target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ckptmap.checkpoint.inventory import Inventory
    from ckptmap.checkpoint.object_paths import ObjectPaths
    from ckptmap.targets.target import Target


def list_targets() -> tuple[str, ...]:
    """The names of the shipped targets, sorted."""
    return tuple(sorted(path.stem for path in (mappings_root() / "targets").glob("*.json")))


def load_target(text: str | os.PathLike[str]) -> Target:
    """The shipped target of this name, or the TF2 checkpoint at this path as the template.

    A file of Keras or of safetensors is a template too. Raises TargetError when it is neither (with the nearest names),
    when the checkpoint is a TF1 one or cannot be read as a template.
    """
    name = os.fspath(text)
    shipped = shipped_name(name)
    if shipped is not None and (shipped == name or not _is_there(name)):
        return _shipped(shipped)
    if not _looks_like_a_path(name):
        raise TargetError(f"no target is called {name!r}, and no checkpoint is there", hint=_hint(name))
    with open_checkpoint(name) as checkpoint, collector_paused():
        if checkpoint.inventory.kind in OF_OTHERS:
            _refuse_archive(checkpoint.inventory.path)
            return file_target(checkpoint.inventory)
        known = _object_paths(checkpoint)
        found = recognize_target(_template(checkpoint, known))
        return found if known is None else _with_optimizers(found, checkpoint, known)


def load_template(path: str | os.PathLike[str]) -> Target:
    """The TF2 checkpoint at ``path`` as it is, also if it is the model of a shipped target. Raises as `load_target`."""
    with open_checkpoint(path) as checkpoint, collector_paused():
        return _template(checkpoint, _object_paths(checkpoint))


def _template(checkpoint: Checkpoint, known: ObjectPaths | None) -> Target:
    return template_target(checkpoint.inventory, known, _obstacle(checkpoint.inventory, known))


def _with_optimizers(target: Target, checkpoint: Checkpoint, known: ObjectPaths) -> Target:
    """The template with the optimizers that were saved with it; most have none, and their graph is read once."""
    if not any(is_of_optimizer(key) for key in checkpoint.inventory.variables):
        return target
    graph = checkpoint.object_graph()
    if graph is None:
        return target
    return replace(target, optimizers=template_optimizers(graph, known, checkpoint.inventory, target.root))


def _refuse_archive(path: str) -> None:
    """Raises TargetError for a ``.keras`` file: what lies in an archive cannot be written over."""
    if is_remote(path):
        raise TargetError("a remote file of weights cannot be the target", where=path, hint="copy it here first")
    with open_regular(path) as file:
        packed = file.read(2) == b"PK"
    if packed:
        hint = "give what model.save_weights('mine.weights.h5') writes, and load the result with load_weights"
        raise TargetError("a .keras archive cannot be the target", where=path, hint=hint)


def _hint(name: str) -> str:
    """The target that is for the TF1 model of this name; else those with the nearest names."""
    counterpart = _counterparts().get(name)
    if counterpart is not None:
        return f"the counterpart of {name} is {counterpart}"
    close = nearest(name, list_targets(), 3, cutoff=0.4)
    return (
        f"nearest: {', '.join(close)}" if close else "ckptmap targets lists them; or give the path of a TF2 checkpoint"
    )


def _counterparts() -> dict[str, str]:
    """The shipped targets that are called otherwise than the TF1 models that they are for, by these models' names."""
    targets = (_shipped(name) for name in list_targets() if name not in shipped_tables())
    return {target.counterpart_of: target.name for target in targets if target.counterpart_of}


def shipped_name(name: str) -> str | None:
    """The shipped target that a model's name means: its own, or one that has the same variables; None where none does.

    Families know by which other names their models go.
    """
    known = list_targets()
    others = (other for family in contributions() for other in family.target_names(name))
    return next((one for one in chain([name], others) if one in known), None)


def recognize_target(plain: Target) -> Target:
    """A model given by its keys and shapes, with the names and the table of the shipped target that it is, if any."""
    return as_shipped(plain, _specs_with({variable.key for variable in plain.variables}))


@cache
def _shipped(name: str) -> Target:
    return load_spec(mappings_root() / "targets" / f"{name}.json")


def _specs_with(keys: set[str]) -> Iterator[Target]:
    """The shipped targets that can have all of ``keys``; the others are not worth the time that reading them takes."""
    folder = mappings_root() / "targets"
    return (_shipped(name) for name in list_targets() if has_keys(folder / f"{name}.json", keys))


def _looks_like_a_path(name: str) -> bool:
    return "/" in name or os.sep in name or _is_there(name)


def _is_there(name: str) -> bool:
    return Path(name).exists() or Path(f"{name}.index").exists()


def _object_paths(checkpoint: Checkpoint) -> ObjectPaths | None:
    """What the object graph says, None where the data file that holds it is not there: the index names all."""
    try:
        return checkpoint.object_paths()
    except MissingDataError:
        return None


def _obstacle(inventory: Inventory, known: ObjectPaths | None) -> Problem | None:
    """Why the values of a template cannot be read; None where all its data files are there."""
    gone = [file for file in inventory.data_files if not is_remote(file) and not Path(file).is_file()]
    if not gone and (known is not None or OBJECT_GRAPH_KEY not in inventory.variables):
        return None
    where = gone[0] if gone else next(iter(inventory.data_files), inventory.path)
    return Problem("the template's data file is missing", where, "copy it there, it belongs beside the index")
