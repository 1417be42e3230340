"""Standard streams that may be closed, full or broken, and signals that ask a run to end.

What cannot be said ends in exit code 2, never in 1, which means findings; typer and rich answer a broken pipe with 1.
"""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from types import FrameType

    from typing_extensions import Buffer

LOST = 2
_FINE_OR_FINDINGS = (0, 1)
_SIGNALLED = 128
_STANDARD = 3
"""Descriptors: stdin, stdout and stderr."""


class StreamError(Exception):
    """What was said on stdout did not arrive. No OSError: typer and rich would end the process on their own terms."""

    def __init__(self, name: str, reason: OSError) -> None:
        super().__init__(f"{name} cannot be written: {reason.strerror or reason}")
        self.broken_pipe = reason.errno == errno.EPIPE


class _Guarded(io.BufferedIOBase):
    """The bytes of a standard stream (None: it is closed). The first write that fails is told where it is ``strict``.

    Nothing is written after it. ``lost`` says whether there was one.
    """

    def __init__(self, stream: TextIO | None, name: str, *, strict: bool) -> None:
        self._stream = stream
        self._strict = strict
        self.name = name
        self.lost = False

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._stream is not None and self._stream.isatty()

    def fileno(self) -> int:
        if self._stream is None:
            raise io.UnsupportedOperation("fileno")
        return self._stream.fileno()

    def write(self, data: Buffer, /) -> int:
        size = memoryview(data).nbytes
        self._try(lambda stream: stream.buffer.write(data))
        return size

    def flush(self) -> None:
        if self._stream is not None:
            self._try(lambda stream: stream.buffer.flush())

    def _try(self, act: Callable[[TextIO], object]) -> None:
        if self.lost:
            return
        if self._stream is None:
            self._lose(OSError(errno.EBADF, "it is closed"))
            return
        try:
            act(self._stream)
        except OSError as error:
            _drain(self._stream)
            self._lose(error)

    def _lose(self, reason: OSError) -> None:
        """A closed stderr was closed on purpose: nothing is lost with it."""
        self.lost = self._strict or self._stream is not None
        if self._strict:
            raise StreamError(self.name, reason) from reason


def _drain(stream: TextIO) -> None:
    """What is still buffered goes nowhere, so that the interpreter does not fail once more at its end."""
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def with_streams(run: Callable[[], int]) -> int:
    """The exit code of ``run``; 2 in place of 0 or 1 where something that it said on stdout or stderr did not arrive.

    A stderr that fails, or is closed, does not keep ``run`` from its work.
    """
    _occupy_descriptors()
    before = sys.stdout, sys.stderr
    out = _Guarded(before[0], "stdout", strict=True)
    err = _Guarded(before[1], "stderr", strict=False)
    sys.stdout, sys.stderr = _text(out, before[0]), _text(err, before[1])
    try:
        code = _flushed(run)
    finally:
        sys.stdout, sys.stderr = before
    return LOST if (out.lost or err.lost) and code in _FINE_OR_FINDINGS else code


def _flushed(run: Callable[[], int]) -> int:
    try:
        code = run()
        sys.stdout.flush()
    except StreamError as error:
        code = LOST
        if not error.broken_pipe:
            sys.stderr.write(f"error: {error}\n")
    sys.stderr.flush()
    return code


def _text(guarded: _Guarded, stream: TextIO | None) -> TextIO:
    """The guarded stream as text, written as ``stream`` writes it; one without bytes below (a test's) as it is."""
    if stream is None:
        return io.TextIOWrapper(guarded, encoding="utf-8", errors="backslashreplace")
    if not hasattr(stream, "buffer"):
        return stream
    stream.flush()
    lines = getattr(stream, "line_buffering", False)
    return io.TextIOWrapper(guarded, encoding=stream.encoding, errors=stream.errors, line_buffering=lines)


def _occupy_descriptors() -> None:
    """Opens the descriptors 0 to 2 where they are closed.

    Otherwise the next file, such as a checkpoint's, would get their number, and with it what a library prints.
    """
    with suppress(OSError):
        while (number := os.open(os.devnull, os.O_RDWR)) < _STANDARD:
            os.set_inheritable(number, True)
        os.close(number)


@contextmanager
def ending_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end what runs here as SIGINT does: it cleans up, and the exit code is 128 + the signal.

    A signal that is ignored, as under nohup, or has a handler stays as it is. Windows has no SIGHUP.
    """
    before: dict[int, signal.Handlers] = {}
    wanted = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]

    def end(number: int, _frame: FrameType | None) -> None:
        for other in before:
            signal.signal(other, signal.SIG_IGN)  # cleaning up is not interrupted
        raise SystemExit(_SIGNALLED + number)

    if threading.current_thread() is threading.main_thread():
        before = {number: signal.SIG_DFL for number in wanted if signal.getsignal(number) == signal.SIG_DFL}
        for number in before:
            signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
