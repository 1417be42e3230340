"""What a graph is told for inference: training is off, everything is kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ckptmap.tf.inference.folding import become_identity
from ckptmap.tf.inference.nodes import base

TRAINING = re.compile(
    r"(?<![a-z])(is_?)?(train(ing|_mode|_flag|_phase)?|phase(_train)?|learning_phase|dropout_on)(?![a-z])",
    re.IGNORECASE,
)
KEEP = re.compile(r"keep_?prob|(?<![a-z])keep(?![a-z])|kp(?![a-z])", re.IGNORECASE)
DROP = re.compile(r"drop_?out|drop_?rate|(?<![a-z])rate(?![a-z])", re.IGNORECASE)
_BOOL, _FLOAT = 10, 1  # types.proto
_RANDOM = frozenset({"RandomUniform", "StatelessRandomUniform", "StatelessRandomUniformV2"})
_PASSED = frozenset({"Add", "AddV2", "Mul", "Sub", "Floor", "GreaterEqual", "Cast", "Identity"})


@dataclass(frozen=True, slots=True)
class Settings:
    """``values``: by node, the constant that it is now; ``said``: the same in words. ``notes``: what else was done."""

    values: Mapping[str, bool | float] = field(default_factory=dict)
    said: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def settings(graph: Any) -> Settings:
    """Turn training off in ``graph``, in place: flags become constants, dropout hands on what it gets."""
    decided_at = {"Switch": 1, "RefSwitch": 1, "If": 0, "StatelessIf": 0, "LogicalNot": 0}
    conditions = {base(node.input[decided_at[node.op]]) for node in graph.node if node.op in decided_at}
    values: dict[str, bool | float] = {}
    by_name = {node.name: node for node in graph.node}
    for node in graph.node:
        value = _value(node, conditions, by_name)
        if value is not None:
            values[node.name] = value
            _become_constant(node, value)
    dropped = [node.name for node in graph.node if _bypass_dropout(node, by_name)]
    notes = [f"dropout is off: {', '.join(dropped[:3])}{', …' if len(dropped) > 3 else ''}"] if dropped else []
    return Settings(values, {name: str(value) for name, value in values.items()}, tuple(notes))


def _value(node: Any, conditions: set[str], by_name: dict[str, Any]) -> bool | float | None:
    """What a placeholder of training is set to; None for anything else."""
    if node.op not in ("Placeholder", "PlaceholderWithDefault", "PlaceholderV2"):
        return None
    dtype = node.attr["dtype"].type
    if dtype == _BOOL and (TRAINING.search(node.name) or node.name in conditions or _scalar(node)):
        return False
    if dtype == _FLOAT and _scalar(node, by_name):
        if KEEP.search(node.name) or _is_kept_with(node.name, by_name):
            return 1.0  # what is called a rate, too, where it is added to the noise
        if DROP.search(node.name):
            return 0.0
    return None


def _scalar(node: Any, by_name: dict[str, Any] | None = None) -> bool:
    shape = node.attr["shape"].shape
    if "shape" in node.attr and not shape.unknown_rank:
        return len(shape.dim) == 0 or (len(shape.dim) == 1 and shape.dim[0].size == 1)
    return by_name is not None and (node.op == "PlaceholderWithDefault" or bool(KEEP.search(node.name)))


def _is_kept_with(name: str, by_name: dict[str, Any]) -> bool:
    """Whether it is added to uniform noise and rounded down, which is dropout by the probability to keep."""
    return any(
        node.op in ("Add", "AddV2")
        and name in (base(one) for one in node.input)
        and any(_is_noise(by_name, base(one), 4) for one in node.input)
        for node in by_name.values()
    )


def _become_constant(node: Any, value: bool | float) -> None:
    dtype = node.attr["dtype"].type
    del node.input[:]
    node.op = "Const"
    for name in list(node.attr):
        del node.attr[name]
    node.attr["dtype"].type = dtype
    tensor = node.attr["value"].tensor
    tensor.dtype = dtype
    tensor.tensor_shape.SetInParent()
    if isinstance(value, bool):
        tensor.bool_val.append(value)
    else:
        tensor.float_val.append(value)


def _bypass_dropout(node: Any, by_name: dict[str, Any]) -> bool:
    """Let ``x / keep * mask`` be ``x``; False where the node is no dropout."""
    if node.op != "Mul" or len(node.input) < 2:
        return False
    for scaled, mask in ((0, 1), (1, 0)):
        source = by_name.get(base(node.input[scaled]))
        if source is not None and source.op in ("RealDiv", "Div", "Mul") and _is_mask(by_name, base(node.input[mask])):
            become_identity(node, source.input[0])
            return True
    return False


def _is_mask(by_name: dict[str, Any], name: str) -> bool:
    node = by_name.get(name)
    return node is not None and node.op in ("Floor", "Cast") and _is_noise(by_name, name, 8)


def _is_noise(by_name: dict[str, Any], name: str, depth: int) -> bool:
    node = by_name.get(name)
    if node is None or depth == 0:
        return False
    if node.op in _RANDOM:
        return True
    return node.op in _PASSED and any(_is_noise(by_name, base(one), depth - 1) for one in node.input)
