"""CRC-32C (Castagnoli) as TensorFlow and LevelDB store it: masked (tsl/lib/hash/crc32c.h)."""

from __future__ import annotations

import importlib.util
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Buffer

    Crc32c = Callable[[Buffer, int], int]

_MASK_DELTA = 0xA282EAD8
_UINT32 = 0xFFFFFFFF


def _load() -> Crc32c:
    """The compiled function alone: the package around it reads its own version's metadata, 30 ms at every start."""
    package = importlib.util.find_spec("crc32c")
    spec = PathFinder.find_spec("crc32c._crc32c", package.submodule_search_locations) if package else None
    if spec is None or spec.loader is None:
        from crc32c import crc32c as whole

        return cast("Crc32c", whole)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return cast("Crc32c", module.crc32c)


_crc32c = _load()


def crc32c(data: Buffer, start: int = 0) -> int:
    """The CRC-32C of ``data``, continuing from ``start``; buffers are read in place."""
    return _crc32c(data, start)


def mask(crc: int) -> int:
    """The stored form of ``crc``: rotated right by 15 bits plus a constant."""
    return (((crc >> 15) | (crc << 17)) + _MASK_DELTA) & _UINT32


def unmask(stored: int) -> int:
    """The CRC behind its stored form."""
    rotated = (stored - _MASK_DELTA) & _UINT32
    return ((rotated >> 17) | (rotated << 15)) & _UINT32
