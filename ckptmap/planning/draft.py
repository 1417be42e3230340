"""What planning has found out before it is written down as a ledger: the values between the steps of a plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ckptmap.basics.errors import Problem
from ckptmap.checkpoint.inventory import Inventory
from ckptmap.mapping.ops_classes import Classes
from ckptmap.mapping.slots import Slot
from ckptmap.mapping.table import MappingResult, Table
from ckptmap.planning.candidates import Offer
from ckptmap.planning.choices import PlanOptions
from ckptmap.planning.label_maps import ClassChanges
from ckptmap.targets.variables import TargetVariable


@dataclass(frozen=True, slots=True)
class Solved:
    """The target's variables with concrete shapes, by object path, and the class count that the source itself shows."""

    variables: Mapping[str, TargetVariable] = field(default_factory=dict)
    values: Mapping[str, int] = field(default_factory=dict)
    source_classes: int | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class ClassTransfer:
    """``changes`` of the classes, and for each head that they change, by object path, how its slices move."""

    changes: ClassChanges | None = None
    heads: Mapping[str, Classes] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """A plan without contradictions: ``offers`` by the object path of the target variable that each fills."""

    inventory: Inventory
    table: Table
    mapping: MappingResult
    slots: Mapping[str, Slot]
    averages: Mapping[str, str]
    offers: Mapping[str, Offer]
    solved: Solved
    options: PlanOptions
    transfer: ClassTransfer
    step: str | None = None
    """The source variable that holds the training step, where it is to be carried over."""
