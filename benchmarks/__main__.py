"""``python -m benchmarks``: makes its data, measures ckptmap and its peers in one run, writes results.md and a plot."""

from __future__ import annotations

import argparse
import importlib.util
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.data import Case, make
from benchmarks.measure import measure
from benchmarks.results import Result, machine, markdown, plot
from benchmarks.works import works

CASES = {
    case.name: case
    for case in (
        Case("1 MB", 1_000_000, 50),
        Case("70 MB", 70_000_000, 350),
        Case("1 GB", 1_000_000_000, 1000),
        Case("10 GB", 10_000_000_000, 1000, sparse=True),
        Case("100,000 variables", 40_000_000, 100_000, sparse=True),
    )
}
_USUAL = [name for name in CASES if name != "1 MB"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what the arguments name and write the results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--case", action="append", choices=list(CASES), help="repeatable; default: all but 1 MB")
    parser.add_argument("--repeat", type=int, default=5, help="runs of each command that count")
    parser.add_argument(
        "--output", type=Path, default=Path(__file__).parent, help="where results.md and results.svg go"
    )
    parser.add_argument("--data", type=Path, help="where to make the checkpoints: 3.5 GB; default: a temporary folder")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="ckptmap-benchmarks-", dir=chosen.data) as folder:
        about = machine(Path(folder))
        results = [r for name in chosen.case or _USUAL for r in _measured(CASES[name], Path(folder), chosen.repeat)]
    command = " ".join(["python -m benchmarks", *(arguments if arguments is not None else sys.argv[1:])])
    chosen.output.mkdir(parents=True, exist_ok=True)
    (chosen.output / "results.md").write_text(markdown(results, about, command, chosen.repeat), encoding="utf-8")
    (chosen.output / "results.svg").write_text(plot(results), encoding="utf-8")


def _measured(case: Case, folder: Path, repeat: int) -> Iterator[Result]:
    place = folder / "case"
    files = make(case, place)
    tensorflow = importlib.util.find_spec("tensorflow") is not None
    for work in works(case, files, folder / "output", tensorflow=tensorflow):
        result = Result(case, work, measure(work.command, folder / "output", repeat))
        print(f"{case.name}: {work.name}: {result.measured.median:.3f} s, {result.measured.peak:.0f} MB", flush=True)
        yield result
    shutil.rmtree(place)


if __name__ == "__main__":
    main()
