"""What a plan is told beside names, shapes and dtypes: the user's choices, read and checked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

from ckptmap.mapping.op import Op
from ckptmap.planning.label_maps import LabelMap

EmaChoice = Literal["prefer", "ignore", "only"]
LabelMaps: TypeAlias = tuple[LabelMap, LabelMap]
"""What the source's classes are, and what the target's."""


@dataclass(frozen=True, slots=True)
class Branch:
    """The part of a model that the new checkpoint is rooted at.

    ``below`` gives the path from there of each of the model's object paths that lies in it; ``outside`` is the reason
    why the others are left out.
    """

    below: Callable[[Collection[str]], Mapping[str, str]]
    outside: str


class Adaptation(Protocol):
    """What the target's own configuration makes of the operations of a table."""

    def ops(self, ops: Iterable[Op]) -> tuple[Op, ...]:
        """The operations of one rule for this target; those that change nothing are left out."""

    def misplaced(self, ops: Iterable[Op], target: str) -> tuple[str, str] | None:
        """The message and the hint if the user asked for it, and the ``ops`` of all rules have nothing to adapt."""


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """The user's choices with their defaults; :class:`ckptmap.request.choices.PlanChoices` says what each means."""

    num_classes: int | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    ema: EmaChoice = "prefer"
    root: str | None = None
    allow_unused: Sequence[str] = ()
    init_missing: bool = False
    step: bool = False
    labels: LabelMaps | None = None
    """The label maps, read."""
    branch: Branch | None = None
    """What ``root`` leaves of the model; None where that is all of it."""
    adaptation: Adaptation | None = None
    """What becomes of the table's operations for this target; None: they are as the table has them."""
