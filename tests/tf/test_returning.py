"""What was trained on in TF2 goes back to TF1 names, and the TF1 graph gives the TF2 model's outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import ckptmap
from ckptmap.tf import outputs
from ckptmap.tf.compare import compare
from ckptmap.tf.environment import tf2
from ckptmap.tf.load import load_detection_model
from ckptmap.tf.tf1.graph import Run, run_tf1
from ckptmap.tf.tf2_model import run_model
from tests.tf.harness import convert
from tests.tf.matrix import ONE_EACH

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.tf.harness import Ran
    from tests.tf.rows import Row

TRAINED = ("ssd_mobilenet_v1", "ssd_resnet50_v1_fpn", "faster_rcnn_resnet50", "mask_rcnn_resnet50")
ROWS = [row for row in ONE_EACH if row.name in TRAINED]
MOVED = 0.01
"""Of an output's spread: what the change of the weights makes at least, so that the old weights would not pass."""


def as_if_trained(variables: Sequence[Any], seed: int) -> None:
    """Change every variable by up to a hundredth of itself; statistics too, as steps with batch norms do."""
    random = np.random.default_rng(seed)
    for variable in variables:
        factor = 1 + random.uniform(-0.01, 0.01, variable.shape).astype(np.float32)
        variable.assign(variable.numpy() * factor)


def returned(ran: Ran, folder: Path) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Outputs of the old model, of the TF2 model after the change, and of the TF1 graph that took it back."""
    new = convert(ran, folder / "new")
    model = load_detection_model(new / "pipeline.config", new / "ckpt-0")
    run_model(model, ran.image)
    checkpoint = tf2().train.Checkpoint(model=model)
    as_if_trained(model.variables, ran.row.seed)
    changed = run_model(model, ran.image)
    trained = checkpoint.save(str(folder / "train" / "ckpt"))
    back = ckptmap.convert_back(
        trained,
        back=new / "report.json",
        fill=ran.checkpoint,
        output=folder / "serving",
        allow_unused=["save_counter*"],
    )
    assert back["findings"] == []
    np.save(folder / "image.npy", ran.image)
    run_tf1(
        [
            Run(
                pipeline=str(ran.pipeline),
                seed=ran.row.seed,
                restore=str(folder / "serving" / "model.ckpt"),
                image=str(folder / "image.npy"),
                outputs=str(folder / "outputs.npz"),
            )
        ]
    )
    return ran.outputs, changed, outputs.load(folder / "outputs.npz")


@pytest.mark.matrix
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_tf1_graph_computes_what_the_trained_tf2_model_does(row: Row, tf1: Any, tmp_path: Path) -> None:
    old, changed, again = returned(tf1(row), tmp_path)
    assert max(item.relative for item in compare(old, changed).raw) > MOVED
    assert compare(again, changed).within(row.tolerance), compare(again, changed).differences


def test_all_models_are_in_the_matrix() -> None:
    assert {row.name for row in ROWS} == set(TRAINED)
