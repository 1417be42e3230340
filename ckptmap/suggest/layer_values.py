"""What a draft is made from and what it says, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

Shape = tuple["int | None", ...]
"""Lengths; None where a shipped target leaves one open (class count, width)."""


@dataclass(frozen=True, slots=True)
class Item:
    """One variable of either side.

    ``name`` is what a table calls it; ``key`` its object path (of an old variable, its name again); ``place`` its
    number in the order in which the variables were made, None where nothing says it.
    """

    name: str
    key: str
    shape: Shape
    place: int | None = None
    parts: tuple[str, ...] = ()
    """The variables that this one is joined of or cut into, in order, where it stands for several: ``w``, ``w_1`` …"""
    join: str = ""
    """The operations that join them, or cut it into them, as a table writes them."""
    doubt: str = ""
    """What is doubtful in that; empty for nothing."""
    fresh: str = ""
    """``zeros`` or ``ones`` where a variable of the new side holds nothing else and its name says no role."""
    pieces: tuple[Item, ...] = ()
    """The same variables as ``parts``, with their shapes; none for counted scalars."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A recurrent cell: the kind of the shipped table that makes it, and the variables that it is made of."""

    kind: str
    """Empty on the new side."""
    items: tuple[Item, ...]
    doubt: str = ""
    """What is doubtful in the kind; empty for nothing."""


@dataclass(frozen=True, slots=True)
class Layer:
    """Variables that belong together: a scope and its leaves, or one variable that is no leaf of a known kind."""

    scope: str
    """The part of the name that the leaves share; the whole name where it is a layer of one unknown variable."""
    key: str
    """The same part of the object path."""
    leaves: Mapping[str, Item]
    """By role: ``kernel``, ``bias``, ``gamma`` …; ``value`` for a variable without a role."""
    place: int | None = None
    cell: Cell | None = None
    """For a recurrent cell its variables; its leaves are then the kernels as one and the biases as one."""

    @property
    def is_norm(self) -> bool:
        """Whether it normalizes what another layer makes."""
        return "kernel" not in self.leaves and bool(self.leaves.keys() & {"gamma", "beta", "mean", "variance"})

    @property
    def items(self) -> tuple[Item, ...]:
        """All its variables: those of a cell, and those that one is cut into, spelled out."""
        items = self.cell.items if self.cell else self.leaves.values()
        return tuple(one for item in items for one in (item.pieces or (item,)))

    @property
    def variables(self) -> tuple[str, ...]:
        """The names of all its variables, those that stand for several spelled out."""
        if self.cell:
            return tuple(item.name for item in self.cell.items)
        return tuple(name for item in self.leaves.values() for name in (item.parts or (item.name,)))

    @property
    def shapes(self) -> str:
        """Its variables with their shapes as people read them; ``?`` for a length that is left open."""
        return ", ".join(f"{role} {_written(item.shape)}" for role, item in self.leaves.items())


def _written(shape: Shape) -> str:
    return f"[{', '.join('?' if length is None else str(length) for length in shape)}]"


@dataclass(frozen=True, slots=True)
class Pair:
    """An old layer and the new layer that it becomes."""

    old: int
    new: int
    sure: bool = False
    why: str = ""
    """The evidence; for a doubtful pair, what is missing."""
    rival_old: int = -1
    """The runner-up of a doubtful pair: the other old layer that the new one could come from; -1 for none."""
    rival_new: int = -1
    """The other new layer that the old one could become; -1 for none."""


@dataclass(frozen=True, slots=True)
class Matched:
    """Which layers belong together, and what is left of both sides."""

    old: tuple[Layer, ...]
    new: tuple[Layer, ...]
    pairs: tuple[Pair, ...]
    coverage: tuple[float, float] = (0.0, 0.0)
    """The share of the variables of each side whose layer has a partner."""
    gap: str = ""
    """A layer that is left over among similar layers, which shows two different models; empty for none."""
    idle: frozenset[str] = frozenset()
    """Names of variables that no output depends on, where both models were run and agree."""
    told: tuple[str, ...] = ()
    """What runs of both models showed, a line each."""

    @property
    def left_old(self) -> tuple[int, ...]:
        """Old layers without a partner."""
        taken = {pair.old for pair in self.pairs}
        return tuple(at for at in range(len(self.old)) if at not in taken)

    @property
    def left_new(self) -> tuple[int, ...]:
        """New layers without a partner."""
        taken = {pair.new for pair in self.pairs}
        return tuple(at for at in range(len(self.new)) if at not in taken)
