"""The variables of a TF2 model as values: with concrete shapes, and with shapes written in unknowns."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from ckptmap.targets.dims import Dim, parse_dim

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ckptmap.checkpoint.dtypes import DType

Value = bool | int | str
"""What a setting can be."""

_FIELD = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True, slots=True)
class Initializer:
    """What a fresh variable is filled with: ``zeros``, ``truncated_normal`` with ``stddev`` …

    The kinds and their options are those of ``ckptmap.targets.initializers``.
    """

    kind: str
    options: Mapping[str, float | str] = field(default_factory=dict)


ZEROS = Initializer("zeros")
_ALWAYS: Mapping[str, tuple[Value, ...]] = {}
"""One value for all variables that no setting concerns."""


class TargetVariable(NamedTuple):
    """One variable of the TF2 model; a tuple, as there are many.

    ``key`` is its path in the object graph below the root, without ``/.ATTRIBUTES/VARIABLE_VALUE``; ``name`` is the
    readable name (its ``full_name``); ``part`` is what part of the model it belongs to (``backbone``, ``neck``,
    ``box head``, ``class head`` …).
    """

    key: str
    name: str
    dtype: DType
    shape: tuple[int, ...]
    trainable: bool = True
    initializer: Initializer = ZEROS
    part: str = ""
    saved: str = ""
    """The key of its own value in the template; empty where the target is no template."""

    @property
    def nbytes(self) -> int:
        """How many bytes its value takes in a checkpoint; 0 for strings, whose length no shape tells."""
        return math.prod(self.shape) * (self.dtype.itemsize or 0)


class SpecVariable(NamedTuple):
    """A variable whose lengths are written in unknowns, and so may be its name (``Conv2d_2_1x1_{width_256}``).

    ``when`` holds the settings under which the model has it: every setting named there has one of the values.
    """

    key: str
    name: str
    dtype: DType
    dims: tuple[Dim, ...]
    trainable: bool = True
    initializer: Initializer = ZEROS
    part: str = ""
    when: Mapping[str, tuple[Value, ...]] = _ALWAYS
    saved: str = ""
    """The key of its own value in the template; empty where the target is no template."""
    others: tuple[str, ...] = ()
    """What else it is called, where its name leaves open which variable of its layer it is."""

    @property
    def unknowns(self) -> tuple[str, ...]:
        """The unknowns that decide its shape and its name, each once."""
        if "{" not in self.name and not any(dim.factors for dim in self.dims):
            return ()
        in_dims = (name for dim in self.dims for name in dim.unknowns)
        in_name = (name for dim in name_fields(self.name) for name in dim.unknowns)
        return tuple(dict.fromkeys((*in_dims, *in_name)))

    def concrete(self, values: Mapping[str, int], shape: tuple[int, ...] | None = None) -> TargetVariable:
        """The variable with the unknowns' values put in; raises KeyError where one has none.

        ``shape`` is its own, where that is known.
        """
        if shape is None:
            shape = tuple([_value(dim, values) if dim.factors else dim.coefficient for dim in self.dims])
        name = self.name
        if "{" in name:
            name = _FIELD.sub(lambda match: str(_value(parse_dim(match[1]), values)), name)
        return TargetVariable(
            self.key, name, self.dtype, shape, self.trainable, self.initializer, self.part, self.saved
        )


def name_fields(name: str) -> tuple[Dim, ...]:
    """The lengths that a name shows, in order: ``Conv2d_2_1x1_{width_256}`` shows ``width_256``."""
    return tuple(parse_dim(text) for text in _FIELD.findall(name)) if "{" in name else ()


def _value(dim: Dim, values: Mapping[str, int]) -> int:
    value = dim.value(values)
    if value is None:
        raise KeyError(dim.open_factors(values)[0].unknown)
    return value
