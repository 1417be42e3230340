"""Moving class slices of a head to the places that another label map gives them.

Along its class axis a head holds, for each anchor (or position-sensitive bin), one slot after the other: the background
where there is one, then the classes, each with ``block`` values. So object_detection reshapes it: [..., anchors, slots]
in predictors/heads/class_head.py, [..., boxes, 4] in box_head.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ckptmap.mapping.ops import Op

if TYPE_CHECKING:
    import numpy as np

    from ckptmap.checkpoint.dtypes import DType
    from ckptmap.mapping.ops import Array, Shape, Tensor

FRESH = -1
"""The slot of a class that the source does not have."""


@dataclass(frozen=True, slots=True)
class Classes(Op):
    """Fill each new slot from an old one: ``slots`` holds the old slot's number for each new one, or FRESH.

    ``old`` is how many slots the source has. Values of fresh slots are zero here: :func:`fill_fresh` puts the
    initializer's in.
    """

    axis: int
    block: int
    old: int
    slots: tuple[int, ...]
    name = "classes"

    def __str__(self) -> str:
        kept = sum(slot != FRESH for slot in self.slots)
        return f"classes: {kept} of {len(self.slots)} slots from the source's {self.old}"

    def _infer(self, shape: Shape, dtype: DType) -> Tensor:
        axis = self._axis(self.axis, shape)
        repeats, rest = divmod(shape[axis], self.old * self.block)
        if rest or not repeats:
            raise self._fail(f"axis {axis} of shape {list(shape)} is no multiple of {self.old} x {self.block}")
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


def fill_fresh(ops: Sequence[Op], values: Array, initial: Callable[[], Array]) -> Array:
    """``values`` with those of fresh slots taken from ``initial()``, where ``ops`` end in moving classes."""
    import numpy as np

    last = ops[-1] if ops else None
    return np.where(last.fresh(values), initial(), values) if isinstance(last, Classes) else values
