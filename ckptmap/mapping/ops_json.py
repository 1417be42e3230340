"""Operations as JSON values, such as ``{"operation": "squeeze", "axes": [0, 1]}``: for reports, and back from them."""

from __future__ import annotations

from dataclasses import fields
from math import isfinite
from typing import TYPE_CHECKING, Any

from ckptmap.basics.errors import CkptmapError
from ckptmap.checkpoint.dtypes import DType, dtype_from_label
from ckptmap.mapping.ops import Op, Reorder, Reshape, Slice, Split, Squeeze, Transpose
from ckptmap.mapping.ops_boxes import OFFICIAL_FACTORS, Anchors, BoxCoder
from ckptmap.mapping.ops_classes import FRESH, Classes
from ckptmap.mapping.ops_join import Concat, Stack, Sum
from ckptmap.mapping.ops_numeric import Add, Cast, Scale

if TYPE_CHECKING:
    from collections.abc import Mapping

_LARGEST = 1 << 40
"""Of an argument; products of them stay numbers that an index can be."""
_KINDS: tuple[type[Op], ...] = (
    Transpose, Reshape, Squeeze, Slice, Split, Reorder, Concat, Stack, Sum, Add, Scale, Cast, Classes, Anchors,
    BoxCoder,
)  # fmt: skip
_MANY = frozenset({"perm", "dims", "axes", "sizes", "order", "values", "factors", "slots"})
"""The arguments that are lists."""
_FRACTIONS = frozenset({"values", "factors"})
"""Those of any numbers; all others are whole."""
_BY_SIGNATURE = {(kind.name, frozenset(field.name for field in fields(kind))): kind for kind in _KINDS}  # type: ignore[arg-type]


def op_to_json(op: Op) -> dict[str, Any]:
    """The operation's name and its arguments."""
    arguments = {field.name: getattr(op, field.name) for field in fields(op)}  # type: ignore[arg-type]
    return {"operation": op.name, **{name: _to_json(value) for name, value in arguments.items()}}


def op_from_json(item: Mapping[str, Any]) -> Op:
    """The operation that ``op_to_json`` made ``item`` of.

    Raises:
        CkptmapError: no operation has this name and these arguments, or none that a table could ask for.
    """
    arguments = {name: _from_json(name, value) for name, value in item.items() if name != "operation"}
    kind = _BY_SIGNATURE.get((str(item.get("operation")), frozenset(arguments)))
    if kind is None or not all(_is_argument(kind, name, value) for name, value in arguments.items()):
        raise CkptmapError(f"{dict(item)} is no operation that ckptmap knows")
    op = kind(**arguments)
    if not _is_sound(op):
        raise CkptmapError(f"{op} cannot be asked for")
    return op


def _to_json(value: object) -> object:
    if isinstance(value, DType):
        return value.label
    return list(value) if isinstance(value, tuple) else value


def _from_json(name: str, value: object) -> object:
    if name == "dtype":
        return dtype_from_label(str(value))
    return tuple(value) if isinstance(value, list) else value


def _is_argument(kind: type[Op], name: str, value: object) -> bool:
    """Whether an operation of this kind can hold the value; its fields say of what they are."""
    if kind is Slice and name == "stop" and value is None:
        return True
    if name == "dtype":
        return isinstance(value, DType)
    items = value if isinstance(value, tuple) else (value,)
    return isinstance(value, tuple) == (name in _MANY) and all(
        type(item) is int or (name in _FRACTIONS and type(item) is float) for item in items
    )


def _is_sound(op: Op) -> bool:
    """Whether the arguments go together, as ``ckptmap.mapping.parse_ops`` sees to it in a table."""
    sound = True
    match op:
        case Transpose(order) | Reorder(order=order):
            sound = len(order) > 0 and sorted(order) == list(range(len(order)))
        case Reshape(dims):
            sound = dims.count(-1) <= 1 and all(-1 <= length <= _LARGEST for length in dims)
        case Slice(start=start, stop=stop):
            sound = 0 <= start < (_LARGEST if stop is None else stop) <= _LARGEST
        case Split(parts=parts, sizes=sizes, take=take):
            sound = 0 <= take < parts <= _LARGEST and len(sizes) in (0, parts) and min(sizes, default=0) >= 0
        case Add(values) | Scale(values):
            sound = len(values) > 0 and all(map(isfinite, values))
        case BoxCoder(factors=factors):
            sound = len(factors) == len(OFFICIAL_FACTORS) and all(map(isfinite, factors))
        case Anchors(scales=scales, ratios=ratios):
            sound = 0 < scales <= _LARGEST and 0 < ratios <= _LARGEST
        case Classes(block=block, old=old, slots=slots):
            fits = 0 < block <= _LARGEST and 0 < old <= _LARGEST
            sound = fits and len(slots) > 0 and all(FRESH <= slot < old for slot in slots)
    return sound
