"""One variable of an open checkpoint, whose values are read when they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np

    from ckptmap.checkpoint.inventory import Variable


class Values(Protocol):
    """What an open checkpoint reads of a variable."""

    def read(self, name: str) -> np.ndarray:
        """The whole value."""

    def rows(self, name: str, axis: int, start: int, stop: int) -> np.ndarray:
        """The indices ``start <= i < stop`` of one axis."""


class LazyArray:
    """A variable as NumPy takes it: ``np.asarray(lazy)``, ``lazy[:100]``; name, shape and dtype cost nothing.

    A slice of the first axis reads these rows alone where the format can, and compares no checksum; the whole value's
    checksum is compared. The checkpoint has to be open while values are read.
    """

    def __init__(self, checkpoint: Values, variable: Variable) -> None:
        self._checkpoint = checkpoint
        self._variable = variable

    @property
    def name(self) -> str:
        """What the checkpoint calls it."""
        return self._variable.name

    @property
    def shape(self) -> tuple[int, ...]:
        """Its lengths, in elements."""
        return self._variable.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The NumPy dtype: of ml-dtypes for bfloat16 and narrower, ``object`` for strings, which are bytes."""
        return self._variable.dtype.numpy

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return self._variable.elements

    @property
    def nbytes(self) -> int:
        """Bytes of the value as the checkpoint stores them."""
        return self._variable.nbytes

    def numpy(self) -> np.ndarray:
        """The whole value, possibly read-only.

        Raises:
            CheckpointError: a data file is missing or damaged.
        """
        return self._checkpoint.read(self.name)

    def __array__(self, dtype: np.dtype[Any] | None = None, copy: bool | None = None) -> np.ndarray:
        value = self.numpy()
        wanted = value if dtype is None else value.astype(dtype, copy=False)
        return wanted.copy() if copy else wanted

    def __getitem__(self, key: Any) -> Any:
        first = key[0] if isinstance(key, tuple) and key else key
        if not self.shape or not isinstance(first, slice) or first.step not in (None, 1):
            return self.numpy()[key]
        start, stop, _ = first.indices(self.shape[0])
        rows = self._checkpoint.rows(self.name, 0, start, max(start, stop))
        if not isinstance(key, tuple):
            return rows
        others: tuple[Any, ...] = (slice(None), *key[1:])
        return rows[others]

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError(f"{self.name} is a scalar: it has no length")
        return self.shape[0]

    def __repr__(self) -> str:
        from ckptmap.checkpoint.names import shortened

        return f"<{shortened(self.name)}: {self._variable.dtype} {list(self.shape)}, not read yet>"
