"""A plot of the conversions (needs the ``benchmarks`` extra)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import Result
from benchmarks.works import COPY, CP, DIFF, GUIDE, INSPECT, LINK, LIST, REFLINK, SYNC

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LARGE = 50_000_000
"""Bytes from which on the size of a checkpoint counts."""


_LINES = (LINK, REFLINK, COPY, CP, SYNC, GUIDE, DIFF, INSPECT, LIST)
"""What is drawn against size and against variables."""


def plot_growth(results: Sequence[Result], path: Path) -> None:
    """Write the seconds against the variables and against the size of one checkpoint, logarithmic, as an SVG."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 5), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    of_one = [result for result in results if result.case.copies == 1 and not result.case.models]
    many = [result for result in of_one if result.case.rules > 1]
    large = [result for result in of_one if result.case.rules == 1 and result.case.size >= _LARGE]
    _draw(left, [(result, result.case.variables) for result in many], "variables")
    _draw(right, [(result, result.case.size / 1e6) for result in large], "MB")
    left.set_ylabel("seconds of the whole process")
    with mpl.rc_context({"svg.hashsalt": "ckptmap"}):
        figure.savefig(path, format="svg", metadata={"Date": None})


def _draw(axes: Axes, points: Sequence[tuple[Result, float]], label: str) -> None:
    for name in _LINES:
        line = sorted((at, result.measured.median) for result, at in points if result.work.name == name)
        if line:
            style = "-" if name.startswith("ckptmap") else "--"
            axes.plot([at for at, _ in line], [seconds for _, seconds in line], style, marker="o", label=name)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel(label)
    axes.grid(visible=True, alpha=0.3)
    if points:
        axes.legend(fontsize="small")


def plot(results: Sequence[Result], path: Path) -> None:
    """Write the seconds of every conversion as bars on a logarithmic scale, with the spread, as an SVG."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    shown = [result for result in results if result.work.group == "convert"][::-1]
    figure = Figure(figsize=(9, 0.6 + 0.32 * len(shown)), layout="constrained")
    axes = figure.add_subplot()
    medians = [result.measured.median for result in shown]
    spread = [result.measured.spread for result in shown]
    below = [median - low for median, (low, _) in zip(medians, spread, strict=True)]
    above = [high - median for median, (_, high) in zip(medians, spread, strict=True)]
    colors = ["#2b7a4b" if result.work.name.startswith("ckptmap") else "#9aa5b1" for result in shown]
    labels = [f"{result.case.name}: {result.work.name}" for result in shown]
    drawn = axes.barh(labels, medians, xerr=(below, above), color=colors)
    axes.bar_label(drawn, [f"{median:.2f} s" for median in medians], padding=4)
    if shown:
        axes.set_xscale("log")
    axes.set_xlabel("seconds of the whole process, logarithmic")
    axes.margins(x=0.15, y=0.01)
    # the same picture for the same numbers
    with mpl.rc_context({"svg.hashsalt": "ckptmap"}):
        figure.savefig(path, format="svg", metadata={"Date": None})
