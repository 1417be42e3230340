"""Placeholders in place of what brings values from outside, with the shapes and dtypes that the graph knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ckptmap.basics.errors import CheckpointError
from ckptmap.checkpoint.names import shortened
from ckptmap.tf.environment import import_quietly
from ckptmap.tf.inference.nodes import base

if TYPE_CHECKING:
    from collections.abc import Mapping

_TYPES = ("component_types", "output_types", "Tdense", "dtypes", "out_types")
_SHAPES = ("output_shapes", "shapes", "dense_shapes")
_FLOAT, _UINT8, _STRING = 1, 4, 7  # types.proto


def placeholder(by_name: Mapping[str, Any], name: str, at: int, new_name: str) -> Any:
    """A Placeholder node for output ``at`` of the node ``name``, called ``new_name``.

    Raises CheckpointError where the graph does not say what type of values it gives.
    """
    node = by_name[name]
    made = type(node)(name=new_name, op="Placeholder")
    dtype = _dtype(node, at)
    if dtype is None:
        raise CheckpointError(f"the graph does not say what {shortened(name)} gives", hint="choose outputs behind it")
    made.attr["dtype"].type = dtype
    shape = _shape(by_name, node, at)
    if shape is None:
        made.attr["shape"].shape.unknown_rank = True
    else:
        made.attr["shape"].shape.CopyFrom(shape)
    return made


def _dtype(node: Any, at: int) -> int | None:
    for name in _TYPES:
        if name in node.attr and at < len(node.attr[name].list.type):
            return int(node.attr[name].list.type[at])
    if "dtype" in node.attr:
        return int(node.attr["dtype"].type)
    known = import_quietly("tensorflow.python.framework.op_def_registry").get(node.op)
    if known is None or at >= len(known.output_arg):
        return None
    argument = known.output_arg[at]
    if argument.type_attr and argument.type_attr in node.attr:
        return int(node.attr[argument.type_attr].type)
    return int(argument.type) or None


def _shape(by_name: Mapping[str, Any], node: Any, at: int) -> Any | None:
    """What the node, its queue or the shapes of the time say."""
    if "_output_shapes" in node.attr and at < len(node.attr["_output_shapes"].list.shape):
        shape = node.attr["_output_shapes"].list.shape[at]
        if not shape.unknown_rank:
            return shape
    for source in (node, by_name.get(base(node.input[0])) if node.input else None):
        for name in _SHAPES:
            if source is not None and name in source.attr and at < len(source.attr[name].list.shape):
                return source.attr[name].list.shape[at]
    return None
