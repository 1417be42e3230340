"""Whatever kind of file holds a model's variables, the converted checkpoint holds the same bytes."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from ckptmap.checkpoint.inventory import Kind
from ckptmap.checkpoint.reader import open_checkpoint
from ckptmap.tf.environment import TensorFlowError, prepare
from ckptmap.verbs.conversion import convert

try:
    prepare()
except TensorFlowError as error:
    pytest.skip(str(error), allow_module_level=True)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # TensorFlow's own dependencies
    import tensorflow as tf

v1 = tf.compat.v1
FIXTURE = Path(__file__).resolve().parents[2] / "fixtures" / "ssd_mobilenet_v2_tiny"
KINDS = {
    "v2_sharded": Kind.V2,
    "v1": Kind.V1,
    "v1_sharded": Kind.V1,
    "frozen.pb": Kind.FROZEN_GRAPH,
    "saved_model": Kind.SAVED_MODEL,
}


def converted(source: Path, output: Path) -> dict[str, bytes]:
    """The bytes of every variable of the converted checkpoint."""
    convert(source, to="ssd_mobilenet_v2", output=output)
    with open_checkpoint(output / "ckpt-0") as checkpoint:
        return {name: b"".join(checkpoint.chunks(name)) for name in checkpoint.inventory.variables}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fixture's variables, saved by TensorFlow in every way it knows."""
    folder = tmp_path_factory.mktemp("sources")
    formats = v1.train.SaverDef
    with open_checkpoint(FIXTURE) as checkpoint:
        values = {name: checkpoint.read(name) for name in checkpoint.inventory.variables}
    with tf.Graph().as_default(), v1.Session(config=v1.ConfigProto(device_count={"CPU": 2})) as session:
        variables = []
        for number, (name, value) in enumerate(values.items()):
            with tf.device(f"/cpu:{number % 2}"):
                variables.append(v1.get_variable(name, initializer=value, use_resource=False))
        sums = [tf.reduce_sum(tf.cast(variable, tf.float32)) for variable in variables]
        tf.add_n(sums, "all")
        session.run(v1.global_variables_initializer())
        for name, more in {
            "v2_sharded": {"write_version": formats.V2, "sharded": True},
            "v1": {"write_version": formats.V1},
            "v1_sharded": {"write_version": formats.V1, "sharded": True},
        }.items():
            (folder / name).mkdir()
            v1.train.Saver(variables, **more).save(session, str(folder / name / "model.ckpt"))
        builder = v1.saved_model.Builder(str(folder / "saved_model"))
        builder.add_meta_graph_and_variables(session, ["serve"])
        builder.save()
        frozen = v1.graph_util.convert_variables_to_constants(session, session.graph_def, ["all"])
        (folder / "frozen.pb").write_bytes(frozen.SerializeToString())
    return folder


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return converted(FIXTURE, tmp_path_factory.mktemp("plain") / "new")


@pytest.mark.parametrize("name", KINDS)
def test_the_same_values_arrive(tmp_path: Path, sources: Path, plain: dict[str, bytes], name: str) -> None:
    with open_checkpoint(sources / name) as checkpoint:
        assert checkpoint.inventory.kind is KINDS[name]
        assert len(checkpoint.inventory.variables) == 325
    found = converted(sources / name, tmp_path / "new")
    assert len(found) == 326  # 324 variables, the save counter, the object graph
    assert found == plain
