"""TensorFlow is the judge of every direction: names to names, averages, and the way back to TF1."""

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
FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
SAVERS: dict[str, dict[str, Any]] = {
    "V2": {},
    "sharded": {"sharded": True},
    "V1": {"write_version": v1.train.SaverDef.V1},
    "parts": {},
}


def numbers(*shape: int) -> np.ndarray:
    return np.arange(np.prod(shape, dtype=int), dtype=np.float32).reshape(shape) + 1


VALUES = {"net/conv/w": numbers(4, 3), "net/conv/b": numbers(3), "head/w": numbers(3, 2), "global_step": np.int64(7)}


def variables(values: dict[str, Any], parts: int = 0) -> list[Any]:
    """Variables of a TF1 graph on two devices; with ``parts``, the matrices in as many."""
    made = []
    for number, (name, value) in enumerate(values.items()):
        cut = v1.fixed_size_partitioner(parts) if parts and np.ndim(value) > 1 else None
        with tf.device(f"/cpu:{number % 2}"):
            shape = {"shape": np.shape(value)} if cut else {}
            initial = v1.zeros_initializer() if cut else value
            one = v1.get_variable(
                name, initializer=initial, dtype=np.asarray(value).dtype, partitioner=cut, use_resource=False, **shape
            )
        made.append(one)
    return made


def session() -> Any:
    return v1.Session(config=v1.ConfigProto(device_count={"CPU": 2}))


def saved(prefix: Path, values: dict[str, Any], how: str = "V2") -> Path:
    prefix.parent.mkdir(exist_ok=True)
    with tf.Graph().as_default(), session() as open_session:
        made = variables(values, parts=2 if how == "parts" else 0)
        open_session.run(v1.global_variables_initializer())
        for one, value in zip(made, values.values(), strict=True):
            start = 0
            for part in one if how == "parts" and np.ndim(value) > 1 else ():
                stop = start + int(part.shape[0])
                open_session.run(v1.assign(part, value[start:stop]))
                start = stop
        v1.train.Saver(**SAVERS[how]).save(open_session, str(prefix), write_meta_graph=False)
    return prefix


def restored(prefix: Path, like: dict[str, Any], parts: int = 0) -> dict[str, np.ndarray]:
    """What the Saver of a graph with these variables restores."""
    with tf.Graph().as_default(), session() as open_session:
        made = variables({name: np.zeros_like(value) for name, value in like.items()}, parts)
        v1.train.Saver().restore(open_session, str(prefix))
        whole = [tf.convert_to_tensor(one) for one in made]
        return dict(zip(like, open_session.run(whole), strict=True))


@pytest.mark.parametrize("how", SAVERS)
@pytest.mark.parametrize("data", ["copy", "link"])
def test_a_graph_under_the_new_names_restores_every_value(tmp_path, how, data):
    source = saved(tmp_path / "old" / "model.ckpt", VALUES, how)
    ckptmap.edit(source, output=tmp_path / "new", strip=["net"], renames=[("head", "top/k")], scope="s", data=data)
    wanted = {
        "s/conv/w": VALUES["net/conv/w"],
        "s/conv/b": VALUES["net/conv/b"],
        "s/top/k/w": VALUES["head/w"],
        "global_step": VALUES["global_step"],
    }
    prefix = tf.train.latest_checkpoint(str(tmp_path / "new"))
    assert prefix == str(tmp_path / "new" / "model.ckpt")
    np.testing.assert_equal(restored(Path(prefix), wanted), wanted)
    np.testing.assert_equal(restored(Path(prefix), wanted, parts=2), wanted)
    reader = tf.train.load_checkpoint(prefix)
    np.testing.assert_equal({name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}, wanted)


def test_half_precision_and_averages_of_a_trained_graph(tmp_path):
    """Slots and averages as TF1's own optimizer and ExponentialMovingAverage name them."""
    with tf.Graph().as_default(), session() as open_session:
        one = v1.get_variable("net/w", initializer=numbers(4), use_resource=True)
        step = v1.train.get_or_create_global_step()
        train = v1.train.MomentumOptimizer(0.1, 0.9).minimize(tf.reduce_sum(one**2), step)
        average = v1.train.ExponentialMovingAverage(0.5)
        with tf.control_dependencies([train]):
            train = average.apply([one])
        open_session.run(v1.global_variables_initializer())
        for _ in range(3):
            open_session.run(train)
        (tmp_path / "old").mkdir()
        v1.train.Saver().save(open_session, str(tmp_path / "old" / "m"), write_meta_graph=False)
        averaged = open_session.run(average.average(one))
    ckptmap.edit(tmp_path / "old" / "m", output=tmp_path / "new", ema=True, weights_only=True, cast="float16")
    wanted = {"net/w": averaged.astype(np.float16)}
    np.testing.assert_equal(restored(tmp_path / "new" / "model.ckpt", wanted), wanted)


class Model(tf.Module):
    """A layer, and a second path to its kernel."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel = tf.Variable(numbers(3, 4), name="dense/kernel")
        self.bias = tf.Variable(numbers(3), name="dense/bias")
        self.tied = self.kernel

    def __call__(self, inputs: np.ndarray) -> Any:
        return tf.linalg.matvec(self.kernel, inputs) + self.bias


def test_the_mean_of_two_checkpoints_of_objects(tmp_path):
    model, momentum = Model(), tf.Variable(numbers(3, 4))
    checkpoint = tf.train.Checkpoint(model=model, step=tf.Variable(0, dtype=tf.int64), extra=momentum)
    paths = []
    for factor in (1.0, 4.0):
        model.kernel.assign(numbers(3, 4) * factor)
        model.bias.assign(numbers(3) * factor)
        checkpoint.step.assign_add(10)
        paths.append(checkpoint.save(str(tmp_path / "run" / "ckpt")))
    ckptmap.average(paths, output=tmp_path / "new")
    again = tf.train.Checkpoint(model=Model(), step=tf.Variable(0, dtype=tf.int64), extra=tf.Variable(numbers(3, 4)))
    again.restore(str(tmp_path / "new" / "ckpt-0")).assert_consumed()
    np.testing.assert_array_equal(again.model.tied.numpy(), numbers(3, 4) * 2.5)
    np.testing.assert_array_equal(again.model.bias.numpy(), numbers(3) * 2.5)
    assert (int(again.step), int(again.save_counter)) == (20, 2)


TABLE = """\
variables:
  - {from: net/dense/w, to: dense/kernel, ops: [{transpose: [1, 0]}]}
  - {from: net/dense/b, to: dense/bias}
drop:
  - {match: global_step, reason: bookkeeping}
  - {match: "old_head/{rest}", reason: "another task", where: {rest: path}}
"""


def test_after_training_in_tf2_the_tf1_graph_gives_the_outputs_of_the_tf2_model(tmp_path):
    old = {
        "net/dense/w": numbers(4, 3) / 7,
        "net/dense/b": numbers(3),
        "old_head/w": numbers(2),
        "global_step": np.int64(9),
    }
    source = saved(tmp_path / "old" / "model.ckpt", old)
    (tmp_path / "t.yaml").write_text(TABLE)
    template = tf.train.Checkpoint(model=Model()).save(str(tmp_path / "zoo" / "ckpt"))
    report = ckptmap.convert(source, to=template, table=tmp_path / "t.yaml", output=tmp_path / "new")
    assert report["findings"] == []
    model, inputs = Model(), np.array([1.0, -2.0, 0.5, 3.0], np.float32)
    training = tf.train.Checkpoint(model=model, step=tf.Variable(0))
    tf.train.Checkpoint(model=model).restore(str(tmp_path / "new" / "ckpt-0")).assert_consumed()
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(inputs) ** 2)
    for variable, gradient in zip(
        model.trainable_variables, tape.gradient(loss, model.trainable_variables), strict=True
    ):
        variable.assign_sub(0.01 * gradient)
    trained = training.save(str(tmp_path / "train" / "ckpt"))
    back = ckptmap.convert_back(
        trained, back=tmp_path / "new" / "report.json", fill=source, output=tmp_path / "serving"
    )
    assert back["findings"] == []
    values = restored(tmp_path / "serving" / "model.ckpt", old)
    np.testing.assert_array_equal(values["net/dense/w"], model.kernel.numpy().T)
    assert not np.array_equal(values["net/dense/w"], old["net/dense/w"])
    np.testing.assert_equal([values["old_head/w"], values["global_step"]], [old["old_head/w"], old["global_step"]])
    expected = model(inputs).numpy()
    with tf.Graph().as_default(), session() as open_session:
        made = dict(zip(old, variables(old), strict=True))
        outputs = tf.linalg.matvec(made["net/dense/w"], inputs, transpose_a=True) + made["net/dense/b"]
        v1.train.Saver().restore(open_session, str(tmp_path / "serving" / "model.ckpt"))
        np.testing.assert_allclose(open_session.run(outputs), expected, rtol=1e-6)


def test_a_detector_there_and_back_is_restored_by_the_old_graphs_saver(tmp_path):
    source = FIXTURES / "ssd_mobilenet_v2_tiny" / "model.ckpt"
    reader = tf.train.load_checkpoint(str(source))
    old = {name: np.asarray(reader.get_tensor(name)) for name in reader.get_variable_to_shape_map()}
    ckptmap.convert(source, to="ssd_mobilenet_v2", output=tmp_path / "new", no_pipeline=True)
    ckptmap.convert_back(
        tmp_path / "new", back=tmp_path / "new" / "report.json", fill=source, output=tmp_path / "serving"
    )
    made = restored(tmp_path / "serving" / "model.ckpt", old)
    assert {name: value.tobytes() for name, value in made.items()} == {n: v.tobytes() for n, v in old.items()}
