"""How far apart two values are, from their bytes as they stream by: memory stays flat whatever their size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import zip_longest
from math import sqrt
from typing import TYPE_CHECKING, Any

from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.values import split_strings
from ckptmap.diff.comparison import Delta

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

_STEP = 1 << 14
"""Elements compared at a time: what is computed from them stays in a processor's second cache."""


def same_bytes(a: Iterable[bytes], b: Iterable[bytes]) -> bool:
    """Whether two streams hold the same bytes. Both are read to their ends, where their checksums are compared."""
    same = True
    for one, other in zip_longest(a, b, fillvalue=b""):
        if one != other:
            same = False
    return same


def string_delta(a: bytes, b: bytes, elements: int) -> Delta:
    """How many of ``elements`` strings differ; both sides as a bundle stores them."""
    pairs = zip(split_strings(a, elements)[0], split_strings(b, elements)[0], strict=True)
    return Delta(sum(one != other for one, other in pairs))


def measure(a: Iterable[bytes], dtype_a: DType, b: Iterable[bytes], dtype_b: DType) -> Delta:
    """The distance of two values of one shape, streamed as a bundle stores them; numbers of any two dtypes."""
    import numpy as np

    total = _Total()
    # overflow and NaN are counted, not warned about
    with np.errstate(all="ignore"):
        for one, other in zip(_arrays(a, dtype_a), _arrays(b, dtype_b), strict=True):
            total.add(one, other)
    return total.delta()


def _arrays(chunks: Iterable[bytes], dtype: DType) -> Iterator[Array]:
    """The values in ``chunks``, ``_STEP`` at a time, however the bytes are cut."""
    import numpy as np

    stored = dtype.numpy.newbyteorder("<")
    size = _STEP * stored.itemsize
    rest = b""
    for chunk in chunks:
        piece = rest + chunk if rest else chunk
        whole = len(piece) - len(piece) % size
        for start in range(0, whole, size):
            yield np.frombuffer(piece, stored, _STEP, start)
        rest = piece[whole:]
    if rest:
        yield np.frombuffer(rest, stored)


class _Total:
    """The sums of which a Delta is made."""

    def __init__(self) -> None:
        self.different = self.incomparable = self.compared = 0
        self.largest = self.squares = self.dot = self.norm_a = self.norm_b = 0.0

    def add(self, a: Array, b: Array) -> None:
        """Count two equally long stretches in."""
        if a.dtype == b.dtype and a.tobytes() == b.tobytes():
            self._add_same(_wide(a))
            return
        exact = a.dtype == b.dtype and a.dtype.kind in "iub"
        wide_a, wide_b = _wide(a), _wide(b)
        # whole numbers beyond 2**53 look equal in float64
        differ = a != b if exact else _differ(wide_a, wide_b)
        self._add_different(wide_a, wide_b, differ)

    def _add_same(self, a: Array) -> None:
        import numpy as np

        finite = np.isfinite(a)
        kept = a if finite.all() else a[finite]
        norm = _squared_length(kept)
        self.compared += kept.size
        self.dot += norm
        self.norm_a += norm
        self.norm_b += norm

    def _add_different(self, a: Array, b: Array, differ: Array) -> None:
        import numpy as np

        finite = np.isfinite(a) & np.isfinite(b)
        self.different += int(np.count_nonzero(differ))
        if not finite.all():
            self.incomparable += int(np.count_nonzero(differ & ~finite))
            a, b = a[finite], b[finite]
        gap = np.abs(a - b)
        self.compared += gap.size
        self.largest = max(self.largest, float(gap.max(initial=0.0)))
        self.squares += _squared_length(gap)
        self.dot += _dot(a, b)
        self.norm_a += _squared_length(a)
        self.norm_b += _squared_length(b)

    def delta(self) -> Delta:
        """The distance over everything that was added."""
        if self.compared == 0:
            return Delta(self.different, incomparable=self.incomparable)
        product = self.norm_a * self.norm_b
        norms = sqrt(product) if 0 < product < float("inf") else sqrt(self.norm_a) * sqrt(self.norm_b)
        return Delta(
            different=self.different,
            max_abs=_finite(self.largest),
            rms=_finite(sqrt(self.squares / self.compared)),
            cosine=_finite(max(-1.0, min(1.0, self.dot / norms))) if norms else None,
            incomparable=self.incomparable,
        )


def _differ(a: Array, b: Array) -> Array:
    import numpy as np

    unequal: Array = (a != b) & ~(np.isnan(a) & np.isnan(b))
    return unequal


def _wide(array: Array) -> Array:
    """The values in float64, or complex128."""
    import numpy as np

    return array.astype(np.complex128 if np.iscomplexobj(array) else np.float64)


def _squared_length(array: Array) -> float:
    return _dot(array, array)


def _dot(a: Array, b: Array) -> float:
    """The real part of the inner product. Not by ``np.vdot``: the threads that BLAS starts only wait for each other."""
    import numpy as np

    if np.iscomplexobj(a) or np.iscomplexobj(b):
        return float(np.einsum("i,i->", a.real, b.real) + np.einsum("i,i->", a.imag, b.imag))
    return float(np.einsum("i,i->", a, b))


def _finite(value: float) -> float | None:
    """None for what overflowed: no number tells it, and JSON has none."""
    return value if value == value and abs(value) != float("inf") else None  # noqa: PLR0124 - NaN is not itself
