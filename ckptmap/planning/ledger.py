"""The Plan: a ledger in which every source and every target variable has exactly one fate."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ckptmap.basics.errors import Problem
from ckptmap.checkpoint.inventory import Inventory
from ckptmap.mapping.ops import Op
from ckptmap.mapping.table import Init
from ckptmap.planning.label_maps import ClassChanges
from ckptmap.targets.choose import Assumption
from ckptmap.targets.target import Template
from ckptmap.targets.variables import TargetVariable


class SourceFate(enum.Enum):
    """What becomes of a source variable."""

    MAPPED = "mapped"
    SUPERSEDED = "superseded"
    """Its moving average is restored in its place."""
    DROPPED = "dropped"
    UNUSED = "unused"
    """No rule matches it: a finding, unless accepted."""


class TargetFate(enum.Enum):
    """What a target variable is filled with."""

    RESTORED = "restored"
    PARTLY = "partly restored"
    """The sources fill some of it, such as the classes that two label maps share; ``Fill`` says what the others are."""
    REINITIALIZED = "reinitialized"
    MISSING = "missing"
    """Nothing in the source fills it and no rule says what would: a finding, unless accepted."""


class Fill(enum.Enum):
    """What a target variable holds where no source fills it."""

    TEMPLATE = "template"
    """The value that it has in the template."""
    INITIALIZER = "initializer"
    """Its own initializer's."""
    RULE = "rule"
    """The value that an ``init`` rule of the table gives it."""


class Form(enum.Enum):
    """How the new checkpoint calls its variables."""

    OBJECTS = "objects"
    """By object paths, with the object graph that leads there: a ``tf.train.Checkpoint``."""
    NAMES = "names"
    """By their names alone, as the TF1 ``Saver`` does."""
    KEYS = "keys"
    """By the keys of a source with object paths, whose object graph is one of the values."""


class SourceRecord(NamedTuple):
    """One source variable's line in the ledger; ``rule`` is ``file:line``."""

    name: str
    fate: SourceFate
    reason: str = ""
    rule: str = ""


class Counterpart(NamedTuple):
    """The source variables that the table names for a target, and how they would become it: of a class head whose
    values are not taken, for the way back."""

    sources: tuple[str, ...]
    ops: tuple[Op, ...]


class TargetRecord(NamedTuple):
    """One target variable's line in the ledger: where its value comes from and what is done to it on the way."""

    variable: TargetVariable
    fate: TargetFate
    sources: tuple[str, ...] = ()
    ops: tuple[Op, ...] = ()
    reason: str = ""
    rule: str = ""
    init: Init | None = None
    """The value that a rule gives it, for ``Fill.RULE``."""
    fill: Fill | None = None
    """What it holds where no source fills it; None where the sources fill all of it, or nobody accepted that none does.
    """
    counterpart: Counterpart | None = None

    @property
    def explained(self) -> str:
        """The reason, and that what no source fills has the template's value where that is so."""
        others = "the others have " if self.fate is TargetFate.PARTLY else ""
        return f"{self.reason}; {others}the template's value" if self.fill is Fill.TEMPLATE else self.reason

    @property
    def from_sources(self) -> bool:
        """Whether the sources fill it, or some of it."""
        return self.fate in (TargetFate.RESTORED, TargetFate.PARTLY)


@dataclass(frozen=True, slots=True)
class OptimizerOutcome:
    """The optimizer whose state is carried over: ``links`` are further paths to its variables, from the checkpoint.

    ``learning_rate`` is the one that momentum was multiplied by; None where none was needed.
    """

    source: str
    kind: str
    layout: str
    path: str
    iterations: int
    learning_rate: float | None
    carried: int
    fresh: int
    links: Mapping[str, str]
    remarks: tuple[str, ...] = ()
    """What is different in TF2, and what mends it."""


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
    template: Template | None = None
    """The template that the values of ``Fill.TEMPLATE`` are read from; None where the target is a shipped one."""
    findings: tuple[Problem, ...] = ()
    """Unused and missing variables that nobody accepted: nothing is written while there are any."""
    notes: tuple[str, ...] = ()
    """What was found out without the user: that the config beside the checkpoint is used, or why not."""
    form: Form = Form.OBJECTS
    optimizer: OptimizerOutcome | None = None

    @property
    def summary(self) -> dict[str, int]:
        """How many variables met each fate, zeros included."""
        met = Counter(record.fate.value for record in self.targets)
        met.update(record.fate.value for record in self.sources)
        fates: list[TargetFate | SourceFate] = [*TargetFate, *SourceFate]
        return {fate.value: met[fate.value] for fate in fates}
