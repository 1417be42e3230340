"""Real TensorFlow restores what every writing mode leaves behind, and the old files are as they were."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ckptmap
from ckptmap.tf.environment import TensorFlowError, prepare

try:
    prepare()
except TensorFlowError as error:
    pytest.skip(str(error), allow_module_level=True)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # TensorFlow's own dependencies
    import tensorflow as tf

v1 = tf.compat.v1
TABLE = """\
variables:
  - {from: net/weights, to: dense/kernel}
  - {from: net/turned, to: dense/turned, ops: [{transpose: [1, 0]}]}
  - {from: net/half, to: dense/whole}
drop:
  - {match: "net/weights/Momentum", reason: optimizer slot, optional: true}
"""
OLD = {
    "net/weights": np.arange(12, dtype=np.float32).reshape(3, 4),
    "net/turned": np.arange(6, dtype=np.float32).reshape(2, 3),
    "net/half": np.array([0.5, -2.0], np.float16),
    "net/weights/Momentum": np.ones((3, 4), np.float32),
}
NEW = {"kernel": OLD["net/weights"], "turned": OLD["net/turned"].T, "whole": OLD["net/half"].astype(np.float32)}


class Dense(tf.Module):
    def __init__(self) -> None:
        super().__init__(name="dense")
        with self.name_scope:
            for name, value in NEW.items():
                setattr(self, name, tf.Variable(tf.fill(value.shape, -1.0), name=name))


def save_tf1(folder: Path, sharded: bool) -> Path:
    folder.mkdir()
    with tf.Graph().as_default(), v1.Session(config=v1.ConfigProto(device_count={"CPU": 2})) as session:
        for number, (name, value) in enumerate(OLD.items()):
            with tf.device(f"/cpu:{number % 2}"):
                v1.get_variable(name, initializer=value, use_resource=False)
        session.run(v1.global_variables_initializer())
        v1.train.Saver(sharded=sharded).save(session, str(folder / "model.ckpt"), write_meta_graph=False)
    return folder / "model.ckpt"


def state(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}


def restored(prefix: Path) -> dict[str, Any]:
    model = Dense()
    checkpoint = tf.train.Checkpoint(model=model)
    checkpoint.restore(str(prefix)).assert_consumed()
    assert int(checkpoint.save_counter) == 1
    return {name: getattr(model, name).numpy() for name in NEW}


@pytest.mark.parametrize("sharded", [False, True])
@pytest.mark.parametrize("mode", ["auto", "copy", "reflink", "link"])
def test_tensorflow_restores_every_mode(tmp_path: Path, mode: str, sharded: bool) -> None:
    source = save_tf1(tmp_path / "old", sharded)
    tf.train.Checkpoint(model=Dense()).write(str(tmp_path / "template"))
    (tmp_path / "table.yaml").write_text(TABLE)
    before = state(tmp_path / "old")
    for _ in range(2):  # the second replaces the first, under other file names
        report = ckptmap.convert(
            source,
            to=tmp_path / "template",
            table=tmp_path / "table.yaml",
            output=tmp_path / "new",
            data=mode,
            force=True,
        )
        assert report["findings"] == []
        if mode in ("copy", "link"):
            assert report["output"]["data"] == mode
        for name, value in restored(tmp_path / "new" / "ckpt-0").items():
            np.testing.assert_array_equal(value, NEW[name])
    assert state(tmp_path / "old") == before
    latest = tf.train.latest_checkpoint(str(tmp_path / "new"))
    assert latest == str(tmp_path / "new" / "ckpt-0")


@pytest.mark.parametrize("mode", ["auto", "copy", "reflink", "link"])
def test_tensorflow_restores_every_checkpoint_of_a_batch(tmp_path: Path, mode: str) -> None:
    sources = [save_tf1(tmp_path / name, sharded) for name, sharded in (("whole", False), ("shards", True))]
    tf.train.Checkpoint(model=Dense()).write(str(tmp_path / "template"))
    (tmp_path / "table.yaml").write_text(TABLE)
    before = [state(source.parent) for source in sources]
    report = ckptmap.convert_many(
        sources, to=tmp_path / "template", table=tmp_path / "table.yaml", output=tmp_path / "new", data=mode
    )
    assert report["summary"] == {"converted": 2, "kept": 0, "planned": 0, "findings": 0, "failed": 0}
    assert report["plans"] == 1
    for one in report["conversions"]:
        for name, value in restored(Path(one["checkpoint"])).items():
            np.testing.assert_array_equal(value, NEW[name])
    assert [state(source.parent) for source in sources] == before
