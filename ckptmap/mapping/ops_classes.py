"""Moving class slices of a head to the places that another label map gives them.

Along its class axis a head holds, for each anchor (or position-sensitive bin), one slot after the other: the background
where there is one, then the classes, each with ``block`` values. So object_detection reshapes it: [..., anchors, slots]
in predictors/heads/class_head.py, [..., boxes, 4] in box_head.py.
"""

# ruff: noqa: ARG002, RUF012  (operations have one signature; what a class says of itself is only read)

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ckptmap.mapping.arguments import WHOLE, WHOLES
from ckptmap.mapping.op import LARGEST, Op, operation

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from ckptmap.checkpoint.dtypes import DType
    from ckptmap.mapping.op import Array, Fault, Pulled, Shape, Tensor

FRESH = -1
"""The slot of a class that the source does not have."""


@operation
@dataclass(frozen=True, slots=True)
class Classes(Op):
    """Fill each new slot from an old one: ``slots`` holds the old slot's number for each new one, or FRESH.

    ``old`` is how many slots the source has. Values of fresh slots are zero here: ``op.fill_fresh``
    puts the target's own in.
    """

    axis: int
    block: int
    old: int
    slots: tuple[int, ...]
    name = "classes"
    arguments = {"axis": WHOLE, "block": WHOLE, "old": WHOLE, "slots": WHOLES}
    in_tables = False
    leaves_open = True

    def __str__(self) -> str:
        kept = sum(slot != FRESH for slot in self.slots)
        return f"classes: {kept} of {len(self.slots)} slots from the source's {self.old}"

    def _infer(self, shape: Shape, dtype: DType) -> Tensor:
        axis = self._axis(self.axis, shape)
        repeats, rest = divmod(shape[axis], self.old * self.block)
        if rest or not repeats:
            raise self._fail(f"axis {axis} of shape {list(shape)} is not a multiple of {self.old} x {self.block}")
        return (*shape[:axis], repeats * len(self.slots) * self.block, *shape[axis + 1 :]), dtype

    def _run(self, array: Array) -> Array:
        index = self._index(array.shape[self.axis])
        values: Array = array.take(index.clip(0), self.axis)
        values[self._where(values, index == FRESH)] = 0
        return values

    def fresh(self, values: Array) -> Array:
        """Which of the result's ``values`` belong to fresh slots, as booleans of its shape."""
        length = values.shape[self.axis] // len(self.slots) * self.old
        return self._where(values, self._index(length) == FRESH)

    @property
    def kept(self) -> str:
        """How many slots come from the source."""
        return f"{sum(slot != FRESH for slot in self.slots)} of {len(self.slots)} slots"

    def unsound(self) -> Fault | None:
        """Each new slot is one of the old ones, or fresh."""
        fits = 0 < self.block <= LARGEST and 0 < self.old <= LARGEST and len(self.slots) > 0
        if fits and all(FRESH <= slot < self.old for slot in self.slots):
            return None
        return "classes needs slots of the source", ""

    def undo(self, before: Sequence[Tensor], at: int) -> tuple[Op, ...] | None:
        """Each slot back in its place; None where one of the old ones is nowhere."""
        if not set(range(self.old)) <= set(self.slots):
            return None
        return (Classes(self.axis, self.block, len(self.slots), tuple(map(self.slots.index, range(self.old)))),)

    def pull(self, axis: int, before: Shape, after: Shape) -> Pulled | None:
        """None: heads are small, and fresh slots are filled in the whole value."""
        return None

    def _where(self, values: Array, chosen: Array) -> Array:
        import numpy as np

        shape = [1] * values.ndim
        shape[self.axis] = -1
        return np.broadcast_to(chosen.reshape(shape), values.shape)

    def _index(self, length: int) -> np.ndarray[tuple[int, ...], np.dtype[np.intp]]:
        """For each place on the new axis the place on the old one, of ``length``; FRESH where there is none."""
        import numpy as np

        repeats = length // (self.old * self.block)
        slots = np.array(self.slots, np.intp)
        starts = np.arange(repeats)[:, None] * self.old + slots
        places = starts[:, :, None] * self.block + np.arange(self.block)
        return np.where((slots == FRESH)[None, :, None], FRESH, places).ravel()
