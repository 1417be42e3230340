"""Moving averages on one side alone: they are what became the raw values of the other.

The exporters of TF1 write the averages under the names of the raw values, so that is where the other side has them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ckptmap.checkpoint.inventory import Inventory, Variable
from ckptmap.diff.fingerprint import fingerprint
from ckptmap.mapping.roles import roles
from ckptmap.mapping.slots import averages_of


@dataclass(frozen=True, slots=True)
class Averaged:
    """``averages`` are those of a side, by the raw value of the other side that each is compared with."""

    side: str
    averages: Mapping[str, str]


def averaged(a: Inventory, b: Inventory) -> Averaged:
    """The averages that only one of the checkpoints has, where the other has the raw value that they stand for.

    Where both sides have the same raw value by their checksums, that is what is compared. A side with averages of its
    own is compared with them, name by name.
    """
    for side, one, other in (("a", a, b), ("b", b, a)):
        found = dict(_average_by_owner(one, other))
        if found:
            return Averaged(side, found)
    return Averaged("", {})


def _average_by_owner(one: Inventory, other: Inventory) -> Iterator[tuple[str, str]]:
    if averages_of(roles(other)):
        return
    for owner, average in averages_of(roles(one)).items():
        raw, counterpart = one.variables.get(owner), other.variables.get(owner)
        if counterpart is not None and _alike(one.variables[average], counterpart) and not _same(raw, counterpart):
            yield owner, average


def _alike(one: Variable, other: Variable) -> bool:
    return (one.shape, one.dtype) == (other.shape, other.dtype)


def _same(one: Variable | None, other: Variable) -> bool:
    """Whether the indexes state the same value; False where they do not tell."""
    return one is not None and _alike(one, other) and fingerprint(one) == fingerprint(other) is not None
