"""How far a checkpoint was trained, and with what."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ckptmap.basics.errors import CheckpointError
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.inventory import Inventory, Variable
from ckptmap.checkpoint.reader import Checkpoint
from ckptmap.mapping.slots import Slot

_STEP_NAMES = re.compile(
    r"(?:.*/)?global_step(?:_\d+)?|(?:step|global_step|.+/_?iter(?:ations)?)/\.ATTRIBUTES/VARIABLE_VALUE"
)
_STEP_IN_NAME = re.compile(r"ckpt-(\d{1,18})$")


@dataclass(frozen=True, slots=True)
class Training:
    """The state of the training: what the variables that are no weights tell.

    ``step`` is None where no variable holds it or its value cannot be read; ``step_from`` names the variable it was
    read from, or is ``file name``. ``optimizers`` are names of optimizers that left ``slots`` variables; ``averages``
    counts moving averages, ``quantization`` the variables of quantization-aware training.
    """

    step: int | None = None
    step_from: str = ""
    optimizers: tuple[str, ...] = ()
    slots: int = 0
    averages: int = 0
    quantization: int = 0


def training(checkpoint: Checkpoint, roles: Mapping[str, Slot]) -> Training:
    """The training state of ``checkpoint``, whose variables have these roles."""
    step, source = _step(checkpoint, roles)
    kinds = [slot.kind for slot in roles.values()]
    return Training(
        step=step,
        step_from=source,
        optimizers=_optimizers(roles.values()),
        slots=kinds.count("slot"),
        averages=kinds.count("ema"),
        quantization=kinds.count("quantization"),
    )


def _optimizers(slots: Iterable[Slot]) -> tuple[str, ...]:
    return tuple(sorted({slot.optimizer for slot in slots if slot.kind == "slot" and slot.optimizer}))


def _step(checkpoint: Checkpoint, roles: Mapping[str, Slot]) -> tuple[int | None, str]:
    """The training step and where it was found: a variable, else the name of a TF1 checkpoint."""
    variables = checkpoint.inventory.variables
    for name, slot in roles.items():
        if slot.kind == "bookkeeping" and _STEP_NAMES.fullmatch(name):
            value = _integer(checkpoint, variables[name])
            if value is not None:
                return value, name
    return _step_of_name(checkpoint.inventory)


def _integer(checkpoint: Checkpoint, variable: Variable) -> int | None:
    """The value of an integer scalar; None for anything else, and where the data cannot be read."""
    if variable.shape or variable.dtype not in (DType.INT32, DType.INT64):
        return None
    try:
        raw = b"".join(checkpoint.chunks(variable.name))
    except CheckpointError:
        return None
    return int.from_bytes(raw, "little", signed=True)


def _step_of_name(inventory: Inventory) -> tuple[int | None, str]:
    """The number that TF1's Saver puts behind the prefix; that of a TF2 checkpoint only counts the saves."""
    found = None if inventory.object_based else _STEP_IN_NAME.search(inventory.path)
    return (int(found[1]), "file name") if found else (None, "")
