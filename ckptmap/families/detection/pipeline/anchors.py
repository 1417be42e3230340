"""Anchors per location from an anchor generator's block, as the API's ``anchor_generator_builder`` counts them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ckptmap.basics.bounds import bound_of
from ckptmap.basics.errors import ConfigError

if TYPE_CHECKING:
    from ckptmap.families.detection.pipeline.view import View

REDUCED_LOWEST_LAYER = 3
"""Boxes in the lowest layer under ``reduce_boxes_in_lowest_layer`` (``create_ssd_anchors``)."""


def anchors_per_location(generator: View) -> tuple[int, ...]:
    """The number of anchors at each location, one number a feature map. Raises ConfigError where there is none."""
    kind = generator.which("anchor_generator_oneof")
    counts = {
        "ssd_anchor_generator": _ssd,
        "multiscale_anchor_generator": _multiscale,
        "grid_anchor_generator": _grid,
        "flexible_grid_anchor_generator": _flexible_grid,
    }
    if kind not in counts:
        raise ConfigError("the model has no anchor generator", where=generator.where())
    found = counts[kind](generator.child(kind))
    for count in found:
        if problem := bound_of("anchors").problem("the number of anchors at a location", count):
            raise ConfigError(problem, where=generator.where())
    return found


def _ssd(view: View) -> tuple[int, ...]:
    scales = len(view.values("scales"))
    layers = min(view.integer("num_layers"), scales) if scales else view.integer("num_layers")
    boxes = len(view.values("aspect_ratios")) + (view.number("interpolated_scale_aspect_ratio") > 0)
    lowest = REDUCED_LOWEST_LAYER if view.flag("reduce_boxes_in_lowest_layer") else boxes
    return ((lowest,) + (boxes,) * (layers - 1)) if layers > 0 else ()


def _multiscale(view: View) -> tuple[int, ...]:
    levels = view.integer("max_level") - view.integer("min_level") + 1
    return (len(view.values("aspect_ratios")) * view.integer("scales_per_octave"),) * levels


def _grid(view: View) -> tuple[int, ...]:
    return (len(view.values("scales")) * len(view.values("aspect_ratios")),)


def _flexible_grid(view: View) -> tuple[int, ...]:
    return tuple(len(grid.values("base_sizes")) for grid in view.children("anchor_grid"))
