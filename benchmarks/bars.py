"""What the measurements have to hold: each bar with its limit, what was measured, and whether it holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.measure import Result
from benchmarks.works import COPY, CP, DIFF, GUIDE, INSPECT, LINK, PLAN, REFLINK, VERIFY

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
    for name, mode in (("link", LINK), ("reflink", REFLINK)):
        for case in ("1 GB", "10 GB"):
            yield _seconds(found, f"convert, {name}, {case}", case, mode, 0.6)
    yield _copying(found)
    yield _faster(found, "link", LINK, 100)
    yield _faster(found, "copy", COPY, 10)
    yield _smaller(found, "link", LINK)
    yield _smaller(found, "copy", COPY)
    yield _reading(found)
    yield _seconds(found, "diff, equal, 10 GB", "10 GB", DIFF, 1.0)
    yield _seconds(found, "inspect, 1,500 variables", "1,500 variables", INSPECT, 0.4)
    yield _seconds(found, "plan, 100,000 variables by 200 rules", "100,000 variables", PLAN, 2.0)


def _seconds(found: _Found, what: str, case: str, work: str, limit: float) -> Bar:
    text = f"< {limit:g} s"
    if (case, work) not in found:
        return Bar(what, text)
    seconds = found[case, work].measured.median
    return Bar(what, text, f"{seconds:.3f} s", seconds < limit)


def _copying(found: _Found) -> Bar:
    what, limit = "convert, copy, 1 GB", "≤ 1.3 × cp + 0.4 s"
    if not {("1 GB", COPY), ("1 GB", CP)} <= found.keys():
        return Bar(what, limit)
    seconds, cp = (found["1 GB", work].measured.median for work in (COPY, CP))
    return Bar(what, limit, f"{seconds:.3f} s; 1.3 × cp + 0.4 s is {1.3 * cp + 0.4:.3f} s", seconds <= 1.3 * cp + 0.4)


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
    what, limit = "full re-read with --verify-data, 1 GB, warm", "≥ 1 GB/s"
    if not {("1 GB", VERIFY), ("1 GB", LINK)} <= found.keys():
        return Bar(what, limit)
    spent = found["1 GB", VERIFY].measured.median - found["1 GB", LINK].measured.median
    rate = found["1 GB", VERIFY].case.size / 1e9 / spent
    return Bar(what, limit, f"{rate:.2f} GB/s", rate >= 1)
