"""Equal bytes told fast: files compared in place, by two threads, into buffers that are used again and again.

Only equality is told here, with a right checksum. Whatever is not equal, or not readable, is left to the reader of
checkpoints, which says what it is.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from ckptmap.basics.regular import open_unbuffered
from ckptmap.checkpoint.crc import crc32c

if TYPE_CHECKING:
    from ckptmap.checkpoint.inventory import Inventory, Span, Variable

_CHUNK = 1 << 18
"""Bytes read at a time: two such buffers stay in a processor's second cache while they are compared."""
_THREADS = 2


@dataclass(frozen=True, slots=True)
class _Job:
    """A variable's bytes in the two files."""

    name: str
    file_a: str
    file_b: str
    offset_a: int
    offset_b: int
    size: int
    crc32c: int | None


def same_on_disk(a: Inventory, b: Inventory, pairs: Iterable[tuple[str, Variable, Variable]]) -> frozenset[str]:
    """The names of the pairs whose bytes are equal and have the checksum that the index of ``a`` states."""
    jobs = iter(tuple(_jobs(a, b, pairs)))
    same: list[str] = []
    lock = threading.Lock()

    def work() -> None:
        with contextlib.ExitStack() as files:
            comparer = _Comparer(files)
            while True:
                with lock:
                    job = next(jobs, None)
                if job is None:
                    return
                if comparer.equal(job):
                    same.append(job.name)

    threads = [threading.Thread(target=work) for _ in range(_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return frozenset(same)


def _jobs(a: Inventory, b: Inventory, pairs: Iterable[tuple[str, Variable, Variable]]) -> Iterator[_Job]:
    for name, one, other in pairs:
        if _is_local(a, one.span) and _is_local(b, other.span) and one.span and other.span:
            files = a.data_files[one.span.file], b.data_files[other.span.file]
            if one.span.size == other.span.size and one.dtype.itemsize is not None:
                yield _Job(name, *files, one.span.offset, other.span.offset, one.span.size, one.span.crc32c)


def _is_local(inventory: Inventory, span: Span | None) -> bool:
    return span is not None and "://" not in inventory.data_files[span.file]


class _Comparer:
    """The files and buffers of one thread."""

    def __init__(self, files: contextlib.ExitStack) -> None:
        self._files = files
        self._open: dict[str, BinaryIO] = {}
        self._buffers = bytearray(_CHUNK), bytearray(_CHUNK)

    def equal(self, job: _Job) -> bool:
        """Whether the bytes are equal and whole; False too where a file cannot be read."""
        try:
            return self._equal(job)
        except OSError:
            return False

    def _equal(self, job: _Job) -> bool:
        a, b = self._at(job.file_a, job.offset_a), self._at(job.file_b, job.offset_b)
        one, other = self._buffers
        left, crc = job.size, 0
        while left:
            if left < _CHUNK:
                one, other = bytearray(left), bytearray(left)
            if a.readinto(one) != len(one) or b.readinto(other) != len(other) or one != other:  # type: ignore[attr-defined]
                return False
            crc = crc32c(one, crc)
            left -= len(one)
        return job.crc32c is None or crc == job.crc32c

    def _at(self, path: str, offset: int) -> BinaryIO:
        if path not in self._open:
            self._open[path] = self._files.enter_context(open_unbuffered(path))
        self._open[path].seek(offset)
        return self._open[path]
