"""What becomes of a TF1 model in TF2: the answer that every family gives for its targets, and the reasons for it."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Literal

Prefer = Literal["exact", "stock"]
"""Which TF2 model is wanted where stock TF2 is not equal to the TF1 model."""


class Effect(enum.Enum):
    """What comes of a difference in stock TF2."""

    VALUES = "other outputs from the same weights"
    SHAPES = "other variables or shapes: the weights do not fit"
    BUILD = "the model cannot be built or run"


class Kind(enum.Enum):
    """The five answers."""

    EQUAL = "equal"
    EQUAL_WITH_EDITS = "equal with these config edits"
    EXACT = "equal with the slim-exact extractor"
    WEIGHTS_ONLY = "weights only"
    NO_COUNTERPART = "no TF2 counterpart"


@dataclass(frozen=True, slots=True)
class Difference:
    """One way in which stock TF2 differs for this model, and whether the verdict's model still has it."""

    name: str
    effect: Effect
    outputs: str
    reason: str
    remains: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer for one model.

    ``reasons``: every difference of stock TF2; those that remain in the chosen model are marked. ``extractor_type``:
    what the chosen TF2 model is called, empty where there is none. ``advice``: what still can be done, or what the
    choice needs. ``unconfigured``: the model has no config that could say otherwise.
    """

    kind: Kind
    reasons: tuple[Difference, ...] = ()
    extractor_type: str = ""
    advice: str = ""
    unconfigured: bool = field(default=False, kw_only=True)

    @property
    def equal(self) -> bool:
        """Whether the chosen TF2 model computes what the TF1 graph computed."""
        return self.kind in (Kind.EQUAL, Kind.EQUAL_WITH_EDITS, Kind.EXACT)

    def __str__(self) -> str:
        remaining = [difference.reason for difference in self.reasons if difference.remains]
        return f"{self.kind.value}: {'; '.join(remaining)}" if remaining else self.kind.value
