from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import ckptmap
from ckptmap.inspection.inspector import inspect
from tests.convert.conftest import values, write_tf1

fsspec = pytest.importorskip("fsspec", reason="needs the [remote] extra")


def test_it_is_part_of_the_library() -> None:
    assert ckptmap.inspect is inspect


def test_of_a_remote_checkpoint_only_index_and_step_move(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    system = fsspec.filesystem("memory")
    prefix = write_tf1(tmp_path / "model.ckpt", {"global_step": np.array(77, np.int64), "w": values((1000,))})
    for path in tmp_path.iterdir():
        system.pipe_file(f"/inspected/{path.name}", path.read_bytes())
    moved: list[int] = []
    fetch = type(system).cat_file

    def counted(self, path, start=None, end=None, **more):
        data = fetch(self, path, start=start, end=end, **more)
        moved.append(len(data))
        return data

    monkeypatch.setattr(type(system), "cat_file", counted)
    found = inspect("memory://inspected/model.ckpt")
    assert found.training.step == 77
    assert found.inventory.variables.keys() == {"global_step", "w"}
    assert sorted(moved) == [8, prefix.with_name("model.ckpt.index").stat().st_size]


def test_a_damaged_meta_file_does_not_hinder(tmp_path: Path) -> None:
    prefix = write_tf1(tmp_path / "model.ckpt", {"w": values((2,))})
    (tmp_path / "model.ckpt.meta").write_bytes(b"\xff" * 100)
    assert inspect(prefix).written_by == ""
