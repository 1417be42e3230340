"""From a row to its proof: TF1 runs, ckptmap converts, TF2 restores, the outputs are compared."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ckptmap
from ckptmap.mapping.slots import averages_of, classify
from ckptmap.tf import outputs
from ckptmap.tf.compare import Comparison, compare
from ckptmap.tf.load import load_detection_model
from ckptmap.tf.models import read_pipeline, side_inputs
from ckptmap.tf.tf1.graph import Run, run_tf1
from ckptmap.tf.tf2_model import run_model

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from concurrent.futures import Executor, Future

    import numpy as np

    from tests.tf.rows import Row

AT_ONCE = 6
"""Rows whose TF1 graphs share a process: its start takes as long as a row."""


@dataclass(frozen=True)
class Ran:
    """What TF1 left of a row: its pipeline.config, checkpoint and outputs."""

    row: Row
    folder: Path

    @property
    def pipeline(self) -> Path:
        return self.folder / "pipeline.config"

    @property
    def checkpoint(self) -> Path:
        steps = self.row.train_steps
        return self.folder / (f"model.ckpt-{steps}" if steps else "model.ckpt")

    @property
    def outputs(self) -> dict[str, np.ndarray]:
        return outputs.load(self.folder / "outputs.npz")

    @property
    def image(self) -> np.ndarray:
        return outputs.random_image(self.row.size, self.row.size, seed=self.row.seed)


def run_ahead(rows: Sequence[Row], folder: Path, pool: Executor) -> dict[str, Future[dict[str, Ran]]]:
    """Run TF1 for all rows, a few in a process, while the first ones are proven already.

    What comes of a row is in the future of its name, by its name again.
    """
    parts = [rows[start : start + AT_ONCE] for start in range(0, len(rows), AT_ONCE)]
    return {row.name: future for part in parts for future in [pool.submit(run_rows, part, folder)] for row in part}


def run_rows(rows: Iterable[Row], folder: Path) -> dict[str, Ran]:
    """Run TF1 for all rows, in one process; results by the rows' names."""
    ran = {row.name: Ran(row, folder / row.name) for row in rows}
    runs = []
    for name, one in ran.items():
        one.folder.mkdir(parents=True)
        one.pipeline.write_text(one.row.tf1_config(), encoding="utf-8")
        runs.append(
            Run(
                pipeline=str(one.pipeline),
                seed=one.row.seed,
                save=str(folder / name / "model.ckpt"),
                train_steps=one.row.train_steps,
                moving_averages=one.row.moving_averages,
                outputs=str(folder / name / "outputs.npz"),
            )
        )
    run_tf1(runs)
    return ran


def convert(ran: Ran, folder: Path, **options: Any) -> Path:
    """Convert a row's checkpoint as its user would, with its pipeline.config; the folder."""
    document = ckptmap.convert(ran.checkpoint, pipeline=ran.pipeline, prefer=ran.row.prefer, output=folder, **options)
    assert document["output"] is not None, document["findings"]
    return folder


@dataclass(frozen=True)
class Proof:
    """What ckptmap said of a row, the feature extractor that it chose, what the outputs say, and what did not return.

    ``not_returned`` are the TF1 variables whose bytes the way back to TF1 names did not restore.
    """

    verdict: str
    tf2_type: str
    comparison: Comparison
    not_returned: tuple[str, ...]


def prove(ran: Ran, folder: Path) -> Proof:
    """Convert, restore with TensorFlow's assertions, run the same image, compare."""
    new = convert(ran, folder / "new")
    verdict = json.loads((new / "report.json").read_text())["verdict"]
    model = load_detection_model(new / "pipeline.config", new / "ckpt-0")
    pipeline = read_pipeline(new / "pipeline.config")
    context = outputs.random_values(side_inputs(pipeline), ran.row.seed)
    found = run_model(model, ran.image, context)
    architecture = getattr(pipeline.model, pipeline.model.WhichOneof("model"))
    feature_extractor = architecture.feature_extractor.type
    return Proof(verdict["kind"], feature_extractor, compare(ran.outputs, found), not_returned(ran, new, folder))


def not_returned(ran: Ran, new: Path, folder: Path) -> tuple[str, ...]:
    """The variables of a row's TF1 checkpoint whose bytes are not what the way back makes of the converted one.

    The old checkpoint fills only what no TF2 variable holds; what TF2 alone has, such as a bias of 0, is left out.
    Slots stay behind. Where a variable has a moving average, which is what the conversion takes, both get that value.
    TensorFlow reads both sides.
    """
    report = json.loads((new / "report.json").read_text())
    ours = [entry["name"] for entry in report["target_variables"] if entry["fill"] == "rule"]
    back = ckptmap.convert_back(
        new, back=new / "report.json", fill=ran.checkpoint, output=folder / "back", allow_unused=ours
    )
    assert back["findings"] == []
    old, found = _values(ran.checkpoint), _values(folder / "back" / "model.ckpt")
    with ckptmap.open_checkpoint(ran.checkpoint) as checkpoint:
        slots = classify(checkpoint.inventory.variables)
    averages = averages_of(slots)
    wanted = {
        name: old[averages.get(name, name)]
        for name in old
        if name not in slots or name in averages.values() or slots[name].kind == "bookkeeping"
    }
    wrong = [name for name, value in wanted.items() if name not in found or found[name] != value]
    return tuple(sorted({*wrong, *(found.keys() - wanted.keys())}))


def _values(prefix: Path) -> dict[str, tuple[str, tuple[int, ...], bytes]]:
    """Dtype, shape and bytes of every variable."""
    import numpy as np
    import tensorflow as tf

    reader = tf.train.load_checkpoint(str(prefix))
    values = {name: np.asarray(reader.get_tensor(name)) for name in reader.get_variable_to_shape_map()}
    return {name: (str(value.dtype), value.shape, value.tobytes()) for name, value in values.items()}
