"""V1 checkpoints, read: tables whose entries are the values themselves (tensorflow/core/util/saved_tensor_slice.proto).

Every file of the checkpoint is a table. Its entry ``""`` lists variables and the slices that this file holds; each
slice is an entry of its own, under the key that ``ordered_code.slice_key`` makes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ckptmap.basics.errors import CheckpointError
from ckptmap.checkpoint.bundle import assemble, check_cover, resolve_extents
from ckptmap.checkpoint.bundle_proto import Extents, parse_shape, parse_slice
from ckptmap.checkpoint.dtypes import DType, dtype_from_number
from ckptmap.checkpoint.files import Files, damage
from ckptmap.checkpoint.inventory import Inventory, Kind, Slice, Variable
from ckptmap.checkpoint.names import shortened
from ckptmap.checkpoint.ordered_code import slice_key
from ckptmap.checkpoint.sstable import SSTable
from ckptmap.checkpoint.tensor_proto import tensor_values
from ckptmap.checkpoint.values import element_count, encode
from ckptmap.checkpoint.wire import Bytes, FormatError, as_bytes, as_int, as_text, bounded, read_fields

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    from ckptmap.checkpoint.data_files import Located

_META_KEY = b""
_MAX_BLOCK = 1 << 31
"""A block holds whole values here, and a protobuf message ends at 2 GiB."""


@dataclass(slots=True)
class _Saved:
    """What the files say of one variable: its slices, each with the number of its file."""

    dtype: DType
    shape: tuple[int, ...]
    slices: list[tuple[int, Extents]] = field(default_factory=list)


class V1Source:
    """A V1 checkpoint; values are checked by the checksums of the table's blocks.

    Args:
        files: where the files are.
        found: its prefix and its files.

    Raises:
        CheckpointError: a file is damaged, or holds no V1 metadata.
    """

    def __init__(self, files: Files, found: Located) -> None:
        self._paths = found.parts
        self._tables = [_open_table(files, path) for path in found.parts]
        self._saved: dict[str, _Saved] = {}
        for number, (path, table) in enumerate(zip(self._paths, self._tables, strict=True)):
            with damage(path):
                self._add_metadata(number, table.get(_META_KEY))
        with damage(found.path):
            variables = {name: _variable(name, self._saved[name]) for name in sorted(self._saved)}
        self.inventory = Inventory(Kind.V1, found.path, variables, found.parts, notes=found.notes)

    def value(self, variable: Variable) -> np.ndarray:
        """The whole value, assembled from its parts where it is partitioned."""
        saved = self._saved[variable.name]
        parts = [self._part(variable, number, extents) for number, extents in saved.slices]
        return assemble(variable, parts) if variable.slices else parts[0]

    def chunks(self, variable: Variable, size: int) -> Iterator[bytes]:
        """The bytes of the value as a V2 bundle stores them."""
        raw = memoryview(encode(variable.dtype, self.value(variable)))
        step = len(raw) if variable.dtype is DType.STRING else size
        for start in range(0, len(raw), max(step, 1)):
            yield bytes(raw[start : start + step])

    def _add_metadata(self, number: int, data: bytes | None) -> None:
        if data is None:
            raise FormatError("the table holds no list of variables: it is not a V1 checkpoint")
        for place, value in read_fields(data):
            if place == 1:
                for inner, tensor in bounded(read_fields(as_bytes(value)), "variables"):
                    if inner == 1:
                        self._add_tensor(number, as_bytes(tensor))

    def _add_tensor(self, number: int, data: Bytes) -> None:
        name, dtype, slices = "", None, []
        shape: tuple[int, ...] = ()
        for place, value in read_fields(data):
            if place == 1:
                name = as_text(value)
            elif place == 2:
                shape = parse_shape(bytes(as_bytes(value)))
            elif place == 3:
                dtype = dtype_from_number(as_int(value))
            elif place == 4:
                slices.append((number, parse_slice(as_bytes(value))))
        if dtype is None:
            raise FormatError(f"{shortened(name)} is of an unknown type")
        saved = self._saved.setdefault(name, _Saved(dtype, shape))
        if (saved.dtype, saved.shape) != (dtype, shape):
            raise FormatError(f"the files disagree on the shape of {shortened(name)}")
        saved.slices += slices

    def _part(self, variable: Variable, number: int, extents: Extents) -> np.ndarray:
        path = self._paths[number]
        with damage(path):
            _, lengths = resolve_extents(variable.name, variable.shape, extents)
            entry = self._tables[number].get(slice_key(variable.name.encode("utf-8", "surrogateescape"), extents))
            return tensor_values(variable.dtype, lengths, _tensor_of(variable.name, entry), exact=True)


def _open_table(files: Files, path: str) -> SSTable:
    size = files.size(path)
    if size is None:
        raise CheckpointError("this data file is missing", where=shortened(path), hint="copy it there")
    with damage(path):
        return SSTable(lambda offset, length: files.read(path, offset, length), size, _MAX_BLOCK)


def _variable(name: str, saved: _Saved) -> Variable:
    if not saved.slices:
        raise FormatError(f"the values of {shortened(name)} are missing")
    slices = tuple(Slice(*resolve_extents(name, saved.shape, extents), span=None) for _, extents in saved.slices)
    check_cover(name, saved.shape, slices)
    # the size of strings is known only when they are read
    nbytes = element_count(saved.shape) * (saved.dtype.itemsize or 0)
    return Variable(name, saved.dtype, saved.shape, nbytes, None, slices if len(slices) > 1 else ())


def _tensor_of(name: str, entry: bytes | None) -> Bytes:
    """The TensorProto in SavedTensorSlices.data.data."""
    for place, value in read_fields(memoryview(entry or b"")):
        if place == 2:
            for inner, tensor in read_fields(as_bytes(value)):
                if inner == 3:
                    return as_bytes(tensor)
    raise FormatError(f"the values of {shortened(name)} are missing")
