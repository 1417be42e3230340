"""Training of detectors goes on: the API's own program resumes at the step of the converted checkpoint."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

import ckptmap
from ckptmap.tf.environment import tf2
from ckptmap.tf.load import latest_checkpoint
from tests.tf.rows import EXACT, Row
from tests.tf.test_slim_only_training import ALL_SAMPLED
from tests.tf.test_training import INPUTS, launch, write_record
from tests.tf.tf1_going_on import run_tf1

pytestmark = pytest.mark.matrix

MOMENTUM = """momentum_optimizer {
      learning_rate { constant_learning_rate { learning_rate: 0.001 } }
      momentum_optimizer_value: 0.9
    }"""
RMSPROP = """rms_prop_optimizer {
      learning_rate { exponential_decay_learning_rate {
        initial_learning_rate: 0.00002 decay_steps: 5 decay_factor: 0.95 } }
      momentum_optimizer_value: 0.9
      decay: 0.8
      epsilon: 0.1
    }"""
SMALL = {"depth_multiplier": 0.35, "override": "true"}
AVERAGED = Row("go_on_rmsprop", "ssd_mobilenet_v2", EXACT, {**SMALL, "use_moving_average": "true"})
BEFORE, AFTER = 6, 10


def trained(ran, optimizer, folder):
    """The config with this optimizer, and the losses of the steps that TF1 took after its checkpoint."""
    text = ran.pipeline.read_text().replace(MOMENTUM, optimizer)
    text = text.replace("second_stage_batch_size: 8", ALL_SAMPLED)
    pipeline = folder / "old.config"
    pipeline.write_text(text)
    assert optimizer in text
    return pipeline, np.array(run_tf1(pipeline, ran.checkpoint, folder / "old", BEFORE, AFTER))


@pytest.mark.parametrize("row", [AVERAGED], ids=str)
def test_the_apis_own_program_resumes(row, tf1, tmp_path):
    """``model_main_tf2`` with the converted checkpoint in its ``model_dir`` goes on at the checkpoint's step."""
    write_record(tmp_path / "two.record", row.size)
    (tmp_path / "labels.pbtxt").write_text("".join(f"item {{ id: {i} name: 'c{i}' }}\n" for i in (1, 2, 3)))
    pipeline, _ = trained(tf1(row), RMSPROP, tmp_path)
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


def values(folder):
    """All of a folder's latest checkpoint by object path."""
    reader = tf2().train.load_checkpoint(latest_checkpoint(folder))
    ending = "/.ATTRIBUTES/VARIABLE_VALUE"
    keys = [key for key in reader.get_variable_to_shape_map() if key.endswith(ending)]
    return {key.removesuffix(ending): reader.get_tensor(key) for key in keys}
