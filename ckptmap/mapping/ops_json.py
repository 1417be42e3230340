"""Operations as JSON values, such as ``{"operation": "squeeze", "axes": [0, 1]}``: for reports, and back from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ckptmap.basics.errors import CkptmapError
from ckptmap.mapping.op import all_operations

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ckptmap.mapping.op import Op


def op_to_json(op: Op) -> dict[str, Any]:
    """The operation's name and its arguments."""
    arguments = {name: kind.to_json(getattr(op, name)) for name, kind in op.arguments.items()}
    return {"operation": op.name, **arguments}


def op_from_json(item: Mapping[str, Any]) -> Op:
    """The operation that ``op_to_json`` made ``item`` of.

    Raises:
        CkptmapError: no operation has this name and these arguments, or none that a table could ask for.
    """
    kind = all_operations().get((str(item.get("operation")), frozenset(item.keys() - {"operation"})))
    known = {} if kind is None else {name: one.from_json(item[name]) for name, one in kind.arguments.items()}
    if kind is None or not all(kind.arguments[name].holds(value) for name, value in known.items()):
        raise CkptmapError(f"{dict(item)} is not an operation that ckptmap knows")
    op = kind(**known)
    if op.unsound() is not None:
        raise CkptmapError(f"{op} cannot be requested")
    return op
