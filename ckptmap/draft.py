"""What planning has found out before it is written down as a ledger: the values between the steps of a plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ckptmap.checkpoint.inventory import Inventory
from ckptmap.errors import Problem
from ckptmap.mapping.model import MappingResult, Table
from ckptmap.mapping.slots import Slot
from ckptmap.offers import Offer
from ckptmap.roots import DETECTION
from ckptmap.targets.variables import TargetVariable, Value

EmaChoice = Literal["prefer", "ignore", "only"]


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What the user decides.

    ``settings`` are those of the target (``use_dropout``); ``ema`` says whether moving averages win over raw values
    (``prefer``), are left aside (``ignore``), or must exist for every trainable variable (``only``).
    """

    num_classes: int | None = None
    settings: Mapping[str, Value] = field(default_factory=dict)
    ema: EmaChoice = "prefer"
    root: str | None = None
    allow_unused: tuple[str, ...] = ()
    init_missing: bool = False


@dataclass(frozen=True, slots=True)
class Solved:
    """The target's variables with concrete shapes, by object path, and the class count that the source itself shows."""

    variables: Mapping[str, TargetVariable] = field(default_factory=dict)
    values: Mapping[str, int] = field(default_factory=dict)
    source_classes: int | None = None
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
