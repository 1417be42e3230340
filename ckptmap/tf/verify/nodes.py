"""The operations of a graph that have weights, each with what goes in and what comes out.

TF1 graphs and the traces of TF2 models are made of the same operations. Whose weights an operation reads is told by
walking from it to the variable; how the mapping pairs the variables, the operations are paired too. No name of a layer
has to be known for that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

WEIGHTS_AT = {
    "Conv2D": 1,
    "DepthwiseConv2dNative": 1,
    "MatMul": 1,
    "BiasAdd": 1,
    "FusedBatchNorm": 3,
    "FusedBatchNormV2": 3,
    "FusedBatchNormV3": 3,
}
"""Which input of an operation is its variable; a batch norm is known by its moving mean."""
_PASSED = frozenset({"Identity", "ReadVariableOp", "Cast", "Enter"})
_SAMPLES = 4096
"""Values of a tensor that are compared: every node of a large network, in a few megabytes."""


@dataclass(frozen=True, slots=True)
class Node:
    """An operation with weights: ``variable`` is the name of what it reads, ``use`` counts the readers before it."""

    variable: str
    use: int
    source: Any
    result: Any

    @property
    def key(self) -> str:
        """Unique in its graph."""
        return f"{self.variable}:{self.use}"


def weighted_nodes(operations: Iterable[Any], names: Mapping[str, str] | None = None) -> list[Node]:
    """The operations with weights, in the graph's order, which is that of the computation.

    ``names`` gives the variables' names where the graph has placeholders for them.
    """
    uses: dict[str, int] = {}
    found = []
    for operation in operations:
        place = WEIGHTS_AT.get(operation.type)
        variable = _variable(operation.inputs[place]) if place is not None else ""
        variable = variable if names is None else names.get(variable, "")
        if variable:
            uses[variable] = uses.get(variable, -1) + 1
            found.append(Node(variable, uses[variable], _source(operation), _result(operation)))
    return found


def _variable(tensor: Any) -> str:
    """The operation that a tensor is read from, past those that only hand it on."""
    while tensor.op.type in _PASSED and tensor.op.inputs:
        tensor = tensor.op.inputs[0]
    return str(tensor.op.name)


def _source(operation: Any) -> Any:
    """What goes in; before an atrous convolution's space is batched, where older code writes it so."""
    tensor = operation.inputs[0]
    return tensor.op.inputs[0] if tensor.op.type == "SpaceToBatchND" else tensor


def _result(operation: Any) -> Any:
    tensor = operation.outputs[0]
    unbatched = [reader for reader in tensor.consumers() if reader.type == "BatchToSpaceND"]
    return unbatched[0].outputs[0] if unbatched else tensor


def samples(tensorflow: Any, nodes: Iterable[Node]) -> dict[str, dict[str, Any]]:
    """For each node the shapes and some values of its source and result, as tensors of the nodes' graph."""
    return {
        node.key: {
            "source": _sampled(tensorflow, node.source),
            "source_shape": tensorflow.shape(node.source),
            "result": _sampled(tensorflow, node.result),
            "result_shape": tensorflow.shape(node.result),
        }
        for node in nodes
    }


def _sampled(tensorflow: Any, tensor: Any) -> Any:
    """Evenly spaced values; the step is odd, so that all channels take part."""
    flat = tensorflow.reshape(tensor, [-1])
    step = tensorflow.maximum(tensorflow.size(flat) // _SAMPLES, 1)
    return flat[:: step + 1 - step % 2]
