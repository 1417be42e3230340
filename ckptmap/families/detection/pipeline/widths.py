"""The widths and residuals of MobileNet V2 under a depth multiplier, in slim and in Keras.

Sources: slim's ``nets/mobilenet/mobilenet.py`` (``depth_multiplier``, ``_make_divisible``), Keras'
``applications/mobilenet_v2.py`` (``_inverted_res_block``), the API's ``models/keras_models/mobilenet_v2.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

STEM, LAST, LAST_FPNLITE = 32, 1280, 256
BLOCKS = (
    *((16, 1), (24, 2), (24, 1), (32, 2), (32, 1), (32, 1), (64, 2), (64, 1), (64, 1), (64, 1)),
    *((96, 1), (96, 1), (96, 1), (160, 2), (160, 1), (160, 1), (320, 1)),
)
"""Filters and stride of each inverted residual block."""
EXPANSION = 6
_DIVISOR = 8


@dataclass(frozen=True, slots=True)
class Widths:
    """Filters of every convolution in order, and of every block whether it adds its input."""

    filters: tuple[int, ...]
    residuals: tuple[bool, ...]


def slim_widths(multiplier: float, min_depth: int, *, lite: bool) -> Widths:
    """As slim builds the network; ``lite`` is the 256-wide last convolution of fpnlite."""
    last = _divisible((LAST_FPNLITE if lite else LAST) * multiplier, min_depth)
    return _network(
        stem=_divisible(STEM * multiplier, min_depth),
        project=lambda filters: (_divisible(filters * multiplier, min_depth),) * 2,
        expand=lambda filters: _divisible(filters * EXPANSION),
        last=last,
    )


def keras_widths(multiplier: float, min_depth: int) -> Widths:
    """As the API's Keras extractor builds it: ``min_depth`` widens a block after its residual was decided."""
    last = _divisible(LAST * multiplier) if multiplier < 1.0 else LAST
    return _network(
        stem=max(_divisible(STEM * multiplier), min_depth),
        project=lambda filters: (plain := _divisible(int(filters * multiplier)), max(plain, min_depth)),
        expand=lambda filters: filters * EXPANSION,
        last=max(last, min_depth),
    )


def _network(stem: int, project: Callable[[int], tuple[int, int]], expand: Callable[[int], int], last: int) -> Widths:
    """``project`` gives the width that decides the residual, and the width that is built."""
    filters, residuals, width = [stem], [], stem
    for index, (block, stride) in enumerate(BLOCKS):
        if index:
            filters.append(expand(width))
        deciding, built = project(block)
        residuals.append(stride == 1 and deciding == width)
        filters.append(built)
        width = built
    return Widths((*filters, last), tuple(residuals))


def _divisible(value: float, least: int = _DIVISOR) -> int:
    """The nearest multiple of 8, at least ``least`` and not more than a tenth below ``value``."""
    rounded = max(least, int(value + _DIVISOR / 2) // _DIVISOR * _DIVISOR)
    return rounded + _DIVISOR if rounded < 0.9 * value else rounded
