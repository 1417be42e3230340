"""The variables of a TF1 graph given the values of a checkpoint, by their names, one at a time."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ckptmap.basics.errors import CheckpointError
from ckptmap.basics.nearest import did_you_mean
from ckptmap.basics.text import plural
from ckptmap.checkpoint.reader import open_checkpoint
from ckptmap.tf.verify.general.graphs import VARIABLES, assign

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np

    from ckptmap.checkpoint.reader import Checkpoint

    Array = np.ndarray[Any, Any]

_PART = re.compile(r"(?P<whole>.+)/part_(?P<number>\d+)")


def fill(v1: Any, running: Any, path: str, operations: Iterable[Any]) -> None:
    """Assign the variables among ``operations``; what else the checkpoint holds is left.

    Raises CheckpointError where it lacks one of them, or has it in another shape.
    """
    variables = [one for one in operations if one.type in VARIABLES]
    with open_checkpoint(path) as checkpoint:
        _refuse_lacking(checkpoint, variables, path)

        def value(variable: Any) -> Array:
            shape = _shape(variable)
            found = _value(checkpoint, variable.name, shape, variables)
            if shape is not None and found.shape != shape:
                message = f"{variable.name} is {list(found.shape)} in the checkpoint and {list(shape)} in the graph"
                raise CheckpointError(message, where=path)
            return found

        assign(v1, running, variables, value)


def _refuse_lacking(checkpoint: Checkpoint, variables: Sequence[Any], path: str) -> None:
    known = checkpoint.inventory.variables
    lacking = [one.name for one in variables if one.name not in known and _whole(one.name) not in known]
    if lacking:
        message = f"the checkpoint lacks {plural(len(lacking), 'variable')} of the graph, {lacking[0]} first"
        raise CheckpointError(message, where=path, hint=did_you_mean(lacking[0], known))


def _whole(name: str) -> str:
    """The name that a checkpoint has for all parts of a partitioned variable."""
    found = _PART.fullmatch(name)
    return found["whole"] if found else name


def _value(checkpoint: Checkpoint, name: str, shape: tuple[int, ...] | None, variables: Sequence[Any]) -> Array:
    if name in checkpoint.inventory.variables or shape is None:
        return checkpoint.read(name)
    whole = checkpoint.read(_whole(name))
    axis = next((at for at, lengths in enumerate(zip(whole.shape, shape, strict=False)) if len(set(lengths)) > 1), 0)
    before = [one for one in variables if _whole(one.name) == _whole(name) and _number(one.name) < _number(name)]
    start = sum((_shape(one) or shape)[axis] for one in before)
    cut = [slice(None)] * whole.ndim
    cut[axis] = slice(start, start + shape[axis])
    return whole[tuple(cut)]


def _number(name: str) -> int:
    found = _PART.fullmatch(name)
    return int(found["number"]) if found else 0


def _shape(variable: Any) -> tuple[int, ...] | None:
    shape = variable.get_attr("shape")
    return None if shape.unknown_rank else tuple(int(one.size) for one in shape.dim)
