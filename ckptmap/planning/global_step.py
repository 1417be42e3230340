"""Carry the training step over: TF1's ``global_step`` becomes ``step``.

The Object Detection API's TF2 trainer keeps its step beside the model, as ``tf.train.Checkpoint(step=…, model=…)`` with
an int64 variable (object_detection/model_lib_v2.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ckptmap.basics.errors import Problem
from ckptmap.basics.wording import argument
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.inventory import Inventory
from ckptmap.mapping.ops_numeric import Cast
from ckptmap.mapping.slots import Slot
from ckptmap.planning.ledger import SourceFate, SourceRecord, TargetFate, TargetRecord
from ckptmap.targets.variables import TargetVariable

STEP_PATH = "/step"
"""Beside the root: a path that starts with a slash is counted from the checkpoint itself."""
_STEP = TargetVariable(STEP_PATH, "global_step", DType.INT64, (), trainable=False, part="training step")
_REASON = "the training step, carried over on request"


def find_step(inventory: Inventory, slots: Mapping[str, Slot]) -> str | Problem:
    """The variable that holds the training step; a Problem where there is none, or where it is no whole number."""
    found = [name for name, slot in slots.items() if slot.label == "bookkeeping: the training step"]
    if not found:
        return Problem("has no global_step to carry over", inventory.path, f"leave {argument('step')} out")
    name = min(found, key=lambda one: (one.count("/"), one))
    variable = inventory.variables[name]
    if variable.shape or variable.dtype not in (DType.INT32, DType.INT64):
        return Problem(
            f"is {variable.dtype} {list(variable.shape)}, not a training step", name, f"leave {argument('step')} out"
        )
    return name


def step_target(inventory: Inventory, name: str) -> TargetRecord:
    """The record of ``step``, restored from the variable ``name``."""
    ops = () if inventory.variables[name].dtype is DType.INT64 else (Cast(DType.INT64),)
    return TargetRecord(_STEP, TargetFate.RESTORED, (name,), ops, reason=_REASON)


def with_step(sources: Iterable[SourceRecord], name: str) -> Iterator[SourceRecord]:
    """The records of the source's variables, that of ``name`` mapped instead of dropped."""
    for record in sources:
        yield SourceRecord(name, SourceFate.MAPPED, _REASON) if record.name == name else record
