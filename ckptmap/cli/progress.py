"""Progress bars on stderr: only on a terminal, only after a second."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from ckptmap.cli.speaking import quiet

Progress = Callable[[int, int], None]

_PATIENCE_SECONDS = 1.0


@contextmanager
def progress_bar(doing: str, unit: Literal["bytes", "items"]) -> Iterator[Progress]:
    """A callback ``(done, in all)`` that draws a bar once the work has taken a second."""
    if quiet() or not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich import progress
    from rich.console import Console

    columns = {
        "bytes": (progress.DownloadColumn(), progress.TransferSpeedColumn(), progress.TimeRemainingColumn()),
        "items": (progress.MofNCompleteColumn(), progress.TimeRemainingColumn()),
    }
    shown = (progress.TextColumn(doing), progress.BarColumn(), *columns[unit])
    bar = progress.Progress(*shown, console=Console(stderr=True), transient=True)
    started, task = time.monotonic(), bar.add_task(doing, total=None)

    def advance(done: int, total: int) -> None:
        if not bar.live.is_started and time.monotonic() - started > _PATIENCE_SECONDS:
            bar.start()
        bar.update(task, completed=done, total=total)

    try:
        yield advance
    finally:
        bar.stop()
