"""What there is to say about freezing, as plain values."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ckptmap.basics.errors import Problem


@dataclass(frozen=True, slots=True)
class Weight:
    """A trainable variable of the TF1 model, and what it becomes in TF2.

    ``layer`` is the readable name of the TF2 variable, ``key`` its object path; None where no table or target is known.
    """

    name: str
    shape: tuple[int, ...]
    part: str
    layer: str | None = None
    key: str | None = None

    @property
    def parameters(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)


OWN = "--pattern"
"""The field of a pattern that is no config's, in the document."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression as a config or the command line gives it.

    ``field`` is ``freeze_variables``, ``update_trainable_variables`` or ``--pattern``; ``where`` is ``file:line``.
    """

    text: str
    field: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class Matched:
    """The names that a pattern matches under the chosen rule; ``other`` counts those under the other trainer's.

    ``nearest`` is a pattern that would match, where this one matches nothing, and ``nearest_count`` how many.
    """

    pattern: Pattern
    names: tuple[str, ...]
    other: int
    nearest: str = ""
    nearest_count: int = 0


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a staged training: the parts that train, and the patterns that freeze the rest."""

    name: str
    trainable: tuple[Weight, ...]
    frozen: tuple[Weight, ...]
    patterns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Freezing:
    """Which trainable variables patterns freeze. ``subject`` is the checkpoint or config that the names are from."""

    subject: str
    trainer: str
    matched: tuple[Matched, ...]
    frozen: tuple[Weight, ...]
    trainable: tuple[Weight, ...]
    stages: tuple[Stage, ...] = ()
    remarks: tuple[Problem, ...] = ()
