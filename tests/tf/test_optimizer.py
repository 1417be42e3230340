"""Training goes on in TF2 as in TF1: real graphs, real optimizers of Keras in all three layouts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("tensorflow", reason="needs the [tf] extra")

import ckptmap
from ckptmap.basics.errors import PlanError
from ckptmap.tf.environment import tf2
from tests.tf.going_on import LAYOUTS, TRAININGS, Training, built, convert, optimizers_of, train_tf1, train_tf2

NOISE = 3e-6
"""Of losses and weights, in the largest value of each, after fifty steps."""
CLEARLY = 1e-2
"""What fifty steps without the state differ by at least."""
BY_NAME = {training.name: training for training in TRAININGS}
FEW = {"before": 5, "after": 3}


@pytest.mark.parametrize(
    ("name", "layout"), [("momentum", "legacy"), ("adam", "keras 2.11"), ("centered_rmsprop", "keras 3")]
)
def test_a_few_steps_go_on(name: str, layout: str, tmp_path: Path) -> None:
    training = BY_NAME[name]
    wanted = train_tf1(training, tmp_path / "model.ckpt", **FEW)
    report = convert(
        training, tmp_path / "model.ckpt", layout, tmp_path / "tf2", **{"optimizer": "found", **training.choices}
    )
    assert report["optimizer"]["layout"] == layout
    assert report["optimizer"]["step"] == 5
    assert train_tf2(training, layout, tmp_path / "tf2", **FEW).differs(wanted) < NOISE
    convert(training, tmp_path / "model.ckpt", layout, tmp_path / "without")
    assert train_tf2(training, layout, tmp_path / "without", state=False, **FEW).differs(wanted) > 10 * NOISE


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("training", "layout"), [(training, layout) for training in TRAININGS for layout in training.layouts], ids=str
)
def test_fifty_steps_go_on(
    training: Training, layout: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    wanted = train_tf1(training, tmp_path / "model.ckpt")
    report = convert(
        training, tmp_path / "model.ckpt", layout, tmp_path / "tf2", **{"optimizer": "found", **training.choices}
    )
    assert report["findings"] == []
    assert report["optimizer"]["fresh"] == 0
    difference = train_tf2(training, layout, tmp_path / "tf2").differs(wanted)
    convert(training, tmp_path / "model.ckpt", layout, tmp_path / "without")
    without = train_tf2(training, layout, tmp_path / "without", state=False).differs(wanted)
    record_property("difference", f"{difference:.1e}, without the state {without:.1e}")
    assert difference < NOISE
    assert without > CLEARLY


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_optimizer_that_was_not_built_gets_a_clear_word(layout: str, tmp_path: Path) -> None:
    training = BY_NAME["adam"]
    train_tf1(training, tmp_path / "model.ckpt", before=1, after=1)
    model, _ = built(training, layout)
    optimizer = optimizers_of(layout).Adam()
    template = tf2().train.Checkpoint(model=model, optimizer=optimizer).save(str(tmp_path / "template" / "ckpt"))
    with pytest.raises(PlanError) as error:
        ckptmap.plan(tmp_path / "model.ckpt", to=template, optimizer="found")
    problem = error.value.problems[0]
    assert "built" in problem.message
    assert "optimizer.build(model.trainable_variables)" in problem.hint
