"""Tensor operations as a table writes them: ``- transpose: [1, 0]``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ckptmap.basics.nearest import did_you_mean
from ckptmap.checkpoint.dtypes import DType, dtype_from_label
from ckptmap.mapping.ops import Op, Reorder, Reshape, Slice, Split, Squeeze, Transpose
from ckptmap.mapping.ops_boxes import Anchors, BoxCoder
from ckptmap.mapping.ops_join import Concat, Stack, Sum
from ckptmap.mapping.ops_numeric import Add, Cast, Scale

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ckptmap.mapping.yamlnodes import Document, Node

_MAX_PARTS = 10_000


def parse_ops(doc: Document, node: Node | None) -> tuple[Op, ...]:
    """The operations of an ``ops`` list, in order; mistakes are noted in ``doc`` and left out."""
    if node is None:
        return ()
    ops = [_parse_op(doc, item) for item in doc.items(node, "`ops`")]
    return tuple(op for op in ops if op is not None)


def for_target(ops: Sequence[Op], number: int) -> tuple[Op, ...]:
    """The operations that lead to target ``number``: a split takes that part."""
    return tuple(replace(op, take=number) if isinstance(op, Split) else op for op in ops)


def check_arity(doc: Document, node: Node, ops: Sequence[Op], many: bool, targets: int | None) -> None:
    """Note where operations leave several variables for one target, or cut one up for a single target.

    ``targets`` is the length of the rule's ``to`` list, None where there is only one ``to``.
    """
    joins = [op for op in ops if op.joins]
    splits = [op for op in ops if isinstance(op, Split)]
    if many and not joins:
        doc.error(node, "several source variables need an operation that joins them", "concat, stack or add: sources")
    if joins and not many:
        doc.error(node, f"{joins[0].name} needs several source variables", "a `from` list, or `group`")
    if len(joins) > 1 or len(splits) > 1:
        doc.error(node, "one join and one split are all that a rule can do")
    for split in splits:
        if targets is None:
            doc.error(node, "split needs a `to` list with a name for each part", "for a single part, use slice")
        elif targets != split.parts:
            doc.error(node, f"split makes {split.parts} parts, `to` lists {targets} names")


def _parse_op(doc: Document, node: Node) -> Op | None:
    pairs = doc.pairs(node, "an operation")
    if pairs is None:
        return None
    if len(pairs) != 1:
        doc.error(node, "an operation is one name with its argument", "for example `- transpose: [1, 0]`")
        return None
    [(name, (key, value))] = pairs.items()
    if name not in _PARSERS:
        doc.error(
            key, f'there is no operation "{name}"', did_you_mean(name, _PARSERS) or f"known: {', '.join(_PARSERS)}"
        )
        return None
    return _PARSERS[name](doc, value)


def _transpose(doc: Document, node: Node) -> Op | None:
    perm = doc.integers(node, "transpose")
    if perm is None:
        return None
    if sorted(perm) != list(range(len(perm))):
        doc.error(node, f"transpose {list(perm)} is no permutation", f"name each of 0 to {len(perm) - 1} once")
        return None
    return Transpose(perm)


def _reshape(doc: Document, node: Node) -> Op | None:
    dims = doc.integers(node, "reshape")
    if dims is None:
        return None
    if dims.count(-1) > 1 or min(dims) < -1:
        doc.error(node, f"reshape {list(dims)} is no shape", "one length can be -1, the others are 0 or more")
        return None
    return Reshape(dims)


def _squeeze(doc: Document, node: Node) -> Op | None:
    axes = doc.integers(node, "squeeze")
    return None if axes is None else Squeeze(axes)


def _concat(doc: Document, node: Node) -> Op | None:
    axis = doc.integer(node, "concat")
    return None if axis is None else Concat(axis)


def _stack(doc: Document, node: Node) -> Op | None:
    axis = doc.integer(node, "stack")
    return None if axis is None else Stack(axis)


def _slice(doc: Document, node: Node) -> Op | None:
    fields = doc.mapping(node, "slice", ("axis", "start", "stop"), ("axis",))
    if fields is None or "axis" not in fields:
        return None
    axis = doc.integer(fields["axis"], "axis")
    start = doc.integer(fields["start"], "start") if "start" in fields else 0
    stop = doc.integer(fields["stop"], "stop") if "stop" in fields else None
    if axis is None or start is None:
        return None
    if start < 0 or (stop is not None and stop <= start):
        doc.error(node, "slice needs 0 <= start < stop")
        return None
    return Slice(axis, start, stop)


def _split(doc: Document, node: Node) -> Op | None:
    fields = doc.mapping(node, "split", ("axis", "parts", "sizes"), ("axis",))
    if fields is None or "axis" not in fields:
        return None
    if ("parts" in fields) == ("sizes" in fields):
        doc.error(node, "split needs either `parts` (how many equal ones) or `sizes`")
        return None
    axis = doc.integer(fields["axis"], "axis")
    sizes = doc.integers(fields["sizes"], "sizes") if "sizes" in fields else ()
    parts = doc.integer(fields["parts"], "parts") if "parts" in fields else len(sizes or ())
    if axis is None or sizes is None or parts is None:
        return None
    if not 1 <= parts <= _MAX_PARTS or any(size < 0 for size in sizes):
        doc.error(node, "split needs at least one part, and no size below 0")
        return None
    return Split(axis, parts, sizes)


def _reorder(doc: Document, node: Node) -> Op | None:
    fields = doc.mapping(node, "reorder", ("axis", "order"), ("axis", "order"))
    if fields is None or len(fields) < 2:
        return None
    axis, order = doc.integer(fields["axis"], "axis"), doc.integers(fields["order"], "order")
    if axis is None or order is None:
        return None
    if sorted(order) != list(range(len(order))):
        doc.error(node, f"order {list(order)} is no permutation", f"name each of 0 to {len(order) - 1} once")
        return None
    return Reorder(axis, order)


def _add(doc: Document, node: Node) -> Op | None:
    if node.id == "scalar" and node.value == "sources":
        return Sum()
    values = _values(doc, node, "add")
    return None if values is None else Add(*values)


def _scale(doc: Document, node: Node) -> Op | None:
    values = _values(doc, node, "scale")
    return None if values is None else Scale(*values)


def _values(doc: Document, node: Node, what: str) -> tuple[tuple[float, ...], int] | None:
    """One number, or ``{values: […], axis: …}``."""
    if node.id != "mapping":
        number = doc.number(node, what)
        return None if number is None else ((number,), -1)
    fields = doc.mapping(node, what, ("values", "axis"), ("values", "axis"))
    if fields is None or len(fields) < 2:
        return None
    axis = doc.integer(fields["axis"], "axis")
    items = doc.items(fields["values"], "values")
    numbers = [doc.number(item, "an item of values") for item in items]
    if not items and fields["values"].id == "sequence":
        doc.error(node, f"{what} has no values", "one number for each index of the axis")
    if axis is None or not numbers or None in numbers:
        return None
    return tuple(number for number in numbers if number is not None), axis


def _cast(doc: Document, node: Node) -> Op | None:
    label = doc.text(node, "cast")
    if label is None:
        return None
    dtype = dtype_from_label(label)
    if dtype is None:
        doc.error(node, f'there is no dtype "{label}"', did_you_mean(label, [str(dtype) for dtype in DType]))
        return None
    return Cast(dtype)


def _anchors(doc: Document, node: Node) -> Op | None:
    names = ("axis", "scales", "ratios")
    fields = doc.mapping(node, "anchors", names, names)
    if fields is None or len(fields) < len(names):
        return None
    axis, scales, ratios = (doc.integer(fields[name], name) for name in names)
    if axis is None or scales is None or ratios is None:
        return None
    if not (1 <= scales <= _MAX_PARTS and 1 <= ratios <= _MAX_PARTS):
        doc.error(node, "anchors needs at least one scale and one ratio")
        return None
    return Anchors(axis, scales, ratios)


def _box_coder(doc: Document, node: Node) -> Op | None:
    axis = doc.integer(node, "box_coder")
    return None if axis is None else BoxCoder(axis)


_PARSERS: dict[str, Callable[[Document, Node], Op | None]] = {
    "transpose": _transpose,
    "reshape": _reshape,
    "squeeze": _squeeze,
    "concat": _concat,
    "split": _split,
    "slice": _slice,
    "reorder": _reorder,
    "add": _add,
    "scale": _scale,
    "cast": _cast,
    "stack": _stack,
    "anchors": _anchors,
    "box_coder": _box_coder,
}
