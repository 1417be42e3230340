"""What a tensor operation of a mapping table is, and the register of all.

Each operation knows its shape function (no NumPy, so that a plan is checked before a tensor is read) and how to
compute its value. An operation works on every tensor of a rule until ``concat``, ``stack`` or ``add: sources`` joins
them into one.
"""

# ruff: noqa: ARG002  (operations have one signature, few need all of it)

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache
from importlib import import_module
from math import prod
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from ckptmap.basics.contributions import contributions
from ckptmap.basics.errors import CkptmapError
from ckptmap.checkpoint.dtypes import DType
from ckptmap.mapping.arguments import Argument

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

_Kind = TypeVar("_Kind", bound="Op")
Shape = tuple[int, ...]
Tensor = tuple[Shape, DType]

MOST_DIMENSIONS = 32
"""What NumPy 1 can hold."""
MOST_ELEMENTS = 1 << 58
"""2^63 bytes of the largest dtype; NumPy leaves lengths of 0 out of the product."""


class OperationError(CkptmapError):
    """An operation does not fit the shapes or dtypes it is given; ``problem`` says which."""


def infer(ops: Sequence[Op], shapes: Sequence[Shape], dtypes: Sequence[DType]) -> Tensor:
    """The (shape, dtype) that ``execute`` would give for sources of these shapes and dtypes.

    Raises OperationError, naming the operation and the shapes, where an operation does not fit.
    """
    tensors = list(zip(shapes, dtypes, strict=True))
    for op in ops:
        tensors = op.infer(tensors)
        for shape, _ in tensors:
            if len(shape) > MOST_DIMENSIONS or prod(length or 1 for length in shape) > MOST_ELEMENTS:
                raise OperationError(f"{op}: NumPy cannot hold a tensor of shape {list(shape)}")
    if len(tensors) != 1:
        raise OperationError(
            f"{len(tensors)} variables are left for one target", hint="add concat, stack or add: sources"
        )
    return tensors[0]


def execute(ops: Sequence[Op], arrays: Sequence[Array]) -> Array:
    """Run the operations on the values of the sources, in the order the rule lists them; gives one array."""
    import numpy as np

    values = list(arrays)
    for op in ops:
        values = op.run(values)
    if len(values) != 1:
        raise OperationError(
            f"{len(values)} variables are left for one target", hint="add concat, stack or add: sources"
        )
    return np.asarray(values[0])


Pulled = tuple[int, int, "Op | None"]
"""The axis before an operation, where on it the rows begin, and the operation to run on the rows alone."""

Block = tuple["int | None", "tuple[Op, ...]", int]
"""The number of the one tensor that a block of rows is from (None: of each), how it is made of it, and its rows."""

Fault = tuple[str, str]
"""Why arguments do not go together, and how to give them."""

LARGEST = 1 << 40
"""Of a length; products of them stay numbers that an index can be."""
MOST_PARTS = 10_000


class Op:
    """One operation: ``infer`` maps shapes and dtypes, ``run`` maps values, both on all tensors of the rule.

    A class of it says everything about its operation, and ``operation`` refuses one that leaves something out: how a
    table writes it, which arguments go together, what undoes it, and how rows of its result are made.
    """

    __slots__ = ()
    name: ClassVar[str] = ""
    """What a table and a report call it; several classes may share one, with other arguments each."""
    arguments: ClassVar[Mapping[str, Argument]] = {}
    """Every field, and what it can be."""
    alone: ClassVar[str] = ""
    """The argument that a table may write without its name: ``squeeze: [0, 1]``."""
    word: ClassVar[str] = ""
    """The word that stands for this operation in place of an argument: ``add: sources``."""
    given: ClassVar[tuple[str, ...]] = ()
    """The arguments that a table writes by name; the others are a plan's."""
    needed: ClassVar[tuple[str, ...]] = ()
    """Those of ``given`` that it must write."""
    in_tables: ClassVar[bool] = True
    """False where only a plan makes it."""
    joins: ClassVar[bool] = False
    """True when many tensors become one."""
    leaves_open: ClassVar[bool] = False
    """True when ``fresh`` says which values of the result the target itself fills; nothing comes after it."""
    asks_target: ClassVar[bool] = False
    """True when it takes a length from the target: ``fitted`` puts it in before anything is inferred."""

    def infer(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Shape and dtype of each tensor after the operation; raises OperationError."""
        return [self._infer(shape, dtype) for shape, dtype in tensors]

    def run(self, arrays: Sequence[Array]) -> list[Array]:
        """The value of each tensor after the operation."""
        return [self._run(array) for array in arrays]

    def unsound(self) -> Fault | None:
        """Why no table could ask for these arguments; None where one can."""
        raise NotImplementedError

    def undo(self, before: Sequence[Tensor], at: int) -> tuple[Op, ...] | None:
        """What makes tensor number ``at`` of ``before`` again of what the operation made; None where nothing does."""
        raise NotImplementedError

    def pull(self, axis: int, before: Shape, after: Shape) -> Pulled | None:
        """Rows of ``axis`` behind the operation as rows before it; None where one row needs more than one."""
        raise NotImplementedError

    def blocks(self, axis: int, before: Sequence[Tensor], after: Shape) -> list[Block] | None:
        """What the operation puts one behind the other along ``axis`` of its result; None: it does something else."""
        return None

    def wanted(self, after: Shape) -> Shape | None:
        """The one shape before the operation that gives ``after``; None where the result does not tell it."""
        return None

    def fitted(self, before: Shape, wanted: Sequence[Shape]) -> Op | None:
        """The operation with its lengths from the target, where it ``asks_target``; None where nothing is to be done.

        ``before`` is what it is run on. ``wanted`` holds the shape that each target of the rule needs behind it, its
        own in the place ``take`` where it has one, else alone. Raises OperationError where they do not go together.
        """
        raise NotImplementedError

    def for_slots(self, power: int) -> tuple[Op, ...] | None:
        """The operation for what an optimizer keeps of the tensor; None where that cannot follow.

        What is kept is multiplied by ``power`` of a factor that the tensor is multiplied by. Moving and cutting values
        does the same to both.
        """
        return (self,)

    def fresh(self, values: Array) -> Array:
        """Which of the result's ``values`` the target fills, as booleans of its shape, where it ``leaves_open``."""
        raise NotImplementedError

    @property
    def kept(self) -> str:
        """How much of the result comes from the source, in words, where it ``leaves_open``."""
        raise NotImplementedError

    @classmethod
    def from_table(cls, arguments: Mapping[str, Any]) -> Op:
        """The operation with the arguments that a table gives."""
        return cls(**arguments)

    def _infer(self, shape: Shape, dtype: DType) -> Tensor:
        raise NotImplementedError

    def _run(self, array: Array) -> Array:
        raise NotImplementedError

    def _fail(self, message: str, hint: str = "") -> OperationError:
        return OperationError(f"{self}: {message}", hint=hint)

    def _axis(self, axis: int, shape: Shape, *, extra: int = 0) -> int:
        rank = len(shape) + extra
        if not -rank <= axis < rank:
            raise self._fail(f"there is no axis {axis} in shape {list(shape)}")
        return axis % rank


OPERATIONS: dict[tuple[str, frozenset[str]], type[Op]] = {}
"""Every operation that is imported, by its name and the names of its arguments."""
_OWN = "ckptmap.mapping"
_SAID = (("infer", "_infer"), ("run", "_run"), ("unsound",), ("undo",), ("pull",))


def operation(kind: type[_Kind]) -> type[_Kind]:
    """Register a class of operations; raises TypeError where it leaves something open, or is one already."""
    names = frozenset(field.name for field in fields(kind))  # type: ignore[arg-type]
    lacks = [" or ".join(group) for group in _SAID if all(getattr(kind, one) is getattr(Op, one) for one in group)]
    if kind.leaves_open:
        lacks += [one for one in ("fresh", "kept") if getattr(kind, one) is getattr(Op, one)]
    if kind.asks_target and kind.fitted is Op.fitted:
        lacks.append("fitted")
    if lacks or not kind.name or names != kind.arguments.keys():
        what = [*lacks, *sorted(names ^ kind.arguments.keys()), *([] if kind.name else ["name"])]
        raise TypeError(f"the operation {kind.__name__} does not say: {', '.join(what)}")
    if not {kind.alone, *kind.given, *kind.needed} <= {"", *names} or (kind.name, names) in OPERATIONS:
        raise TypeError(f"the operation {kind.__name__} is another, or gives arguments that it does not have")
    OPERATIONS[kind.name, names] = kind
    return kind


@cache
def all_operations() -> Mapping[tuple[str, frozenset[str]], type[Op]]:
    """Every operation there is, by its name and the names of its arguments.

    They are in the modules of this folder whose names begin with ``ops``, and a family may have more. All are imported
    here, by no name of a module or family.
    """
    for found in iter_modules(import_module(_OWN).__path__, f"{_OWN}."):
        if found.name.startswith(f"{_OWN}.ops"):
            import_module(found.name)
    contributions()
    return OPERATIONS


def slot_ops(ops: Sequence[Op], power: int) -> tuple[Op, ...] | None:
    """The operations for what an optimizer keeps of a weight, which changes with ``power`` of a factor of the weight.

    None where one of them cannot follow.
    """
    made = [op.for_slots(power) for op in ops]
    return None if None in made else tuple(op for ops in made if ops is not None for op in ops)


def fill_fresh(ops: Sequence[Op], values: Array, own: Callable[[], Array]) -> Array:
    """``values`` with what the last of ``ops`` leaves open taken from ``own()``, the target's whole value."""
    import numpy as np

    last = ops[-1] if ops else None
    return np.where(last.fresh(values), own(), values) if last is not None and last.leaves_open else values


def not_a_permutation(what: str, order: Sequence[int]) -> Fault | None:
    """The fault of an order that does not name each of its places once."""
    if order and sorted(order) == list(range(len(order))):
        return None
    return f"{what} {list(order)} is not a permutation", f"name each of 0 to {len(order) - 1} once"


def block_of(op: Op, axis: int, count: int, shape: Shape) -> tuple[int, int]:
    """The axis, counted from the front, and the length of one of ``count`` equal blocks of it."""
    axis = op._axis(axis, shape)
    if shape[axis] % count:
        raise op._fail(f"axis {axis} of shape {list(shape)} does not divide into {count} blocks")
    return axis, shape[axis] // count
