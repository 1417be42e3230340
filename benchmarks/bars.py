"""What the measurements have to hold: each bar with its limit, what was measured, and whether it holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.measure import Result
from benchmarks.works import (
    ALL,
    AVERAGE,
    COPY,
    CORES,
    DIFF,
    EDIT,
    EXPORT,
    GUIDE,
    HELP,
    INSPECT,
    JOBS,
    LINK,
    NUMPY,
    ONE_JOB,
    OWN_EXPORT,
    PLAN,
    READ,
    REFLINK,
    RUN_MODELS,
    SUGGEST,
    SYNC,
    VERIFY_MODELS,
)

_MANY = "100,000 variables"
_Found = Mapping[tuple[str, str], Result]


@dataclass(frozen=True, slots=True)
class Bar:
    """One promise; ``passed`` None: what it speaks of was not measured."""

    what: str
    limit: str
    measured: str = "not measured"
    passed: bool | None = None

    @property
    def verdict(self) -> str:
        """In a word."""
        return "" if self.passed is None else "holds" if self.passed else "**missed**"


def bars(results: Sequence[Result]) -> Iterator[Bar]:
    """Every bar, by the medians of ``results``."""
    found = {(result.case.name, result.work.name): result for result in results}
    for case in ("1 GB", "10 GB"):
        yield _times(found, f"convert, reflink, {case}", (case, REFLINK), (case, HELP), 2)
        yield _times(found, f"convert, link, {case}", (case, LINK), (case, HELP), 2)
    yield _times(found, "edit, link, 1 GB", ("1 GB", EDIT), ("1 GB", LINK), 1)
    yield _memory(found, "memory of average, 10 checkpoints of 100 MB", "10 checkpoints", AVERAGE, 150)
    yield _times(found, "convert, copy, 1 GB", ("1 GB", COPY), ("1 GB", SYNC), 1.15, 0.25)
    yield _faster(found, "link", LINK, 100)
    yield _faster(found, "copy", COPY, 10)
    yield _smaller(found, "link", LINK)
    yield _smaller(found, "copy", COPY)
    yield _memory(found, "memory of convert, link, 10 GB", "10 GB", LINK, 30)
    yield _reading(found)
    yield _seconds(found, "diff, equal, 10 GB", "10 GB", DIFF, 1.0)
    yield _times(found, "inspect, 1,500 variables", ("1,500 variables", INSPECT), ("1,500 variables", NUMPY), 1.3, 0.05)
    yield _seconds(found, "plan, 100,000 variables by 200 rules", _MANY, PLAN, 2.0)
    yield _seconds(found, "convert, link, 100,000 variables", _MANY, LINK, 4.0)
    yield _memory(found, "memory of convert, link, 100,000 variables", _MANY, LINK, 170)
    yield _growth(found)
    yield _large_graph(found)
    yield _seconds(found, "diff, equal, 100,000 variables", _MANY, DIFF, 1.5)
    yield _times(found, "20 checkpoints, all at once", ("20 checkpoints", ALL), ("20 checkpoints", ONE_JOB), 1)
    yield _throughput(found)
    yield _seconds(found, "suggest, 1,500 variables", "1,500 variables to draft", SUGGEST, 3)
    yield _seconds(found, "suggest, 10,000 variables", "10,000 variables to draft", SUGGEST, 30)
    yield _times(found, "verify, two models", ("two models", VERIFY_MODELS), ("two models", RUN_MODELS), 1.2)
    yield _times(found, "export, a detector", ("a detector", EXPORT), ("a detector", OWN_EXPORT), 1.2)


def _throughput(found: _Found) -> Bar:
    what, limit = f"100 checkpoints, {CORES} jobs: throughput of one job", f"≥ {0.8 * CORES:.1f} ×"
    one, many = ("100 checkpoints", ONE_JOB), ("100 checkpoints", JOBS)
    if not {one, many} <= found.keys():
        return Bar(what, limit)
    times = found[one].measured.median / found[many].measured.median
    return Bar(what, limit, f"{times:.2f} ×", times >= 0.8 * CORES)


def _seconds(found: _Found, what: str, case: str, work: str, limit: float) -> Bar:
    text = f"< {limit:g} s"
    if (case, work) not in found:
        return Bar(what, text)
    seconds = found[case, work].measured.median
    return Bar(what, text, f"{seconds:.3f} s", seconds < limit)


def _times(
    found: _Found,
    what: str,
    one: tuple[str, str],
    other: tuple[str, str],
    factor: float,
    seconds: float = 0,
) -> Bar:
    """One work against another of the same run: at most so many times as long, and so many seconds more."""
    text = f"{factor:g} × {other[1]}" + (f" + {seconds:g} s" if seconds else "")
    limit = f"≤ {text}"
    if not {one, other} <= found.keys():
        return Bar(what, limit)
    took, most = found[one].measured.median, factor * found[other].measured.median + seconds
    return Bar(what, limit, f"{took:.3f} s; {text} is {most:.3f} s", took <= most)


def _memory(found: _Found, what: str, case: str, work: str, limit: float) -> Bar:
    text = f"≤ {limit:g} MB"
    if (case, work) not in found:
        return Bar(what, text)
    peak = found[case, work].measured.peak
    return Bar(what, text, f"{peak:.0f} MB", peak <= limit)


def _growth(found: _Found) -> Bar:
    """Whether ten times the variables take ten times as long, the start of the process aside: it counts in favour."""
    what, limit = "convert, link: 300,000 variables to 30,000", "≤ 12 ×"
    many, few = ("300,000 variables", LINK), ("30,000 variables", LINK)
    if not {many, few} <= found.keys():
        return Bar(what, limit)
    times = found[many].measured.median / found[few].measured.median
    return Bar(what, limit, f"{times:.1f} ×", times <= 12)


def _large_graph(found: _Found) -> Bar:
    """Whether an object graph above 16 MiB, which was the bound once, is read and written: a refusal has no result."""
    what, limit = "object graph of 300,000 variables, 44 MB", "read and written"
    if ("300,000 variables", HELP) not in found:
        return Bar(what, limit)
    done = ("300,000 variables", LINK) in found
    return Bar(what, limit, limit if done else "refused", done)


def _faster(found: _Found, name: str, mode: str, least: int) -> Bar:
    what, limit = f"1 GB by the guide's recipe takes longer than convert, {name}", f"≥ {least} ×"
    if not {("1 GB", mode), ("1 GB", GUIDE)} <= found.keys():
        return Bar(what, limit)
    times = found["1 GB", GUIDE].measured.median / found["1 GB", mode].measured.median
    return Bar(what, limit, f"{times:.0f} ×", times >= least)


def _smaller(found: _Found, name: str, mode: str) -> Bar:
    what, limit = f"memory of convert, {name}, 1 GB, of that of the guide's recipe", "≤ 10 %"
    if not {("1 GB", mode), ("1 GB", GUIDE)} <= found.keys():
        return Bar(what, limit)
    share = found["1 GB", mode].measured.peak / found["1 GB", GUIDE].measured.peak
    return Bar(what, limit, f"{share:.1%}", share <= 0.1)


def _reading(found: _Found) -> Bar:
    what, limit = "every value read and compared, 1 GB, warm", "≥ 1 GB/s"
    if ("1 GB", READ) not in found:
        return Bar(what, limit)
    result = found["1 GB", READ]
    rate = result.case.size / 1e9 / result.measured.median
    return Bar(what, limit, f"{rate:.2f} GB/s", rate >= 1)
