from __future__ import annotations

import json
from pathlib import Path

import pytest

from ckptmap.basics.errors import CheckpointError
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.inventory import Kind, Slice, Variable
from ckptmap.checkpoint.ordered_code import FULL, slice_key
from ckptmap.checkpoint.reader import open_checkpoint
from ckptmap.checkpoint.sstable import TableWriter
from ckptmap.checkpoint.wire import bytes_field, number_field, varint

# written by TensorFlow's Saver(write_version=V1): neg32 = [-1, 5] (int32)
TENSORFLOW_FILE = bytes.fromhex(
    "00001b0a190a130a056e65673332120412020802180322020a0012020801000c1c006e6567333200010101807f121a0a056e6567333212020a"
    "001a0d3a0bffffffffffffffffff010500000000010000000019cee306000000000100000000c0f2a1b000010201005100000000010000"
    "00001a13d9465608630e" + "00" * 36 + "57fb808b247547db"
)
Extents = tuple[tuple[int, int], ...]


def slice_proto(extents: Extents) -> bytes:
    return b"".join(
        bytes_field(1, number_field(1, start) + (b"" if length == FULL else b"\x10" + varint(length)))
        for start, length in extents
    )


def v1_file(path: Path, name: str, shape: tuple[int, ...], parts: dict[Extents, list[int]]) -> Path:
    """A V1 file that holds these parts of one int32 variable."""
    dims = b"".join(bytes_field(2, number_field(1, dim)) for dim in shape)
    meta = bytes_field(1, name.encode()) + bytes_field(2, dims) + number_field(3, DType.INT32.number)
    meta += b"".join(bytes_field(4, slice_proto(extents)) for extents in parts)
    entries = {b"": bytes_field(1, bytes_field(1, meta))}
    for extents, numbers in parts.items():
        values = bytes_field(3, bytes_field(7, b"".join(varint(number) for number in numbers)))
        saved = bytes_field(1, name.encode()) + bytes_field(2, slice_proto(extents)) + values
        entries[slice_key(name.encode(), extents)] = bytes_field(2, saved)
    out = bytearray()
    table = TableWriter(out.extend)
    for key, value in sorted(entries.items()):
        table.add(key, value)
    table.finish()
    path.write_bytes(out)
    return path


def test_a_file_that_tensorflow_wrote(tmp_path: Path) -> None:
    path = tmp_path / "model.ckpt"
    path.write_bytes(TENSORFLOW_FILE)
    with open_checkpoint(path) as checkpoint:
        inventory = checkpoint.inventory
        assert (inventory.kind, inventory.path, inventory.data_files) == (Kind.V1, str(path), (str(path),))
        assert dict(inventory.variables) == {"neg32": Variable("neg32", DType.INT32, (2,), 8)}
        assert checkpoint.read("neg32").tolist() == [-1, 5]
        assert list(checkpoint.chunks("neg32", 5)) == [b"\xff\xff\xff\xff\x05", b"\x00\x00\x00"]
        assert checkpoint.object_graph() is None
        assert checkpoint.meta() is None


def test_slices_over_several_files(tmp_path: Path) -> None:
    v1_file(tmp_path / "m-00000-of-00002", "v", (2, 4), {((0, 1), (0, FULL)): [1, 2, 3, 4], ((1, 1), (2, 2)): [7, 8]})
    v1_file(tmp_path / "m-00001-of-00002", "v", (2, 4), {((1, 1), (0, 2)): [5, 6]})
    with open_checkpoint(tmp_path / "m") as checkpoint:
        assert checkpoint.read("v").tolist() == [[1, 2, 3, 4], [5, 6, 7, 8]]
        slices = (Slice((0, 0), (1, 4), None), Slice((1, 2), (1, 2), None), Slice((1, 0), (1, 2), None))
        assert checkpoint.inventory.variables["v"] == Variable("v", DType.INT32, (2, 4), 32, None, slices)
        assert b"".join(checkpoint.chunks("v", 3)) == b"".join(bytes([n, 0, 0, 0]) for n in range(1, 9))


@pytest.mark.parametrize(
    ("shape", "parts", "message"),
    [
        ((2, 4), {((0, 1), (0, FULL)): [1] * 4}, "the parts of v hold 4 of 8 elements"),
        ((2,), {((0, 3),): [1] * 3}, r"a part of v lies outside its shape \[2\]"),
        ((2,), {((0, 2),): [1] * 3}, r"12 bytes cannot make a int32 tensor of shape \[2\]"),
        ((2, 2), {((0, 2), (0, 1)): [1, 1], ((0, 1), (0, 2)): [2, 2]}, "overlap and leave a gap"),
    ],
)
def test_files_that_lie(tmp_path: Path, shape: tuple[int, ...], parts: dict[Extents, list[int]], message: str) -> None:
    path = v1_file(tmp_path / "m", "v", shape, parts)
    with pytest.raises(CheckpointError, match=message), open_checkpoint(path) as checkpoint:
        checkpoint.read("v")


def test_files_of_different_checkpoints(tmp_path: Path) -> None:
    v1_file(tmp_path / "m-00000-of-00002", "v", (2,), {((0, 2),): [1, 2]})
    v1_file(tmp_path / "m-00001-of-00002", "v", (3,), {((0, 3),): [1, 2, 3]})
    with pytest.raises(CheckpointError, match="the files disagree on the shape of v"):
        open_checkpoint(tmp_path / "m")


def test_a_table_that_is_no_checkpoint(tmp_path: Path) -> None:
    out = bytearray()
    TableWriter(out.extend).finish()
    (tmp_path / "m").write_bytes(out)
    with pytest.raises(CheckpointError, match="no list of variables: it is not a V1 checkpoint"):
        open_checkpoint(tmp_path / "m")


@pytest.mark.parametrize("place", [5, 60, 105])
def test_damage(tmp_path: Path, place: int) -> None:
    data = bytearray(TENSORFLOW_FILE)
    data[place] ^= 1
    (tmp_path / "m").write_bytes(data)
    with pytest.raises(CheckpointError, match="damaged"), open_checkpoint(tmp_path / "m") as checkpoint:
        checkpoint.read("neg32")


@pytest.mark.parametrize("shape", [(2,), (0,)])
def test_a_variable_without_values(tmp_path: Path, shape: tuple[int, ...]) -> None:
    v1_file(tmp_path / "m", "v", shape, {})
    with pytest.raises(CheckpointError, match="the values of v are missing"):
        open_checkpoint(tmp_path / "m")


@pytest.mark.parametrize(
    ("name", "listing", "count"),
    [
        ("v1format_nxt_tensorflow_with_meta", "model.ckpt.vars.json", 14),
        ("v1format_session_bundle_half_plus_two", "export-_____-of-00001.vars.json", 2),
        ("v1format_sugyan_regression", "regression.ckpt.vars.json", 2),
    ],
)
def test_real_files(corpus: Path, name: str, listing: str, count: int) -> None:
    folder = corpus / "tf1" / name
    with open_checkpoint(folder) as checkpoint:
        variables = checkpoint.inventory.variables
        found = [[variable.name, variable.dtype.label, list(variable.shape)] for variable in variables.values()]
        assert found == json.loads((folder / listing).read_text())
        assert len(found) == count
        assert {name: checkpoint.read(name).nbytes for name in variables} == {n: v.nbytes for n, v in variables.items()}


def test_known_values_of_a_real_file(corpus: Path) -> None:
    prefix = corpus / "tf1/v1format_session_bundle_half_plus_two/export-?????-of-00001"
    with open_checkpoint(prefix) as checkpoint:
        assert checkpoint.read("a").item() == 0.5
        assert checkpoint.read("b").item() == 2.0
