"""V2 bundles, read: ``P.index`` says what lies where in ``P.data-0000k-of-0000n`` (tensor_bundle.h)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, TypeAlias

from ckptmap.basics.collector import collector_paused
from ckptmap.basics.errors import CheckpointError, MissingDataError
from ckptmap.basics.text import counted
from ckptmap.checkpoint.bundle_proto import (
    HEADER_KEY,
    Entry,
    Extents,
    parse_entry,
    parse_header,
    parse_kind,
    usual_kind,
    usual_place,
)
from ckptmap.checkpoint.crc import crc32c
from ckptmap.checkpoint.dtypes import DType, dtype_from_number
from ckptmap.checkpoint.file_kind import refuse
from ckptmap.checkpoint.files import CHUNK_SIZE, Files, damage, stream
from ckptmap.checkpoint.inventory import OBJECT_GRAPH_KEY, Inventory, Kind, Slice, Span, Variable
from ckptmap.checkpoint.names import shortened
from ckptmap.checkpoint.ordered_code import FULL, slice_key
from ckptmap.checkpoint.sstable import SSTable
from ckptmap.checkpoint.values import checksum, decode, element_count, encode
from ckptmap.checkpoint.wire import FormatError, varint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import numpy as np

_WHOLE_INDEX = 1 << 26
_Known: TypeAlias = "tuple[DType, tuple[int, ...], int, bytes]"
"""Dtype, shape and size of a value; what stands between its offset and its checksum."""
_SHORT_STRIDE = 1 << 14
"""Strides up to this many bytes are quicker read whole than one by one."""


def index_path(prefix: str) -> str:
    """The index file of the bundle ``prefix``."""
    return f"{prefix}.index"


def data_path(prefix: str, shard: int, shards: int) -> str:
    """The data file ``shard`` of ``shards`` of the bundle ``prefix``."""
    return f"{prefix}.data-{shard:05d}-of-{shards:05d}"


def read_bundle_index(files: Files, prefix: str, kind: Kind = Kind.V2, notes: tuple[str, ...] = ()) -> Inventory:
    """Every variable of the bundle, from its index alone.

    Raises:
        CheckpointError: no index, something else in its place, or a damaged one.
    """
    path = index_path(prefix)
    size = files.size(path)
    if size is None:
        raise CheckpointError("no such file", where=shortened(path))
    # an index is read at once, which is one request of a remote store; only a hostile one is large
    whole = files.read(path, 0, size) if size <= _WHOLE_INDEX else None
    refuse(files, path, whole)
    with damage(path), collector_paused():
        entries = SSTable(_reader(files, path, whole), size).entries()
        key, header = next(entries, (HEADER_KEY, b""))
        shards = parse_header(header if key == HEADER_KEY else b"")
        index = _Index(shards)
        index.take(entries)
        variables, unreadable = index.end()
    return Inventory(
        kind=kind,
        path=prefix,
        variables=variables,
        data_files=tuple(data_path(prefix, shard, shards) for shard in range(shards)),
        object_based=OBJECT_GRAPH_KEY in variables,
        notes=notes + _unreadable_note(unreadable),
    )


def _reader(files: Files, path: str, whole: bytes | None) -> Callable[[int, int], bytes]:
    if whole is None:
        return lambda offset, length: files.read(path, offset, length)
    return lambda offset, length: whole[offset : offset + length]


class _Index:
    """The variables of an index with so many data files, made as its entries come by in the order of their keys.

    The parts of partitioned variables, whose keys start with a zero byte, come before all names; they are kept for the
    entries that name them.
    """

    def __init__(self, shards: int) -> None:
        self._shards = shards
        self._first: dict[bytes, Entry] = {}
        self._parts: set[bytes] = set()
        self._variables: dict[str, Variable] = {}
        self._unreadable: list[str] = []
        self._kinds: dict[bytes, _Known] = {}

    def take(self, entries: Iterable[tuple[bytes, bytes]]) -> None:
        """Takes all entries but the header, as they are stored."""
        kinds, shards, variables = self._kinds, self._shards, self._variables
        make = tuple.__new__  # of named tuples: theirs takes three times as long, and an index has many
        for key, value in entries:
            start = value[3] + 4 if len(value) > 3 else 0
            known = kinds.get(value[:start])
            if known is None:
                self._first_of_kind(key, value)
                continue
            dtype, shape, nbytes, behind = known
            found = usual_place(value, start, behind)
            if found is None or found[0] >= shards or key[:1] == b"\0":
                self._add(key, parse_entry(value))
                continue
            shard, offset, crc = found
            name = key.decode("utf-8", "surrogateescape")
            span = make(Span, (shard, offset, nbytes, crc))
            variables[name] = make(Variable, (name, dtype, shape, nbytes, span, ()))

    def _first_of_kind(self, key: bytes, value: bytes) -> None:
        """Takes an entry; dtype, shape and size of a usual one are kept for those that are the same."""
        self._add(key, parse_entry(value))
        kind = usual_kind(value)
        number, shape = parse_kind(kind) if kind is not None else (0, ())
        dtype = dtype_from_number(number)
        if kind is not None and dtype is not None and dtype.itemsize is not None:
            size = element_count(shape) * dtype.itemsize
            self._kinds[kind] = dtype, shape, size, (b"\x28" + varint(size) if size else b"") + b"\x35"

    def _add(self, key: bytes, entry: Entry) -> None:
        if entry.slices:
            self._parts.update(slice_key(key, extents) for extents in entry.slices)
        if key.startswith(b"\0"):
            self._first[key] = entry
        else:
            self._enter(key, entry, self._variables)

    def end(self) -> tuple[dict[str, Variable], list[str]]:
        """The variables by name, and the names of values of a type that is no tensor (variants, resources)."""
        unclaimed: dict[str, Variable] = {}
        for key, entry in self._first.items():
            if key not in self._parts:
                self._enter(key, entry, unclaimed)
        return {**unclaimed, **self._variables} if unclaimed else self._variables, self._unreadable

    def _enter(self, key: bytes, entry: Entry, variables: dict[str, Variable]) -> None:
        name = key.decode("utf-8", "surrogateescape")
        dtype = dtype_from_number(entry.dtype)
        if dtype is None:
            self._unreadable.append(name)
        else:
            variables[name] = self._variable(name, key, entry, dtype)

    def _variable(self, name: str, key: bytes, entry: Entry, dtype: DType) -> Variable:
        if not entry.slices:
            span = self._span(name, dtype, entry)
            return Variable(name, dtype, entry.shape, span.size, span)
        slices = tuple(self._slice(name, key, entry, dtype, extents) for extents in entry.slices)
        check_cover(name, entry.shape, slices)
        return Variable(name, dtype, entry.shape, stored_size(dtype, entry.shape, slices), None, slices)

    def _slice(self, name: str, key: bytes, whole: Entry, dtype: DType, extents: Extents) -> Slice:
        starts, lengths = resolve_extents(name, whole.shape, extents)
        part = self._first.get(slice_key(key, extents))
        if part is None or part.shape != lengths:
            raise FormatError(f"a part of the partitioned variable {shortened(name)} is missing")
        if part.dtype != whole.dtype:
            raise FormatError(f"a part of the partitioned variable {shortened(name)} is of another type")
        return Slice(starts, lengths, self._span(name, dtype, part))

    def _span(self, name: str, dtype: DType, entry: Entry) -> Span:
        """Where the bytes of an entry lie.

        Raises:
            FormatError: a shard that is not there, or a size that does not fit the shape.
        """
        if entry.shard >= self._shards:
            raise FormatError(f"{shortened(name)} lies in data file {entry.shard} of {self._shards}")
        count = element_count(entry.shape)
        fits = entry.size >= count + 4 if dtype.itemsize is None else entry.size == count * dtype.itemsize
        if not fits:
            raise FormatError(f"{shortened(name)} claims {entry.size} bytes for {dtype} {list(entry.shape)}")
        return Span(entry.shard, entry.offset, entry.size, entry.crc32c)


def stored_size(dtype: DType, shape: tuple[int, ...], slices: tuple[Slice, ...]) -> int:
    """The bytes of a partitioned variable stored whole; of strings, with one checksum instead of one a part."""
    if dtype.itemsize is None:
        return sum(part.span.size for part in slices if part.span) - 4 * (len(slices) - 1)
    return element_count(shape) * dtype.itemsize


def _unreadable_note(names: list[str]) -> tuple[str, ...]:
    if not names:
        return ()
    shown = ", ".join(shortened(name) for name in names[:3])
    return (f"{counted(len(names), 'value', 'is', 'are')} left out, because the type is not one of a tensor: {shown}",)


def resolve_extents(name: str, shape: tuple[int, ...], extents: Extents) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The starts and lengths of a slice of ``shape``; no extents at all, or length -1, mean whole dimensions.

    Raises:
        FormatError: the slice does not lie within the shape.
    """
    pairs = extents or ((0, FULL),) * len(shape)
    starts = tuple(start for start, _ in pairs)
    lengths = tuple(dim if length == FULL else length for (_, length), dim in zip(pairs, shape, strict=False))
    inside = all(
        start >= 0 and length >= 0 and start + length <= dim
        for start, length, dim in zip(starts, lengths, shape, strict=False)
    )
    if len(pairs) != len(shape) or not inside:
        raise FormatError(f"a part of {shortened(name)} lies outside its shape {list(shape)}")
    return starts, lengths


def check_cover(name: str, shape: tuple[int, ...], slices: tuple[Slice, ...]) -> None:
    """Refuses slices that do not fill the whole variable.

    Raises:
        FormatError: their elements do not add up to those of ``shape``.
    """
    covered = sum(element_count(part.lengths) for part in slices)
    if covered != element_count(shape):
        raise FormatError(f"the parts of {shortened(name)} hold {covered} of {element_count(shape)} elements")


class BundleSource:
    """The values of a V2 bundle.

    Args:
        files: where the files are.
        inventory: what ``read_bundle_index`` gave.
        verify: whether checksums are compared.
    """

    def __init__(self, files: Files, inventory: Inventory, *, verify: bool = True) -> None:
        self.inventory = inventory
        self._files = files
        self._verify = verify
        self._sizes: dict[int, int] = {}

    def value(self, variable: Variable) -> np.ndarray:
        """The whole value, assembled from its parts where it is partitioned."""
        if variable.span is not None:
            return self._decoded(variable, variable.shape, variable.span)
        self._refuse_shared_parts(variable)
        return assemble(variable, [self._decoded(variable, part.lengths, part.span) for part in variable.slices])

    def chunks(self, variable: Variable, size: int = CHUNK_SIZE) -> Iterator[bytes]:
        """The bytes of the value as a V2 bundle stores them whole; checksums are compared behind the last chunk."""
        if variable.span is not None:
            yield from self._stream(variable, variable.shape, variable.span, size)
        elif rows := in_rows(variable):
            self._refuse_shared_parts(variable)
            for part in rows:
                if part.span is not None:
                    yield from self._stream(variable, part.lengths, part.span, size)
        else:
            yield encode(variable.dtype, self.value(variable))

    def stored(self, variable: Variable) -> tuple[str, Span] | None:
        """The data file and the place in it where the bytes lie whole.

        None where they do not, have no checksum, or one that nobody compares: then it must not be handed on.

        Raises:
            CheckpointError: the data file is missing, something else, or too short.
        """
        if variable.span is None or variable.span.crc32c is None or not self._verify:
            return None
        return self._data_file(variable.span), variable.span

    def places(self, variable: Variable) -> Iterator[tuple[str, int, int]]:
        """The parts of data files that hold the value: path, offset and size. Raises CheckpointError as ``stored``."""
        for span in (variable.span, *(part.span for part in variable.slices)):
            if span is not None:
                yield self._data_file(span), span.offset, span.size

    def refuse_absent_data(self) -> None:
        """Looks at every data file that a value needs, without reading it.

        Raises:
            CheckpointError: one is missing, something else, or too short for the index.
        """
        for variable in self.inventory.variables.values():
            for span in (variable.span, *(part.span for part in variable.slices)):
                if span is not None:
                    self._data_file(span)

    def rows(self, variable: Variable, axis: int, start: int, stop: int) -> np.ndarray:
        """The indices ``start <= i < stop`` of one axis, without reading the rest; checksums are not compared.

        Where the value does not lie whole in a data file, it is read whole.
        """
        if variable.span is None or variable.dtype.itemsize is None:
            box = (slice(None),) * axis + (slice(start, stop),)
            return self.value(variable)[box]
        shape = variable.shape
        inner = element_count(shape[axis + 1 :]) * variable.dtype.itemsize
        path, at = self._data_file(variable.span), variable.span.offset
        raw = bytearray()
        for piece in self._runs(
            path, at, element_count(shape[:axis]), shape[axis] * inner, start * inner, stop * inner
        ):
            raw += piece
        with damage(path):
            return decode(variable.dtype, (*shape[:axis], stop - start, *shape[axis + 1 :]), memoryview(raw))

    def _runs(self, path: str, at: int, count: int, stride: int, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from ``start`` to ``stop`` of each of ``count`` strides; short strides are read many at a time."""
        if stride > _SHORT_STRIDE:
            for number in range(count):
                yield from stream(self._files, path, at + number * stride + start, stop - start, stop - start)
            return
        together = max(1, CHUNK_SIZE // stride) if stride else 1
        for number in range(0, count, together):
            size = min(together, count - number) * stride
            block = b"".join(stream(self._files, path, at + number * stride, size, size))
            yield from (block[begin + start : begin + stop] for begin in range(0, size, stride or 1))

    def _decoded(self, variable: Variable, shape: tuple[int, ...], span: Span | None) -> np.ndarray:
        if span is None:
            raise CheckpointError("has no bytes in this file", where=shortened(variable.name))
        raw = b"".join(self._stream(variable, shape, span, max(span.size, 1)))
        with damage(self.inventory.data_files[span.file]):
            return decode(variable.dtype, shape, raw)

    def _stream(self, variable: Variable, shape: tuple[int, ...], span: Span, size: int) -> Iterator[bytes]:
        path = self._data_file(span)
        if variable.dtype is DType.STRING:
            raw = b"".join(stream(self._files, path, span.offset, span.size))
            if self._verify:
                with damage(path):
                    self._compare(variable, path, span, checksum(variable.dtype, shape, raw))
            yield raw
            return
        crc = 0
        for piece in stream(self._files, path, span.offset, span.size, size):
            if self._verify:
                crc = crc32c(piece, crc)
            yield piece
        if self._verify:
            self._compare(variable, path, span, crc)

    def _compare(self, variable: Variable, path: str, span: Span, crc: int) -> None:
        if span.crc32c is not None and crc != span.crc32c:
            refuse(self._files, path)
            raise CheckpointError(
                f"the checksum of {shortened(variable.name)} is wrong: its {span.size} bytes at byte {span.offset} "
                "are not those that were saved",
                where=shortened(path),
                hint="the data file is damaged or belongs to another index: download or copy it again",
            )

    def _refuse_shared_parts(self, variable: Variable) -> None:
        """Refuses parts that are one another's bytes: a small file must not make a large value."""
        claimed: Counter[int] = Counter()
        for part in variable.slices:
            if part.span is not None:
                claimed[part.span.file] += part.span.size
        for number, size in claimed.items():
            path = self.inventory.data_files[number]
            if size > (self._files.size(path) or size):
                raise CheckpointError(f"holds less than the parts of {shortened(variable.name)}", where=shortened(path))

    def _data_file(self, span: Span) -> str:
        """The path of the data file, once it is known to hold the span.

        Raises:
            CheckpointError: it is missing, something else, or too short.
        """
        path = self.inventory.data_files[span.file]
        if span.file not in self._sizes:
            self._sizes[span.file] = self._checked_size(path)
        if span.offset + span.size > self._sizes[span.file]:
            refuse(self._files, path)
            raise CheckpointError(
                f"is cut off: {self._sizes[span.file]} bytes, the index needs at least {span.offset + span.size}",
                where=shortened(path),
                hint="download or copy it again",
            )
        return path

    def _checked_size(self, path: str) -> int:
        size = self._files.size(path)
        if size is None:
            what = "is a folder, not a data file" if self._files.is_folder(path) else "this data file is missing"
            raise MissingDataError(what, where=shortened(path), hint="copy it there, it belongs beside the index")
        if size < 1024:
            # a note or a pointer in place of the data can be long enough for a small tensor
            refuse_pointer(self._files, path)
        return size


def refuse_pointer(files: Files, path: str) -> None:
    """Refuses a small file that is a Git-LFS pointer or the like; raw values can look like text, so only those."""
    from ckptmap.checkpoint.file_kind import LFS_MAGIC, head_of

    if head_of(files, path).startswith(LFS_MAGIC):
        refuse(files, path)


def in_rows(variable: Variable) -> tuple[Slice, ...] | None:
    """The slices in order where their bytes simply follow one another: only the first dimension is cut."""
    if variable.dtype is DType.STRING or not variable.shape:
        return None
    ordered = tuple(sorted(variable.slices, key=lambda part: part.starts))
    position = 0
    for part in ordered:
        if part.lengths[1:] != variable.shape[1:] or part.starts[0] != position:
            return None
        position += part.lengths[0]
    return ordered


def assemble(variable: Variable, parts: list[np.ndarray]) -> np.ndarray:
    """The whole value from the values of its slices."""
    import numpy as np

    whole = np.zeros(variable.shape, dtype=variable.dtype.numpy)
    filled = np.zeros(variable.shape, dtype=bool)
    for part, value in zip(variable.slices, parts, strict=True):
        box = tuple(slice(start, start + length) for start, length in zip(part.starts, part.lengths, strict=True))
        whole[box] = value
        filled[box] = True
    if not filled.all():
        raise CheckpointError(f"the parts of {shortened(variable.name)} overlap and leave a gap")
    return whole
