"""Operations as JSON values, such as ``{"operation": "squeeze", "axes": [0, 1]}``: for reports, and back from them."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from ckptmap.checkpoint.dtypes import DType, dtype_from_label
from ckptmap.errors import CkptmapError
from ckptmap.mapping.ops import Op, Reorder, Reshape, Slice, Split, Squeeze, Transpose
from ckptmap.mapping.ops_boxes import Anchors, BoxCoder
from ckptmap.mapping.ops_classes import Classes
from ckptmap.mapping.ops_join import Concat, Stack, Sum
from ckptmap.mapping.ops_numeric import Add, Cast, Scale

if TYPE_CHECKING:
    from collections.abc import Mapping

_KINDS: tuple[type[Op], ...] = (
    Transpose, Reshape, Squeeze, Slice, Split, Reorder, Concat, Stack, Sum, Add, Scale, Cast, Classes, Anchors,
    BoxCoder,
)  # fmt: skip
_BY_SIGNATURE = {(kind.name, frozenset(field.name for field in fields(kind))): kind for kind in _KINDS}  # type: ignore[arg-type]


def op_to_json(op: Op) -> dict[str, Any]:
    """The operation's name and its arguments."""
    arguments = {field.name: getattr(op, field.name) for field in fields(op)}  # type: ignore[arg-type]
    return {"operation": op.name, **{name: _to_json(value) for name, value in arguments.items()}}


def op_from_json(item: Mapping[str, Any]) -> Op:
    """The operation that ``op_to_json`` made ``item`` of.

    Raises:
        CkptmapError: no operation has this name and these arguments.
    """
    arguments = {name: _from_json(name, value) for name, value in item.items() if name != "operation"}
    kind = _BY_SIGNATURE.get((str(item.get("operation")), frozenset(arguments)))
    if kind is None:
        raise CkptmapError(f"{dict(item)} is no operation that ckptmap knows")
    return kind(**arguments)


def _to_json(value: object) -> object:
    if isinstance(value, DType):
        return value.label
    return list(value) if isinstance(value, tuple) else value


def _from_json(name: str, value: object) -> object:
    if name == "dtype":
        return dtype_from_label(str(value))
    return tuple(value) if isinstance(value, list) else value
