"""Nets with conditions and loops: in TF1 as ``tf.cond`` and ``tf.while_loop`` write them, in TF2 in a function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ckptmap.tf.environment import import_quietly

Array = Any
WIDTH, STEPS = 6, 3
Net = Callable[[Any, Callable[[str], Any], Any], Any]
LAYERS = ("first", "left", "right", "again", "last")


def values(seed: int = 5) -> dict[str, Array]:
    """A kernel and a bias for each layer."""
    random = np.random.default_rng(seed)
    shapes = {f"{layer}/{leaf}": shape for layer in LAYERS for leaf, shape in _LEAVES.items()}
    return {name: random.normal(0, 0.5, shape).astype(np.float32) for name, shape in shapes.items()}


_LEAVES = {"kernel": (WIDTH, WIDTH), "bias": (WIDTH,)}


def _dense(get: Callable[[str], Any], layer: str, x: Any) -> Any:
    return import_quietly("tensorflow").tanh(x @ get(f"{layer}/kernel") + get(f"{layer}/bias"))


def condition(tf: Any, get: Callable[[str], Any], x: Any) -> Any:
    """Two layers, one of which is taken."""
    x = _dense(get, "first", x)
    x = tf.cond(tf.reduce_sum(x) > -1e9, lambda: _dense(get, "left", x), lambda: _dense(get, "right", x))
    return _dense(get, "last", x)


def nested(tf: Any, get: Callable[[str], Any], x: Any) -> Any:
    """A condition in a branch of a condition."""
    x = _dense(get, "first", x)

    def inner() -> Any:
        y = _dense(get, "left", x)
        return tf.cond(tf.reduce_sum(y) > 1e9, lambda: _dense(get, "right", y), lambda: _dense(get, "again", y))

    x = tf.cond(tf.reduce_sum(x) > -1e9, inner, lambda: _dense(get, "right", x))
    return _dense(get, "last", x)


def loop(tf: Any, get: Callable[[str], Any], x: Any) -> Any:
    """One layer several times."""
    x = _dense(get, "first", x)
    _, x = tf.while_loop(lambda at, _: at < STEPS, lambda at, y: (at + 1, _dense(get, "again", y)), (0, x))
    return _dense(get, "last", x)


def both(tf: Any, get: Callable[[str], Any], x: Any) -> Any:
    """A condition in a loop, and a loop in a condition."""
    x = _dense(get, "first", x)

    def step(at: Any, y: Any) -> tuple[Any, Any]:
        return at + 1, tf.cond(at > 0, lambda: _dense(get, "left", y), lambda: _dense(get, "right", y))

    _, x = tf.while_loop(lambda at, _: at < STEPS, step, (0, x))
    again = lambda: tf.while_loop(lambda at, _: at < 2, lambda at, y: (at + 1, _dense(get, "again", y)), (0, x))[1]  # noqa: E731
    x = tf.cond(tf.reduce_sum(x) > -1e9, again, lambda: x)
    return _dense(get, "last", x)


NETS: Mapping[str, Net] = {"condition": condition, "nested": nested, "loop": loop, "both": both}


def save_old(name: str, held: Mapping[str, Array], folder: Path, *, newer: bool) -> None:
    """The net as a frozen graph, a SavedModel and a checkpoint with its ``.meta``; ``newer``: with functions."""
    tf = import_quietly("tensorflow")
    v1 = tf.compat.v1
    was = v1.control_flow_v2_enabled()
    (v1.enable_control_flow_v2 if newer else v1.disable_control_flow_v2)()
    try:
        with v1.Graph().as_default() as graph, v1.Session() as session:
            x = v1.placeholder(v1.float32, [None, WIDTH], name="x")
            made = {key: v1.get_variable(key, initializer=one, use_resource=newer) for key, one in held.items()}
            y = v1.identity(NETS[name](v1, made.__getitem__, x), name="y")
            session.run(v1.global_variables_initializer())
            v1.train.Saver().save(session, str(folder / "model.ckpt"))
            v1.saved_model.simple_save(session, str(folder / "exported"), {"x": x}, {"y": y})
            frozen = v1.graph_util.convert_variables_to_constants(session, graph.as_graph_def(), ["y"])
            (folder / "frozen.pb").write_bytes(frozen.SerializeToString())
    finally:
        (v1.enable_control_flow_v2 if was else v1.disable_control_flow_v2)()


def save_new(name: str, held: Mapping[str, Array], folder: Path) -> None:
    """The net as a SavedModel of TF2."""
    tf = import_quietly("tensorflow")

    class Net(tf.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.held = {key: tf.Variable(one, name=key) for key, one in held.items()}

        @tf.function(input_signature=[tf.TensorSpec([None, WIDTH], tf.float32, "x")])  # type: ignore[untyped-decorator]
        def __call__(self, x: Any) -> Any:
            return {"y": NETS[name](tf, self.held.__getitem__, x)}

    made = Net()
    tf.saved_model.save(made, str(folder), signatures=made.__call__)
