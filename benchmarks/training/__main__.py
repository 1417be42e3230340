"""``python -m benchmarks.training``: train in TF1, convert, go on in both; the curves and their differences.

Needs the ``tf`` and ``benchmarks`` extras, and takes about a quarter of an hour. Writes ``results.md`` here and the
picture of docs/training.md, or both into the folder that ``--output`` names. ``--bert`` makes the last table of
``results.md`` anew, and nothing else; its rows of KerasHub need ``keras-hub``.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from ckptmap.tf.environment import prepare, same_kernels
from tests.tf import bert_going_on, detectors_going_on
from tests.tf.detectors_going_on import GOING_ON, Going, go_on
from tests.tf.going_on import AFTER, BEFORE, LAYOUTS, TRAININGS, Trained, Training, convert, train_tf1, train_tf2
from tests.tf.harness import run_rows
from tests.tf.tf1_going_on import NUDGES

HERE = Path(__file__).parent
PICTURE = HERE.parents[1] / "docs" / "images" / "training.svg"
_DETECTORS = {
    "go_on_momentum": "SSD MobileNet V2, momentum",
    "go_on_rmsprop": "SSD MobileNet V2, RMSProp and averages",
    "go_on_retinanet": "RetinaNet ResNet-50, momentum",
    "go_on_faster_rcnn": "Faster R-CNN ResNet-50, momentum",
}


_BERT = "## BERT with AdamWeightDecay"


@dataclass(frozen=True)
class Measured:
    """TF1's training, and how it went on in TF2 for each layout: with the optimizer's state, and without."""

    training: Training
    tf1: Trained
    carried: Mapping[str, Trained]
    without: Trained


@dataclass(frozen=True)
class Curves:
    """The losses of a panel: TF1's before and behind the checkpoint, TF2's with the optimizer's state and without."""

    title: str
    before: np.ndarray
    tf1: np.ndarray
    carried: np.ndarray
    alone: np.ndarray


def measure(training: Training, folder: Path) -> Measured:
    """Train with one optimizer, below ``folder``."""
    source = folder / "model.ckpt"
    tf1, carried = train_tf1(training, source), {}
    for layout in training.layouts:
        convert(training, source, layout, folder / layout, **{"optimizer": "found", **training.choices})
        carried[layout] = train_tf2(training, layout, folder / layout)
    convert(training, source, LAYOUTS[0], folder / "without")
    return Measured(training, tf1, carried, train_tf2(training, LAYOUTS[0], folder / "without", state=False))


def measure_detectors(folder: Path) -> dict[str, Going]:
    """Train the small detectors, below ``folder``; by the names of their rows."""
    ran = run_rows([row for row, _ in GOING_ON], folder)
    for row, _ in GOING_ON:
        (folder / f"{row.name}_on").mkdir()
    return {row.name: go_on(ran[row.name], optimizer, folder / f"{row.name}_on") for row, optimizer in GOING_ON}


def markdown(measured: Iterable[Measured], detectors: Mapping[str, Going]) -> str:
    """The differences of losses and weights as tables."""
    return "\n".join(
        [
            "# Training goes on",
            "",
            f"`python -m benchmarks.training`: {_steps(BEFORE, AFTER)}.",
            "The largest difference of a loss or of a weight of the last layer, in the largest value of each.",
            "",
            f"| optimizer | {' | '.join(LAYOUTS)} | without `--optimizer` |",
            "|---|" + "---|" * (len(LAYOUTS) + 1),
            *map(_line, measured),
            *(_of_detectors(detectors) if detectors else ()),
            "",
        ]
    )


def _steps(before: int, after: int) -> str:
    return f"{before} steps in TF1, a conversion, {after} steps more in TF1 and in TF2"


def _line(one: Measured) -> str:
    found = [f"{one.carried[name].differs(one.tf1):.1e}" if name in one.carried else "" for name in LAYOUTS]
    return f"| {_title(one.training)} | {' | '.join(found)} | {one.without.differs(one.tf1):.1e} |"


def _of_detectors(detectors: Mapping[str, Going]) -> Iterable[str]:
    yield from ("", "## Small detectors of the Object Detection API", "")
    yield f"{_steps(detectors_going_on.BEFORE, detectors_going_on.AFTER)}, on one image."
    yield "Of losses the largest difference in a loss; of all weights the distance in the way that they went. TF1's"
    yield f"noise is what one rounding of its checkpoint's weights makes of its own steps, the most of {NUDGES} times."
    yield ""
    yield "| detector | TF1's noise: losses, weights | with `--optimizer` | without |"
    yield "|---|---|---|---|"
    for name, going in detectors.items():
        found = (going.noise, going.differ(going.carried), going.differ(going.alone))
        yield f"| {_DETECTORS[name]} | {' | '.join(f'{losses:.1e}, {weights:.1e}' for losses, weights in found)} |"


def of_bert() -> str:
    """The table of small BERTs, measured."""
    return "\n".join(
        [
            _BERT,
            "",
            f"`python -m benchmarks.training --bert`: {_steps(bert_going_on.BEFORE, bert_going_on.AFTER)}",
            "from step 20,000, with BERT's graph, losses and optimizer. Measured as the detectors above.",
            "",
            bert_going_on.table(bert_going_on.rows()),
        ]
    )


def _title(training: Training) -> str:
    return training.name.replace("_", " ")


def curves(measured: Iterable[Measured], detectors: Mapping[str, Going]) -> list[Curves]:
    """What is drawn: the detectors first."""
    return [
        *(
            Curves(_DETECTORS[name], one.before, one.tf1.losses, one.carried.losses, one.alone.losses)
            for name, one in detectors.items()
        ),
        *(
            Curves(
                _title(one.training), one.tf1.before, one.tf1.losses, one.carried[LAYOUTS[0]].losses, one.without.losses
            )
            for one in measured
        ),
    ]


def plot(panels: list[Curves], path: Path) -> None:
    """Draw the losses of both sides, a panel for each training, as an SVG."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    columns = 2
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(10, 2.3 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).flatten()
    for axis, one in zip(axes, panels, strict=False):
        start = len(one.before)
        after = range(start, start + len(one.tf1))
        axis.plot(range(start), one.before, color="#9aa5b1", label="TF1")
        axis.plot(after, one.tf1, color="#9aa5b1", linewidth=5)
        axis.plot(after, one.alone, color="#c0392b", label="TF2, weights alone")
        axis.plot(after, one.carried, color="#2b7a4b", label="TF2, --optimizer")
        axis.axvline(start, color="#52606d", linewidth=0.8, linestyle=":")
        axis.set_yscale("log")
        axis.set_title(one.title, fontsize=10)
    for axis in axes[len(panels) :]:
        axis.set_visible(False)
    axes[0].legend(fontsize=8)
    figure.supxlabel("step; the checkpoint is converted at the dotted line")
    figure.supylabel("loss, logarithmic")
    with mpl.rc_context({"svg.hashsalt": "ckptmap"}):  # the same picture for the same numbers
        figure.savefig(path, format="svg", metadata={"Date": None})


def main() -> None:
    """Measure all optimizers and detectors, and write both files."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training")
    parser.add_argument("--output", type=Path, default=None)
    parser.add_argument("--bert", action="store_true")
    chosen = parser.parse_args()
    folder, picture = (HERE, PICTURE) if chosen.output is None else (chosen.output, chosen.output / PICTURE.name)
    same_kernels()
    prepare()
    if chosen.bert:
        others, _, _ = (folder / "results.md").read_text(encoding="utf-8").partition(f"\n{_BERT}\n")
        (folder / "results.md").write_text(f"{others}\n{of_bert()}", encoding="utf-8")
        return
    with TemporaryDirectory() as work:
        measured = [measure(training, Path(work) / training.name) for training in TRAININGS]
        detectors = measure_detectors(Path(work))
        text, panels = f"{markdown(measured, detectors)}\n{of_bert()}", curves(measured, detectors)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.md").write_text(text, encoding="utf-8")
    plot(panels, picture)


if __name__ == "__main__":
    main()
