"""Which tensors of a graph are its outputs, where nobody says it: the last ones that are computed from weights."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ckptmap.basics.errors import CheckpointError
from ckptmap.tf.inference.nodes import VARIABLES, base, data_inputs, in_order, is_pipeline

if TYPE_CHECKING:
    from collections.abc import Mapping

_TRAINING_NAME = re.compile(
    r"(^|[/_])(gradients?|loss(es)?|metrics?|accuracy|costs?|train(_?op)?|training|optimizer|adam|momentum|rmsprop|save|"
    r"summar(y|ies)|cross_?entropy|xent|mean_squared_error|l2_?loss|regulari[sz]\w*|AssignMovingAvg(_\d+)?|"
    r"ExponentialMovingAverage|report_uninitialized_\w+|confusion_matrix|eval|error|sparse_softmax\w*)(_\d+)?(?=[/_]|$)",
    re.IGNORECASE,
)
_TRAINING_OP = re.compile(
    r"CrossEntropy|Summary|Grad(V\d+)?$|^Assign|^Scatter|Apply|^Save|^Restore|^L2Loss$|^InTopK|CTCLoss|^NoOp$|^Assert$|^Print|"
    r"^IsVariableInitialized|^VarIsInitialized|^Shape$|^ShapeN$|^Size$|^Rank$"
)
_LOSS = re.compile(r"CrossEntropy|Grad(V\d+)?$|^L2Loss$|CTCLoss")
_LABELS = re.compile(
    r"(^|[/_])(labels?|targets?|ground_?truth|gt|y_|y_true|one_hot_labels|truth)(_\d+)?($|[/_])", re.IGNORECASE
)
_SPOKEN = re.compile(
    r"(^|[/_])(logits?|softmax|sigmoid|predictions?|probabilit(y|ies)|probs?|outputs?|scores?|y_pred|embeddings?|"
    r"detection_\w+|pooled_output)(_\d+)?($|/(BiasAdd|add|Identity|Softmax|Sigmoid|Squeeze|Reshape(_\d+)?|MatMul|Tanh)$)",
    re.IGNORECASE,
)
_DECISIONS = frozenset({"ArgMax", "Equal", "TopK", "TopKV2", "Cast", "Round", "Greater"})
_SUMS = frozenset({"Mean", "Sum"})
_SQUARES = frozenset({"Square", "SquaredDifference"})
_ERRORS = _SQUARES | {"Sub"}
_FLOATS = frozenset({1, 2, 14, 19})  # DT_FLOAT, DT_DOUBLE, DT_BFLOAT16, DT_HALF of types.proto
_MOST = 8


def guess_outputs(graph: Any) -> tuple[str, ...]:
    """The outputs of ``graph`` (a GraphDef): tensors computed from inputs and weights, that feed only training.

    Raises CheckpointError where none is found: no operation computes anything from weights and an input.
    """
    by_name = {node.name: node for node in graph.node}
    weights = _weights(graph)
    forward = {
        name
        for name, read in weights.items()
        if read and not _is_training(by_name[name]) and not _is_number(by_name[name])
    }
    taken = {base(one) for name in forward for one in data_inputs(by_name[name])}
    summed = {base(one) for node in graph.node if node.op in _SUMS and _is_number(node) for one in data_inputs(node)}
    ends = [_judged(by_name, name, weights) if name in summed else name for name in sorted(forward - taken)]
    last = dict.fromkeys(_decided(by_name, name) for name in ends)
    found = [name for name in last if name in forward and _is_output(by_name[name])]
    found = [name for name in found if _speaks(name) or not any(weights[name] < weights[other] for other in found)]
    if not found:
        raise CheckpointError("no output can be guessed in this graph", hint="name the outputs")
    order = {node.name: at for at, node in enumerate(graph.node)}
    found.sort(key=lambda name: (-len(weights[name]), order[name]))
    return tuple(([name for name in found if _speaks(name)] or found)[:_MOST])


def _weights(graph: Any) -> dict[str, frozenset[str]]:
    """For each node that is computed from an input, the variables that it is computed from as well."""
    read: dict[str, frozenset[str]] = {}
    data: set[str] = set()
    behind_loss: set[str] = set()
    ordered = in_order(graph.node)
    while True:
        known = sum(map(len, read.values())), len(data), len(behind_loss)
        for node in ordered:
            _pass_on(node, read, data, behind_loss)
        if known == (sum(map(len, read.values())), len(data), len(behind_loss)):
            break  # what goes round in a loop has come out of it
    return {name: found for name, found in read.items() if name in data and name not in behind_loss}


def _pass_on(node: Any, read: dict[str, frozenset[str]], data: set[str], behind_loss: set[str]) -> None:
    """What a node's inputs are computed from, the node is."""
    sources = [base(one) for one in data_inputs(node)]
    if node.op in VARIABLES:
        read[node.name] = frozenset((node.name,))
        return
    read[node.name] = frozenset().union(*(read.get(one, frozenset()) for one in sources))
    if node.op.startswith("Placeholder") or is_pipeline(node.op) or any(one in data for one in sources):
        data.add(node.name)
    if _is_of_loss(node) or any(one in behind_loss for one in sources):
        behind_loss.add(node.name)


def _is_of_loss(node: Any) -> bool:
    """Whether everything behind a node belongs to training: a loss, a gradient, what the answer should be."""
    if node.op.startswith("Placeholder"):
        return bool(_LABELS.search(node.name))
    return bool(_LOSS.search(node.op)) or "gradients/" in node.name


def _decided(by_name: Mapping[str, Any], name: str) -> str:
    """What a decision (argmax, top k, rounding) is taken on."""
    while by_name[name].op in _DECISIONS and by_name[name].input:
        name = base(by_name[name].input[0])
    return name


def _judged(by_name: Mapping[str, Any], name: str, weights: Mapping[str, frozenset[str]]) -> str:
    """What a squared error is taken of: a loss without a name that says so, such as ``mean(square(wanted - made))``."""
    if by_name[name].op not in _SQUARES:
        return name
    while by_name[name].op in _ERRORS:
        computed = [base(one) for one in data_inputs(by_name[name]) if weights.get(base(one))]
        if len(set(computed)) != 1:
            break
        name = computed[0]
    return name


def _is_training(node: Any) -> bool:
    return bool(_TRAINING_OP.search(node.op) or _TRAINING_NAME.search(node.name))


def _speaks(name: str) -> bool:
    return bool(_SPOKEN.search(name))


def _is_output(node: Any) -> bool:
    return "T" not in node.attr or node.attr["T"].type in _FLOATS


def _is_number(node: Any) -> bool:
    """Whether the graph says that it gives one number, as a loss does."""
    shapes = node.attr["_output_shapes"].list.shape if "_output_shapes" in node.attr else []
    return bool(shapes) and not shapes[0].unknown_rank and not shapes[0].dim
