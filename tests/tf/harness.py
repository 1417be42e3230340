"""From a row to its proof: TF1 runs, ckptmap converts, TF2 restores, the outputs are compared."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ckptmap
from ckptmap.tf import outputs
from ckptmap.tf.compare import Comparison, compare
from ckptmap.tf.environment import tf2
from ckptmap.tf.exact import register
from ckptmap.tf.load import load_detection_model
from ckptmap.tf.models import build_model
from ckptmap.tf.tf1_graph import Run, run_tf1
from ckptmap.tf.tf2_model import run_model

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np

    from tests.tf.rows import Row


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
    """Convert a row's checkpoint with ckptmap and lay its TF2 config beside it; the folder."""
    given = {"to": ran.row.to, "settings": dict(ran.row.settings)} | options
    document = ckptmap.convert(ran.checkpoint, output=folder, **given)
    assert document["output"] is not None, document["findings"]
    (folder / "pipeline.config").write_text(ran.row.tf2_config(), encoding="utf-8")
    return folder


def live_target(row: Row, folder: Path) -> Path:
    """A checkpoint of the row's TF2 model with its initial values: a target for models without a shipped one."""
    folder.mkdir(parents=True)
    (folder / "pipeline.config").write_text(row.tf2_config(), encoding="utf-8")
    register()
    model = build_model(folder / "pipeline.config")
    return Path(tf2().train.Checkpoint(model=model).save(str(folder / "ckpt")))


def prove(ran: Ran, folder: Path) -> Comparison:
    """Convert, restore with TensorFlow's assertions, run the same image, compare."""
    row = ran.row
    target = {"to": live_target(row, folder / "target"), "table": row.table} if row.live_target else {}
    new = convert(ran, folder / "new", **target)
    model = load_detection_model(new / "pipeline.config", new / "ckpt-0")
    return compare(ran.outputs, run_model(model, ran.image))
