"""What the source offers for one target variable: the variables read, and the shape and dtype that come out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ckptmap.basics.errors import Problem
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.inventory import Inventory
from ckptmap.mapping.ops import Op, OperationError, infer
from ckptmap.mapping.ops_numeric import LOSSLESS, Cast
from ckptmap.mapping.table import Assignment


class Offer(NamedTuple):
    """An assignment with its sources resolved: a moving average stands in for its variable where it wins."""

    assignment: Assignment
    sources: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: DType
    note: str = ""
    """What is to be told of it."""

    @property
    def label(self) -> str:
        """The sources as an error names them."""
        return ", ".join(self.sources)

    def fits_dtype(self, wanted: DType) -> bool:
        """Whether the value can be stored as ``wanted`` without losing any of it."""
        return self.dtype is wanted or (self.dtype, wanted) in LOSSLESS

    def ops_for(self, wanted: DType) -> tuple[Op, ...]:
        """The rule's operations, and a cast where the dtype changes without loss.

        It comes before an operation that leaves values to the target, which are of the wanted dtype.
        """
        ops = self.assignment.ops
        if self.dtype is wanted:
            return ops
        end = len(ops) - 1 if ops and ops[-1].leaves_open else len(ops)
        return (*ops[:end], Cast(wanted), *ops[end:])


def offer(assignment: Assignment, inventory: Inventory, averages: Mapping[str, str]) -> Offer | Problem:
    """The offer of ``assignment``; a Problem where an operation does not fit the shapes.

    ``averages`` maps a variable to the moving average that is restored in its place.
    """
    sources = assignment.sources
    if averages:
        sources = tuple([averages.get(name, name) for name in sources])
    variables = [inventory.variables[name] for name in sources]
    if not assignment.ops and len(variables) == 1:
        return Offer(assignment, sources, variables[0].shape, variables[0].dtype)
    try:
        shape, dtype = infer(
            assignment.ops, [variable.shape for variable in variables], [variable.dtype for variable in variables]
        )
    except OperationError as error:
        return Problem(f"{', '.join(sources)}: {error}", str(assignment.rule))
    return Offer(assignment, sources, tuple(shape), dtype)


def differs_in_classes_only(made: Offer, shape: tuple[int, ...]) -> bool:
    """Whether the offer is a class head whose shape is ``shape`` but for the axis that holds the classes."""
    per_class = made.assignment.per_class
    if per_class is None or len(made.shape) != len(shape) or made.shape == shape:
        return False
    axis = per_class.axis % len(shape)
    return all(at == axis or a == b for at, (a, b) in enumerate(zip(made.shape, shape, strict=True)))
