"""From the text behind ``--to`` to a target: shipped names, real TF2 checkpoints, and what is neither."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ckptmap.basics.errors import CheckpointError, CkptmapError, TargetError
from ckptmap.targets import list_targets, load_target
from ckptmap.targets.choose import holds
from tests.convert.conftest import write_template

CORPUS = Path(__file__).parents[2] / ".." / "shared" / "corpus"
needs_corpus = pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of real checkpoints is not on this machine")
TAIL = "/.ATTRIBUTES/VARIABLE_VALUE"


def test_shipped_targets() -> None:
    assert "ssd_mobilenet_v2" in list_targets()
    target = load_target("ssd_mobilenet_v2")
    assert (target.name, target.table, target.root) == ("ssd_mobilenet_v2", "ssd_mobilenet_v2", "model")
    assert len(target.layout([], {s.name: s.default for s in target.settings}).variables) == 324


@pytest.mark.parametrize("name", [name for name in list_targets() if not load_target(name).follows_source])
def test_shipped_specs_are_whole(name: str) -> None:
    """Every layout has each object path and each name once, and every unknown that it needs is described."""
    target = load_target(name)
    defaults = {setting.name: setting.default for setting in target.settings}
    for settings in (defaults, *({**defaults, s.name: value} for s in target.settings for value in s.values)):
        if any(holds(when, settings) for when in target.excluded):
            continue
        variables = target.layout([], settings).variables
        assert len({v.key for v in variables}) == len(variables) > 0
        assert len({v.name for v in variables}) == len(variables)
        assert {u for v in variables for u in v.unknowns} <= target.unknowns.keys()
        assert all(v.part for v in variables)


def test_the_zoo_layouts_of_ssd_mobilenet_v2() -> None:
    """324 variables; 344 with depthwise extra layers (2018-03); 404 for SSDLite: what TF1 checkpoints count."""
    target = load_target("ssd_mobilenet_v2")
    rest = {s.name: s.default for s in target.settings}
    lite = {"use_depthwise": True, "predictor_use_depthwise": True}
    counts = [len(target.layout([], {**rest, **more}).variables) for more in ({}, {"use_depthwise": True}, lite)]
    assert counts == [324, 344, 404]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ssd_mobilnet_v2", r"no target is called 'ssd_mobilnet_v2'.*nearest: ssd_mobilenet_v2"),
        ("qqq", "ckptmap targets lists them"),
    ],
)
def test_unknown_names(text: str, message: str) -> None:
    with pytest.raises(TargetError, match=message):
        load_target(text)


def test_a_path_without_a_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(CkptmapError, match="nothing"):
        load_target(tmp_path / "nothing" / "ckpt-0")


@needs_corpus
@pytest.mark.parametrize(
    ("prefix", "root", "count"),
    [
        ("tf2_zoo_ssd_mobilenet_v1_fpn_640/ckpt-0", "model", 333),
        ("tf2_zoo_faster_rcnn_resnet50_640/ckpt-0", "model", 275),
        ("tf2_train_ssd_mobilenet_v2_fpnlite_anirudhan/ckpt-6", "model", 384),
        ("tf2_keras_sharded2_little_ruan/model.ckpt", "", 4),
    ],
)
def test_real_checkpoints_as_templates(prefix: str, root: str, count: int) -> None:
    path = CORPUS / "tf2" / prefix
    target = load_target(path)
    layout = target.layout()
    shapes = {v.key: list(v.shape) for v in layout.variables_with(layout.solve({}))}
    assert (target.root, len(shapes)) == (root, count)
    listed = {name: shape for name, _, shape in json.loads(path.with_name(f"{path.name}.vars.json").read_text())}
    below = f"{root}/" if root else ""
    assert all(listed[f"{below}{key}{TAIL}"] == shape for key, shape in shapes.items())
    assert not any("OPTIMIZER_SLOT" in key or "optimizer" in key.split("/")[0] for key in shapes)


@needs_corpus
def test_tf1_checkpoints_are_no_targets() -> None:
    with pytest.raises(TargetError, match="a TF1 checkpoint cannot be the target"):
        load_target(CORPUS / "tf1" / "zoo_ssd_mobilenet_v2_2018_03_29")


def test_a_template_whose_object_graph_is_damaged_is_refused(tmp_path: Path) -> None:
    prefix = write_template(tmp_path / "ckpt-0")
    assert load_target(prefix).root == "model"
    data = tmp_path / "ckpt-0.data-00000-of-00001"
    whole = data.read_bytes()
    data.write_bytes(whole.replace(b"Conv1/kernel", b"Conv2/kernel"))
    assert len(whole) == data.stat().st_size
    with pytest.raises(CheckpointError, match="_CHECKPOINTABLE_OBJECT_GRAPH"):
        load_target(prefix)


@pytest.mark.parametrize("left", [None, b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"])
def test_where_its_data_is_not_there_the_index_alone_is_a_template(tmp_path: Path, left: bytes | None) -> None:
    prefix = write_template(tmp_path / "ckpt-0")
    data = tmp_path / "ckpt-0.data-00000-of-00001"
    data.unlink()
    if left is not None:
        data.write_bytes(left)
    assert {variable.key for variable in load_target(prefix).variables} >= {"head/kernel", "backbone/layer-0/kernel"}
