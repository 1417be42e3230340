"""Training of detectors goes on: ten steps as in TF1, and the API's own program at the step of what was converted."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

import ckptmap
from ckptmap.tf.environment import tf2
from ckptmap.tf.exact import register
from ckptmap.tf.load import latest_checkpoint
from ckptmap.tf.models import build_model, read_pipeline
from tests.convert.conftest import write_tf1
from tests.efficientdet_variables import read
from tests.tf.detectors_going_on import BEFORE, GOING_ON, RMSPROP, config_with, go_on
from tests.tf.rows import EXACT, Row
from tests.tf.test_training import INPUTS, launch, write_record
from tests.tf.tf1_going_on import ROUNDING, run_tf1

pytestmark = pytest.mark.matrix

AVERAGED = Row(
    "resumed_rmsprop",
    "ssd_mobilenet_v2",
    EXACT,
    {"depth_multiplier": 0.35, "override": "true", "use_moving_average": "true"},
)
CLEARLY = 100
"""By how much steps with the weights alone are farther from TF1's than those with the optimizer's state."""


@pytest.mark.parametrize(("row", "optimizer"), GOING_ON, ids=[row.name for row, _ in GOING_ON])
def test_ten_steps_go_on_as_in_tf1(row, optimizer, tf1, tmp_path, record_property):
    going = go_on(tf1(row), optimizer, tmp_path)
    assert going.report["findings"] == []
    assert going.report["optimizer"]["fresh"] == 0
    found = {"noise": going.noise, "carried": going.differ(going.carried), "alone": going.differ(going.alone)}
    for name, (losses, weights) in found.items():
        record_property(name, f"losses {losses:.1e}, weights {weights:.1e}")
    for noise, carried, alone in zip(*found.values(), strict=True):
        assert carried < 10 * max(noise, ROUNDING)
        assert alone > CLEARLY * carried


@pytest.mark.parametrize("row", [AVERAGED], ids=str)
def test_the_apis_own_program_resumes(row, tf1, tmp_path):
    """``model_main_tf2`` with the converted checkpoint in its ``model_dir`` goes on at the checkpoint's step."""
    write_record(tmp_path / "two.record", row.size)
    (tmp_path / "labels.pbtxt").write_text("".join(f"item {{ id: {i} name: 'c{i}' }}\n" for i in (1, 2, 3)))
    ran = tf1(row)
    pipeline = config_with(ran, RMSPROP, tmp_path / "old.config")
    run_tf1(pipeline, ran.checkpoint, tmp_path / "old", BEFORE, 1)
    inputs = INPUTS.format(labels=tmp_path / "labels.pbtxt", record=tmp_path / "two.record", averages="true")
    pipeline.write_text(pipeline.read_text() + inputs)
    new, run = tmp_path / "new", tmp_path / "run"
    report = ckptmap.convert(tmp_path / f"old-{BEFORE}", pipeline=pipeline, output=new, optimizer="found")
    assert report["findings"] == []
    run.mkdir()
    for file in (new / "checkpoint", *new.glob("ckpt-0.*")):
        shutil.copy(file, run)
    before = values(run)
    flags = {"pipeline_config_path": new / "pipeline.config", "model_dir": run, "checkpoint_every_n": 1}
    launch(tmp_path, "model_main_tf2", **flags, num_train_steps=BEFORE + 2)
    after = values(run)
    assert latest_checkpoint(run) != str(run / "ckpt-0")
    assert after["step"] == after["optimizer/ema_base_optimizer/iter"] == BEFORE + 2
    assert after["optimizer/ema_base_optimizer/rho"] == np.float32(0.8)
    assert after.keys() == before.keys()
    slots = [key for key in before if key.endswith("/ema_base_optimizer/rms")]
    assert len(slots) > 100
    # two steps leave 0.64 of what was there, and only add to it
    assert all((after[key] >= before[key] * np.float32(0.6399)).all() for key in slots)


def test_the_momentum_of_an_efficientdet_is_what_the_apis_optimizer_restores(tmp_path):
    generator, endings = np.random.default_rng(0), ("", "/Momentum", "/ExponentialMovingAverage")
    shapes = {f"{name}{ending}": shape for name, shape in read("d0", 3).items() for ending in endings}
    old = {name: generator.uniform(0.5, 1, shape).astype(np.float32) for name, shape in shapes.items()}
    source = write_tf1(tmp_path / "old" / "model.ckpt", {**old, "global_step": np.array(100, np.int64)})
    choices = {"to": "efficientdet_d0", "optimizer": "found", "learning_rate": 0.5, "init_missing": True}
    report = ckptmap.convert(source, output=tmp_path / "new", **choices)
    assert report["findings"] == []
    tensorflow = tf2()
    register()
    from object_detection.builders import optimizer_builder

    model, step = build_model(tmp_path / "new" / "pipeline.config"), tensorflow.Variable(0, dtype=tensorflow.int64)
    config = read_pipeline(tmp_path / "new" / "pipeline.config").train_config.optimizer
    optimizer, _ = optimizer_builder.build(config, global_step=step)
    optimizer._create_all_weights(model.trainable_variables)
    checkpoint = tensorflow.train.Checkpoint(model=model, optimizer=optimizer, step=step)
    checkpoint.restore(latest_checkpoint(tmp_path / "new")).assert_consumed()
    checkpoint.save(str(tmp_path / "again" / "ckpt"))
    restored, compared = values(tmp_path / "again"), 0
    assert restored["step"] == restored["optimizer/iter"] == 100
    for one in report["target_variables"]:
        if one["source"] and [made["operation"] for made in one["operations"]] == ["scale"]:
            assert np.array_equal(restored[one["key"]], old[one["source"]] * np.float32(-0.5))
            compared += 1
    assert compared > 400


def values(folder):
    """All of a folder's latest checkpoint by object path."""
    reader = tf2().train.load_checkpoint(latest_checkpoint(folder))
    ending = "/.ATTRIBUTES/VARIABLE_VALUE"
    keys = [key for key in reader.get_variable_to_shape_map() if key.endswith(ending)]
    return {key.removesuffix(ending): reader.get_tensor(key) for key in keys}
