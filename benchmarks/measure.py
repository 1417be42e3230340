"""Wall time and peak memory of whole processes."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.data import Case
from benchmarks.works import Work

_SLOW_SECONDS = 5.0
_VERY_SLOW_SECONDS = 30.0
_FEW = 3
"""Runs of what is slow: their spread is small beside their time."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Runs of one command: seconds of each, and the largest peak of resident memory in MB."""

    seconds: tuple[float, ...]
    peak: float

    @property
    def median(self) -> float:
        """The middle of the times."""
        return statistics.median(self.seconds)

    @property
    def spread(self) -> tuple[float, float]:
        """The shortest and the longest time."""
        return min(self.seconds), max(self.seconds)


def measure(work: Work, output: Path, repeat: int) -> Measured:
    """Runs the command ``repeat`` times and once before, to warm the caches; ``output`` is removed before each.

    What takes more than five seconds runs three times at most, and what takes more than thirty only that once before.

    Raises:
        RuntimeError: the command fails; its output is the message.
    """
    first, peak = _run(work, output)
    if first > _VERY_SLOW_SECONDS and not work.tells:
        return Measured((first,), peak)
    runs = [_run(work, output) for _ in range(min(repeat, _FEW) if first > _SLOW_SECONDS else repeat)]
    return Measured(tuple(seconds for seconds, _ in runs), max(peak for _, peak in runs))


def _run(work: Work, output: Path) -> tuple[float, float]:
    shutil.rmtree(output, ignore_errors=True)
    log = output.with_suffix(".log")
    # an installed package has its bytecode; without it every start compiles all modules
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    os.sync()  # what was written before is not to be waited for meanwhile
    with log.open("wb") as handle:
        start = time.perf_counter()
        process = subprocess.Popen(work.command, stdout=handle, stderr=subprocess.STDOUT, env=environment)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    told = log.read_text(errors="replace")
    if process.returncode:
        raise RuntimeError(f"{' '.join(work.command)}: {told[-2000:]}")
    return float(told.split()[-1]) if work.tells else seconds, used.ru_maxrss / (
        1e6 if sys.platform == "darwin" else 1e3
    )


@dataclass(frozen=True, slots=True)
class Result:
    """What one work of one case took."""

    case: Case
    work: Work
    measured: Measured
