"""Progress bars on stderr: only on a terminal, only after a second."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import ProgressColumn

Progress = Callable[[int, int], None]

_PATIENCE_SECONDS = 1.0


@contextmanager
def byte_progress(doing: str) -> Iterator[Progress]:
    """A callback ``(bytes done, bytes in all)`` that draws a bar once the work has taken a second."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.progress import DownloadColumn, TransferSpeedColumn

    with _bar(doing, DownloadColumn(), TransferSpeedColumn()) as progress:
        yield progress


@contextmanager
def item_progress(doing: str) -> Iterator[Progress]:
    """A callback ``(items done, items in all)`` that draws a bar once the work has taken a second."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.progress import MofNCompleteColumn, TimeRemainingColumn

    with _bar(doing, MofNCompleteColumn(), TimeRemainingColumn()) as progress:
        yield progress


@contextmanager
def _bar(doing: str, *columns: ProgressColumn) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    started = time.monotonic()
    bar = Bar(TextColumn(doing), BarColumn(), *columns, console=Console(stderr=True), transient=True)
    task = bar.add_task(doing, total=None)

    def advance(done: int, total: int) -> None:
        if not bar.live.is_started and time.monotonic() - started > _PATIENCE_SECONDS:
            bar.start()
        bar.update(task, completed=done, total=total)

    try:
        yield advance
    finally:
        bar.stop()
