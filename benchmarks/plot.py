"""A plot of the conversions (needs the ``benchmarks`` extra)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import Result


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
    axes.set_xscale("log")
    axes.set_xlabel("seconds of the whole process, logarithmic")
    axes.margins(x=0.15, y=0.01)
    # the same picture for the same numbers
    with mpl.rc_context({"svg.hashsalt": "ckptmap"}):
        figure.savefig(path, format="svg", metadata={"Date": None})
