from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckptmap.basics.errors import CheckpointError, OutputError
from ckptmap.checkpoint.crc import crc32c
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.inventory import Span
from ckptmap.checkpoint.ordered_code import FULL
from ckptmap.checkpoint.reader import open_checkpoint
from ckptmap.checkpoint.staging import Staging
from ckptmap.checkpoint.values import encode, join_strings
from ckptmap.checkpoint.writer import BundleWriter, Written, write_state
from tests.checkpoint.strategies import Value, bundles, names_in, same
from tests.checkpoint.test_sstable import TENSORFLOW_INDEX


def save(folder: Path, bundle: dict[str, Value], name: str = "m") -> Path:
    with Staging(folder) as staging, BundleWriter(staging, name) as writer:
        for key, value in bundle.items():
            writer.add(key, value.dtype, value.array.shape, [encode(value.dtype, value.array)])
        writer.finish()
        staging.commit()
    return folder / name


def test_the_files_are_byte_for_byte_those_of_tensorflow(tmp_path: Path) -> None:
    values = {
        "global_step": Value(DType.INT64, np.array(7)),
        "w": Value(DType.FLOAT32, np.array([1.5, -2.0], np.float32)),
    }
    prefix = save(tmp_path, values)
    assert (tmp_path / "m.index").read_bytes() == TENSORFLOW_INDEX
    assert (tmp_path / "m.data-00000-of-00001").read_bytes().hex() == "07000000000000000000c03f000000c0"
    assert names_in(tmp_path) == ["m.data-00000-of-00001", "m.index"]
    assert prefix.name == "m"


@given(bundles())
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, bundle: dict[str, Value]) -> None:
    prefix = save(tmp_path_factory.mktemp("bundle"), bundle)
    with open_checkpoint(prefix) as checkpoint:
        variables = checkpoint.inventory.variables
        assert list(variables) == sorted(bundle, key=str.encode)
        for name, value in bundle.items():
            assert (variables[name].dtype, variables[name].shape) == (value.dtype, value.array.shape)
            assert same(checkpoint.read(name), value.array)
            raw = encode(value.dtype, value.array)
            assert b"".join(checkpoint.chunks(name, 3)) == raw
            assert variables[name].nbytes == len(raw)


@given(
    st.sampled_from([DType.FLOAT32, DType.INT8, DType.STRING]),
    st.lists(st.integers(1, 4), min_size=2, max_size=3),
    st.integers(0, 2),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_partitioned_variables(tmp_path_factory, dtype, lengths, other, last, random) -> None:
    """Cut along one dimension into parts of these lengths, written in any order."""
    cut = 1 if last else 0
    shape = (other, sum(lengths)) if last else (sum(lengths), other)
    whole = np.arange(other * sum(lengths)).reshape(shape)
    array = (
        whole.astype(dtype.numpy)
        if dtype.itemsize
        else np.array([b"%d" % i for i in whole.flat], object).reshape(shape)
    )
    starts = np.cumsum([0, *lengths])[:-1].tolist()
    parts = list(zip(starts, lengths, strict=True))
    random.shuffle(parts)
    folder = tmp_path_factory.mktemp("parts")
    with Staging(folder) as staging, BundleWriter(staging, "m") as writer:
        for start, length in parts:
            piece = array.take(range(start, start + length), axis=cut)
            extents = ((0, FULL), (start, length)) if last else ((start, length), (0, FULL))
            writer.add_part("v", dtype, shape, extents, [encode(dtype, piece)])
        writer.finish()
        staging.commit()
    with open_checkpoint(folder / "m") as checkpoint:
        assert list(checkpoint.inventory.variables) == ["v"]
        variable = checkpoint.inventory.variables["v"]
        assert same(checkpoint.read("v"), array)
        pieces = list(checkpoint.chunks("v", 5))
        raw = b"".join(pieces)
        assert raw == encode(dtype, array)
        if not last and dtype is not DType.STRING:
            assert max(map(len, pieces), default=0) <= 5  # parts of rows stream, however large the variable is
        assert variable.nbytes == len(raw)
        assert variable.span is None
        assert {(part.starts[cut], part.lengths[cut]) for part in variable.slices} == set(parts)


@pytest.mark.parametrize("extents", [((0, FULL), (0, FULL)), ((0, 2), (0, FULL)), ((0, 2), (0, 3))])
def test_a_part_that_is_all_of_it_is_a_plain_value(tmp_path: Path, extents: tuple[tuple[int, int], ...]) -> None:
    with Staging(tmp_path) as staging, BundleWriter(staging, "m") as writer:
        writer.add_part("v", DType.UINT8, (2, 3), extents, [b"123456"])
        with pytest.raises(ValueError, match="with another shape, or whole"):
            writer.add_part("v", DType.UINT8, (2, 3), ((0, 1), (0, 3)), [b"123"])
        writer.finish()
        staging.commit()
    with open_checkpoint(tmp_path / "m") as checkpoint:
        variable = checkpoint.inventory.variables["v"]
        assert (variable.span, variable.slices) == (Span(0, 0, 6, crc32c(b"123456")), ())


def test_what_add_tells(tmp_path: Path) -> None:
    with Staging(tmp_path) as staging, BundleWriter(staging, "m") as writer:
        assert writer.add("v", DType.UINT8, (9,), [b"1234", memoryview(b"56789")]) == Written(9, 0xE3069283)
        assert writer.add("w", DType.UINT8, (9,), [b"123456789"], expected=0xE3069283).size == 9
        with pytest.raises(CheckpointError, match="bytes of x are not those that were saved"):
            writer.add("x", DType.UINT8, (9,), [b"123456780"], expected=0xE3069283)


@pytest.mark.parametrize(
    ("key", "shape", "data", "message"),
    [
        ("v", (2,), b"12", "written before"),
        ("", (2,), b"12", "or is empty"),
        ("w", (2,), b"123", "3 bytes cannot make a uint8 tensor"),
        ("w", (), b"", "0 bytes cannot make"),
    ],
)
def test_misuse(tmp_path: Path, key: str, shape: tuple[int, ...], data: bytes, message: str) -> None:
    with Staging(tmp_path) as staging, BundleWriter(staging, "m") as writer:
        writer.add("v", DType.UINT8, (1,), [b"1"])
        with pytest.raises(ValueError, match=message):
            writer.add(key, DType.UINT8, shape, [data])


@pytest.mark.parametrize("how", ["copy", "link"])
def test_an_adopted_file_is_a_shard(tmp_path: Path, how: str) -> None:
    values = {"a": Value(DType.INT32, np.arange(4, dtype=np.int32)), "b": Value(DType.INT32, np.array(-1, np.int32))}
    old = save(tmp_path / "old", values)
    with open_checkpoint(old) as source, Staging(tmp_path / "new") as staging, BundleWriter(staging, "n") as writer:
        shard = writer.adopt(source.inventory.data_files[0], how)
        for name, variable in source.inventory.variables.items():
            assert variable.span is not None
            writer.refer(f"new/{name}", variable.dtype, variable.shape, shard, variable.span)
        writer.add("fresh", DType.STRING, (), [join_strings([b"hello"])])
        writer.finish()
        staging.commit()
    assert names_in(tmp_path / "new") == ["n.data-00000-of-00002", "n.data-00001-of-00002", "n.index"]
    same_file = (tmp_path / "new" / "n.data-00000-of-00002").samefile(tmp_path / "old" / "m.data-00000-of-00001")
    assert same_file == (how == "link")
    with open_checkpoint(tmp_path / "new" / "n") as checkpoint:
        assert checkpoint.read("new/a").tolist() == [0, 1, 2, 3]
        assert checkpoint.read("new/b") == -1
        assert checkpoint.read("fresh").item() == b"hello"


def test_adopted_files_alone_need_no_file_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(b"123456789")
    with Staging(tmp_path / "new") as staging, BundleWriter(staging, "n") as writer:
        writer.refer("v", DType.UINT8, (9,), writer.adopt(tmp_path / "bytes"), Span(0, 0, 9, crc32c(b"123456789")))
        writer.finish()
        staging.commit()
    assert names_in(tmp_path / "new") == ["n.data-00000-of-00001", "n.index"]


def test_references_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(b"123456789")
    with Staging(tmp_path / "new") as staging, BundleWriter(staging, "n") as writer:
        with pytest.raises(OutputError, match="cannot be written"):
            writer.adopt(tmp_path / "nothing")
        with pytest.raises(ValueError, match="no adopted file"):
            writer.refer("v", DType.UINT8, (9,), 0, Span(0, 0, 9, 1))
        shard = writer.adopt(tmp_path / "bytes")
        with pytest.raises(ValueError, match="without a checksum"):
            writer.refer("v", DType.UINT8, (9,), shard, Span(0, 0, 9))
        with pytest.raises(ValueError, match="8 bytes cannot make"):
            writer.refer("v", DType.UINT8, (9,), shard, Span(0, 0, 8, 1))


def test_old_data_files_of_the_same_name_go(tmp_path: Path) -> None:
    for name in ("m.data-00000-of-00002", "m.data-00001-of-00002", "m.index", "other.data-00000-of-00002"):
        (tmp_path / name).write_bytes(b"old")
    save(tmp_path, {"v": Value(DType.INT8, np.array(1, np.int8))})
    assert names_in(tmp_path) == ["m.data-00000-of-00001", "m.index", "other.data-00000-of-00002"]
    with open_checkpoint(tmp_path / "m") as checkpoint:
        assert checkpoint.read("v") == 1


def test_the_state_file_comes_last(tmp_path: Path) -> None:
    with Staging(tmp_path) as staging, BundleWriter(staging, "m") as writer:
        writer.finish()
        write_state(staging, "m")
        assert staging._order == ["m.data-00000-of-00001", "m.index", "checkpoint"]
        staging.commit()
    assert (tmp_path / "checkpoint").read_text() == 'model_checkpoint_path: "m"\nall_model_checkpoint_paths: "m"\n'
