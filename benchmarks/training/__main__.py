"""``python -m benchmarks.training``: train in TF1, convert, go on in both; the curves and their differences.

Needs the ``tf`` and ``benchmarks`` extras, and takes about three minutes. Writes ``results.md`` here and the picture of
docs/training.md, or both into the folder that ``--output`` names.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from ckptmap.tf.environment import prepare
from tests.tf.going_on import AFTER, BEFORE, LAYOUTS, TRAININGS, Trained, Training, convert, train_tf1, train_tf2

HERE = Path(__file__).parent
PICTURE = HERE.parents[1] / "docs" / "images" / "training.svg"


@dataclass(frozen=True)
class Measured:
    """TF1's training, and how it went on in TF2 for each layout: with the optimizer's state, and without."""

    training: Training
    tf1: Trained
    carried: dict[str, Trained]
    without: Trained


def measure(training: Training, folder: Path) -> Measured:
    """Train with one optimizer, below ``folder``."""
    source = folder / "model.ckpt"
    tf1, carried = train_tf1(training, source), {}
    for layout in LAYOUTS:
        convert(training, source, layout, folder / layout, **{"optimizer": "found", **training.choices})
        carried[layout] = train_tf2(training, layout, folder / layout)
    convert(training, source, LAYOUTS[0], folder / "without")
    return Measured(training, tf1, carried, train_tf2(training, LAYOUTS[0], folder / "without", state=False))


def markdown(measured: Iterable[Measured]) -> str:
    """The differences of losses and weights as a table."""
    steps = f"{BEFORE} steps in TF1, a conversion, {AFTER} steps more in TF1 and in TF2"
    lines = [
        "# Training goes on",
        "",
        f"`python -m benchmarks.training`: {steps}.",
        "The largest difference of a loss or of a weight of the last layer, in the largest value of each.",
        "",
        f"| optimizer | {' | '.join(LAYOUTS)} | without `--optimizer` |",
        "|---|" + "---|" * (len(LAYOUTS) + 1),
    ]
    for one in measured:
        found = [f"{one.carried[layout].differs(one.tf1):.1e}" for layout in LAYOUTS]
        lines.append(f"| {_title(one.training)} | {' | '.join(found)} | {one.without.differs(one.tf1):.1e} |")
    return "\n".join([*lines, ""])


def _title(training: Training) -> str:
    return training.name.replace("_", " ")


def plot(measured: list[Measured], path: Path) -> None:
    """Draw the losses of both sides, a panel for each optimizer, as an SVG."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    columns = 2
    rows = -(-len(measured) // columns)
    figure = Figure(figsize=(10, 2.3 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).flatten()
    after = range(BEFORE, BEFORE + AFTER)
    for panel, one in zip(panels, measured, strict=False):
        panel.plot(range(BEFORE), one.tf1.before, color="#9aa5b1", label="TF1")
        panel.plot(after, one.tf1.losses, color="#9aa5b1", linewidth=5)
        panel.plot(after, one.without.losses, color="#c0392b", label="TF2, weights alone")
        panel.plot(after, one.carried[LAYOUTS[0]].losses, color="#2b7a4b", label="TF2, --optimizer")
        panel.axvline(BEFORE, color="#52606d", linewidth=0.8, linestyle=":")
        panel.set_yscale("log")
        panel.set_title(_title(one.training), fontsize=10)
    for panel in panels[len(measured) :]:
        panel.set_visible(False)
    panels[0].legend(fontsize=8)
    figure.supxlabel("step; the checkpoint is converted at the dotted line")
    figure.supylabel("loss, logarithmic")
    with mpl.rc_context({"svg.hashsalt": "ckptmap"}):  # the same picture for the same numbers
        figure.savefig(path, format="svg", metadata={"Date": None})


def main() -> None:
    """Measure all optimizers and write both files."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training")
    parser.add_argument("--output", type=Path, default=None)
    output = parser.parse_args().output
    prepare()
    with TemporaryDirectory() as work:
        measured = [measure(training, Path(work) / training.name) for training in TRAININGS]
    folder, picture = (HERE, PICTURE) if output is None else (output, output / PICTURE.name)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.md").write_text(markdown(measured), encoding="utf-8")
    plot(measured, picture)


if __name__ == "__main__":
    main()
