"""Reading back and flushing what was written while more of it is written, when a core and the disk are idle else."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

from ckptmap.checkpoint.crc import crc32c
from ckptmap.checkpoint.inventory import Span

if TYPE_CHECKING:
    from typing_extensions import Self

_BLOCK = 1 << 18
"""Bytes read at a time: they stay in the cache of a core until their checksum is there."""
_ENOUGH = 1 << 25
"""Bytes that are worth waking the threads for; smaller checkpoints start none."""


class Behind:
    """Checks the values of one growing file; a context manager.

    What it found right need not be read again. What it did not, it says nothing of: a value whose bytes are still on
    the way, or are wrong, is for ``read_back`` to read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._waiting: list[Span] = []
        self._size = 0
        self._right: set[Span] = set()
        self._checks: SimpleQueue[list[Span] | None] = SimpleQueue()
        self._flushes: SimpleQueue[bool] = SimpleQueue()
        self._threads: list[Thread] = []

    def wrote(self, span: Span) -> None:
        """The bytes of a value and its checksum were handed to the file."""
        self._waiting.append(span)
        self._size += span.size
        if self._size >= _ENOUGH:
            self._begin()
            self._checks.put(self._waiting)
            self._flushes.put(True)
            self._waiting, self._size = [], 0

    def end(self) -> frozenset[Span]:
        """Waits, and gives the values that were read back and have their checksum."""
        if self._threads:
            self._checks.put(self._waiting)
            self._waiting = []
        self._stop()
        return frozenset(self._right)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def _begin(self) -> None:
        if not self._threads:
            self._threads = [
                Thread(target=work, name=name, daemon=True)
                for work, name in ((self._check, "read back"), (self._flush, "flush"))
            ]
            for thread in self._threads:
                thread.start()

    def _stop(self) -> None:
        if self._threads:
            self._checks.put(None)
            self._flushes.put(False)
        for thread in self._threads:
            thread.join()
        self._threads = []

    def _check(self) -> None:
        buffer = memoryview(bytearray(_BLOCK))
        with suppress(OSError), self._path.open("rb", buffering=0) as file:
            while (spans := self._checks.get()) is not None:
                self._right.update(span for span in spans if _is_right(file.fileno(), span, buffer))

    def _flush(self) -> None:
        """Only a beginning: ``Staging.commit`` flushes the whole, and tells what the disk refuses."""
        flush = getattr(os, "fdatasync", os.fsync)
        # Windows flushes only what is open for writing
        with suppress(OSError), self._path.open("rb+" if os.name == "nt" else "rb", buffering=0) as file:
            while self._flushes.get():
                flush(file.fileno())


def _is_right(file: int, span: Span, buffer: memoryview) -> bool:
    crc, position, end = 0, span.offset, span.offset + span.size
    while position < end:
        block = buffer[: min(_BLOCK, end - position)]
        count = _read_at(file, block, position)
        if not count:
            return False
        crc = crc32c(block[:count], crc)
        position += count
    return crc == span.crc32c


def _read_at(file: int, block: memoryview, position: int) -> int:
    if hasattr(os, "preadv"):
        return os.preadv(file, [block], position)
    os.lseek(file, position, os.SEEK_SET)
    raw = os.read(file, len(block))
    block[: len(raw)] = raw
    return len(raw)
