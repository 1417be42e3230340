"""Trained-looking random values for the variables of a TF1 graph.

Every value is drawn from the variable's name and shape; then the statistics of batch normalization are set to what
the layers really see, so that activations neither die nor explode at any depth, and spread again at random, so that
no wrong mapping of mean, variance, gamma or beta goes unseen.
"""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    Array = np.ndarray[Any, Any]

CALIBRATION_PASSES = 8  # one layer a pass would take minutes


def random_value(name: str, shape: tuple[int, ...], generator: np.random.Generator) -> Array:
    """A float32 value for the TF1 variable ``name``: kernels by fan-in, batch norms near the identity."""
    leaf = name.rpartition("/")[2]
    if leaf == "gamma":
        low, high = (0.2, 0.5) if "conv3/BatchNorm" in name else (0.6, 1.4)  # conv3 ends a ResNet's residual branch
        value = generator.uniform(low, high, shape)
    elif leaf == "moving_variance":
        value = generator.uniform(0.5, 1.5, shape)
    elif leaf in {"beta", "moving_mean", "biases", "bias"}:
        value = generator.normal(0, 0.2, shape)
    else:
        gain = 0.5 if "Predictor" in name else 1.5  # predictions of a few units: their sigmoids stay apart
        value = generator.normal(0, np.sqrt(gain / fan_in(leaf, shape)), shape)
    return value.astype(np.float32)


def fan_in(leaf: str, shape: tuple[int, ...]) -> int:
    """How many products an output sums: kernel area times input channels, but for depthwise kernels the area."""
    if len(shape) < 2:
        return 1
    return int(np.prod(shape[:2])) if leaf in {"depthwise_weights", "depthwise_kernel"} else int(np.prod(shape[:-1]))


def assign(session: Any, values: dict[Any, Array]) -> None:
    """Give TF1 variables values, all in one step (``Variable.load`` takes one session call each)."""
    feed = {variable.initializer.inputs[1]: value for variable, value in values.items()}
    session.run([variable.initializer for variable in values], feed)


def randomize(tf1: Any, session: Any, seed: int) -> None:
    """Give every float variable of the session's graph a random value; the others (global_step) keep theirs."""
    generator = np.random.default_rng(seed)
    floats: list[Any] = []
    others: list[Any] = []
    for variable in tf1.global_variables():
        (floats if variable.dtype.base_dtype.is_floating else others).append(variable)
    session.run(tf1.variables_initializer(others))
    ordered = sorted(floats, key=lambda item: str(item.op.name))
    assign(session, {item: random_value(item.op.name, tuple(item.shape.as_list()), generator) for item in ordered})


def calibrate(tf1: Any, session: Any, feed: dict[Any, Any], seed: int, passes: int = CALIBRATION_PASSES) -> None:
    """Set each batch norm's moving mean and variance to random values around what its input has under ``feed``.

    The statistics are those of a whole layer, not of a channel: a map of one pixel has no variance of its own. Each of
    the ``passes`` runs the graph and sets the next layers.
    """
    generator = np.random.default_rng(seed + 1)
    layers = list(_batch_norms(tf1))
    moments = [tf1.nn.moments(tf1.reshape(inputs, [-1]), [0]) for inputs, _, _ in layers]
    for block in np.array_split(np.arange(len(layers)), max(1, min(passes, len(layers)))):
        seen = session.run(moments, feed)
        values: dict[Any, Array] = {}
        for index in block:
            _, mean, variance = layers[index]
            center, power = seen[index]
            size = variance.shape.as_list()
            values[mean] = (center + generator.normal(0, 0.2 * np.sqrt(power), size)).astype(np.float32)
            values[variance] = (max(power, 1e-6) * generator.uniform(0.5, 1.5, size)).astype(np.float32)
        assign(session, values)


def _batch_norms(tf1: Any) -> Iterator[tuple[Any, Any, Any]]:
    """(input, moving mean, moving variance) of every batch norm in the graph that runs with moving statistics."""
    variables = {variable.op.name: variable for variable in tf1.global_variables()}
    for operation in tf1.get_default_graph().get_operations():
        for inputs, *statistics in _normalized(operation):
            mean, variance = (_variable_behind(tensor) for tensor in statistics)
            if mean in variables and variance in variables:
                yield inputs, variables[mean], variables[variance]


def _normalized(operation: Any) -> Iterator[tuple[Any, Any, Any]]:
    """What may be the (input, mean, variance) of a batch norm, as tensors: of a fused one, or of one in single steps.

    That is what those on films are: x * factor + (beta - mean * factor), factor = (variance + epsilon) ** -0.5 * gamma.
    """
    if operation.type.startswith("FusedBatchNorm"):
        yield operation.inputs[0], operation.inputs[3], operation.inputs[4]
    elif operation.type == "Rsqrt" and operation.inputs[0].op.type == "AddV2":
        variance = operation.inputs[0].op.inputs[0]
        products = _products(operation.outputs[0])
        if len(products) == 1:  # with gamma
            products = _products(products[0][0])
        factors = [other for _, other in products]
        yield from ((one, other, variance) for one, other in permutations(factors, 2))


def _products(factor: Any) -> list[tuple[Any, Any]]:
    """(product, the other factor) of every multiplication by a tensor."""
    return [
        (product.outputs[0], product.inputs[1] if product.inputs[0] is factor else product.inputs[0])
        for product in factor.consumers()
        if product.type == "Mul"
    ]


def _variable_behind(tensor: Any) -> str:
    """The name of the variable that a tensor reads, through identities and read operations."""
    operation = tensor.op
    while operation.type in {"Identity", "ReadVariableOp", "Switch"}:
        operation = operation.inputs[0].op
    return operation.name
