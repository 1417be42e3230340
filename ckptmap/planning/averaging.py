"""The plan of an average: which variables of several checkpoints of one model are averaged. No I/O."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ckptmap.basics.errors import PlanError, Problem
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.inventory import OBJECT_GRAPH_KEY, Inventory, Variable
from ckptmap.mapping.roles import roles
from ckptmap.mapping.slots import Slot
from ckptmap.planning.ledger import Form, Plan, SourceFate, SourceRecord, TargetFate, TargetRecord
from ckptmap.targets.variables import TargetVariable

AVERAGED = frozenset({DType.FLOAT32, DType.FLOAT64, DType.HALF, DType.BFLOAT16, DType.COMPLEX64, DType.COMPLEX128})
"""What a mean means something for."""
_FEWEST = 2


@dataclass(frozen=True, slots=True)
class Average:
    """What becomes of several checkpoints: their mean as one ``inventory``, and the names of what is ``averaged``.

    Slots are no part of the inventory. What is not averaged comes from the last checkpoint.
    """

    inventory: Inventory
    averaged: frozenset[str]
    slots: Mapping[str, Slot]
    """The optimizer slots of the last checkpoint, which are left out."""


def plan_average(inventories: Sequence[Inventory]) -> Average:
    """What the mean of these checkpoints is made of.

    Floating-point weights and moving averages are averaged. Bookkeeping, such as ``global_step``, and what is no
    floating-point number come from the last of ``inventories``. Optimizer slots are left out.

    Raises:
        PlanError: fewer than two checkpoints, one twice, or checkpoints whose variables differ in name, shape or
            dtype; every difference is named.
    """
    problems = [*_too_few(inventories), *_twice(inventories)]
    told = [roles(inventory) for inventory in inventories]
    weights = [_without_slots(inventory, slots) for inventory, slots in zip(inventories, told, strict=True)]
    for inventory, held in list(zip(inventories, weights, strict=True))[1:]:
        problems += _differences(inventories[0].path, weights[0], inventory.path, held)
    if problems:
        raise PlanError("these checkpoints cannot be averaged", problems)
    last, slots = inventories[-1], told[-1]
    kept = {name: Variable(name, one.dtype, one.shape, one.nbytes) for name, one in weights[-1].items()}
    averaged = frozenset(
        name for name, variable in kept.items() if variable.dtype in AVERAGED and not _is_bookkeeping(slots, name)
    )
    named = ", ".join(inventory.path for inventory in inventories)
    notes = (*last.notes, f"the mean of {len(inventories)} checkpoints: {named}")
    made = replace(last, variables=kept, data_files=(), notes=notes)
    return Average(made, averaged, {name: slot for name, slot in slots.items() if slot.kind == "slot"})


def average_ledger(average: Average, count: int, readable: Mapping[str, str]) -> Plan:
    """The ledger of the mean of ``count`` checkpoints; ``readable`` holds names for people by the keys of a TF2 one."""
    form = Form.KEYS if average.inventory.object_based else Form.NAMES
    targets = []
    for name, variable in average.inventory.variables.items():
        reason = f"mean of {count} checkpoints" if name in average.averaged else "of the last checkpoint"
        made = TargetVariable(name, readable.get(name, name), variable.dtype, variable.shape)
        targets.append(TargetRecord(made, TargetFate.RESTORED, (name,), reason=reason))
    sources = [SourceRecord(name, SourceFate.MAPPED) for name in average.inventory.variables]
    for name, slot in average.slots.items():
        sources.append(SourceRecord(name, SourceFate.DROPPED, f"optimizer slot ({slot.label})"))
    return Plan(
        source=average.inventory,
        target=f"mean of {count} checkpoints",
        model="",
        table="",
        root="",
        targets=tuple(targets),
        sources=tuple(sorted(sources, key=lambda record: record.name)),
        form=form,
    )


def _without_slots(inventory: Inventory, slots: Mapping[str, Slot]) -> dict[str, Variable]:
    return {
        name: variable
        for name, variable in inventory.variables.items()
        if name not in slots or slots[name].kind != "slot"
    }


def _is_bookkeeping(slots: Mapping[str, Slot], name: str) -> bool:
    return name in slots and slots[name].kind == "bookkeeping"


def _too_few(inventories: Collection[Inventory]) -> Iterator[Problem]:
    if len(inventories) < _FEWEST:
        yield Problem("one checkpoint is its own mean", hint="name two or more")


def _twice(inventories: Sequence[Inventory]) -> Iterator[Problem]:
    paths = [inventory.path for inventory in inventories]
    for path in dict.fromkeys(paths):
        if paths.count(path) > 1:
            yield Problem("is named twice, and would count twice", path, "name every checkpoint once")


def _differences(
    first: str, wanted: Mapping[str, Variable], path: str, held: Mapping[str, Variable]
) -> Iterator[Problem]:
    """What one checkpoint has otherwise than the first; nothing of slots, nor of the object graph's length."""
    for name in sorted(wanted.keys() - held.keys()):
        yield Problem(f"holds no {name}, which {first} has", path)
    for name in sorted(held.keys() - wanted.keys()):
        yield Problem(f"holds {name}, which {first} does not have", path)
    for name in sorted((wanted.keys() & held.keys()) - {OBJECT_GRAPH_KEY}):
        one, other = wanted[name], held[name]
        if (one.shape, one.dtype) != (other.shape, other.dtype):
            shapes = f"{other.dtype} {list(other.shape)}, and {one.dtype} {list(one.shape)} in {first}"
            yield Problem(f"{name} is {shapes}", path)
