"""Object checkpoints whose paths differ are compared by readable name."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from ckptmap.basics.errors import PatternError
from ckptmap.checkpoint.dtypes import dtype_from_label
from ckptmap.checkpoint.object_writer import ObjectValue
from ckptmap.checkpoint.values import encode
from ckptmap.diff import Diff, diff
from tests.convert.conftest import write_object_checkpoint

VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"


def saved(folder: Path, values: Mapping[str, tuple[str, float]]) -> Path:
    """An object checkpoint: each variable with its readable name and its value, by object path."""
    float32 = dtype_from_label("float32")
    assert float32 is not None
    objects = {
        path: ObjectValue(name, float32, (2,), [encode(float32, np.full(2, value, np.float32))])
        for path, (name, value) in values.items()
    }
    write_object_checkpoint(folder / "ckpt", "model", objects)
    return folder / "ckpt"


def lines(found: Diff) -> list[tuple[str, tuple[str, ...], str]]:
    return sorted(
        (one.name.removesuffix(VALUE), tuple(s.removesuffix(VALUE) for s in one.sources), one.fate.value)
        for one in found.records
    )


def test_variables_at_other_paths_are_paired_by_readable_name(tmp_path: Path) -> None:
    a = saved(tmp_path / "a", {"net/kernel": ("conv/kernel", 1), "net/bias": ("conv/bias", 2), "head": ("head", 3)})
    b = saved(tmp_path / "b", {"l/0/kernel": ("conv/kernel", 1), "l/0/bias": ("conv/bias", 5), "head": ("head", 3)})
    found = diff(a, b)
    assert lines(found) == [
        ("model/head", (), "equal"),
        ("model/l/0/bias", ("model/net/bias",), "changed"),
        ("model/l/0/kernel", ("model/net/kernel",), "equal"),
        ("save_counter", (), "equal"),
    ]
    assert [one.reason for one in found.records if one.sources] == ["another object path, the same readable name"] * 2
    assert found.notes[-1] == "2 variables compared by readable name, because the object paths differ"
    assert len(diff(a, b, match=["**/net"]).records) == 2
    with pytest.raises(PatternError):
        diff(a, b, match=["net"])


def test_a_name_that_two_variables_have_says_nothing(tmp_path: Path) -> None:
    a = saved(tmp_path / "a", {"x/0": ("w", 1), "x/1": ("w", 2), "x/2": ("", 3)})
    b = saved(tmp_path / "b", {"y/0": ("w", 1), "y/2": ("", 3)})
    assert [fate for _, _, fate in lines(diff(a, b))] == ["only_in_a"] * 3 + ["only_in_b"] * 2 + ["equal"]


def test_the_path_comes_first(tmp_path: Path) -> None:
    a = saved(tmp_path / "a", {"x/0": ("v", 1), "x/1": ("w", 2)})
    b = saved(tmp_path / "b", {"x/0": ("w", 1), "x/1": ("v", 2)})
    found = diff(a, b)
    assert found.equal
    assert "the object graphs differ" in found.notes[0]


def test_without_the_graph_s_data_file_paths_alone_are_compared(tmp_path: Path) -> None:
    a = saved(tmp_path / "a", {"x": ("w", 1)})
    b = saved(tmp_path / "b", {"y": ("w", 1)})
    next(a.parent.glob("*.data-*")).unlink()
    assert [fate for _, _, fate in lines(diff(a, b))] == ["only_in_a", "only_in_b", "equal"]
