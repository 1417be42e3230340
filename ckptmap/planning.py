"""Inventory x Table x Target -> Plan. No I/O: names, shapes and dtypes decide, no tensor is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.inventory import Inventory, Variable
from ckptmap.errors import PlanError, Problem
from ckptmap.globs import first_match
from ckptmap.ledger import Plan, SourceFate, SourceRecord, TargetFate, TargetRecord
from ckptmap.mapping.apply import apply_table, inits
from ckptmap.mapping.model import Assignment, MappingResult, Op, Table
from ckptmap.mapping.ops import infer
from ckptmap.mapping.slots import Slot, classify
from ckptmap.roots import DETECTION, key_below
from ckptmap.targets.model import Target, TargetVariable

EmaChoice = Literal["prefer", "ignore", "only"]


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What the user decides.

    ``settings`` are those of the target (``use_dropout``); ``ema`` says whether moving averages win over raw values
    (``prefer``), are left aside (``ignore``), or must exist for every trainable variable (``only``).
    """

    num_classes: int | None = None
    settings: Mapping[str, object] = field(default_factory=dict)
    ema: EmaChoice = "prefer"
    root: str = DETECTION
    allow_unused: tuple[str, ...] = ()
    init_missing: bool = False
