"""What a verification of any two models finds, as plain values."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ckptmap.tf.verify.general.comparing import Measure
    from ckptmap.tf.verify.general.feeding import Feeds
    from ckptmap.tf.verify.general.side import Side, Spec
    from ckptmap.tf.verify.general.source import Source


class Verdict(enum.Enum):
    """Whether the models are the same."""

    EQUAL = "equal"
    ROUNDING = "equal within rounding"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Part:
    """One layer of both models, compared: its names, the largest difference in units of the spread, the shapes.

    ``relative`` is infinite where the shapes differ. ``place`` is ``input`` or ``result``.
    """

    name: str
    new_name: str
    place: str
    relative: float
    shapes: tuple[tuple[int, ...], tuple[int, ...]]
    differs: bool


@dataclass(frozen=True, slots=True)
class Cause:
    """Why the models differ, what removes it, how it was found out; not ``proven``, it may matter or not."""

    name: str
    text: str
    fix: str
    evidence: str
    proven: bool = True


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where two models part, and why: the layers in the order of the computation, the first that differs in words."""

    first: str = ""
    parts: tuple[Part, ...] = ()
    causes: tuple[Cause, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelVerification:
    """Whether two models agree.

    ``sources`` and ``sides`` are those of the old and the new model; ``only_old`` and ``only_new`` are outputs that the
    other does not have, which nothing is said of.
    """

    sources: tuple[Source, Source]
    sides: tuple[Side, Side]
    feeds: Feeds
    seed: int
    measures: tuple[Measure, ...]
    only_old: tuple[Spec, ...]
    only_new: tuple[Spec, ...]
    explanation: Explanation = field(default_factory=Explanation)

    @property
    def agree(self) -> bool:
        """Every output within measured rounding."""
        return all(one.within for one in self.measures)

    @property
    def verdict(self) -> Verdict:
        """Equal, equal within rounding, or different."""
        if not self.agree:
            return Verdict.DIFFERENT
        return Verdict.EQUAL if all(one.equal for one in self.measures) else Verdict.ROUNDING
