import json
from pathlib import Path

import numpy as np
import pytest

from ckptmap.basics.errors import CkptmapError, PlanError
from ckptmap.diff import Diff, DiffFate, diff
from ckptmap.verbs.conversion import convert
from tests.convert.conftest import TABLE, tf1_values, values, write_template, write_tf1
from tests.convert.test_plan import label_maps

VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"


@pytest.fixture
def a(tmp_path: Path) -> Path:
    return write_tf1(tmp_path / "a" / "model.ckpt", tf1_values())


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "my_model.yaml"
    path.write_text(TABLE)
    return path


def converted(a: Path, table: Path, tmp_path: Path, classes: int = 4) -> Path:
    template = write_template(tmp_path / "template" / "ckpt-0", classes)
    report = convert(a, to=template, table=table, output=tmp_path / "new", num_classes=classes - 1)
    assert report["findings"] == []
    return tmp_path / "new"


def fates(found: Diff) -> dict[str, str]:
    return {record.name.removesuffix(VALUE): record.fate.value for record in found.records}


EQUAL = {
    "global_step": "expected",
    "save_counter": "expected",
    "model/backbone/layer-0/kernel": "equal",
    "model/backbone/layer-1/beta": "equal",
    "model/backbone/layer-1/gamma": "equal",
    "model/backbone/layer-1/moving_mean": "equal",
    "model/head/bias": "equal",
    "model/head/kernel": "equal",
}


def test_a_conversion_equals_its_source_by_the_table(a: Path, table: Path, tmp_path: Path) -> None:
    found = diff(a, converted(a, table, tmp_path), mapping=table)
    assert fates(found) == EQUAL
    assert found.equal
    assert {r.name.removesuffix(VALUE): r.reason for r in found.records if r.fate is DiffFate.EXPECTED} == {
        "global_step": "bookkeeping",
        "save_counter": "written by tf.train.Checkpoint itself",
    }


def test_a_conversion_equals_its_source_by_its_report(a: Path, table: Path, tmp_path: Path) -> None:
    new = converted(a, table, tmp_path)
    assert fates(diff(a, new, mapping=new / "report.json")) == EQUAL


def test_a_renamed_value_that_changed_is_found(a: Path, table: Path, tmp_path: Path) -> None:
    new = converted(a, table, tmp_path)
    other = write_tf1(tmp_path / "other" / "model.ckpt", {**tf1_values(), "net/conv/weights": values((1, 1, 3, 8), 12)})
    record = diff(other, new, mapping=table).records[0]
    assert record.name == f"model/backbone/layer-0/kernel{VALUE}"
    assert record.sources == ("net/conv/weights",)
    assert record.delta is not None
    assert (record.fate, record.delta.max_abs) == (DiffFate.CHANGED, 2.0)


def test_a_head_of_another_class_count_is_a_changed_shape_by_the_table_and_expected_by_the_report(
    a: Path, table: Path, tmp_path: Path
) -> None:
    new = converted(a, table, tmp_path, classes=2)
    by_table = fates(diff(a, new, mapping=table))
    assert (by_table["model/head/kernel"], by_table["model/head/bias"]) == ("shape", "shape")
    found = diff(a, new, mapping=new / "report.json")
    assert found.equal
    reasons = {record.name.removesuffix(VALUE): record.reason for record in found.records}
    assert reasons["model/head/kernel"].startswith("reinitialized: class head: ")


def test_operations_are_computed_again(tmp_path: Path) -> None:
    table = tmp_path / "dense.yaml"
    table.write_text(
        "kinds:\n  dense: {weights: {to: kernel, ops: [{squeeze: [0, 1]}]}}\n"
        "layers:\n  - {from: net/conv, to: Conv1, as: dense}\n"
    )
    a = write_tf1(tmp_path / "a" / "model.ckpt", {"net/conv/weights": values((1, 1, 3, 8))})
    template = tmp_path / "template" / "ckpt-0"
    from ckptmap.checkpoint.dtypes import DType
    from ckptmap.checkpoint.object_writer import ObjectValue, write_object_checkpoint

    dense = ObjectValue("Conv1/kernel", DType.FLOAT32, (3, 8), [bytes(96)])
    write_object_checkpoint(template, "model", {"conv/kernel": dense})
    assert convert(a, to=template, table=table, output=tmp_path / "new")["findings"] == []
    key = f"model/conv/kernel{VALUE}"
    for mapping in (table, tmp_path / "new" / "report.json"):
        record = next(r for r in diff(a, tmp_path / "new", mapping=mapping).records if r.name == key)
        assert (record.fate, record.operations) == (DiffFate.EQUAL, ("squeeze [0, 1]",))
    changed = write_tf1(tmp_path / "c" / "model.ckpt", {"net/conv/weights": values((1, 1, 3, 8)) * np.float32(2)})
    record = diff(changed, tmp_path / "new", mapping=table).records[0]
    assert record.delta is not None
    assert (record.fate, record.delta.max_abs, record.delta.cosine) == (DiffFate.CHANGED, 23.0, 1.0)


def test_a_table_of_another_model_is_refused(a: Path, table: Path, tmp_path: Path) -> None:
    new = converted(a, table, tmp_path)
    table.write_text(TABLE.replace("to: Conv1,", "to: Conv9,"))
    with pytest.raises(PlanError, match="net/conv/weights: the target has no variable 'Conv9/kernel'"):
        diff(a, new, mapping=table)


def test_a_report_of_something_else_is_refused(a: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text(json.dumps({"schema": "ckptmap.diff/1"}))
    with pytest.raises(CkptmapError, match="is not a report of a conversion"):
        diff(a, a, mapping=other)


def test_carried_classes_are_equal_by_the_report_and_new_ones_have_no_counterpart(
    a: Path, table: Path, tmp_path: Path
) -> None:
    template = write_template(tmp_path / "template" / "ckpt-0", classes=5)
    maps = label_maps(tmp_path, "cat dog cow", "cow horse owl cat")
    convert(a, to=template, table=table, output=tmp_path / "new", label_maps=maps)
    found = diff(a, tmp_path / "new", mapping=tmp_path / "new" / "report.json")
    assert fates(found) == EQUAL
