"""Where two models part first: node by node along the computation, from the image to the predictions."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ckptmap.families.detection.model_parts import NECK
from ckptmap.tf.verify.measuring import ROUNDING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Array = np.ndarray[Any, Any]
    Sampled = Mapping[str, Mapping[str, Array]]

_PYRAMID = re.compile(r"/fpn/(?:.*/)?(?P<kind>smoothing|projection|bottom_up_block)_?(?P<number>\d+)")
_LEVEL = re.compile(r"(?:BoxPredictor|/feature)_(?P<number>\d+)/")
_SHARED = "WeightSharedConvolutionalBoxPredictor"
_IMAGE = "preprocessed image"
_PLACES = {"input": "input of", "result": "result of", "shape": "shape of the result of"}


@dataclass(frozen=True, slots=True)
class Part:
    """One node of both models: what goes in or what comes out.

    ``name`` is the TF1 scope; ``place`` is ``input``, ``result`` or, where that differs, ``shape``; ``group`` is the
    part of the model it belongs to and ``level`` the feature map where there are several. ``relative`` is the largest
    difference in units of the spread, infinite where the shapes differ.
    """

    name: str
    group: str
    level: str
    place: str
    relative: float
    shapes: tuple[tuple[int, ...], tuple[int, ...]]

    @property
    def differs(self) -> bool:
        """More than rounding."""
        return self.relative > ROUNDING

    @property
    def is_image(self) -> bool:
        """Whether it is what reaches the first layer."""
        return self.name == _IMAGE

    @property
    def text(self) -> str:
        """What it is, for people."""
        if self.is_image:
            return _IMAGE
        group = "feature pyramid" if self.group == NECK and self.level else self.group
        where = f"{group} at {self.level}" if self.level else group
        return f"{where}: the {_PLACES[self.place]} {self.name}".removeprefix(": ")


@dataclass(frozen=True, slots=True)
class Names:
    """How nodes are paired and called.

    ``keys``: by TF1 variable, the key of the TF2 variable. ``groups``: by TF1 variable, the part of the model.
    ``lowest``: the level of a feature pyramid's finest map, 0 where there is no pyramid.
    """

    keys: Mapping[str, str]
    groups: Mapping[str, str]
    lowest: int = 0


def walk(old: Sampled, new: Sampled, names: Names) -> tuple[Part, ...]:
    """Compare the nodes that both models have, in the order of the old graph."""
    uses = Counter(key.rpartition(":")[0] for key in old)
    found: list[Part] = []
    for place, (key, left) in enumerate(old.items()):
        variable, _, use = key.rpartition(":")
        right = new.get(f"{names.keys[variable]}:{use}")
        if right is not None:
            level = _level(variable, int(use), uses[variable], names.lowest)
            found += _compared(variable, names.groups.get(variable, ""), level, (left, right), first=place == 0)
    return tuple(found)


def first_difference(parts: tuple[Part, ...]) -> Part | None:
    """The first part that differs; None where none does."""
    return next((part for part in parts if part.differs), None)


def _compared(
    variable: str, group: str, level: str, sides: tuple[Mapping[str, Array], Mapping[str, Array]], *, first: bool
) -> Iterator[Part]:
    """What goes in and what comes out of a node, where the shapes of both models let themselves be compared."""
    scope = variable.rpartition("/")[0]
    left, right = sides
    into, out = (tuple(tuple(side[f"{end}_shape"].tolist()) for side in sides) for end in ("source", "result"))
    entered = into[0] == into[1]
    if entered or first:  # an image of another size is a difference, a crop of another size may be made up for
        relative = _relative(left["source"], right["source"]) if entered else np.inf
        what = (_IMAGE, "", "", "") if first else (scope, group, level, "input")
        yield Part(*what, relative, (into[0], into[1]))
    if out[0] == out[1]:
        yield Part(scope, group, level, "result", _relative(left["result"], right["result"]), (out[0], out[1]))
    elif entered:
        yield Part(scope, group, level, "shape", np.inf, (out[0], out[1]))


def _relative(left: Array, right: Array) -> float:
    if left.shape != right.shape or not (np.isfinite(left).all() and np.isfinite(right).all()):
        return float(np.inf)
    if not left.size:
        return 0.0
    spread = float(left.astype(np.float64).std())
    largest = float(np.abs(left.astype(np.float64) - right).max())
    return largest / spread if spread else largest


def _level(variable: str, use: int, uses: int, lowest: int) -> str:
    """The feature map that a node works on: ``P3`` of a pyramid, ``level 1`` of another SSD; empty elsewhere."""
    if lowest and (found := _PYRAMID.search(variable)):
        number = int(found["number"])
        return f"P{number + 1}" if found["kind"] == "bottom_up_block" else f"P{number - 1 + lowest}"
    place = use if uses > 1 and _SHARED in variable else None
    if found := _LEVEL.search(variable):
        place = int(found["number"])
    if place is None:
        return ""
    return f"P{lowest + place}" if lowest else f"level {place + 1}"
