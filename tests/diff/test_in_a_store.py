"""Two checkpoints in a store are compared in a few large requests, however many variables they have."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import ckptmap
from ckptmap.basics.errors import CheckpointError
from ckptmap.checkpoint import remote
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.reader import open_checkpoint
from ckptmap.diff import compare
from tests.checkpoint.strategies import Value
from tests.checkpoint.test_writer import save

pytest.importorskip("fsspec", reason="needs the [remote] extra")

from tests.stores import Store, emptied

COUNT, ITEMS = 1000, 250
A, B = "store://bucket/a/m", "store://bucket/b/m"
DATA = "m.data-00000-of-00001"


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Store]]:
    """Two checkpoints of 1,000 variables; every second one of the second is larger by 1."""
    monkeypatch.setattr(remote, "_PAUSES", (0, 0, 0))
    with emptied() as found:
        for name, more in (("a", 0), ("b", 1)):
            (tmp_path / name).mkdir()
            values = {
                f"net/w{number:04}": np.full(ITEMS, number + more * (number % 2), np.float32) for number in range(COUNT)
            }
            save(tmp_path / name, {key: Value(DType.FLOAT32, value) for key, value in values.items()})
            for path in (tmp_path / name).iterdir():
                found().pipe_file(f"store://bucket/{name}/{path.name}", path.read_bytes())
        found.requests.clear()
        yield found


def data_requests() -> list[int]:
    """The bytes of each request for a data file."""
    return [size for kind, name, size in Store.requests if (kind, name) == ("read", DATA)]


def test_a_difference_of_all_is_two_requests() -> None:
    found = ckptmap.diff(A, B)
    assert found.summary["changed"] == COUNT // 2
    assert {record.delta.max_abs for record in found.records if record.delta} == {1.0}
    assert [size > 900_000 for size in data_requests()] == [True, True]


def test_equal_ones_are_read_where_that_is_asked_for() -> None:
    assert ckptmap.diff(A, A).equal
    assert data_requests() == []
    assert ckptmap.diff(A, A, read=True).equal
    assert data_requests() == [4 * ITEMS * COUNT] * 2


def test_what_is_here_at_a_time_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compare, "_AT_ONCE", 300_000)
    assert ckptmap.diff(A, B).summary["changed"] == COUNT // 2
    assert len(data_requests()) == 2 * 4
    assert max(data_requests()) <= 300_000


def test_one_value_after_the_other_comes_in_growing_requests() -> None:
    with open_checkpoint(A) as checkpoint:
        assert [checkpoint.read(name)[0] for name in checkpoint] == list(range(COUNT))
    assert data_requests()[:4] == [1000, 65_536, 131_072, 262_144]
    assert len(data_requests()) == 6
    assert sum(data_requests()) < 1_100_000


def test_a_value_alone_moves_no_more_than_itself() -> None:
    with open_checkpoint(A) as checkpoint:
        assert checkpoint.read("net/w0900")[0] == 900
        assert checkpoint.read("net/w0100")[0] == 100
    assert data_requests() == [1000, 1000]


def test_a_store_that_cannot_be_read_says_so() -> None:
    def busy(kind: str, name: str) -> None:
        if name == DATA:
            raise OSError("503 Slow Down")

    Store.before = busy
    with pytest.raises(CheckpointError, match=rf"bucket/a/{DATA}: cannot be read: 503 Slow Down"):
        ckptmap.diff(A, B)
