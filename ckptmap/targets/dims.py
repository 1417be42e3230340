"""Dimensions written in unknowns: ``anchors_0*(num_classes+1)``, ``6*width_16``, ``32``.

A dimension is a product of factors; a factor is a whole number, an unknown, or ``(unknown+number)``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_FACTOR = re.compile(r"(?P<number>\d+)|(?P<unknown>[a-z]\w*)|\((?P<base>[a-z]\w*)\+(?P<plus>\d+)\)")


@dataclass(frozen=True, slots=True)
class Factor:
    """One unknown plus a whole number: ``num_classes+1``."""

    unknown: str
    plus: int = 0

    def __str__(self) -> str:
        return f"({self.unknown}+{self.plus})" if self.plus else self.unknown


@dataclass(frozen=True, slots=True)
class Dim:
    """A product: ``coefficient`` times every factor."""

    coefficient: int = 1
    factors: tuple[Factor, ...] = ()

    def __str__(self) -> str:
        parts = [str(factor) for factor in self.factors]
        if self.coefficient != 1 or not parts:
            parts.insert(0, str(self.coefficient))
        return "*".join(parts)

    @property
    def unknowns(self) -> tuple[str, ...]:
        """The names of the unknowns in the product, in order."""
        return tuple(factor.unknown for factor in self.factors)

    def value(self, values: Mapping[str, int]) -> int | None:
        """The product's value, None while an unknown of it has no value."""
        product = self.coefficient
        for factor in self.factors:
            known = values.get(factor.unknown)
            if known is None:
                return None
            product *= known + factor.plus
        return product

    def open_factors(self, values: Mapping[str, int]) -> tuple[Factor, ...]:
        """The factors whose unknown has no value yet."""
        return tuple(factor for factor in self.factors if factor.unknown not in values)

    def solved_for(self, factor: Factor, total: int, values: Mapping[str, int]) -> int | None:
        """The value of ``factor``'s unknown that makes the product ``total``; None where no positive number does.

        All other factors need values.
        """
        rest = Dim(self.coefficient, tuple(other for other in self.factors if other != factor)).value(values)
        if not rest or total % rest:
            return None
        solved = total // rest - factor.plus
        return solved if solved > 0 else None


@lru_cache(maxsize=4096)
def parse_dim(text: int | str) -> Dim:
    """The dimension that ``text`` writes; raises ValueError where it is none."""
    if isinstance(text, int):
        return Dim(text)
    coefficient, factors = 1, []
    for part in text.replace(" ", "").split("*"):
        match = _FACTOR.fullmatch(part)
        if not match:
            raise ValueError(f"{text!r} is not a dimension: {part!r} is not a number, unknown or (unknown+number)")
        if match["number"]:
            coefficient *= int(match["number"])
        else:
            factors.append(Factor(match["unknown"] or match["base"], int(match["plus"] or 0)))
    return Dim(coefficient, tuple(factors))
