"""Runs the command line many times over, each time with a fault at another operation on files.

``python -m tests.faults.injection``, with an :class:`Order` as JSON on stdin, answers with a JSON list of outcomes.
Each attempt has a copy of a folder, in which a forked child runs the command and watches its own operations: the audit
events of Python (open, rename, remove, …), and reads, writes, fsync(2) and copy_file_range(2), which are wrapped.
"""

from __future__ import annotations

import errno
import json
import os
import pathlib
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self

_EVENTS = {
    "open": "open",
    "os.rename": "rename",
    "os.remove": "remove",
    "os.mkdir": "mkdir",
    "os.rmdir": "rmdir",
    "os.link": "link",
    "os.listdir": "list",
    "os.scandir": "list",
    "fcntl.flock": "lock",
    "fcntl.ioctl": "clone",
}
_WITHOUT_PATH = {"lock", "clone"}
GROWING = ("write", "fsync", "copy", "create", "mkdir", "link", "clone")
"""What needs room on the disk."""
CHANGING = (*GROWING, "rename", "remove", "rmdir", "lock")
"""What needs the right to write."""
READING = ("read", "open", "list")


@dataclass(frozen=True, slots=True)
class Order:
    """What to run: ``command`` in copies of ``folder``, one for each of ``points``, below ``work``.

    ``strike`` says what happens at operation number ``point`` among those of ``kinds`` on files below ``watched``:
    ``kill``; the name of an errno, once, or with a ``+`` behind it from then on; ``short``: a read or write that does
    half of its work; ``count``: nothing.
    """

    folder: str
    work: str
    command: Sequence[str]
    points: Sequence[int]
    strike: str
    watched: str
    kinds: Sequence[str] = CHANGING


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attempt: ``status`` is the exit code, or the negative number of the signal that ended it."""

    point: int
    folder: str
    status: int
    message: str
    operations: Sequence[str] = field(default_factory=tuple)


class Watch:
    """Counts the operations of this process, and strikes."""

    def __init__(self, order: Order, point: int) -> None:
        self.order, self.point = order, point
        self.root = os.path.abspath(order.watched)  # noqa: PTH100 - links are not followed
        self.seen: list[str] = []

    def watches(self, path: object) -> bool:
        if not isinstance(path, (str, bytes, os.PathLike)):
            return False
        place = os.path.abspath(os.fsdecode(path))  # noqa: PTH100
        return place == self.root or place.startswith(self.root + os.sep)

    def step(self, kind: str) -> bool:
        """One operation; True where it is to do half of its work."""
        if kind not in self.order.kinds:
            return False
        self.seen.append(kind)
        strike, number = self.order.strike, len(self.seen) - 1
        if strike == "count" or number < self.point or (number > self.point and not strike.endswith("+")):
            return False
        if strike == "short":
            return True
        if strike == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        code = getattr(errno, strike.rstrip("+"))
        raise OSError(code, os.strerror(code))

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        kind = _EVENTS.get(event)
        if kind is None or not (kind in _WITHOUT_PATH or any(self.watches(each) for each in arguments[:2])):
            return
        if kind == "open" and arguments[2] is not None and arguments[2] & (os.O_WRONLY | os.O_RDWR):
            kind = "create"
        self.step(kind)


class Handle:
    """A file whose reads and writes are watched; a kill in the middle of a write leaves half of it."""

    def __init__(self, handle: Any, watch: Watch) -> None:
        self._handle, self._watch = handle, watch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._handle, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._handle.close()

    def write(self, data: Any) -> int:
        half = len(data) // 2
        self._handle.write(data[:half])
        self._handle.flush()
        self._watch.step("write")
        self._handle.write(data[half:])
        return len(data)

    def read(self, size: int = -1) -> Any:
        short = self._watch.step("read")
        return self._handle.read(max(1, size // 2) if short else size)


def install(watch: Watch) -> None:
    """Watches this process from here on."""
    opened = pathlib.Path.open

    def open_watched(self: Path, *arguments: Any, **more: Any) -> Any:
        handle = opened(self, *arguments, **more)
        return Handle(handle, watch) if watch.watches(self) else handle

    pathlib.Path.open = open_watched  # type: ignore[method-assign, assignment]
    os.fsync = _watched(os.fsync, watch, "fsync")
    if hasattr(os, "copy_file_range"):
        os.copy_file_range = _watched(os.copy_file_range, watch, "copy")
    sys.addaudithook(watch.audit)


def _watched(function: Callable[..., Any], watch: Watch, kind: str) -> Callable[..., Any]:
    def call(*arguments: Any) -> Any:
        watch.step(kind)
        return function(*arguments)

    return call


def attempt(order: Order, point: int) -> Outcome:
    """The command in a copy of the folder, in a child."""
    place = Path(order.work) / str(point)
    shutil.copytree(order.folder, place)
    report = Path(order.work) / f"{point}.seen"
    log = Path(order.work) / f"{point}.log"
    child = os.fork()
    if child == 0:
        _run(order, point, place, report, log)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return Outcome(point, str(place), status, log.read_text(), json.loads(report.read_text() or "[]"))


def _run(order: Order, point: int, place: Path, report: Path, log: Path) -> None:
    """The child: ends the process."""
    os.chdir(place)
    output = log.open("w")
    os.dup2(output.fileno(), 1)
    os.dup2(output.fileno(), 2)
    kept = report.open("w")
    watch = Watch(order, point)
    install(watch)
    code = _main(order.command)
    json.dump(watch.seen, kept)
    kept.flush()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _main(command: Sequence[str]) -> int:
    """The exit code of the command line; 70 with the traceback printed where an exception came out of it."""
    import traceback

    from ckptmap.cli import main

    try:
        main(list(command))
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001 - a traceback is what the tests look for
        traceback.print_exc()
        return 70
    return 0


def outcomes(order: Order) -> Iterator[Outcome]:
    """Every attempt, after one in this process that imports what the command needs."""
    warm = Path(order.work) / "warm"
    shutil.copytree(order.folder, warm)
    os.chdir(warm)
    with Path(os.devnull).open("w") as silent:
        sys.stdout = sys.stderr = silent  # type: ignore[assignment]
        _main(order.command)
        sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
    for point in order.points:
        yield attempt(order, point)


if __name__ == "__main__":
    json.dump([asdict(outcome) for outcome in outcomes(Order(**json.load(sys.stdin)))], sys.__stdout__)
