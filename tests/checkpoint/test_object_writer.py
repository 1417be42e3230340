from __future__ import annotations

from pathlib import Path

import pytest

from ckptmap.basics.errors import CheckpointError
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.object_writer import ObjectValue, write_object_checkpoint
from ckptmap.checkpoint.reader import open_checkpoint
from ckptmap.checkpoint.writer import Written
from tests.checkpoint.strategies import names_in

VALUES = {
    "_feature_extractor/layer_with_weights-0/kernel": ("conv/kernel", DType.FLOAT32, (1, 2), b"\x00\x00\xc0\x3f" * 2),
    "_box_predictor/a.Sb": ("a/b", DType.INT8, (), b"\x05"),
}


def values(**more: int) -> dict[str, ObjectValue]:
    return {
        path: ObjectValue(name, dtype, shape, iter([data]), **more)
        for path, (name, dtype, shape, data) in VALUES.items()
    }


def test_what_is_written(tmp_path: Path) -> None:
    written = write_object_checkpoint(tmp_path / "new" / "ckpt-0", "model", values(), save_counter=3)
    assert names_in(tmp_path / "new") == ["checkpoint", "ckpt-0.data-00000-of-00001", "ckpt-0.index"]
    assert written["save_counter/.ATTRIBUTES/VARIABLE_VALUE"].size == 8
    assert written["model/_box_predictor/a.Sb/.ATTRIBUTES/VARIABLE_VALUE"] == Written(1, 0x678C474D)
    with open_checkpoint(tmp_path / "new") as checkpoint:
        assert [(v.name, v.dtype.label, v.shape) for v in checkpoint.inventory.variables.values()] == [
            ("_CHECKPOINTABLE_OBJECT_GRAPH", "string", ()),
            ("model/_box_predictor/a.Sb/.ATTRIBUTES/VARIABLE_VALUE", "int8", ()),
            ("model/_feature_extractor/layer_with_weights-0/kernel/.ATTRIBUTES/VARIABLE_VALUE", "float32", (1, 2)),
            ("save_counter/.ATTRIBUTES/VARIABLE_VALUE", "int64", ()),
        ]
        assert checkpoint.inventory.object_based
        assert checkpoint.read("save_counter/.ATTRIBUTES/VARIABLE_VALUE") == 3
        graph = checkpoint.object_graph()
        assert graph is not None
        assert graph.root_names == ("model", "save_counter")
        assert graph.names.full_names == {
            "model/_feature_extractor/layer_with_weights-0/kernel/.ATTRIBUTES/VARIABLE_VALUE": "conv/kernel",
            "model/_box_predictor/a.Sb/.ATTRIBUTES/VARIABLE_VALUE": "a/b",
            "save_counter/.ATTRIBUTES/VARIABLE_VALUE": "save_counter",
        }


def test_paths_that_start_at_the_checkpoint_itself(tmp_path: Path) -> None:
    write_object_checkpoint(tmp_path / "ckpt-0", "", values())
    with open_checkpoint(tmp_path) as checkpoint:
        graph = checkpoint.object_graph()
        assert graph is not None
        assert graph.root_names == ("_feature_extractor", "_box_predictor", "save_counter")
        assert "_box_predictor/a.Sb/.ATTRIBUTES/VARIABLE_VALUE" in checkpoint.inventory.variables


def test_wrong_bytes_leave_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="are not those that were saved"):
        write_object_checkpoint(tmp_path / "new" / "ckpt-0", "model", values(expected=1))
    assert list(tmp_path.iterdir()) == []


def test_a_stream_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    def broken():
        yield b"\x00"
        raise CheckpointError("the source ends")

    with pytest.raises(CheckpointError, match="the source ends"):
        write_object_checkpoint(tmp_path / "a" / "ckpt-0", "m", {"v": ObjectValue("v", DType.INT16, (1,), broken())})
    assert list(tmp_path.iterdir()) == []
