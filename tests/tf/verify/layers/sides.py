"""Both sides of a test in one process: a TF1 graph that is written out, a Keras 3 model traced."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ckptmap.tf.environment import tensorflow_alone
from ckptmap.tf.verify.general.side import SMALL, Node, Side, Spec, Variable

Array = Any
Get = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Run:
    """A side, and how it is run."""

    side: Side
    session: Any

    def run(self, feeds: Mapping[str, Array], fetches: Sequence[str]) -> dict[str, Array]:
        found: dict[str, Array] = self.session.run({name: name for name in fetches}, dict(feeds))
        return {name: np.asarray(value) for name, value in found.items()}


def value(name: str, shape: Sequence[int]) -> Array:
    """A trained-looking value, always the same for a name."""
    generator = np.random.default_rng(sum(ord(letter) * (7 * at + 1) for at, letter in enumerate(name)))
    leaf = name.rpartition("/")[2]
    if leaf in ("gamma", "moving_variance"):
        return generator.uniform(0.5, 1.5, shape).astype(np.float32)
    if len(shape) < 2:
        return generator.normal(0, 0.3, shape).astype(np.float32)
    fan = int(np.prod(shape[:2])) if "depthwise" in leaf else int(np.prod(shape[:-1]))
    return generator.normal(0, (1.0 if leaf == "embeddings" else 1.6 / fan**0.5), shape).astype(np.float32)


def tf1(
    build: Callable[[Any, Get, Any], Any], shape: Sequence[int | None], dtype: str = "float32"
) -> tuple[Run, dict[str, Array]]:
    """The side of a TF1 graph, and the values of its variables."""
    v1 = tensorflow_alone().compat.v1
    values: dict[str, Array] = {}

    def get(name: str, size: Sequence[int]) -> Any:
        values[name] = value(name, size)
        return v1.get_variable(name, initializer=values[name], use_resource=False)

    newer = v1.control_flow_v2_enabled()
    v1.disable_control_flow_v2()
    try:
        with v1.Graph().as_default() as graph:
            x = v1.placeholder(dtype, shape, name="x")
            y = v1.identity(build(v1, get, x), name="y")
            session = v1.Session(graph=graph, config=unoptimized(v1))
            session.run(v1.global_variables_initializer())
    finally:
        if newer:
            v1.enable_control_flow_v2()
    found = [Variable(name, name, (f"{name}/read:0",), held.shape, "float32") for name, held in values.items()]
    return Run(described(graph, x, y, found), session), values


def keras3(model: Any, shape: Sequence[int | None], values: Mapping[str, Array], dtype: str = "float32") -> Run:
    """The side of a Keras 3 model with ``values`` by the paths of its variables."""
    tensorflow = tensorflow_alone()
    v1 = tensorflow.compat.v1
    for variable in model.variables:
        if variable.path in values:
            variable.assign(values[variable.path])
    call = tensorflow.function(model, autograph=False)
    traced = call.get_concrete_function(tensorflow.TensorSpec(shape, dtype)).graph
    known = {id(variable.value.handle): (variable.path, variable.numpy()) for variable in model.variables}
    with v1.Graph().as_default() as graph:
        held = {}
        for outer, inner in traced.captures:
            path, initial = known[id(outer)]
            made = v1.get_variable(path, initializer=initial, use_resource=True)
            held[inner.name] = (path, made)
        ends = [traced.inputs[0].name, traced.outputs[0].name]
        mapped = {name: made.handle for name, (_, made) in held.items()}
        x, y = v1.import_graph_def(traced.as_graph_def(), mapped, ends, name="")
        session = v1.Session(graph=graph, config=unoptimized(v1))
        session.run(v1.global_variables_initializer())
        found = []
        for path, made in held.values():
            readers = [one.outputs[0].name for one in made.handle.consumers() if one.type == "ReadVariableOp"]
            readers = [name for name in readers if not name.startswith(f"{path}/Read/")] or [made.value().name]
            found.append(Variable(path, made.handle.op.name, tuple(readers), tuple(made.shape), "float32"))
    return Run(described(graph, x, y, found), session)


def unoptimized(v1: Any) -> Any:
    config = v1.ConfigProto()
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    config.graph_options.optimizer_options.opt_level = v1.OptimizerOptions.L0
    return config


def described(graph: Any, x: Any, y: Any, variables: Sequence[Variable]) -> Side:
    wanted: set[str] = set()
    waiting = [y.op]
    while waiting:
        operation = waiting.pop()
        if operation.name not in wanted:
            wanted.add(operation.name)
            waiting += [one.op for one in operation.inputs] + list(operation.control_inputs)
    nodes = tuple(node(one) for one in graph.get_operations() if one.name in wanted)
    return Side("", "", (spec("x", x),), (spec("y", y),), tuple(variables), nodes)


def spec(name: str, tensor: Any) -> Spec:
    return Spec(name, tensor.name, tuple(tensor.shape.as_list()), tensor.dtype.name)


def node(operation: Any) -> Node:
    inputs = [one.op.name if one.value_index == 0 else one.name for one in operation.inputs]
    attributes = {}
    for name in operation.node_def.attr:
        if name == "value" and operation.type == "Const":
            if (operation.outputs[0].shape.num_elements() or 0) <= SMALL:
                attributes[name] = tensorflow_alone().make_ndarray(operation.get_attr(name))
        elif not name.startswith("_"):
            found = operation.get_attr(name)
            attributes[name] = (
                found.decode() if isinstance(found, bytes) else tuple(found) if isinstance(found, list) else found
            )
    return Node(operation.name, operation.type, tuple(inputs), attributes)
