"""HDF5 files of weights through h5py (an extra): only plain datasets, reached by one path each, no links followed.

An HDF5 file can point to other files (external links, external storage, virtual datasets), hold whatever Python could
pickle (object types), run in circles (soft and hard links) and claim sizes that it does not have: none of it is in a
file that Keras saved, and all of it is refused before a value is read.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ckptmap.basics.errors import CheckpointError, CkptmapError
from ckptmap.basics.extras import install
from ckptmap.checkpoint.dtypes import DType, dtype_from_label
from ckptmap.checkpoint.names import shortened
from ckptmap.checkpoint.wire import FormatError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator
    from typing import BinaryIO

    import numpy as np

_MOST_OBJECTS = 1_000_000
_DEEPEST = 64
_FILTERS = (1, 2, 3)
"""deflate, shuffle and Fletcher-32: those that every HDF5 library has; others may be loaded from files."""
_MOST_PACKED = 1100
"""How many times smaller deflate can make a value; a file that claims more holds less than it says."""
_LARGEST_CHUNK = 256 << 20
"""Bytes that HDF5 unpacks at a time."""
_MOST_TOGETHER = 16 << 20
"""Bytes of rows that are held for the sake of packed pieces."""
_LONGEST_ATTRIBUTE = 64 << 20
_HINT = "Keras does not save such a file: get it from where it was saved"


@contextmanager
def hdf5_errors(path: str) -> Iterator[None]:
    """Turns what h5py raises on a damaged file into an error that names the file."""
    try:
        yield
    except (CkptmapError, FormatError):
        raise
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, OverflowError, MemoryError) as error:
        raise CheckpointError(
            f"damaged: HDF5 says {shortened(str(error)) or type(error).__name__}",
            where=shortened(path),
            hint="download or copy the file again and compare its size",
        ) from error


def open_hdf5(path: str, file: str | os.PathLike[str] | BinaryIO, mode: str = "r") -> Any:
    """The h5py.File; ``path`` names it in errors.

    Raises:
        CheckpointError: h5py is not installed, or the file is damaged.
    """
    try:
        import h5py
    except ImportError as error:
        raise CheckpointError(
            "is an HDF5 file, and h5py is not installed", where=path, hint=install("keras")
        ) from error
    with hdf5_errors(path):
        return h5py.File(file, mode, locking=False)


def datasets(path: str, root: Any) -> dict[str, Any]:
    """Every dataset of an open file by its path in it, each looked at: it can be read, and holds what it claims.

    Raises:
        CheckpointError: a link, a circle, a dataset that lies elsewhere or is of a type that is no number.
    """
    found: dict[str, Any] = {}
    with hdf5_errors(path):
        _walk(path, root, "", {_address(root)}, found)
    return found


def _walk(path: str, group: Any, below: str, seen: set[tuple[int, int]], found: dict[str, Any]) -> None:
    import h5py

    for name in group:
        where = f"{below}{name}"
        link = group.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            kind = "an external" if isinstance(link, h5py.ExternalLink) else "a soft"
            raise _refused(path, f"{shortened(where)} is {kind} link")
        item = group[name]
        address = _address(item)
        if address in seen:
            raise _refused(path, f"{shortened(where)} is reached by two paths")
        seen.add(address)
        if len(seen) > _MOST_OBJECTS or where.count("/") > _DEEPEST:
            raise _refused(path, "more objects, or deeper ones, than any model has")
        if isinstance(item, h5py.Dataset):
            _check(path, where, item)
            found[where] = item
        elif isinstance(item, h5py.Group):
            _walk(path, item, f"{where}/", seen, found)
        else:
            raise _refused(path, f"{shortened(where)} is neither a group nor a dataset")


def _address(item: Any) -> tuple[int, int]:
    import h5py

    info = h5py.h5o.get_info(item.id)
    return info.fileno, info.addr


def _refused(path: str, message: str) -> CheckpointError:
    return CheckpointError(message, where=shortened(path), hint=_HINT)


def _check(path: str, where: str, dataset: Any) -> None:
    """Refuses what is read from elsewhere, what no number is, and sizes beyond what the file holds."""
    plist = dataset.id.get_create_plist()
    if dataset.is_virtual or plist.get_external_count():
        raise _refused(path, f"{shortened(where)} lies in another file")
    if dataset.shape is None or dtype_of(dataset) is None:
        raise _refused(path, f"{shortened(where)} is {dataset.dtype}, not a tensor of numbers")
    filters = [plist.get_filter(at)[0] for at in range(plist.get_nfilters())]
    if any(number not in _FILTERS for number in filters):
        raise _refused(path, f"{shortened(where)} is packed by a filter that not every HDF5 library has")
    stored = dataset.id.get_storage_size()
    if dataset.nbytes > stored * (_MOST_PACKED if filters else 1):
        raise _refused(path, f"{shortened(where)} claims {dataset.nbytes} bytes, and the file holds {stored} of it")
    if dataset.chunks is not None and _bytes(dataset.chunks, dataset.dtype.itemsize) > _LARGEST_CHUNK:
        raise _refused(path, f"{shortened(where)} is packed in pieces that are too large")


def _bytes(shape: tuple[int, ...], itemsize: int) -> int:
    for length in shape:
        itemsize *= length
    return itemsize


def dtype_of(dataset: Any) -> DType | None:
    """The type of its values; None where it is none that a checkpoint holds. Keras marks bfloat16 by an attribute."""
    kind = dataset.dtype.kind
    if kind == "V" and dataset.dtype.itemsize == 2 and attribute(dataset, "dtype") == "bfloat16":
        return DType.BFLOAT16
    return dtype_from_label(dataset.dtype.newbyteorder("=").name) if kind in "fiubc" else None


def rows_together(dataset: Any, wanted: int) -> int:
    """How many rows to read or write at a time: about ``wanted``, or all of a packed piece where those are few bytes.

    HDF5 packs and unpacks a piece as often as it is touched.
    """
    if dataset.chunks is None or not dataset.chunks[0]:
        return max(1, wanted)
    piece = int(dataset.chunks[0])
    row = _bytes(dataset.shape[1:], dataset.dtype.itemsize)
    if piece * row > _MOST_TOGETHER:
        return max(1, wanted)
    return max(1, wanted // piece) * piece


def read_rows(dataset: Any, box: tuple[slice, ...]) -> np.ndarray:
    """The values in a box of the dataset, in the byte order of this machine."""
    values: np.ndarray = dataset[box]
    wanted = (dtype_of(dataset) or DType.FLOAT32).numpy
    return values.view(wanted) if values.dtype.kind == "V" else values.astype(wanted, copy=False)


def attribute(item: Any, name: str) -> Any:
    """An attribute's value, texts as ``str``; None where it is absent or is no text or list of texts.

    Raises:
        FormatError: it is larger than any that Keras writes.
    """
    if name not in item.attrs:
        return None
    known = item.attrs.get_id(name)
    if _bytes(known.shape, known.dtype.itemsize) > _LONGEST_ATTRIBUTE:
        raise FormatError(f"the attribute {name} is too large")
    if known.dtype.kind not in "OSU":
        return None
    value = item.attrs[name]
    return [_text(each) for each in value.reshape(-1)] if known.shape else _text(value)


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def attributes(item: Any, name: str) -> list[str]:
    """A list of texts, which Keras 2 cuts in parts (``weight_names0``, ``weight_names1``) where it is long."""
    whole = attribute(item, name)
    if whole is not None:
        return whole if isinstance(whole, list) else [whole]
    found: list[str] = []
    for number in range(_MOST_OBJECTS):
        part = attribute(item, f"{name}{number}")
        if part is None:
            return found
        found += part if isinstance(part, list) else [part]
    return found
