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
class Training:
    """What is known of a training whose optimizer's state is carried over.

    ``asked`` is the optimizer that the user names, one of ``ckptmap.mapping.optimizer_state.ASKED``, and ``name`` what
    TF1 called it; empty where the checkpoint shows it. ``step`` is the value of ``global_step`` as it was read, and
    ``given_step`` the user's where it counts instead.
    """

    asked: str = ""
    name: str = ""
    learning_rate: float | None = None
    """That of the next step."""
    given_step: int | None = None
    step: int | None = None
    configured: ConfiguredOptimizer | None = None

    @property
    def iterations(self) -> int | None:
        """How many steps were done; None where nothing says it."""
        return self.step if self.given_step is None else self.given_step


@dataclass(frozen=True, slots=True)
class ConfiguredOptimizer:
    """The optimizer of a config: its ``kind`` as Keras calls it, its numbers by Keras' names.

    ``averaged``: the trainer keeps a moving average of each weight. ``changes``: what the learning rate does from the
    next step on, in words; empty where it stays.
    """

    kind: str
    settings: Mapping[str, float] = field(default_factory=dict)
    averaged: bool = False
    changes: str = ""
    where: str = ""


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
    training: Training | None = None
    """The training to go on with; None: the optimizer's state stays behind."""
    adaptation: Adaptation | None = None
    """What becomes of the table's operations for this target; None: they are as the table has them."""
