"""From AutoML's box and class outputs to those of the Object Detection API.

At each place AutoML's EfficientDet lists its anchors scale by scale, each with every aspect ratio
(efficientdet/tf2/anchors.py, ``Anchors._generate_configs``); the API's multiscale_grid_anchor_generator lists them
ratio by ratio, each in every scale. AutoML's box outputs are offsets in units of the anchor; the API's
FasterRcnnBoxCoder divides what the model says by four factors first (box_coders/faster_rcnn_box_coder.py).
"""

# ruff: noqa: ARG002, RUF012  (operations have one signature; what a class says of itself is only read)

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite
from typing import TYPE_CHECKING, Literal

from ckptmap.basics.wording import argument
from ckptmap.families.detection.arguments import ANCHORS
from ckptmap.mapping.arguments import NUMBERS, WHOLE
from ckptmap.mapping.op import MOST_PARTS, Op, block_of, operation
from ckptmap.mapping.ops_numeric import Scale

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ckptmap.checkpoint.dtypes import DType
    from ckptmap.mapping.op import Array, Fault, Pulled, Shape, Tensor

Factors = tuple[float, float, float, float]
OFFICIAL_FACTORS: Factors = (10.0, 10.0, 5.0, 5.0)
"""y_scale, x_scale, height_scale and width_scale of the API's official EfficientDet configurations."""

AnchorChoice = Literal["api", "automl", "automl-2020"]
"""``api``: the API's own anchor generator and box coder, for which the weights are reordered and scaled. ``automl``:
the weights as they are, with AutoML's anchors; ``automl-2020``: with those of before September 2020."""
EFFICIENTDET = "efficientdet_"
"""AutoML's tables and targets begin so."""
AUTOML = "automl_"
"""Targets that are AutoML's own Keras model begin so."""


@operation
@dataclass(frozen=True, slots=True)
class Anchors(Op):
    """Reorder an axis from [scale][ratio][depth] to [ratio][scale][depth], whatever the depth."""

    axis: int
    scales: int
    ratios: int
    name = "anchors"
    arguments = {"axis": WHOLE, "scales": WHOLE, "ratios": WHOLE}
    given = needed = ("axis", "scales", "ratios")

    def __str__(self) -> str:
        return f"anchors axis {self.axis}: {self.scales} scales x {self.ratios} ratios, ratios first"

    def _infer(self, shape: Shape, dtype: DType) -> Tensor:
        block_of(self, self.axis, self.scales * self.ratios, shape)
        return shape, dtype

    def _run(self, array: Array) -> Array:
        axis, depth = block_of(self, self.axis, self.scales * self.ratios, array.shape)
        apart = array.reshape(*array.shape[:axis], self.scales, self.ratios, depth, *array.shape[axis + 1 :])
        result: Array = apart.swapaxes(axis, axis + 1).reshape(array.shape)
        return result

    def unsound(self) -> Fault | None:
        """At least one of each."""
        if 1 <= self.scales <= MOST_PARTS and 1 <= self.ratios <= MOST_PARTS:
            return None
        return "anchors needs at least one scale and one ratio", ""

    def undo(self, before: Sequence[Tensor], at: int) -> tuple[Op, ...] | None:
        """Scales and ratios the other way round."""
        return (Anchors(self.axis, self.ratios, self.scales),)

    def pull(self, axis: int, before: Shape, after: Shape) -> Pulled | None:
        """The same rows of another axis."""
        return (axis, 0, self) if self.axis % len(before) != axis else None

    def wanted(self, after: Shape) -> Shape | None:
        """The same."""
        return after


@operation
@dataclass(frozen=True, slots=True)
class BoxCoder(Op):
    """Multiply box outputs, four for each anchor along an axis, by the box coder's factors: y, x, height, width.

    The factors are those of the target's pipeline.config; a plan puts them in.
    """

    axis: int
    factors: Factors = OFFICIAL_FACTORS
    name = "box_coder"
    arguments = {"axis": WHOLE, "factors": NUMBERS}
    alone = "axis"

    def __str__(self) -> str:
        return f"box_coder axis {self.axis}: {' '.join(f'{factor:g}' for factor in self.factors)}"

    def _infer(self, shape: Shape, dtype: DType) -> Tensor:
        axis = self._axis(self.axis, shape)
        if not shape[axis] or shape[axis] % len(self.factors):
            raise self._fail(f"axis {self.axis} of shape {list(shape)} does not divide into boxes of 4 values")
        return self._scale(shape)._infer(shape, dtype)

    def _run(self, array: Array) -> Array:
        return self._scale(array.shape)._run(array)

    def unsound(self) -> Fault | None:
        """Four finite factors."""
        if len(self.factors) == len(OFFICIAL_FACTORS) and all(map(isfinite, self.factors)):
            return None
        return "box_coder needs four finite factors", ""

    def for_slots(self, power: int) -> tuple[Op, ...] | None:
        """The factors to that power; None where one is 0."""
        if not all(self.factors):
            return None
        y, x, height, width = (factor**power for factor in self.factors)
        return (BoxCoder(self.axis, (y, x, height, width)),)

    def undo(self, before: Sequence[Tensor], at: int) -> tuple[Op, ...] | None:
        """The reciprocals of the factors; None where one is 0."""
        y, x, height, width = self.factors
        return (BoxCoder(self.axis, (1 / y, 1 / x, 1 / height, 1 / width)),) if all(self.factors) else None

    def pull(self, axis: int, before: Shape, after: Shape) -> Pulled | None:
        """The same rows of another axis."""
        return (axis, 0, self) if self.axis % len(before) != axis else None

    def wanted(self, after: Shape) -> Shape | None:
        """The same."""
        return after

    def _scale(self, shape: Shape) -> Scale:
        return Scale(self.factors * (shape[self.axis] // len(self.factors)), self.axis)


@dataclass(frozen=True, slots=True)
class BoxOutputs:
    """What becomes of AutoML's outputs on the way to a target: reordered to its anchors or not, boxes times factors."""

    reordered: bool = True
    factors: Factors = OFFICIAL_FACTORS
    asked: AnchorChoice | None = None
    """The choice of anchors that the user made; None where a config says them."""

    def misplaced(self, ops: Iterable[Op], target: str) -> tuple[str, str] | None:
        """The message and the hint if the user asked for anchors, and no operation of the table orders any."""
        if self.asked is None or any(isinstance(op, Anchors) for op in ops):
            return None
        hint = "it is for AutoML's EfficientDet in the Object Detection API"
        return f"{argument(ANCHORS, self.asked)} has no meaning for {target}", hint

    def ops(self, ops: Iterable[Op]) -> tuple[Op, ...]:
        """The operations of a table's rule for this target; those that change nothing are left out."""
        fitted = (replace(op, factors=self.factors) if isinstance(op, BoxCoder) else op for op in ops)
        return tuple(op for op in fitted if not self._idle(op))

    def _idle(self, op: Op) -> bool:
        return (isinstance(op, Anchors) and not self.reordered) or (
            isinstance(op, BoxCoder) and set(op.factors) == {1.0}
        )


API_BOXES = BoxOutputs()
"""What the API's official EfficientDet configurations ask for."""
UNTOUCHED = BoxOutputs(reordered=False, factors=(1.0, 1.0, 1.0, 1.0))


def box_outputs(anchors: AnchorChoice) -> BoxOutputs:
    """What becomes of the box and class outputs if the user asks for these anchors."""
    return replace(API_BOXES if anchors == "api" else UNTOUCHED, asked=anchors)
