"""The model of a shipped classifier is built as the report of its conversion says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import ckptmap
from ckptmap.tf.environment import TensorFlowError, import_quietly, prepare
from ckptmap.tf.verify.general.engine import Asked, compare_models
from ckptmap.tf.verify.general.source import Kind, find_source
from ckptmap.tf.verify.general.tf1_models import open_graph
from ckptmap.tf.verify.general.tf2_models import open_model
from tests.tf.classifiers import Row, image_of, run_slim
from tests.tf.verify.general.test_command import run

try:
    prepare()
except TensorFlowError as error:
    pytest.skip(str(error), allow_module_level=True)

pytestmark = [
    pytest.mark.matrix,
    pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning"),  # of TensorFlow itself
]


@pytest.mark.parametrize(
    "row",
    [Row("mobilenet_v1", 2, 96, width=0.5, classes=5), Row("resnet_v1_50", 2, 64, classes=7)],
    ids=str,
)
def test_a_conversion_of_slims_net_agrees_without_code(tmp_path: Path, row: Row) -> None:
    run_slim(row, str(tmp_path / "model.ckpt"), image_of(row), meta=True)
    report = ckptmap.convert(
        tmp_path / "model.ckpt", to=row.model.target, output=tmp_path / "new", settings={"keras": 2}
    )
    before = find_source(tmp_path / "model.ckpt", "old")
    after = find_source(report["output"]["checkpoint"], "new")
    assert (after.kind, after.keras) == (Kind.APPLICATION, 2)
    assert after.application is not None
    tf = import_quietly("tensorflow")
    found = compare_models((before, after), (open_graph(tf, before), open_model(tf, after)), Asked())
    assert found.agree
    assert [one.shapes for one in found.measures] == [((1, row.classes), (1, row.classes))]


def test_slims_graph_is_built_where_no_meta_lies_beside(tmp_path: Path) -> None:
    """The real thing, from the command line: Keras 3 is the only Keras of its process."""
    row = Row("mobilenet_v1", 3, 224, width=0.5, classes=5)
    run_slim(row, str(tmp_path / "model.ckpt"), image_of(row))
    old, new = tmp_path / "model.ckpt", tmp_path / "new"
    assert run("convert", old, "--to", row.model.target, "-o", new, "--set", "keras=3").returncode == 0
    done = run("verify", old, new, "--json", "-v")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["old"]["kind"] == "graph of slim's own code, giving logits"
    assert [one["shape_old"] for one in found["outputs"]] == [[2, 5]]
    for stage in ("opening the old model", "opening the new model", "running the old model", "running the new model"):
        assert stage in done.stderr
