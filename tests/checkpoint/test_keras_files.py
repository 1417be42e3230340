"""Files of Keras, read: what is in them, and what is refused."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from ckptmap.basics.errors import CheckpointError
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.reader import open_checkpoint

h5py = pytest.importorskip("h5py", reason="needs the [keras] extra")

VALUES = {"dense": (np.arange(6, dtype="<f4").reshape(2, 3), np.array([1, 2, 3], ">f4"))}


def keras_3(path: Path) -> Path:
    with h5py.File(path, "w") as file:
        for place, name, values in (
            ("layers/dense", "head", VALUES["dense"]),
            ("layers/bidirectional/forward_layer/cell", "lstm_cell", (np.ones(2, "f8"),)),
            ("optimizer", "adam", (np.array(3, "i8"),)),
        ):
            group = file.create_group(f"{place}/vars")
            group.attrs["name"] = name
            for number, value in enumerate(values):
                group.create_dataset(str(number), data=value)
        file.create_group("layers/bidirectional/vars").attrs["name"] = "bi"
    return path


def keras_2(path: Path, below: str = "") -> Path:
    with h5py.File(path, "w") as file:
        base = file.require_group(below) if below else file
        base.attrs["layer_names"] = [b"dense", b"empty"]
        base.create_group("empty").attrs["weight_names"] = np.zeros(0)
        group = base.create_group("dense")
        group.attrs["weight_names0"] = [b"dense/kernel:0"]  # a long list is cut in parts
        group.attrs["weight_names1"] = [b"dense/bias:0"]
        group.create_dataset("dense/kernel:0", data=VALUES["dense"][0])
        group.create_dataset("dense/bias:0", data=VALUES["dense"][1])
        file.create_dataset("optimizer_weights/Adam/m:0", data=np.zeros(3, "f4"))
    return path


def contents(path: Path) -> dict[str, np.ndarray]:
    with open_checkpoint(path) as checkpoint:
        return {name: checkpoint.read(name) for name in checkpoint.inventory.variables}


def test_a_file_of_keras_3_goes_by_the_names_of_its_objects(tmp_path: Path) -> None:
    path = keras_3(tmp_path / "m.weights.h5")
    with open_checkpoint(path) as checkpoint:
        assert checkpoint.inventory.names["bi/lstm_cell/0"] == (
            "layers/bidirectional/forward_layer/cell/0",
            "layers/bidirectional/forward_layer/cell/vars/0",
        )
        assert checkpoint.inventory.variables["bi/lstm_cell/0"].dtype is DType.FLOAT64
    np.testing.assert_equal(
        contents(path),
        {
            "head/0": VALUES["dense"][0],
            "head/1": np.array([1, 2, 3], "f4"),
            "bi/lstm_cell/0": np.ones(2),
            "optimizer/vars/0": np.array(3),
        },
    )


@pytest.mark.parametrize("below", ["", "model_weights"])
def test_a_file_of_keras_2_goes_by_its_weight_names(tmp_path: Path, below: str) -> None:
    found = contents(keras_2(tmp_path / "m.h5", below))
    np.testing.assert_equal(
        found,
        {
            "dense/kernel": VALUES["dense"][0],
            "dense/bias": np.array([1, 2, 3], "f4"),
            "optimizer_weights/Adam/m:0": np.zeros(3, "f4"),
        },
    )


@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_an_archive_is_read_stored_or_packed(tmp_path: Path, packing: int) -> None:
    inner = keras_3(tmp_path / "inner.weights.h5")
    with zipfile.ZipFile(tmp_path / "m.keras", "w", packing) as archive:
        archive.writestr("../../config.json", "{}")
        archive.write(inner, "model.weights.h5")
    np.testing.assert_equal(contents(tmp_path / "m.keras"), contents(inner))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["inner.weights.h5", "m.keras"]


def test_bfloat16_is_told_by_its_attribute(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "m.weights.h5", "w") as file:
        file.create_dataset("d/vars/0", data=np.array([1.5, -2], ml_dtypes.bfloat16)).attrs["dtype"] = "bfloat16"
    with open_checkpoint(tmp_path / "m.weights.h5") as checkpoint:
        assert checkpoint.inventory.variables["d/0"].dtype is DType.BFLOAT16
        assert checkpoint.read("d/0").astype("f4").tolist() == [1.5, -2]


def test_chunks_and_rows_are_those_of_the_whole_value(tmp_path: Path) -> None:
    value = np.arange(3000, dtype="f4").reshape(100, 5, 6)
    with h5py.File(tmp_path / "m.weights.h5", "w") as file:
        file.create_dataset("d/vars/0", data=value, compression="gzip", shuffle=True)
    with open_checkpoint(tmp_path / "m.weights.h5") as checkpoint:
        assert b"".join(checkpoint.chunks("d/0", 500)) == value.tobytes()
        assert max(map(len, checkpoint.chunks("d/0", 500))) <= 500
        np.testing.assert_equal(checkpoint.rows("d/0", 1, 2, 4), value[:, 2:4])


def soft_loop(file: Any) -> None:
    file["again"] = h5py.SoftLink("/")


def hard_loop(file: Any) -> None:
    file["d/up"] = file["/"]


def twice(file: Any) -> None:
    file["e"] = file["d"]


def external_link(file: Any) -> None:
    file["x"] = h5py.ExternalLink("/etc/passwd", "/")


def external_storage(file: Any) -> None:
    file.create_dataset("x", (10,), "u1", external=[("/etc/passwd", 0, 10)])


def virtual(file: Any) -> None:
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "w", (4,))
    file.create_virtual_dataset("x", layout)


def pickled(file: Any) -> None:
    file.create_dataset("x", data=np.void(pickle.dumps({"a": 1})))


def objects(file: Any) -> None:
    file.create_dataset("x", data=["text"], dtype=h5py.string_dtype())


def references(file: Any) -> None:
    file.create_dataset("x", data=file["d"].ref, dtype=h5py.ref_dtype)


def compound(file: Any) -> None:
    file.create_dataset("x", data=np.zeros(2, [("a", "f4"), ("b", "i4")]))


def never_written(file: Any) -> None:
    file.create_dataset("x", (1 << 40,), "f4", chunks=(1 << 20,))


def bomb(file: Any) -> None:
    """One piece of many is written: the others would be made of nothing."""
    file.create_dataset("x", (1 << 30,), "f4", chunks=(1 << 10,), compression="gzip")[:10] = 1


def other_filter(file: Any) -> None:
    file.create_dataset("x", data=np.zeros(1000, "f4"), compression="lzf")


def empty(file: Any) -> None:
    file.create_dataset("x", data=h5py.Empty("f4"))


def committed_type(file: Any) -> None:
    file["x"] = np.dtype("f4")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (soft_loop, "again is a soft link"),
        (hard_loop, "d/up is reached by two paths"),
        (twice, "is reached by two paths"),
        (external_link, "x is an external link"),
        (external_storage, "x lies in another file"),
        (virtual, "x lies in another file"),
        (pickled, "not a tensor of numbers"),
        (objects, "not a tensor of numbers"),
        (references, "not a tensor of numbers"),
        (compound, "not a tensor of numbers"),
        (never_written, "x claims 4398046511104 bytes, and the file holds 0 of it"),
        (bomb, "x claims 4294967296 bytes"),
        (other_filter, "a filter that not every HDF5 library has"),
        (empty, "not a tensor of numbers"),
        (committed_type, "x is neither a group nor a dataset"),
    ],
)
def test_what_keras_never_saves_is_refused_before_a_value_is_read(
    tmp_path: Path, spoil: Callable[[Any], None], message: str
) -> None:
    path = tmp_path / "m.weights.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("d/vars/0", data=np.zeros(3, "f4"))
        spoil(file)
    with pytest.raises(CheckpointError, match=message) as raised:
        open_checkpoint(path)
    assert str(path) in str(raised.value)


def test_groups_within_groups_without_end(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.create_group("/".join("g" * 200))
    with pytest.raises(CheckpointError, match="deeper ones, than any model has"):
        open_checkpoint(tmp_path / "m.h5")


def test_a_cut_off_file(tmp_path: Path) -> None:
    path = keras_3(tmp_path / "m.weights.h5")
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(CheckpointError, match="damaged: HDF5 says"):
        open_checkpoint(path)


def changed_members(names: list[str], size: int | None = None) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in names:
                archive.writestr(name, b"x" * 1000)
            if size is not None:
                archive.filelist[-1].file_size = size

    return make


def encrypted(path: Path) -> None:
    changed_members(["model.weights.h5"])(path)
    content = bytearray(path.read_bytes())
    for mark, at in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        content[content.index(mark) + at] |= 1
    path.write_bytes(bytes(content))


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (changed_members(["config.json"]), "it is not a Keras archive"),
        (changed_members(["config.json", "model.weights.json"]), "saved in shards"),
        (changed_members(["model.weights.h5", "model.weights.h5"]), "2 of them model.weights.h5"),
        (changed_members(["model.weights.h5"], 1 << 40), "claims 1099511627776 bytes in"),
        (changed_members(["model.weights.h5"], 10), "damaged|larger than it claims"),
        (changed_members(["model.weights.h5"]), "damaged: HDF5 says"),
        (encrypted, "encrypted"),
        (lambda path: path.write_bytes(b"PK\x03\x04" + bytes(100)), "damaged"),
    ],
)
def test_archives_that_lie(tmp_path: Path, make: Callable[[Path], None], message: str) -> None:
    path = tmp_path / "m.keras"
    make(path)
    with pytest.raises(CheckpointError, match=message):
        open_checkpoint(path)
    assert list(tmp_path.iterdir()) == [path]


def test_every_byte_of_a_packed_archive_counts(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with h5py.File(inner, "w") as file:
        file.create_dataset("d/vars/0", data=np.arange(2000, dtype="f4"))
    with zipfile.ZipFile(tmp_path / "m.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.weights.h5", inner.getvalue())
    content = bytearray((tmp_path / "m.keras").read_bytes())
    content[len(content) // 2] ^= 0x10
    (tmp_path / "m.keras").write_bytes(bytes(content))
    with pytest.raises(CheckpointError, match="damaged"):
        open_checkpoint(tmp_path / "m.keras")
