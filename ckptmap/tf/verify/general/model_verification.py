"""What a verification of any two models finds, as plain values."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ckptmap.tf.verify.general.comparing import Measure
    from ckptmap.tf.verify.general.feeding import Feeds
    from ckptmap.tf.verify.general.side import Side, Spec
    from ckptmap.tf.verify.general.source import Source
    from ckptmap.tf.verify.layers import Explanation


class Verdict(enum.Enum):
    """Whether the models are the same."""

    EQUAL = "equal"
    ROUNDING = "equal within rounding"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class ModelVerification:
    """Whether two models agree.

    ``explanation``: where and why they differ, looked for where they do; ``unexplained`` says why it could not be.
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
    explanation: Explanation | None = None
    unexplained: str = ""

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
