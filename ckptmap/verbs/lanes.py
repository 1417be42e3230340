"""Work on many items side by side: in this process, and in processes that are forked off it where that pays.

Python runs one thread at a time, so that threads only help while they wait for a network. A forked process has all that
is imported and read already, and costs a hundredth of a second; a new one would import everything again.
"""

from __future__ import annotations

import math
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from queue import LifoQueue
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

Item = TypeVar("Item")
Made = TypeVar("Made")
Lane = Callable[[Item], Made]
Progress = Callable[[int, int], None]

FORK_SECONDS = 0.02
"""What a process more costs: the fork, and the pages that both sides change then."""

_WITH_THREADS_OF_THEIR_OWN = ("tensorflow", "torch", "jax", "grpc")
"""Libraries whose threads a fork would lose; whoever has imported one gets no forked processes."""


class LaneEndedError(Exception):
    """A process ended before it answered; ``code`` is its exit code, negative for a signal."""

    def __init__(self, code: int | None) -> None:
        super().__init__(code)
        self.code = code


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def worth(seconds: float, most: int) -> int:
    """How many processes end work of ``seconds`` first, this one included, where each costs FORK_SECONDS.

    ``seconds / n + n * FORK_SECONDS`` is least at the root of their quotient.
    """
    return max(1, min(most, math.isqrt(int(seconds / FORK_SECONDS))))


def can_fork() -> bool:
    """Whether a fork is safe: on Linux, where no other thread may hold a lock that the new process would wait for."""
    alone = threading.active_count() == 1
    return sys.platform == "linux" and alone and not any(name in sys.modules for name in _WITH_THREADS_OF_THEIR_OWN)


@contextmanager
def forked(work: Lane[Item, Made], count: int) -> Iterator[list[Lane[Item, Made]]]:
    """``count`` lanes that do ``work`` in a process each, which ends with the context, when what it has begun is done.

    What ``work`` takes and gives goes through :mod:`pickle`. A lane raises LaneEndedError where its process has died.
    """
    helpers: list[_Forked[Item, Made]] = []
    try:
        helpers += [_Forked(work) for _ in range(count)]
        yield [helper.ask for helper in helpers]
    finally:
        # a later process holds the pipes of those before it too: all are closed, then the last one ends first
        for helper in helpers:
            helper.close()
        for helper in reversed(helpers):
            helper.join()


class _Forked(Generic[Item, Made]):
    """One process and the pipe to it."""

    def __init__(self, work: Lane[Item, Made]) -> None:
        from multiprocessing import get_context

        context = get_context("fork")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=_serve, args=(work, other, self._pipe), daemon=True)
        self._process.start()
        other.close()

    def ask(self, item: Item) -> Made:
        """What ``work`` gives for ``item``."""
        try:
            self._pipe.send(item)
            answer: Made = self._pipe.recv()
        except (EOFError, OSError):
            self._process.join()
            raise LaneEndedError(self._process.exitcode) from None
        return answer

    def close(self) -> None:
        """Nothing more comes."""
        self._pipe.close()

    def join(self) -> None:
        """Wait for the end of the process."""
        self._process.join()


def _serve(work: Lane[Any, Any], pipe: Connection, parents: Connection) -> None:
    """Answer until the other side is closed. Ctrl-C reaches all processes of a terminal: the first one decides."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    parents.close()
    with suppress(EOFError, OSError):
        while True:
            pipe.send(work(pipe.recv()))


def side_by_side(
    items: Sequence[Item],
    lanes: Sequence[Lane[Item, Made]],
    *,
    ended: Callable[[Item, LaneEndedError], Made],
    not_begun: Callable[[Item], Made],
    progress: Progress | None = None,
) -> list[Made]:
    """What the lanes give for each item, in their order, each lane doing one at a time.

    Interrupted (Ctrl-C), what has begun is finished, and the others are ``not_begun``. An item whose lane has died has
    ``ended``, and the lane gets no further one; the first lane must not die.
    """
    free: LifoQueue[Lane[Item, Made]] = LifoQueue()
    for lane in lanes:
        free.put(lane)

    def one(item: Item) -> Made:
        lane = free.get()
        try:
            made = lane(item)
        except LaneEndedError as error:
            return ended(item, error)
        free.put(lane)
        return made

    pool = ThreadPoolExecutor(len(lanes), "ckptmap")
    running: list[Future[Made]] = []
    try:
        running += [pool.submit(one, item) for item in items]
        for count, _ in enumerate(as_completed(running), 1):
            if progress is not None:
                progress(count, len(items))
    except KeyboardInterrupt:
        pool.shutdown(cancel_futures=True)
    finally:
        pool.shutdown(cancel_futures=True)
    return [
        running[at].result() if at < len(running) and not running[at].cancelled() else not_begun(item)
        for at, item in enumerate(items)
    ]
