"""Batch norms that a graph computes with the statistics of its batch: it was built for training, without a flag."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ckptmap.checkpoint.names import shortened
from ckptmap.tf.environment import import_quietly
from ckptmap.tf.inference.nodes import base, data_inputs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_FUSED = frozenset({"FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"})
_BETWEEN = frozenset({"Add", "AddV2", "Identity", "Squeeze", "Reshape", "Maximum"})
_DEPTH = 5
_SHOWN = 3


def batch_statistics(graph: Any) -> tuple[str, ...]:
    """A note that names them, or none. ``graph`` is a GraphDef whose conditions on flags are decided."""
    found = list(_in_training_mode(graph))
    if not found:
        return ()
    shown = ", ".join(map(shortened, found[:_SHOWN])) + (", …" if len(found) > _SHOWN else "")
    note = f"batch norm computes with the batch's statistics: {shown}; the graph was built for training, without a flag"
    return (f"{note} that could be off, and a new model with moving statistics differs from it",)


def _in_training_mode(graph: Any) -> Iterator[str]:
    by_name = {node.name: node for node in graph.node}
    for node in graph.node:
        if node.op in _FUSED:
            if "is_training" not in node.attr or node.attr["is_training"].b:  # True is the default of the operation
                yield node.name
        elif node.op == "Rsqrt" and _is_over_the_batch(by_name, base(node.input[0]), _DEPTH):
            yield node.name


def _is_over_the_batch(by_name: Mapping[str, Any], name: str, depth: int) -> bool:
    """Whether it is a variance over the examples, unlike that of a layer norm."""
    node = by_name.get(name)
    if node is None or depth == 0:
        return False
    if node.op == "Mean":
        first, axes = (by_name.get(base(one)) for one in node.input[:2])
        return first is not None and first.op in ("SquaredDifference", "Square") and 0 in _numbers(axes)
    return node.op in _BETWEEN and any(_is_over_the_batch(by_name, base(one), depth - 1) for one in data_inputs(node))


def _numbers(node: Any) -> list[int]:
    if node is None or node.op != "Const":
        return []
    found = import_quietly("tensorflow.python.framework.tensor_util").MakeNdarray(node.attr["value"].tensor)
    return [int(one) for one in found.reshape(-1)]
