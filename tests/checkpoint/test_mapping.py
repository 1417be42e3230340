"""An open checkpoint as a mapping of arrays that are read when they are used."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

import ckptmap
from ckptmap.basics.errors import CheckpointError, NoSuchVariableError
from tests.convert.conftest import write_tf1

VALUES = {
    "net/w": np.arange(24, dtype=np.float32).reshape(4, 3, 2),
    "net/b": np.array([1.5, 2.5], np.float64),
    "step": np.array(7, np.int64),
}


@pytest.fixture
def checkpoint(tmp_path: Path):
    with ckptmap.open_checkpoint(write_tf1(tmp_path / "m.ckpt", VALUES)) as opened:
        yield opened


def test_it_is_a_mapping(checkpoint) -> None:
    assert isinstance(checkpoint, Mapping)
    assert (len(checkpoint), list(checkpoint), bool(checkpoint)) == (3, ["net/b", "net/w", "step"], True)
    assert ("step" in checkpoint, "nothing" in checkpoint, 3 in checkpoint) == (True, False, False)
    assert checkpoint.get("nothing") is None
    assert {name: one.shape for name, one in checkpoint.items()} == {"net/b": (2,), "net/w": (4, 3, 2), "step": ()}


def test_two_open_checkpoints_are_two(checkpoint, tmp_path: Path) -> None:
    with ckptmap.open_checkpoint(tmp_path / "m.ckpt") as again:
        assert checkpoint == checkpoint  # noqa: PLR0124
        assert checkpoint != again
        assert len({checkpoint, again}) == 2


def test_an_array_costs_nothing_until_it_is_read(checkpoint, tmp_path: Path) -> None:
    lazy = checkpoint["net/w"]
    for data in tmp_path.glob("*.data-*"):
        data.unlink()
    assert (lazy.name, lazy.shape, lazy.dtype, lazy.ndim, lazy.size, lazy.nbytes, len(lazy)) == (
        *("net/w", (4, 3, 2), np.dtype(np.float32), 3, 24, 96, 4),
    )
    assert repr(lazy) == "<net/w: float32 [4, 3, 2], not read yet>"
    with pytest.raises(CheckpointError):
        lazy.numpy()


def test_numpy_reads_it(checkpoint) -> None:
    lazy = checkpoint["net/w"]
    np.testing.assert_array_equal(np.asarray(lazy), VALUES["net/w"])
    assert np.asarray(lazy, np.float16).dtype == np.float16
    assert np.mean(lazy) == 11.5
    assert np.array(lazy).flags.writeable
    assert np.asarray(checkpoint["step"]) == 7


@pytest.mark.parametrize(
    "key",
    [
        *(slice(None), slice(1, 3), slice(-2, None), slice(3, 1), slice(None, None, 2), slice(10, 20), 2, -1, ...),
        *((slice(1, 3), 0), (slice(0, 2), slice(None), 1), (1, 2), (..., 0), (slice(None), None), [0, 2]),
        np.array([True, False, True, False]),
    ],
    ids=str,
)
def test_slices_are_those_of_numpy(checkpoint, key) -> None:
    np.testing.assert_array_equal(checkpoint["net/w"][key], VALUES["net/w"][key])


def test_a_slice_of_rows_reads_no_more(checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "read", lambda _name: pytest.fail("all of it was read"))
    np.testing.assert_array_equal(checkpoint["net/w"][1:3], VALUES["net/w"][1:3])


def test_an_index_out_of_range_is_numpys_error(checkpoint) -> None:
    with pytest.raises(IndexError):
        checkpoint["net/w"][9]
    with pytest.raises(TypeError, match="step is a scalar"):
        len(checkpoint["step"])


@pytest.mark.parametrize("ask", [lambda one, name: one[name], lambda one, name: one.read(name)])
def test_a_name_that_is_not_there_is_a_key_error_with_the_nearest(checkpoint, ask) -> None:
    with pytest.raises(NoSuchVariableError) as error:
        ask(checkpoint, "net/ww")
    assert isinstance(error.value, KeyError)
    assert isinstance(error.value, CheckpointError)
    assert str(error.value).endswith("m.ckpt: holds no variable net/ww (did you mean net/w, net/b?)")


def test_what_a_notebook_shows_is_short_and_escaped(tmp_path: Path) -> None:
    values = {f"<b>{number:05}</b>": np.zeros(2, np.float32) for number in range(2000)}
    values[f"<b>/{'long/' * 100}end"] = np.zeros(2, np.float32)
    with ckptmap.open_checkpoint(write_tf1(tmp_path / "big", values)) as opened:
        shown, told = opened._repr_html_(), repr(opened)
    assert len(shown) < 5000
    assert "&lt;b&gt;00000&lt;/b&gt;" in shown
    assert "<b>0" not in shown
    assert f"long/…{('long/' * 100)[-77:]}end" in shown
    assert "and 1,991 more" in shown
    assert told == f"<V2 bundle {tmp_path / 'big'}: 2,001 variables>"
