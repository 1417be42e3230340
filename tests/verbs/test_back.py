"""The way back: TF1 to TF2 to TF1 gives every value again, and what cannot go back is said."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ckptmap
from ckptmap.basics.errors import CkptmapError, OutputError, PlanError, TargetError
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.object_writer import ObjectValue, write_object_checkpoint
from ckptmap.checkpoint.values import encode
from tests.convert.conftest import TABLE, tf1_values, write_template, write_tf1
from tests.convert.test_plan import label_maps

EXTRA = {"extra/bias": ("Extra/bias", (4,))}
FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"


def read_all(prefix: Path) -> dict[str, np.ndarray]:
    with ckptmap.open_checkpoint(prefix) as checkpoint:
        return {name: checkpoint.read(name) for name in checkpoint.inventory.variables}


@pytest.fixture
def project(tmp_path):
    """An old checkpoint, its table, a template of the new model; and the folder of the conversion."""
    write_tf1(tmp_path / "old" / "m", tf1_values())
    write_template(tmp_path / "zoo" / "ckpt", extra=EXTRA)
    (tmp_path / "t.yaml").write_text(TABLE)
    return tmp_path


def converted(project: Path, **how) -> Path:
    report = ckptmap.convert(
        project / "old" / "m", to=project / "zoo" / "ckpt", table=project / "t.yaml", output=project / "new", **how
    )
    assert report["findings"] == []
    return project / "new"


def test_there_and_back_with_what_only_the_old_one_had(project):
    new = converted(project)
    report = ckptmap.convert_back(
        new, back=new / "report.json", fill=project / "old" / "m", output=project / "serving", allow_unused=["model"]
    )
    np.testing.assert_equal(read_all(project / "serving"), tf1_values())
    fates = {one["name"]: (one["fate"], one["reason"]) for one in report["target_variables"]}
    assert fates["global_step"] == ("reinitialized", "of the old checkpoint; the template's value")
    assert fates["net/conv/weights"] == ("restored", None)
    assert report["output"]["checkpoint"] == str(project / "serving" / "model.ckpt")
    assert (report["command"], report["target"]["form"]) == ("convert --back", "names")
    assert set(report["output"]["checksums"]) == {"source", "output", "template"}


def test_what_only_one_side_has_is_a_finding(project):
    new = converted(project)
    report = ckptmap.convert_back(new, back=new / "report.json", output=project / "serving")
    assert [(one["message"], one["where"]) for one in report["findings"]] == [
        ("1 TF1 variable that only the old checkpoint has", "global_step"),
        ("1 TF2 variable from which no TF1 variable is made", "model/extra/bias/.ATTRIBUTES/VARIABLE_VALUE"),
    ]
    assert not (project / "serving").exists()
    report = ckptmap.convert_back(
        new, back=new / "report.json", output=project / "serving", allow_unused=["global_step", "Extra"]
    )
    assert report["findings"] == []
    assert report["source"]["notes"][-1] == "left out, as accepted: global_step"
    assert read_all(project / "serving").keys() == tf1_values().keys() - {"global_step"}


def test_a_glob_that_accepts_nothing_is_a_finding(project):
    new = converted(project)
    report = ckptmap.convert_back(
        new, back=new / "report.json", output=project / "serving", allow_unused=["global_stop", "Extra", "global_step"]
    )
    assert [(one["where"], one["message"], one["hint"]) for one in report["findings"]] == [
        ("global_stop", "chooses no variable to accept", 'nearest: "global_step"')
    ]


def test_by_the_table_and_the_old_checkpoint(project):
    new = converted(project)
    with pytest.raises(CkptmapError, match="a table alone does not say the old names"):
        ckptmap.convert_back(new, back=project / "t.yaml", output=project / "serving")
    ckptmap.convert_back(
        new, back=project / "t.yaml", fill=project / "old" / "m", output=project / "serving", allow_unused=["model"]
    )
    np.testing.assert_equal(read_all(project / "serving"), tf1_values())


def test_a_reinitialized_head_returns_as_it_is(project):
    new = project / "new"
    write_template(project / "zoo" / "ckpt", classes=7, extra=EXTRA)
    converted(project, num_classes=6)
    report = ckptmap.convert_back(
        new, back=new / "report.json", fill=project / "old" / "m", output=project / "serving", allow_unused=["model"]
    )
    made, template = read_all(project / "serving"), read_all(project / "zoo" / "ckpt")
    key = next(key for key in template if key.startswith("model/") and template[key].shape == (1, 1, 8, 7))
    np.testing.assert_array_equal(made["head/ClassPredictor/weights"], template[key])
    reasons = {one["name"]: one["reason"] for one in report["target_variables"]}
    assert reasons["head/ClassPredictor/weights"] == "as the TF2 model has it; the old one has [1, 1, 8, 4]"


def test_a_head_with_classes_of_a_label_map_returns_with_those_classes(project):
    write_template(project / "zoo" / "ckpt", classes=3, extra=EXTRA)
    new = converted(project, label_maps=label_maps(project, "cat dog cow", "horse cat"))
    report = ckptmap.convert_back(
        new, back=new / "report.json", fill=project / "old" / "m", output=project / "serving", allow_unused=["model"]
    )
    assert report["findings"] == []
    old, made, there = tf1_values(), read_all(project / "serving"), read_all(new)
    biases = made["head/ClassPredictor/biases"]
    np.testing.assert_array_equal(biases, there["model/head/bias/.ATTRIBUTES/VARIABLE_VALUE"])
    np.testing.assert_array_equal(biases[[0, 2]], old["head/ClassPredictor/biases"][[0, 1]])


def objects(prefix: Path, values: dict[str, np.ndarray]) -> Path:
    """A TF2 checkpoint whose object paths and readable names are the same."""
    held = {}
    for name, value in values.items():
        dtype = DType.FLOAT32
        held[name] = ObjectValue(name, dtype, value.shape, [encode(dtype, value)])
    write_object_checkpoint(prefix, "model", held)
    return prefix


def there(folder: Path, old: dict[str, np.ndarray], table: str, shapes: dict[str, tuple[int, ...]], **how) -> Path:
    write_tf1(folder / "old" / "m", old)
    objects(folder / "zoo" / "ckpt", {name: np.zeros(shape, np.float32) for name, shape in shapes.items()})
    (folder / "t.yaml").write_text(table)
    report = ckptmap.convert(
        folder / "old" / "m", to=folder / "zoo" / "ckpt", table=folder / "t.yaml", output=folder / "new", **how
    )
    assert report["findings"] == []
    return folder / "new"


def numbers(*shape: int) -> np.ndarray:
    return np.arange(np.prod(shape, dtype=int), dtype=np.float32).reshape(shape) + 1


def test_averages_and_their_variables_have_one_value_and_slots_stay_behind(tmp_path):
    old = {name: numbers(2) for name in ("w", "w/ExponentialMovingAverage", "w/Momentum", "v")}
    new = there(tmp_path, old, "variables:\n  - {from: w, to: a}\n  - {from: v, to: b}\n", {"a": (2,), "b": (2,)})
    trained = objects(tmp_path / "train" / "ckpt-9", {"a": np.array([7, 8], np.float32), "b": numbers(2)})
    report = ckptmap.convert_back(trained, back=new / "report.json", output=tmp_path / "serving")
    made = {name: value.tolist() for name, value in read_all(tmp_path / "serving").items()}
    assert made == {"w": [7, 8], "w/ExponentialMovingAverage": [7, 8], "v": [1, 2]}
    assert report["source"]["notes"][-1] == "1 optimizer slot stays behind, from the old training"


@pytest.mark.parametrize("how", ["parts: 3", "sizes: [2, 1, 3]"])
@pytest.mark.parametrize("behind", ["", ", ops: [{transpose: [1, 0]}]"])
def test_what_was_split_is_joined_again(tmp_path, how, behind):
    sizes = [2, 2, 2] if how.startswith("parts") else [2, 1, 3]
    table = f"""\
variables:
  - from: qkv
    to: [{{name: q{behind}}}, k, v]
    ops: [{{transpose: [1, 0]}}, {{split: {{axis: 0, {how}}}}}]
"""
    shapes = {name: (size, 4) for name, size in zip("qkv", sizes, strict=True)}
    shapes["q"] = shapes["q"][::-1] if behind else shapes["q"]
    new = there(tmp_path, {"qkv": numbers(4, 6)}, table, shapes)
    ckptmap.convert_back(new, back=new / "report.json", output=tmp_path / "serving")
    np.testing.assert_array_equal(read_all(tmp_path / "serving")["qkv"], numbers(4, 6))


def test_a_grown_vocabulary_returns_with_its_new_rows(tmp_path):
    table = "variables:\n  - {from: e, to: emb, ops: [{pad: {axis: 0}}]}\n"
    new = there(tmp_path, {"e": numbers(3, 2)}, table, {"emb": (5, 2)})
    trained = objects(tmp_path / "train" / "ckpt-9", {"emb": numbers(5, 2)})
    ckptmap.convert_back(trained, back=new / "report.json", output=tmp_path / "serving")
    np.testing.assert_array_equal(read_all(tmp_path / "serving")["e"], numbers(5, 2))


def test_a_dense_head_of_other_classes_returns_as_a_convolution(tmp_path):
    table = """\
kinds: {dense: {weights: {to: kernel, ops: [{squeeze: [0, 1]}]}}}
layers: [{from: head, to: dense, as: dense, per_class: {axis: -1}}]
"""
    old, shapes = {"head/weights": numbers(1, 1, 8, 4)}, {"dense/kernel": (8, 6)}
    new = there(tmp_path, old, table, shapes, num_classes=5)
    trained = objects(tmp_path / "train" / "ckpt-9", {"dense/kernel": numbers(8, 6)})
    ckptmap.convert_back(trained, back=new / "report.json", output=tmp_path / "serving")
    np.testing.assert_array_equal(read_all(tmp_path / "serving")["head/weights"], numbers(1, 1, 8, 6))


def test_an_operation_without_an_inverse_is_refused(tmp_path):
    table = "variables:\n  - {from: [a, b], to: c, ops: [{add: sources}]}\n  - {from: d, to: d}\n"
    old = {"a": numbers(2), "b": numbers(2), "d": numbers(2)}
    new = there(tmp_path, old, table, {"c": (2,), "d": (2,)})
    with pytest.raises(PlanError) as refused:
        ckptmap.convert_back(new, back=new / "report.json", fill=tmp_path / "old" / "m", output=tmp_path / "serving")
    assert [(one.where, one.message) for one in refused.value.problems] == [
        ("a", "cannot be computed from model/c: nothing undoes add sources"),
        ("b", "cannot be computed from model/c: nothing undoes add sources"),
    ]
    assert not (tmp_path / "serving").exists()
    ckptmap.convert_back(new, back=new / "report.json", output=tmp_path / "serving", allow_unused=["a", "b", "model/c"])
    assert read_all(tmp_path / "serving").keys() == {"d"}


def test_object_paths_that_have_changed_are_found_by_readable_names(tmp_path):
    new = there(tmp_path, {"w": numbers(2)}, "variables:\n  - {from: w, to: layer/kernel}\n", {"layer/kernel": (2,)})
    value = ObjectValue("layer/kernel", DType.FLOAT32, (2,), [encode(DType.FLOAT32, numbers(2) * 3)])
    write_object_checkpoint(tmp_path / "train" / "ckpt-9", "net", {"somewhere/else": value})
    ckptmap.convert_back(tmp_path / "train", back=new / "report.json", output=tmp_path / "serving")
    assert read_all(tmp_path / "serving")["w"].tolist() == [3, 6]


def test_a_checkpoint_of_another_model_is_refused(tmp_path):
    table = "variables:\n  - {from: w, to: a}\n  - {from: v, to: b}\n"
    new = there(tmp_path, {"w": numbers(2), "v": numbers(2)}, table, {"a": (2,), "b": (2,)})
    half = objects(tmp_path / "half" / "ckpt", {"a": numbers(2)})
    with pytest.raises(PlanError, match="holds no model/b"):
        ckptmap.convert_back(half, back=new / "report.json", output=tmp_path / "serving")
    other = objects(tmp_path / "other" / "ckpt", {"x": numbers(2)})
    with pytest.raises(PlanError, match=r"holds no variable of the model that .*report\.json describes"):
        ckptmap.convert_back(other, back=new / "report.json", output=tmp_path / "serving")
    longer = objects(tmp_path / "longer" / "ckpt", {"a": numbers(3), "b": numbers(2)})
    with pytest.raises(PlanError, match=r"w: was float32 \[2\], and .* makes it float32 \[3\]"):
        ckptmap.convert_back(longer, back=new / "report.json", output=tmp_path / "serving")


def test_reports_of_something_else_are_refused(project):
    new = converted(project)
    edited = ckptmap.edit(project / "old" / "m", output=project / "edited", scope="x")
    assert edited["findings"] == []
    for path in (project / "edited" / "report.json", project / "t.json"):
        (project / "t.json").write_text('{"schema": "ckptmap.diff/1"}')
        with pytest.raises(CkptmapError, match="report of"):
            ckptmap.convert_back(new, back=path, output=project / "serving")
    with pytest.raises(TargetError, match="has TF1 names already"):
        ckptmap.convert_back(project / "old" / "m", back=new / "report.json", output=project / "serving")


@pytest.mark.parametrize(
    "damage",
    [
        lambda report: report["source_variables"][0].update(shape=[-1]),
        lambda report: report["source_variables"][0].update(dtype="floaty"),
        lambda report: report["target_variables"][0].update(operations=[{"operation": "rot"}]),
        lambda report: report["target_variables"][0].update(source=["a", "a"]),
        lambda report: report.pop("target"),
    ],
)
def test_a_report_that_lies_is_refused(project, damage):
    new = converted(project)
    report = json.loads((new / "report.json").read_text())
    damage(report)
    (project / "lies.json").write_text(json.dumps(report))
    with pytest.raises(CkptmapError):
        ckptmap.convert_back(new, back=project / "lies.json", output=project / "serving")
    assert not (project / "serving").exists()


def test_a_report_of_an_older_version_needs_the_old_checkpoint(project):
    new = converted(project)
    report = json.loads((new / "report.json").read_text())
    for item in report["source_variables"]:
        del item["shape"], item["dtype"]
    (new / "report.json").write_text(json.dumps(report))
    with pytest.raises(CkptmapError, match="give the old checkpoint to fill from"):
        ckptmap.convert_back(new, back=new / "report.json", output=project / "serving")
    ckptmap.convert_back(
        new, back=new / "report.json", fill=project / "old" / "m", output=project / "serving", allow_unused=["model"]
    )
    np.testing.assert_equal(read_all(project / "serving"), tf1_values())


def test_nothing_that_is_read_is_written_over(project):
    new = converted(project)
    for folder, what in (("new", "source"), ("old", "old")):
        with pytest.raises(OutputError, match=f"holds the {what} checkpoint"):
            ckptmap.convert_back(
                new, back=new / "report.json", fill=project / "old" / "m", output=project / folder, force=True
            )
    shutil.copytree(new, project / "copy")
    for path in (project / "copy").glob("ckpt-0*"):
        path.unlink()
    with pytest.raises(OutputError, match="holds the report or table of the conversion"):
        ckptmap.convert_back(
            new, back=project / "copy" / "report.json", output=project / "copy", force=True, allow_unused=["**"]
        )


@pytest.mark.parametrize("name", ["ssd_mobilenet_v2_tiny", "ssd_mobilenet_v2_depthwise", "ssd_mobilenet_v2_training"])
@pytest.mark.parametrize("ema", ["prefer", "ignore"])
def test_shipped_targets_there_and_back(tmp_path, name, ema):
    """Byte-equal but for slots; a raw value that its moving average has superseded returns as that average."""
    old = FIXTURES / name
    report = ckptmap.convert(old, to="ssd_mobilenet_v2", output=tmp_path / "new", no_pipeline=True, ema=ema)
    assert report["findings"] == []
    back = ckptmap.convert_back(
        tmp_path / "new", back=tmp_path / "new" / "report.json", fill=old, output=tmp_path / "tf1"
    )
    assert back["findings"] == []
    before, made = read_all(old), read_all(tmp_path / "tf1")
    slots = {one for one in before if one.endswith(("/Momentum", "/RMSProp", "/RMSProp_1"))}
    assert made.keys() == before.keys() - slots
    for one, value in made.items():
        raw = one.removesuffix("/ExponentialMovingAverage")
        average = f"{raw}/ExponentialMovingAverage"
        taken = before[average] if ema == "prefer" and average in before else before[raw]
        assert (value.dtype, value.shape) == (before[one].dtype, before[one].shape)
        assert value.tobytes() == taken.tobytes()


MOVES = ("{transpose: [1, 0]}", "{reshape: [-1, 2]}", "{reorder: {axis: 0, order: [1, 0]}}", "{cast: float64}")


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(
    moves=st.lists(st.sampled_from(MOVES), max_size=4),
    join=st.sampled_from(["", "{concat: 0}", "{concat: -1}", "{stack: 0}"]),
    data=st.binary(min_size=96, max_size=96),
)
def test_operations_there_and_back(tmp_path_factory, moves, join, data):
    """Whatever the bits are, NaNs too, they return through operations that only move them.

    Every length on the way is even, so that all moves fit.
    """
    folder = tmp_path_factory.mktemp("back")
    first, second = np.frombuffer(data, np.float32).reshape(2, 2, 6)
    names = "[a, b]" if join else "a"
    ops = ", ".join([*moves, join] if join else moves)
    table = f"variables:\n  - {{from: {names}, to: c, ops: [{ops}]}}\n"
    old = {"a": first, "b": second} if join else {"a": first}
    write_tf1(folder / "old" / "m", old)
    (folder / "t.yaml").write_text(table)
    shape, dtype = result(folder)
    value = ObjectValue("c", dtype, shape, [bytes(int(np.prod(shape)) * (dtype.itemsize or 0))])
    write_object_checkpoint(folder / "zoo" / "ckpt", "model", {"c": value})
    report = ckptmap.convert(
        folder / "old" / "m", to=folder / "zoo" / "ckpt", table=folder / "t.yaml", output=folder / "new"
    )
    assert report["findings"] == []
    ckptmap.convert_back(folder / "new", back=folder / "new" / "report.json", output=folder / "tf1")
    made = read_all(folder / "tf1")
    if "cast" not in ops:
        assert {name: value.tobytes() for name, value in made.items()} == {n: v.tobytes() for n, v in old.items()}
    np.testing.assert_equal(made, old)


def result(folder: Path) -> tuple[tuple[int, ...], DType]:
    """What the table makes of the old checkpoint, by an edit of it."""
    report = ckptmap.edit(folder / "old" / "m", table=folder / "t.yaml", output=None)
    made = next(one for one in report["target_variables"] if one["name"] == "c")
    return tuple(made["shape"]), DType.FLOAT64 if made["dtype"] == "float64" else DType.FLOAT32
