"""Fresh values for a variable, from plain data, equal on every machine: seeded by a number and the variable's name.

The kinds follow Keras 2 (tf_keras/src/initializers/initializers.py): ``zeros``, ``ones``, ``constant`` (value),
``truncated_normal`` and ``random_normal`` (mean, stddev), ``random_uniform`` (minval, maxval), ``variance_scaling``
(scale, mode ``fan_in|fan_out|fan_avg``, distribution ``truncated_normal|untruncated_normal|uniform``), which Glorot's,
He's and LeCun's are cases of. The random numbers themselves are NumPy's, not TensorFlow's.
"""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Any

from ckptmap.basics.errors import TargetError
from ckptmap.targets.variables import Initializer, TargetVariable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import numpy as np

    Array = np.ndarray[Any, Any]
    Shape = tuple[int, ...]
    Options = Mapping[str, float | str]
    Draw = Callable[[np.random.Generator, int, Options, Shape], Array]
    """Draws so many values for a variable of this shape."""

_BLOCK = 1 << 20
_TRUNCATED_STDDEV = 0.87962566103423978
"""The standard deviation of a unit normal cut off at two: variance scaling divides by it."""


def initial_value(variable: TargetVariable, seed: int = 0, value: float | str = "initializer") -> Array:
    """The value of ``variable``'s initializer, of its shape and dtype; or of ``value``: a number, ``zeros``, ``ones``.

    The same ``seed`` and variable name give the same value, whatever other variables there are. Raises TargetError
    where the initializer is of no known kind.
    """
    import numpy as np

    blocks = list(initial_blocks(variable, seed, value))
    return np.concatenate(blocks).reshape(variable.shape)


def initial_blocks(
    variable: TargetVariable, seed: int = 0, value: float | str | tuple[float, ...] = "initializer"
) -> Iterator[Array]:
    """The values of ``initial_value`` in row-major order, as arrays of one dimension and at most a million values.

    Several numbers are for as many equal blocks of the last axis.
    """
    if isinstance(value, tuple):
        yield from _numbered(variable, value)
        return
    initializer = _chosen(variable, value)
    if initializer.kind not in _KINDS:
        raise TargetError(f"no initializer is called {initializer.kind!r}", where=variable.name, hint=", ".join(_KINDS))
    draw, rng = _KINDS[initializer.kind], _generator(seed, variable.name)
    count = math.prod(variable.shape)
    for start in range(0, max(count, 1), _BLOCK):
        size = min(_BLOCK, count - start)
        yield draw(rng, size, initializer.options, variable.shape).astype(variable.dtype.numpy)


def _numbered(variable: TargetVariable, values: tuple[float, ...]) -> Iterator[Array]:
    """Each number along its block of the last axis, the same for all rows."""
    import numpy as np

    length = variable.shape[-1]
    row = np.asarray(values).astype(variable.dtype.numpy).repeat(length // len(values))
    rows = math.prod(variable.shape[:-1])
    step = max(1, _BLOCK // max(length, 1))
    for start in range(0, rows, step):
        yield np.tile(row, min(step, rows - start))


def _chosen(variable: TargetVariable, value: float | str) -> Initializer:
    if value == "initializer":
        return variable.initializer
    return Initializer(value) if isinstance(value, str) else Initializer("constant", {"value": value})


def _generator(seed: int, name: str) -> np.random.Generator:
    import numpy as np

    digest = hashlib.sha256(f"{seed}\0{name}".encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "little")))


def _full(value: float) -> Draw:
    def fill(_: np.random.Generator, count: int, options: Options, shape: Shape) -> Array:  # noqa: ARG001
        import numpy as np

        return np.full(count, options.get("value", value))

    return fill


def _random_normal(rng: np.random.Generator, count: int, options: Options, _: Shape) -> Array:
    return rng.normal(_number(options, "mean", 0.0), _number(options, "stddev", 0.05), count)


def _random_uniform(rng: np.random.Generator, count: int, options: Options, _: Shape) -> Array:
    return rng.uniform(_number(options, "minval", -0.05), _number(options, "maxval", 0.05), count)


def _truncated_normal(rng: np.random.Generator, count: int, options: Options, _: Shape) -> Array:
    return _number(options, "mean", 0.0) + _number(options, "stddev", 0.05) * _cut_normal(rng, count)


def _cut_normal(rng: np.random.Generator, count: int) -> Array:
    """Unit normal numbers, drawn again until they are within two."""
    import numpy as np

    values = rng.normal(size=count)
    while (outside := np.abs(values) > 2).any():
        values[outside] = rng.normal(size=int(outside.sum()))
    return values


def _variance_scaling(rng: np.random.Generator, count: int, options: Options, shape: Shape) -> Array:
    fan_in, fan_out = fans(shape)
    fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[str(options.get("mode", "fan_in"))]
    variance = _number(options, "scale", 1.0) / max(1.0, fan)
    distribution = str(options.get("distribution", "truncated_normal"))
    if distribution == "uniform":
        return rng.uniform(-math.sqrt(3 * variance), math.sqrt(3 * variance), count)
    if distribution == "untruncated_normal":
        return rng.normal(0.0, math.sqrt(variance), count)
    return math.sqrt(variance) / _TRUNCATED_STDDEV * _cut_normal(rng, count)


def fans(shape: Shape) -> tuple[float, float]:
    """How many inputs and outputs a weight of this shape joins, as Keras counts: ``[height, width, in, out]``."""
    if len(shape) < 2:
        return (float(shape[0]), float(shape[0])) if shape else (1.0, 1.0)
    places = math.prod(shape[:-2])
    return float(places * shape[-2]), float(places * shape[-1])


def _number(options: Options, name: str, default: float) -> float:
    return float(options.get(name, default))


_KINDS: dict[str, Draw] = {
    "zeros": _full(0.0),
    "ones": _full(1.0),
    "constant": _full(0.0),
    "truncated_normal": _truncated_normal,
    "random_normal": _random_normal,
    "random_uniform": _random_uniform,
    "variance_scaling": _variance_scaling,
}
