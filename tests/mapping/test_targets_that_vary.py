"""One table for targets that call a layer otherwise, or lack it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import ckptmap
from ckptmap.basics.errors import PlanError
from ckptmap.checkpoint.dtypes import dtype_from_label
from ckptmap.checkpoint.object_writer import ObjectValue, write_object_checkpoint
from ckptmap.mapping import check_tables
from ckptmap.planning.ledger import Plan
from tests.convert.conftest import write_tf1

TABLE = """
include: [{table: kinds/slim}]
layers:
  - {from: net/conv, to: [Block/Conv, block_conv], as: conv}
  - {from: net/depth, to: [Block/Depth, block_depth], as: depthwise}
  - {from: net/logits, to: top, as: conv, per_class: {axis: -1, background: optional}, or_drop: no classifier is made}
"""
VALUES = {
    "net/conv/weights": np.ones((1, 1, 3, 2), np.float32),
    "net/depth/depthwise_weights": np.full((3, 3, 2, 1), 2, np.float32),
    "net/logits/weights": np.arange(2 * 11, dtype=np.float32).reshape(1, 1, 2, 11),
    "net/logits/biases": np.arange(11, dtype=np.float32),
}
KERAS_2 = {"Block/Conv/kernel": (1, 1, 3, 2), "Block/Depth/depthwise_kernel": (3, 3, 2, 1)}
KERAS_3 = {"block_conv/kernel": (1, 1, 3, 2), "block_depth/kernel": (3, 3, 2, 1)}


@pytest.fixture
def old(tmp_path: Path) -> Path:
    (tmp_path / "t.yaml").write_text(TABLE)
    return write_tf1(tmp_path / "old.ckpt", VALUES)


def template(tmp_path: Path, body: dict[str, tuple[int, ...]], classes: int | None) -> Path:
    shapes = dict(body)
    if classes is not None:
        shapes |= {"top/kernel": (1, 1, 2, classes), "top/bias": (classes,)}
    float32 = dtype_from_label("float32")
    assert float32 is not None
    objects = {
        f"layer_{at}/value": ObjectValue(name, float32, shape, [bytes(4 * int(np.prod(shape)))])
        for at, (name, shape) in enumerate(shapes.items())
    }
    write_object_checkpoint(tmp_path / "template", "model", objects)
    return tmp_path / "template"


def fates(plan: Plan) -> dict[str, str]:
    return {record.variable.name: record.fate.value for record in plan.targets}


@pytest.mark.parametrize("body", [KERAS_2, KERAS_3])
def test_a_layer_is_found_by_whichever_name_the_target_has(body, old, tmp_path):
    plan = ckptmap.plan(old, to=template(tmp_path, body, 11), table=tmp_path / "t.yaml")
    assert plan.findings == ()
    assert fates(plan) == dict.fromkeys([*body, "top/kernel", "top/bias"], "restored")


def test_what_the_target_lacks_is_dropped_with_the_rule_s_reason(old, tmp_path):
    plan = ckptmap.plan(old, to=template(tmp_path, KERAS_3, None), table=tmp_path / "t.yaml")
    assert plan.findings == ()
    dropped = {record.name: record.reason for record in plan.sources if record.fate.value == "dropped"}
    assert dropped == dict.fromkeys(["net/logits/weights", "net/logits/biases"], "no classifier is made")


def test_without_a_reason_a_lacking_layer_is_a_mistake(old, tmp_path):
    (tmp_path / "t.yaml").write_text(TABLE.replace(", or_drop: no classifier is made", ""))
    with pytest.raises(PlanError, match="the target has no variable 'top/"):
        ckptmap.plan(old, to=template(tmp_path, KERAS_3, None), table=tmp_path / "t.yaml")


def test_the_background_is_left_out_where_the_target_has_none(old, tmp_path):
    to = template(tmp_path, KERAS_3, 10)
    report = ckptmap.convert(old, to=to, table=tmp_path / "t.yaml", output=tmp_path / "new")
    assert report["findings"] == []
    assert report["source"]["notes"] == ["class 0, the background, is left out: exact (2 variables)"]
    with ckptmap.open_checkpoint(tmp_path / "new") as made:
        by_name = {name: made.read(key) for key, name in made.readable_names().items() if name.startswith("top")}
    np.testing.assert_array_equal(by_name["top/kernel"], VALUES["net/logits/weights"][..., 1:])
    np.testing.assert_array_equal(by_name["top/bias"], VALUES["net/logits/biases"][1:])


def test_other_counts_are_other_classes(old, tmp_path):
    to = template(tmp_path, KERAS_3, 9)
    assert [str(one) for one in ckptmap.plan(old, to=to, table=tmp_path / "t.yaml").findings] != []
    plan = ckptmap.plan(old, to=to, table=tmp_path / "t.yaml", num_classes=9)
    assert (fates(plan)["top/kernel"], plan.findings, plan.notes) == ("reinitialized", (), ())


LABELS = "item {{ id: {} name: '{}' }}\n"


def test_label_maps_number_the_classes_from_one_and_know_no_background(old, tmp_path):
    (tmp_path / "old.pbtxt").write_text("".join(LABELS.format(n, f"c{n}") for n in range(1, 11)))
    (tmp_path / "new.pbtxt").write_text("".join(LABELS.format(n, f"c{11 - n}") for n in range(1, 11)))
    maps = (tmp_path / "old.pbtxt", tmp_path / "new.pbtxt")
    to = template(tmp_path, KERAS_3, 10)
    ckptmap.convert(old, to=to, table=tmp_path / "t.yaml", output=tmp_path / "new", label_maps=maps)
    with ckptmap.open_checkpoint(tmp_path / "new") as made:
        bias = next(made.read(key) for key, name in made.readable_names().items() if name == "top/bias")
    np.testing.assert_array_equal(bias, np.arange(10, 0, -1, dtype=np.float32))


@pytest.mark.parametrize("said", ["or_drop: ' '", "or_drop: [a]"])
def test_an_empty_reason_is_a_mistake(said, tmp_path):
    path = tmp_path / "t.yaml"
    path.write_text(f"include: [{{table: kinds/slim}}]\nlayers: [{{from: a, to: b, as: conv, {said}}}]\n")
    assert check_tables(path) != ()
