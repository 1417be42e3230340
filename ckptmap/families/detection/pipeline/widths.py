"""The widths of backbones under a depth multiplier, in slim and in Keras, and the residuals of MobileNet V2.

Sources: slim's ``nets/mobilenet/mobilenet.py`` (``depth_multiplier``, ``_make_divisible``), Keras'
``applications/mobilenet_v2.py`` (``_inverted_res_block``), the API's ``models/keras_models/mobilenet_v1.py``,
``mobilenet_v2.py`` and ``resnet_v1.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ckptmap.families.detection.pipeline.models import MOBILENET_V1, MOBILENET_V2, RESNET_FPN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

STEM, LAST, LAST_FPNLITE = 32, 1280, 256
BLOCKS = (
    *((16, 1), (24, 2), (24, 1), (32, 2), (32, 1), (32, 1), (64, 2), (64, 1), (64, 1), (64, 1)),
    *((96, 1), (96, 1), (96, 1), (160, 2), (160, 1), (160, 1), (320, 1)),
)
"""Filters and stride of each inverted residual block."""
EXPANSION = 6
_DIVISOR = 8


_MOBILENET_V1 = (32, 64, 128, 256, 512, 1024)
_RESNET = (64, 128, 256, 512, 1024, 2048)
RESNET_NARROWEST = 64
"""Filters of a ResNet's first block: a larger min_depth widens it."""


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


def backbone_widths(tf1_type: str, multiplier: float, min_depth: int, *, slim: bool) -> Mapping[int, int]:
    """Channels of an SSD's backbone, by what they are in slim at multiplier 1; those that are not known are left out.

    ``slim``: of the TF1 model or its slim-exact extractor, else of the API's Keras extractor. The last convolution of
    MobileNet V2 stands for both of its widths in slim, 1280 and fpnlite's 256.
    """
    if tf1_type in MOBILENET_V1:
        return {base: _v1_width(base, multiplier, min_depth, slim=slim) for base in _MOBILENET_V1}
    if tf1_type in MOBILENET_V2:
        return _v2_backbone(multiplier, min_depth, slim=slim)
    plain = tf1_type in RESNET_FPN and multiplier == 1.0 and min_depth <= RESNET_NARROWEST
    return {base: base for base in _RESNET} if plain else {}


def _v1_width(base: int, multiplier: float, min_depth: int, *, slim: bool) -> int:
    """The Keras network scales what the Keras application has scaled already."""
    return max(int((base if slim else int(base * multiplier)) * multiplier), min_depth)


def _v2_backbone(multiplier: float, min_depth: int, *, slim: bool) -> Mapping[int, int]:
    wide = slim_widths(multiplier, min_depth, lite=False) if slim else keras_widths(multiplier, min_depth)
    lite = slim_widths(multiplier, min_depth, lite=True) if slim else wide
    built = (wide.filters[1], *wide.filters[3:-1:2])
    widths = {filters: width for (filters, _), width in zip(BLOCKS, built, strict=True)}
    if widths[STEM] != wide.filters[0]:  # two lengths for one name
        del widths[STEM]
    return widths | {LAST: wide.filters[-1], LAST_FPNLITE: lite.filters[-1]}


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
