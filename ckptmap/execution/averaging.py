"""Several checkpoints of one model, read as one: the mean of their weights, computed as it is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.files import CHUNK_SIZE, LocalFiles
from ckptmap.checkpoint.inventory import OBJECT_GRAPH_KEY, Inventory, Variable
from ckptmap.checkpoint.object_graph import without_values
from ckptmap.checkpoint.object_graph_writing import format_object_graph
from ckptmap.checkpoint.reader import Checkpoint
from ckptmap.checkpoint.values import decode, encode, join_strings

if TYPE_CHECKING:
    import numpy as np

    from ckptmap.checkpoint.identity import Stamps
    from ckptmap.planning.averaging import Average

_PIECE = min(CHUNK_SIZE, 1 << 20)
"""Bytes of each checkpoint that are held at a time."""
_COMPLEX = frozenset({DType.COMPLEX64, DType.COMPLEX128})


class Mean(Checkpoint):
    """The mean of ``checkpoints`` as :class:`Average` plans it; closing it leaves them open."""

    def __init__(self, checkpoints: Sequence[Checkpoint], average: Average) -> None:
        super().__init__(_MeanSource(checkpoints, average), LocalFiles(), verify=all(one.verify for one in checkpoints))
        self._checkpoints = checkpoints

    def fetch(self, names: Iterable[str], *, instead: bool = False) -> None:
        """Brings the values of each to this machine."""
        wanted = list(names)
        for one in self._checkpoints:
            one.fetch(wanted, instead=instead)

    def digests(self) -> dict[str, str]:
        """The SHA-256 of the files that decide every value, by the path of each checkpoint and the file's name."""
        return {
            f"{one.inventory.path}: {name}": digest
            for one in self._checkpoints
            for name, digest in one.digests().items()
        }

    def stamps(self) -> Stamps:
        """Those of all checkpoints."""
        return {path: stamp for one in self._checkpoints for path, stamp in one.stamps().items()}

    def refuse_changed(self, before: Stamps) -> None:
        """Refuses to go on where one of them is not what it was."""
        for one in self._checkpoints:
            one.refuse_changed(before)


class _MeanSource:
    """What ``Mean`` reads its values from."""

    def __init__(self, checkpoints: Sequence[Checkpoint], average: Average) -> None:
        self.inventory: Inventory = average.inventory
        self._checkpoints = checkpoints
        self._average = average

    def value(self, variable: Variable) -> np.ndarray:
        """The whole mean."""
        return decode(variable.dtype, variable.shape, b"".join(self.chunks(variable, _PIECE)))

    def chunks(self, variable: Variable, size: int) -> Iterator[bytes]:
        """The bytes of the mean, of the last checkpoint's value, or of its object graph without slots."""
        last = self._checkpoints[-1]
        if variable.name == OBJECT_GRAPH_KEY:
            graph = last.object_graph()
            if graph is not None:
                yield join_strings([format_object_graph(without_values(graph, self._average.slots))])
        elif variable.name in self._average.averaged:
            yield from _means(variable, self._checkpoints, min(size, _PIECE))
        else:
            yield from last.chunks(variable.name, size)


def _means(variable: Variable, checkpoints: Sequence[Checkpoint], size: int) -> Iterator[bytes]:
    """The mean in double precision, rounded once to the variable's type."""
    import numpy as np

    width = max(1, size // (variable.dtype.itemsize or 1)) * (variable.dtype.itemsize or 1)
    streams = [_cut(checkpoint.chunks(variable.name, width), width) for checkpoint in checkpoints]
    wide = np.dtype(np.complex128 if variable.dtype in _COMPLEX else np.float64)
    for pieces in zip(*streams, strict=True):
        with np.errstate(over="ignore", invalid="ignore"):
            total = sum(_numbers(variable.dtype, piece).astype(wide) for piece in pieces)
            yield encode(variable.dtype, np.asarray(total / len(checkpoints)))


def _numbers(dtype: DType, piece: bytes) -> np.ndarray:
    return decode(dtype, (len(piece) // (dtype.itemsize or 1),), piece)


def _cut(chunks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """The same bytes in pieces of ``size``, the last one shorter: checkpoints cut their values each its own way."""
    waiting = bytearray()
    for chunk in chunks:
        waiting += chunk
        while len(waiting) >= size:
            yield bytes(waiting[:size])
            del waiting[:size]
    if waiting:
        yield bytes(waiting)
