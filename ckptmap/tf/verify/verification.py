"""What a verification finds, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ckptmap.report.shown import Shown
from ckptmap.tf.outputs import DETECTIONS

if TYPE_CHECKING:
    from ckptmap.tf.verify.causes import Cause
    from ckptmap.tf.verify.detection_matching import Match
    from ckptmap.tf.verify.images import Image
    from ckptmap.tf.verify.measuring import Finding, Measure
    from ckptmap.tf.verify.sources import New, Old
    from ckptmap.tf.verify.values import Values
    from ckptmap.tf.verify.walking import Part


@dataclass(frozen=True, slots=True)
class Seen:
    """One image and what it showed."""

    image: Image
    size: tuple[int, int]
    finding: Finding


@dataclass(frozen=True, slots=True, repr=False)
class Verification(Shown):
    """Whether two models agree, and why not.

    ``images`` stand worst first. ``first``: where the models part, of ``parts``, which are compared when they differ.
    """

    document_maker: ClassVar[str] = "ckptmap.tf.verify.verify_document:verify_document"

    old: Old
    new: New
    images: tuple[Seen, ...]
    measures: tuple[Measure, ...]
    values: Values
    parts: tuple[Part, ...] = ()
    first: Part | None = None
    causes: tuple[Cause, ...] = ()

    @property
    def agree(self) -> bool:
        """Raw outputs within measured rounding and the same detections, on every image."""
        return all(seen.finding.agrees for seen in self.images)

    @property
    def raw_agree(self) -> bool:
        """Whether there are outputs before non-maximum suppression, all of them within rounding on every image."""
        raw = [one for one in self.measures if one.name not in DETECTIONS and not one.level]
        return bool(raw) and all(one.within for one in raw)

    @property
    def parting(self) -> str:
        """Where the models part, for people; empty where they agree, or where nothing tells."""
        if self.first is not None:
            return self.first.text
        return "post-processing: the raw outputs agree" if self.raw_agree and not self.agree else ""

    def matches(self, min_score: float) -> tuple[tuple[Match, ...], ...]:
        """Each image's detections of both sides, those that one side gives at least ``min_score``."""
        return tuple(tuple(one for one in seen.finding.matches if one.score >= min_score) for seen in self.images)
