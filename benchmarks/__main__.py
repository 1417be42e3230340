"""``python -m benchmarks``: makes its data, measures ckptmap and its peers in one run, writes results.md and a plot."""

from __future__ import annotations

import argparse
import importlib.util
import multiprocessing
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from benchmarks.bars import bars
from benchmarks.data import LEAVES, Case, Files, Models, files_in, make
from benchmarks.measure import Result, measure
from benchmarks.plot import plot, plot_growth
from benchmarks.results import machine, markdown
from benchmarks.works import CKPTMAP, PEER, Means, Work, clones, works
from ckptmap.checkpoint.cloning import duplicate

Ask = Callable[[Case, Sequence[Files], Path], Iterator[Work]]
"""The works of a case."""

_HERE = Path(__file__).parent
_DETECTOR = _HERE.parent / "fixtures" / "ssd_mobilenet_v2_tiny"

CASES = {
    case.name: case
    for case in (
        Case("70 MB", 70_000_000, 350),
        Case("1 GB", 1_000_000_000, 1000),
        Case("10 GB", 10_000_000_000, 1000, sparse=True),
        Case("1,500 variables", 6_000_000, 1500, sparse=True),
        Case("10,000 variables", 4_000_000, 10_000, sparse=True, rules=200),
        Case("30,000 variables", 12_000_000, 30_000, sparse=True, rules=200),
        Case("100,000 variables", 40_000_000, 100_000, sparse=True, rules=200),
        Case("300,000 variables", 120_000_000, 300_000, sparse=True, rules=200),
        Case("20 checkpoints", 5_000_000, 350, copies=20),
        Case("10 checkpoints", 100_000_000, 350, copies=10),
        Case("100 checkpoints", 1_000_000, 350, copies=100),
        Case("1,500 variables to draft", 600_000, 1500, sparse=True, rules=50, leaves=LEAVES),
        Case("10,000 variables to draft", 4_000_000, 10_000, sparse=True, rules=200, leaves=LEAVES),
        Case("two models", 14_000_000, 262, models=Models.TWO),
        Case("a detector", 354_836, 324, models=Models.DETECTOR),
    )
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what the arguments name and write the results."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    parser = _parser()
    chosen = parser.parse_args(given)
    if importlib.util.find_spec("matplotlib") is None:
        parser.error('the plot needs matplotlib: pip install ".[benchmarks]"')
    cases = [CASES[name] for name in chosen.case or CASES]
    if chosen.quick:
        cases = [case.reduced() for case in cases]
    repeat = 1 if chosen.quick else chosen.repeat
    with ExitStack() as stack:
        folder = _folder(stack, chosen.data)
        other = _folder(stack, chosen.clones) if chosen.clones else None
        if other and not _clones(other):
            parser.error(f"{chosen.clones} is on a file system that cannot clone files")
        about = machine(folder, other)
        results = list(_results(cases, folder, other, repeat))
    chosen.output.mkdir(parents=True, exist_ok=True)
    text = markdown(results, tuple(bars(results)), about, " ".join(["python -m benchmarks", *given]))
    (chosen.output / "results.md").write_text(text, encoding="utf-8")
    plot(results, chosen.output / "results.svg")
    plot_growth(results, chosen.output / "growth.svg")
    if chosen.output == _HERE and not chosen.quick:
        shutil.copyfile(_HERE / "growth.svg", _HERE.parent / "docs" / "images" / "speed.svg")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--case", action="append", choices=list(CASES), help="repeatable; default: all")
    parser.add_argument("--repeat", type=int, default=5, help="runs of each command that count")
    parser.add_argument("--quick", action="store_true", help="a hundredth of the sizes, one run: does it work?")
    parser.add_argument("--output", type=Path, default=_HERE, help="where results.md and results.svg go")
    parser.add_argument("--data", type=Path, help="where to make the checkpoints: 4 GB; default: a temporary folder")
    parser.add_argument("--clones", type=Path, help="where to make those of the clones, if not there: the same again")
    return parser


def _folder(stack: ExitStack, place: Path | None) -> Path:
    """A folder that is there until the end."""
    return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ckptmap-benchmarks-", dir=place)))


def _clones(folder: Path) -> bool:
    """Whether the file system clones files."""
    (folder / "one").write_bytes(b"1")
    try:
        duplicate(folder / "one", folder / "other", "reflink")
    except OSError:
        return False
    return True


def _results(cases: Sequence[Case], folder: Path, other: Path | None, repeat: int) -> Iterator[Result]:
    """Everything is measured in ``folder``; clones in ``other`` where there is one."""
    tensorflow = importlib.util.find_spec("tensorflow") is not None
    means = Means(tensorflow, clones=other is None and _clones(folder))
    for case in cases:
        if case.models and not tensorflow:
            continue
        yield from _measured(case, folder, partial(works, means=means), repeat)
        if other is not None and case.clones:
            yield from _measured(case, other, clones, repeat)


def _measured(case: Case, folder: Path, ask: Ask, repeat: int) -> Iterator[Result]:
    place = folder / "case"
    files = _made(case, place)
    for work in ask(case, files, folder / "output"):
        try:
            measured = measure(work, folder / "output", repeat)
        except RuntimeError as error:  # what one peer cannot do is no reason to lose what was measured
            print(f"{case.name}: {work.name} failed: {error}", file=sys.stderr, flush=True)
            continue
        print(f"{case.name}: {work.name}: {measured.median:.3f} s, {measured.peak:.0f} MB", flush=True)
        yield Result(case, work, measured)
    shutil.rmtree(place)


def _made(case: Case, place: Path) -> list[Files]:
    """The checkpoints, made by another process: the peak memory of a command counts from that of who starts it."""
    files = files_in(place)
    if case.models is Models.TWO:
        subprocess.run([*PEER, "models", files.source, files.template], check=True)
        return [files]
    if case.models is Models.DETECTOR:
        subprocess.run([*CKPTMAP, "convert", _DETECTOR, "-o", files.source.parent, "-q"], check=True)
        return [files]
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as maker:
        return [maker.submit(make, case, place / str(number)).result() for number in range(case.copies)]


if __name__ == "__main__":
    main()
