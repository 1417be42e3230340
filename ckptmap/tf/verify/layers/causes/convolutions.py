"""Causes in a convolution's geometry: padding, strides, dilation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ckptmap.tf.verify.layers.causes.case import Case, Cause, near
from ckptmap.tf.verify.layers.causes.numeric import NO_PADS, Pads, convolve, pads

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]

_CONVOLUTIONS = frozenset({"Conv2D", "DepthwiseConv2dNative"})
_PADS = frozenset({"Pad", "PadV2"})


@dataclass(frozen=True, slots=True)
class Geometry:
    """How a convolution is laid over its input. ``added``: by explicit padding before or in it, None for SAME."""

    strides: tuple[int, int]
    dilations: tuple[int, int]
    added: Pads | None

    @property
    def text(self) -> str:
        """For people."""
        explicit = f"explicit {self.added}" if self.added is not None and np.any(self.added) else "VALID"
        padding = "SAME" if self.added is None else explicit
        return f"strides {self.strides}, padding {padding}, dilations {self.dilations}"


def geometry(case: Case) -> Iterator[Cause]:
    """Padding, strides or dilation that differ, proven where the layer computed with the old ones agrees."""
    old, new = case.mains
    if not case.is_layer or old.op != new.op or old.op not in _CONVOLUTIONS:
        return
    one, other = _geometry(case, 0), _geometry(case, 1)
    if one == other:
        return
    proven = _agrees(case, one)
    names = [
        name
        for name, differs in (
            ("stride placement", one.strides != other.strides),
            ("padding", _padding_differs(case, one, other)),
            ("dilation", one.dilations != other.dilations),
        )
        if differs
    ]
    for name in names or ["padding"]:
        evidence = "computed with the old model's the layer agrees" if proven else "the operations of both graphs"
        text = f"the old layer has {one.text}, the new one {other.text}"
        yield Cause(name, text, "build the new layer with the old one's; the weights stay", evidence, proven)


def _padding_differs(case: Case, one: Geometry, other: Geometry) -> bool:
    """Whether padding is another by itself: written as SAME or explicitly it may come to the same."""
    if one.strides != other.strides:
        return (one.added is None) != (other.added is None) and _amounts(case, one) != _amounts(case, other)
    return one.added != other.added


def _amounts(case: Case, found: Geometry) -> Pads:
    if found.added is not None:
        return found.added
    images, kernel = _inputs(case)
    reach = [(size - 1) * step + 1 for size, step in zip(kernel.shape[:2], found.dilations, strict=True)]
    return pads("SAME", images.shape[1:3], reach, found.strides)


def _agrees(case: Case, found: Geometry) -> bool:
    images, kernel = _inputs(case)
    depthwise = case.mains[0].op == "DepthwiseConv2dNative"
    made = convolve(images, kernel, found.strides, found.dilations, _amounts(case, found), depthwise=depthwise)
    return near(_last(case, 0, case.values(0, case.mains[0].result)[0]), made)


def _inputs(case: Case) -> tuple[Array, Array]:
    """What enters the new layer, channels last, and its kernel."""
    unit = case.mains[1]
    return _last(case, 1, case.values(1, case.uses[1].entering[0])[0]), case.values(1, unit.inputs[1])[0]


def _last(case: Case, side: int, value: Array) -> Array:
    channels_first = case.mains[side].attributes.get("data_format") == "NCHW"
    return np.transpose(value, (0, 2, 3, 1)) if channels_first and value.ndim == 4 else value


def _geometry(case: Case, side: int) -> Geometry:
    unit = case.mains[side]
    first = unit.attributes.get("data_format") == "NCHW"
    strides = _places(unit.attributes, "strides", first=first)
    dilations = _places(unit.attributes, "dilations", first=first)
    padding = unit.attributes.get("padding", "VALID")
    batched = _batched(case, side)
    if batched is not None:
        return batched
    _, before = zeros_before(case, side, unit.inputs[0], first=first)
    if padding == "EXPLICIT":
        flat = [int(number) for number in unit.attributes["explicit_paddings"]]
        at = 4 if first else 2
        before = (flat[at], flat[at + 1]), (flat[at + 2], flat[at + 3])
    return Geometry(strides, dilations, None if padding == "SAME" and not np.any(before) else before)


def _batched(case: Case, side: int) -> Geometry | None:
    """Of a dilated convolution that is written as one of a batch of smaller images."""
    anatomy = case.anatomies[side]
    unit = anatomy.units.get(anatomy.unit_of(case.mains[side].inputs[0]))
    block = case.constant(side, unit.inputs[1]) if unit is not None and unit.op == "SpaceToBatchND" else None
    if unit is None or block is None or block.size != 2:
        return None
    added = case.constant(side, unit.inputs[2])
    is_valid = added is not None and not added[:, 0].any()
    return Geometry((1, 1), (int(block[0]), int(block[1])), NO_PADS if is_valid else None)


def _places(attributes: Mapping[str, Any], name: str, *, first: bool) -> tuple[int, int]:
    found = [int(number) for number in attributes.get(name, (1, 1, 1, 1))]
    return (found[2], found[3]) if first else (found[1], found[2])


def zeros_before(case: Case, side: int, tensor: str, *, first: bool) -> tuple[str, Pads]:
    """What a tensor is before zeros are put around its height and width, and how many of them."""
    anatomy = case.anatomies[side]
    unit = anatomy.units.get(anatomy.unit_of(tensor))
    amounts = case.constant(side, unit.inputs[1]) if unit is not None and unit.op in _PADS else None
    if unit is None or amounts is None:
        return tensor, NO_PADS
    rows, columns = ((int(before), int(behind)) for before, behind in (amounts[2:4] if first else amounts[1:3]))
    return unit.inputs[0], (rows, columns)
