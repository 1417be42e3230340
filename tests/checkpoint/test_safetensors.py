"""safetensors files: every type, headers that lie, and the reference reader and writer on the same files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckptmap.basics.errors import CheckpointError
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.reader import open_checkpoint
from ckptmap.checkpoint.safetensors import LABELS, header
from ckptmap.checkpoint.values import encode
from ckptmap.checkpoint.wire import FormatError

safetensors = pytest.importorskip("safetensors", reason="needs the [core-test] extra")
pytest.importorskip("safetensors.numpy", reason="needs the [core-test] extra")


def write(path: Path, fields: object, values: bytes = b"", length: int | None = None) -> Path:
    text = fields if isinstance(fields, bytes) else json.dumps(fields).encode()
    path.write_bytes((len(text) if length is None else length).to_bytes(8, "little") + text + values)
    return path


def entry(offsets: Any, dtype: Any = "F32", shape: Any = (2,)) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def test_a_file_of_the_reference_writer(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    tensors = {"b/w": np.arange(6, dtype="f4").reshape(2, 3), "a": np.array(7, "i8"), "none": np.zeros((0, 3), "f2")}
    safetensors.numpy.save_file(tensors, path, metadata={"made": "by hand"})
    with open_checkpoint(path) as checkpoint:
        assert checkpoint.inventory.kind.value == "safetensors file"
        assert list(checkpoint.inventory.variables) == ["a", "b/w", "none"]
        for name, value in tensors.items():
            np.testing.assert_equal(checkpoint.read(name), value)
        assert b"".join(checkpoint.chunks("b/w", 5)) == tensors["b/w"].tobytes()
        np.testing.assert_equal(checkpoint.rows("b/w", 0, 1, 2), tensors["b/w"][1:2])
        np.testing.assert_equal(checkpoint.rows("b/w", 1, 1, 3), tensors["b/w"][:, 1:3])


shapes = st.lists(st.integers(0, 4), max_size=3).map(tuple)


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.tuples(st.sampled_from([*LABELS]), shapes), max_size=6))
def test_every_type_and_name_comes_back(tmp_path_factory: pytest.TempPathFactory, tensors: dict[str, Any]) -> None:
    tensors = {name: kind for name, kind in tensors.items() if name.isprintable()}
    path = tmp_path_factory.mktemp("s") / "m.safetensors"
    values = {n: np.arange(np.prod(s, dtype=int)).reshape(s).astype(d.numpy) for n, (d, s) in tensors.items()}
    path.write_bytes(header(tensors) + b"".join(encode(tensors[n][0], v) for n, v in values.items()))
    with open_checkpoint(path) as checkpoint:
        assert checkpoint.inventory.variables.keys() == tensors.keys()
        for name, value in values.items():
            assert checkpoint.inventory.variables[name].dtype is tensors[name][0]
            assert checkpoint.read(name).tobytes() == value.tobytes()
    with safetensors.safe_open(path, "numpy") as reference:
        assert set(reference.keys()) == tensors.keys()


def test_a_type_that_the_format_does_not_know() -> None:
    with pytest.raises(FormatError, match="w is string, which a safetensors file cannot hold"):
        header({"w": (DType.STRING, ())})


DEEP = b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"


@pytest.mark.parametrize(
    ("fields", "values", "length", "message"),
    [
        ({"w": entry([0, 8])}, bytes(8), 1 << 62, "its header claims 4611686018427387904 bytes, and the file has"),
        ({"w": entry([0, 8])}, bytes(8), 1, "its header claims 1 bytes"),
        (b"{]", b"", None, "its header is not JSON"),
        (b'{"\xff": 1}', b"", None, "its header is not JSON"),
        (DEEP, b"", None, "its header is not JSON"),
        ([], b"", None, "its header is not a JSON object"),
        ({"w": 1}, b"", None, "w is not described by a JSON object"),
        ({"w": entry([0, 8], dtype="F33")}, bytes(8), None, "w has no known type and shape"),
        ({"w": entry([0, 8], dtype=["F32"])}, bytes(8), None, "w has no known type and shape"),
        ({"w": entry([0, 8], shape=[-2])}, bytes(8), None, "w has no known type and shape"),
        ({"w": entry([0, 8], shape=[True, 2])}, bytes(8), None, "w has no known type and shape"),
        ({"w": entry([0, 8], shape=[1] * 70)}, bytes(8), None, "w has no known type and shape"),
        ({"w": entry([8, 0])}, bytes(8), None, "w has no place in the file"),
        ({"w": entry([0, 8, 9])}, bytes(8), None, "w has no place in the file"),
        ({"w": entry([0, 8], shape=[1 << 40, 1 << 40])}, bytes(8), None, "8 bytes cannot make w"),
        ({"w": entry([0, 8])}, bytes(4), None, "its header describes 8 bytes of values, and the file has 4"),
        ({"w": entry([0, 8])}, bytes(12), None, "its header describes 8 bytes of values, and the file has 12"),
        ({"w": entry([0, 8]), "v": entry([4, 12])}, bytes(12), None, "overlap or leave a hole at byte 4"),
        ({"w": entry([0, 8]), "v": entry([12, 20])}, bytes(20), None, "overlap or leave a hole at byte 8"),
    ],
)
def test_headers_that_lie(tmp_path: Path, fields: object, values: bytes, length: int | None, message: str) -> None:
    path = write(tmp_path / "m.safetensors", fields, values, length)
    with pytest.raises(CheckpointError, match=message) as raised:
        open_checkpoint(path)
    assert str(raised.value).startswith(f"{path}: damaged: ")
