"""What a comparison finds, as plain values."""

from __future__ import annotations

import enum
from collections import Counter
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from ckptmap.checkpoint.inventory import Inventory, Variable
from ckptmap.report.shown import Shown


class DiffFate(enum.Enum):
    """How a variable of one checkpoint compares with the other checkpoint, the worst first."""

    ONLY_IN_A = "only_in_a"
    ONLY_IN_B = "only_in_b"
    SHAPE = "shape"
    DTYPE = "dtype"
    CHANGED = "changed"
    WITHIN_TOLERANCE = "within_tolerance"
    EXPECTED = "expected"
    """Across a migration: the mapping says that the other side has no such value, and why."""
    EQUAL = "equal"

    @property
    def differs(self) -> bool:
        """Whether it makes the checkpoints different."""
        return self not in (DiffFate.WITHIN_TOLERANCE, DiffFate.EXPECTED, DiffFate.EQUAL)


@dataclass(frozen=True, slots=True)
class Delta:
    """How far apart two values of one shape are.

    ``different`` elements differ; two NaNs do not. ``max_abs`` is the largest absolute difference, ``rms`` the root of
    the mean squared difference, ``cosine`` that of the angle between the values as vectors: all over the elements that
    are finite on both sides, in float64; None for strings, and where nothing is finite (``cosine``: where one of the
    values is all zero). ``incomparable`` elements are NaN or infinite on one side and something else on the other.
    """

    different: int
    max_abs: float | None = None
    rms: float | None = None
    cosine: float | None = None
    incomparable: int = 0

    def within(self, tolerance: float) -> bool:
        """Whether no element differs by more than ``tolerance``."""
        if self.different == 0:
            return True
        return self.incomparable == 0 and self.max_abs is not None and self.max_abs <= tolerance


class DiffRecord(NamedTuple):
    """One line of a comparison: the variable as ``a`` and as ``b`` have it, None where one lacks it; a tuple, as there
    are many."""

    name: str
    fate: DiffFate
    a: Variable | None
    b: Variable | None
    delta: Delta | None = None
    reason: str = ""
    sources: tuple[str, ...] = ()
    """Across a migration: the variables of ``a`` that the value is made of."""
    operations: tuple[str, ...] = ()
    role: str = ""
    """What it is where it is no weight: ``slot``, ``ema``, ``bookkeeping``, ``quantization``."""
    owner: str = ""
    """The weight that a slot or an average belongs to."""


@dataclass(frozen=True, slots=True)
class Options:
    """What is compared, and how.

    ``read`` compares bytes even where checksums agree; ``values`` False reads none at all; ``tolerance`` is the largest
    absolute difference that still passes; ``match`` are globs of names, all where empty.
    """

    read: bool = False
    values: bool = True
    tolerance: float = 0.0
    match: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class Diff(Shown):
    """The comparison of two checkpoints, a record for each name.

    ``mapping`` is what led from ``a`` to ``b``; ``advice`` are command lines that tell more.
    """

    document_maker: ClassVar[str] = "ckptmap.diff.diff_document:diff_document"

    a: Inventory
    b: Inventory
    records: tuple[DiffRecord, ...]
    options: Options
    mapping: str = ""
    notes: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()

    @property
    def equal(self) -> bool:
        """Whether something was compared, and nothing differs; two checkpoints without a variable are equal."""
        fates = {record.fate for record in self.records}
        return not any(fate.differs for fate in fates) and fates != {DiffFate.EXPECTED}

    @property
    def summary(self) -> dict[str, int]:
        """How many variables met each fate, zeros included."""
        met = Counter(record.fate for record in self.records)
        return {fate.value: met[fate] for fate in DiffFate}
