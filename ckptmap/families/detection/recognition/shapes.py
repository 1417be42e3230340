"""Names and shapes of variables, and the few questions that recognition asks of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

Shape = tuple[int, ...]
Shapes = Mapping[str, Shape]


def below(shapes: Shapes, scope: str) -> dict[str, Shape]:
    """The variables below ``scope``, by their names below it."""
    start = f"{scope}/"
    return {name[len(start) :]: shape for name, shape in shapes.items() if name.startswith(start)}


def scopes(names: Iterable[str]) -> list[str]:
    """The first components of the names, each once, in order."""
    return list(dict.fromkeys(name.partition("/")[0] for name in names))


def outputs(shapes: Shapes, layer: str) -> int | None:
    """How many channels a convolution or dense layer gives; None where there is no such layer."""
    for leaf in ("biases", "weights", "pointwise_weights", "bias", "kernel", "pointwise_kernel"):
        shape = shapes.get(f"{layer}/{leaf}")
        if shape:
            return shape[-1]
    return None


def has(names: Iterable[str], pattern: str) -> bool:
    """Whether the regular expression matches somewhere in one of the names."""
    search = re.compile(pattern).search
    return any(search(name) for name in names)


def numbered(names: Iterable[str], pattern: str) -> list[int]:
    """The different numbers that the pattern's one group captures, in order; absurdly long ones are no numbers."""
    search = re.compile(pattern).search
    texts = {found[1] for name in names if (found := search(name))}
    return sorted(int(text) for text in texts if len(text) <= _MOST_DIGITS)


_MOST_DIGITS = 9


def kernels(shapes: Iterable[Shape]) -> Iterator[Shape]:
    """The shapes that are those of convolution kernels, [height, width, in, out], none of them empty."""
    return (shape for shape in shapes if len(shape) == 4 and 0 not in shape)
