"""Moving averages on one side alone: they are what became the raw values of the other.

The exporters of TF1 write the averages under the names of the raw values, so that is where the other side has them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ckptmap.checkpoint.inventory import Inventory, Variable
from ckptmap.diff.fingerprint import fingerprint
from ckptmap.mapping.slots import Slot, averages_of

Slots = Mapping[str, Slot]
"""What each variable is that is no weight, by its name."""


@dataclass(frozen=True, slots=True)
class Averaged:
    """``averages`` are those of a side, by the raw value of the other side that each is compared with."""

    side: str
    averages: Mapping[str, str]


def averaged(a: Inventory, b: Inventory, slots_a: Slots, slots_b: Slots) -> Averaged:
    """The averages that only one of the checkpoints has, where the other has the raw value that they stand for.

    Where both sides have the same raw value by their checksums, that is what is compared. A side with averages of its
    own is compared with them, name by name. ``slots_a`` and ``slots_b`` are the roles of their variables.
    """
    of_a, of_b = averages_of(slots_a), averages_of(slots_b)
    if of_a and of_b:
        return Averaged("", {})
    for side, averages, one, other in (("a", of_a, a, b), ("b", of_b, b, a)):
        found = dict(_average_by_owner(averages, one, other))
        if found:
            return Averaged(side, found)
    return Averaged("", {})


def _average_by_owner(averages: Mapping[str, str], one: Inventory, other: Inventory) -> Iterator[tuple[str, str]]:
    for owner, average in averages.items():
        raw, counterpart = one.variables.get(owner), other.variables.get(owner)
        if counterpart is not None and _alike(one.variables[average], counterpart) and not _same(raw, counterpart):
            yield owner, average


def _alike(one: Variable, other: Variable) -> bool:
    return (one.shape, one.dtype) == (other.shape, other.dtype)


def _same(one: Variable | None, other: Variable) -> bool:
    """Whether the indexes state the same value; False where they do not tell."""
    return one is not None and _alike(one, other) and fingerprint(one) == fingerprint(other) is not None
