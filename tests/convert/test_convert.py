import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest

import ckptmap
from ckptmap.basics.errors import OutputError
from ckptmap.checkpoint.inventory import Inventory
from ckptmap.planning.ledger import Plan
from ckptmap.request.destination import Destination
from ckptmap.verbs import conversion
from tests.checkpoint.test_frozen import GRAPH
from tests.checkpoint.test_v1 import TENSORFLOW_FILE
from tests.convert.conftest import tf1_values, write_template, write_tf1
from tests.convert.test_plan import label_maps
from tests.dead_runs import dead_run
from tests.privileges import unprivileged

TINY = Path(__file__).parents[2] / "fixtures" / "ssd_mobilenet_v2_tiny"

SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"


def read(prefix: Path, key: str) -> np.ndarray:
    with ckptmap.open_checkpoint(prefix) as checkpoint:
        return checkpoint.read(f"model/{key}{SUFFIX}")


def test_values_arrive_under_their_object_paths(source: Path, template: Path, table: Path, tmp_path: Path) -> None:
    report = ckptmap.convert(source, to=template, table=table, output=tmp_path / "new")
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [
        "checkpoint", "ckpt-0.data-00000-of-00001", "ckpt-0.index", "report.json",
    ]  # fmt: skip
    np.testing.assert_array_equal(
        read(tmp_path / "new" / "ckpt-0", "backbone/layer-0/kernel"), tf1_values()["net/conv/weights"]
    )
    assert report["output"]["verified"] == 7  # six variables and save_counter
    assert json.loads((tmp_path / "new" / "report.json").read_text()) == report


def test_the_state_file_names_the_checkpoint(source: Path, template: Path, table: Path, tmp_path: Path) -> None:
    ckptmap.convert(source, to=template, table=table, output=tmp_path / "new")
    with ckptmap.open_checkpoint(tmp_path / "new") as checkpoint:
        assert checkpoint.inventory.path == str(tmp_path / "new" / "ckpt-0")


def test_a_new_class_head_of_a_shipped_target_is_seeded(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        ckptmap.convert(TINY, to="ssd_mobilenet_v2", num_classes=5, output=tmp_path / name, seed=seed)
    key = "_box_predictor/_prediction_heads/class_predictions_with_background/0/_class_predictor_layers/0/kernel"
    one, same, other = (read(tmp_path / name / "ckpt-0", key) for name in "abc")
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_a_new_class_head_keeps_the_values_of_the_template(source: Path, tmp_path: Path, table: Path) -> None:
    to = write_template(tmp_path / "zoo3" / "ckpt-0", classes=3)
    report = ckptmap.convert(source, to=to, table=table, output=tmp_path / "new", seed=1, num_classes=2)
    np.testing.assert_array_equal(
        read(tmp_path / "new" / "ckpt-0", "head/kernel"), np.full((1, 1, 8, 3), -1, np.float32)
    )
    head = next(item for item in report["target_variables"] if item["key"] == "model/head/kernel")
    assert (head["fate"], head["fill"]) == ("reinitialized", "template")
    assert head["reason"] == "class head: the target has another class count; the template's value"
    assert set(report["output"]["checksums"]) == {"source", "table", "output", "template"}


def test_findings_leave_nothing_behind(tmp_path: Path, template: Path, table: Path) -> None:
    source = write_tf1(tmp_path / "odd" / "model.ckpt", {**tf1_values(), "other": np.zeros(2, np.float32)})
    report = ckptmap.convert(source, to=template, table=table, output=tmp_path / "new")
    assert (report["output"], len(report["findings"])) == (None, 1)
    assert not (tmp_path / "new").exists()


def test_a_full_directory_needs_force(source: Path, template: Path, table: Path, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    folder.mkdir()
    (folder / "label_map.pbtxt").write_text("mine")
    with pytest.raises(OutputError, match="is not empty"):
        ckptmap.convert(source, to=template, table=table, output=folder)
    ckptmap.convert(source, to=template, table=table, output=folder, force=True)
    assert (folder / "label_map.pbtxt").read_text() == "mine"
    assert (folder / "ckpt-0.index").exists()


def test_of_the_source_s_own_directory_no_force_is_spoken(source: Path, template: Path, table: Path) -> None:
    for given in (source, source.parent):
        with pytest.raises(OutputError, match=r"holds the source checkpoint \(write the new one to a directory"):
            ckptmap.convert(given, to=template, table=table, output=source.parent)


def test_force_keeps_the_old_checkpoint_when_the_new_one_fails(
    source: Path, template: Path, table: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "new"
    ckptmap.convert(source, to=template, table=table, output=folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    data = next(source.parent.glob("model.ckpt.data-*"))
    data.write_bytes(data.read_bytes()[:-4] + b"\xff\xff\xff\xff")
    with pytest.raises(ckptmap.CkptmapError, match="checksum"):
        ckptmap.convert(source, to=template, table=table, output=folder, force=True)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_the_source_folder_is_never_the_output(source: Path, template: Path, table: Path) -> None:
    with pytest.raises(OutputError, match="holds the source checkpoint"):
        ckptmap.convert(source, to=template, table=table, output=source.parent, force=True)


def test_the_folder_of_a_v1_checkpoint_and_of_a_graph_neither(template: Path, table: Path, tmp_path: Path) -> None:
    for name, content in (("model.ckpt", TENSORFLOW_FILE), ("graph.pb", GRAPH)):
        folder = tmp_path / name.partition(".")[2]
        folder.mkdir()
        (folder / name).write_bytes(content)
        (folder / "checkpoint").write_text("precious")
        with pytest.raises(OutputError, match="holds the source checkpoint"):
            ckptmap.convert(folder / name, to=template, table=table, output=folder, force=True)
        assert {path.name for path in folder.iterdir()} == {name, "checkpoint"}
        assert (folder / "checkpoint").read_text() == "precious"


def test_the_template_is_never_written_over(source: Path, template: Path, table: Path) -> None:
    before = {path.name: path.read_bytes() for path in template.parent.iterdir()}
    with pytest.raises(OutputError, match="holds the template checkpoint"):
        ckptmap.convert(source, to=template, table=table, output=template.parent, force=True)
    assert {path.name: path.read_bytes() for path in template.parent.iterdir()} == before


def test_the_config_is_never_written_over(tmp_path: Path) -> None:
    config = tmp_path / "pipeline.config"
    text = (TINY / "pipeline.config").read_text()
    config.write_text(text)
    with pytest.raises(OutputError, match=r"holds the config that is migrated, .*, which would be replaced"):
        ckptmap.convert(TINY, pipeline=config, output=tmp_path, force=True)
    assert config.read_text() == text
    assert [path.name for path in tmp_path.iterdir()] == ["pipeline.config"]
    other = config.rename(tmp_path / "ssd.config")
    ckptmap.convert(TINY, pipeline=other, output=tmp_path, force=True)
    assert other.read_text() == text


def test_an_output_that_is_a_file(source: Path, template: Path, table: Path, tmp_path: Path) -> None:
    (tmp_path / "new").write_text("")
    with pytest.raises(OutputError, match="is a file"):
        ckptmap.convert(source, to=template, table=table, output=tmp_path / "new")


def test_a_read_only_place(source: Path, template: Path, table: Path, tmp_path: Path) -> None:
    place = tmp_path / "locked"
    place.mkdir()
    place.chmod(0o555)
    with unprivileged(tmp_path), pytest.raises(OutputError, match=f"cannot be written: {os.strerror(errno.EACCES)}"):
        ckptmap.convert(source, to=template, table=table, output=place / "new")
    assert list(place.iterdir()) == []


def test_the_source_is_not_touched(source: Path, template: Path, table: Path, tmp_path: Path) -> None:
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in source.parent.iterdir()}
    ckptmap.convert(source, to=template, table=table, output=tmp_path / "new")
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in source.parent.iterdir()} == before


def test_class_slices_arrive_where_the_new_label_map_has_them(source: Path, tmp_path: Path, table: Path) -> None:
    to = write_template(tmp_path / "zoo5" / "ckpt-0", classes=5)
    maps = label_maps(tmp_path, "cat dog cow", "cow horse owl cat")
    report = ckptmap.convert(source, to=to, table=table, output=tmp_path / "new", label_maps=maps)
    assert report["classes"] == {"carried": ["cow", "cat"], "new": ["horse", "owl"], "dropped": ["dog"]}
    kernel, old = read(tmp_path / "new" / "ckpt-0", "head/kernel"), tf1_values()["head/ClassPredictor/weights"]
    np.testing.assert_array_equal(kernel[..., [0, 1, 4]], old[..., [0, 3, 1]])
    np.testing.assert_array_equal(kernel[..., [2, 3]], np.full((1, 1, 8, 2), -1))  # the template's
    bias = read(tmp_path / "new" / "ckpt-0", "head/bias")
    np.testing.assert_array_equal(bias, [500, 503, -1, -1, 501])
    (head,) = (item for item in report["target_variables"] if item["key"] == "model/head/bias")
    assert (head["fate"], head["fill"]) == ("partly restored", "template")
    assert head["reason"] == "class head: 2 of 4 classes carried over; the others have the template's value"


def test_the_identity_label_map_changes_nothing(source: Path, template: Path, tmp_path: Path, table: Path) -> None:
    same = label_maps(tmp_path, "cat dog cow", "cat dog cow")
    ckptmap.convert(source, to=template, table=table, output=tmp_path / "with", label_maps=same)
    ckptmap.convert(source, to=template, table=table, output=tmp_path / "without")
    data = "ckpt-0.data-00000-of-00001"
    assert (tmp_path / "with" / data).read_bytes() == (tmp_path / "without" / data).read_bytes()


def test_what_a_dead_run_left_is_no_content(source: Path, template: Path, table: Path, tmp_path: Path) -> None:
    dead_run(tmp_path / "new", moves=1)
    ckptmap.convert(source, to=template, table=table, output=tmp_path / "new")
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [
        "checkpoint", "ckpt-0.data-00000-of-00001", "ckpt-0.index", "report.json",
    ]  # fmt: skip


def test_what_another_run_wrote_meanwhile_is_not_replaced(
    source: Path, template: Path, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both found the folder empty; the other one was faster."""
    planned = conversion.plan_to

    def plan_slowly(inventory: Inventory, destination: Destination) -> Plan:
        monkeypatch.undo()
        ckptmap.convert(source, to=template, table=table, output=tmp_path / "new", seed=1)
        return planned(inventory, destination)

    monkeypatch.setattr(conversion, "plan_to", plan_slowly)
    with pytest.raises(OutputError, match="is not empty"):
        ckptmap.convert(source, to=template, table=table, output=tmp_path / "new")
    assert (tmp_path / "new" / "report.json").is_file()
