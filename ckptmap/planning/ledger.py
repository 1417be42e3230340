"""The Plan: a ledger in which every source and every target variable has exactly one fate."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ckptmap.basics.errors import Problem
from ckptmap.checkpoint.inventory import Inventory
from ckptmap.mapping.model import Init
from ckptmap.mapping.ops import Op
from ckptmap.planning.label_maps import ClassChanges
from ckptmap.targets.choose import Assumption
from ckptmap.targets.variables import TargetVariable


class SourceFate(enum.Enum):
    """What becomes of a source variable."""

    MAPPED = "mapped"
    SUPERSEDED = "superseded"
    """Its moving average is restored in its place."""
    DROPPED = "dropped"
    UNUSED = "unused"
    """No rule speaks of it: a finding, unless accepted."""


class TargetFate(enum.Enum):
    """What a target variable is filled with."""

    RESTORED = "restored"
    REINITIALIZED = "reinitialized"
    MISSING = "missing"
    """Nothing in the source fills it and no rule says what would: a finding, unless accepted."""


class SourceRecord(NamedTuple):
    """One source variable's line in the ledger; ``rule`` is ``file:line``."""

    name: str
    fate: SourceFate
    reason: str = ""
    rule: str = ""


class TargetRecord(NamedTuple):
    """One target variable's line in the ledger: where its value comes from and what is done to it on the way."""

    variable: TargetVariable
    fate: TargetFate
    sources: tuple[str, ...] = ()
    ops: tuple[Op, ...] = ()
    reason: str = ""
    rule: str = ""
    init: Init | None = None
    """The value a rule gives it; None: the target's own initializer."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a conversion would do, made from names, shapes and dtypes alone."""

    source: Inventory
    target: str
    model: str
    """The shipped model that the table leads to; the table's name where it is the user's own."""
    table: str
    root: str
    targets: tuple[TargetRecord, ...]
    sources: tuple[SourceRecord, ...]
    settings: Mapping[str, object] = field(default_factory=dict)
    unknowns: Mapping[str, int] = field(default_factory=dict)
    """The dimensions that were solved from the source or given, such as ``num_classes``."""
    assumptions: tuple[Assumption, ...] = ()
    classes: ClassChanges | None = None
    """What two label maps share, where they were given."""
    findings: tuple[Problem, ...] = ()
    """Unused and missing variables that nobody accepted: nothing is written while there are any."""

    @property
    def summary(self) -> dict[str, int]:
        """How many variables met each fate, zeros included."""
        met = Counter(record.fate.value for record in self.targets)
        met.update(record.fate.value for record in self.sources)
        fates: list[TargetFate | SourceFate] = [*TargetFate, *SourceFate]
        return {fate.value: met[fate.value] for fate in fates}
