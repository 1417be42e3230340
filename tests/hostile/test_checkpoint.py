"""Checkpoints that lie, are damaged or are something else: each gets its message, fast and in little memory."""

from __future__ import annotations

import time
import tracemalloc
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ckptmap.basics.errors import CheckpointError
from ckptmap.checkpoint.bundle_proto import Entry, format_entry, format_header
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.ordered_code import FULL, slice_key
from ckptmap.checkpoint.reader import open_checkpoint
from ckptmap.checkpoint.sstable import TableWriter
from ckptmap.checkpoint.values import encode
from ckptmap.checkpoint.wire import bytes_field, number_field
from tests.checkpoint.strategies import Value
from tests.checkpoint.test_frozen import GRAPH
from tests.checkpoint.test_v1 import TENSORFLOW_FILE
from tests.checkpoint.test_writer import save

MB = 1 << 20


def write_index(folder: Path, entries: dict[bytes, bytes], data: bytes = b"") -> Path:
    """A bundle with a hand-made index."""
    out = bytearray()
    table = TableWriter(out.extend)
    for key, value in sorted(entries.items()):
        table.add(key, value)
    table.finish()
    (folder / "m.index").write_bytes(out)
    (folder / "m.data-00000-of-00001").write_bytes(data)
    return folder / "m"


def one(folder: Path, entry: bytes | Entry, data: bytes = b"", **more: Entry) -> Path:
    """A bundle with one variable ``v`` of this entry."""
    raw = entry if isinstance(entry, bytes) else format_entry(entry)
    others = {name.encode(): format_entry(other) for name, other in more.items()}
    return write_index(folder, {b"": format_header(1), b"v": raw, **others}, data)


def complaint(prefix: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        read_all(prefix)
    return str(caught.value)


def read_all(prefix: Path) -> None:
    with open_checkpoint(prefix) as checkpoint:
        for name in checkpoint.inventory.variables:
            checkpoint.read(name)


DAMAGED = "download or copy the file again and compare its size"


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (Entry(1, (2**30, 2**30), size=8), "v claims 8 bytes for float32 [1073741824, 1073741824]"),
        (Entry(1, (2,), size=2**40), "v claims 1099511627776 bytes for float32 [2]"),
        (Entry(7, (2**40,), size=20), "v claims 20 bytes for string [1099511627776]"),
        (Entry(1, (2,), shard=7, size=8), "v lies in data file 7 of 1"),
        (
            number_field(1, 1) + bytes_field(2, bytes_field(2, number_field(1, -4))) + number_field(5, 16),
            "a shape of 1 dimensions is impossible: [-4]",
        ),
        (
            number_field(1, 1) + bytes_field(2, bytes_field(2, number_field(1, 2**32)) * 2),
            "a shape holds more elements than can be counted: [4294967296, 4294967296]",
        ),
        (number_field(1, 1) + number_field(4, -1), "an entry of the index has an impossible place"),
        (b"\x0a\xff\xff\xff\xff\x0f", "a field of 4294967295 bytes reaches past the end of its message"),
        (Entry(1, (4,), slices=(((0, 4),),)), "a part of the partitioned variable v is missing"),
        (Entry(1, (4,), slices=(((0, 5),),)), "a part of v lies outside its shape [4]"),
        (Entry(1, (4,), slices=(((2, FULL),),)), "a part of v lies outside its shape [4]"),
        (Entry(1, (4,), slices=(((-1, 4),),)), "a part of v lies outside its shape [4]"),
        (Entry(1, (4,), slices=(((2, -2),),)), "a part of v lies outside its shape [4]"),
        (Entry(1, (4,), slices=(((0, 1), (0, 1)),)), "a part of v lies outside its shape [4]"),
    ],
)
def test_an_index_that_lies(tmp_path: Path, entry: Entry | bytes, message: str) -> None:
    prefix = one(tmp_path, entry)
    assert complaint(prefix) == f"{prefix}.index: damaged: {message} ({DAMAGED})"


def test_more_than_the_data_file_holds(tmp_path: Path) -> None:
    prefix = one(tmp_path, Entry(4, (2**40,), size=2**40), bytes(10))
    data = f"{prefix}.data-00000-of-00001"
    assert complaint(prefix) == (
        f"{data}: is cut off: 10 bytes, the index needs at least 1099511627776 (download or copy it again)"
    )


def test_a_missing_data_file_is_named(tmp_path: Path) -> None:
    prefix = one(tmp_path, Entry(4, (1,), size=1))
    Path(f"{prefix}.data-00000-of-00001").unlink()
    assert complaint(prefix) == (
        f"{prefix}.data-00000-of-00001: this data file is missing (copy it there, it belongs beside the index)"
    )


def test_parts_that_overlap(tmp_path: Path) -> None:
    extents = (((0, 2), (0, 2)), ((0, 2), (1, 2)))
    parts = {slice_key(b"v", each): format_entry(Entry(4, (2, 2), size=4, crc32c=0x48674BC7)) for each in extents}
    whole = format_entry(Entry(4, (2, 4), slices=extents))
    entries = {b"": format_header(1), b"v": whole, **parts}
    assert complaint(write_index(tmp_path, entries, bytes(8))) == "the parts of v overlap and leave a gap"
    prefix = write_index(tmp_path, entries, bytes(4))
    assert complaint(prefix) == f"{prefix}.data-00000-of-00001: holds less than the parts of v"


def test_a_part_of_another_type(tmp_path: Path) -> None:
    """As many bytes as floats have: TensorFlow takes them for what the part says, and does not read it."""
    extents = (((0, 1),), ((1, 1),))
    parts = {slice_key(b"v", each): Entry(dtype, (1,), size=4) for each, dtype in zip(extents, (1, 3), strict=True)}
    whole = format_entry(Entry(1, (2,), slices=extents))
    entries = {b"": format_header(1), b"v": whole, **{key: format_entry(part) for key, part in parts.items()}}
    prefix = write_index(tmp_path, entries, bytes(8))
    message = "a part of the partitioned variable v is of another type"
    assert complaint(prefix) == f"{prefix}.index: damaged: {message} ({DAMAGED})"


def test_parts_that_do_not_fill_the_whole(tmp_path: Path) -> None:
    part = {slice_key(b"v", ((0, 1),)): format_entry(Entry(4, (1,), size=1))}
    whole = format_entry(Entry(4, (2**50,), slices=(((0, 1),),)))
    prefix = write_index(tmp_path, {b"": format_header(1), b"v": whole, **part}, bytes(1))
    assert complaint(prefix).startswith(f"{prefix}.index: damaged: the parts of v hold 1 of 1125899906842624 elements")


def test_values_that_were_not_saved(tmp_path: Path) -> None:
    prefix = save(tmp_path, {"v": Value(DType.FLOAT32, np.ones(3, np.float32))})
    data = Path(f"{prefix}.data-00000-of-00001")
    damaged = bytearray(data.read_bytes())
    damaged[5] ^= 1
    data.write_bytes(damaged)
    assert complaint(prefix) == (
        f"{data}: the checksum of v is wrong: its 12 bytes at byte 0 are not those that were saved (the data file is "
        "damaged or belongs to another index: download or copy it again)"
    )


def test_strings_that_were_not_saved(tmp_path: Path) -> None:
    array = np.array([b"abc", b"de"], object)
    prefix = save(tmp_path, {"v": Value(DType.STRING, array)})
    data = Path(f"{prefix}.data-00000-of-00001")
    data.write_bytes(encode(DType.STRING, array).replace(b"abc", b"abd"))
    assert "the checksum of v is wrong" in complaint(prefix)
    data.write_bytes(encode(DType.STRING, array)[::-1])
    assert complaint(prefix).startswith(f"{data}: damaged: ")


def test_a_big_endian_index(tmp_path: Path) -> None:
    prefix = write_index(tmp_path, {b"": b"\x08\x01\x10\x01"})
    assert complaint(prefix) == (
        f"{prefix}.index: damaged: its values are big-endian, as on the machine that wrote it: save it again "
        f"on a little-endian machine "
        f"({DAMAGED})"
    )


def test_types_that_are_no_tensors_are_left_out(tmp_path: Path) -> None:
    prefix = one(tmp_path, Entry(4, (1,), size=1, crc32c=0x527D5351), b"\x00", iterator=Entry(21, (), size=1))
    with open_checkpoint(prefix) as checkpoint:
        assert list(checkpoint.inventory.variables) == ["v"]
        assert checkpoint.inventory.notes == ("1 value is left out, because the type is not one of a tensor: iterator",)


@pytest.mark.parametrize("cut", [0, 1, 40, 47, 48, 60, 100])
def test_a_truncated_index(tmp_path: Path, cut: int) -> None:
    prefix = save(tmp_path, {"v": Value(DType.FLOAT32, np.ones(3, np.float32))})
    index = Path(f"{prefix}.index")
    index.write_bytes(index.read_bytes()[:cut])
    expected = "the file is empty" if cut == 0 else "damaged: the table's footer is missing: the file is cut off"
    assert complaint(prefix).startswith(f"{index}: {expected}")


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_index_is_never_anything_but_an_error(tmp_path: Path, data: st.DataObject) -> None:
    """Checksums left aside: the bytes of the block itself are damaged and sealed again."""
    entries = {b"": format_header(1), b"v": format_entry(Entry(1, (2, 3), size=24, slices=())), b"w": b""}
    key = data.draw(st.sampled_from(sorted(entries)))
    raw = bytearray(entries[key])
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw))) : len(raw)] = data.draw(st.binary(max_size=12))
    prefix = write_index(tmp_path, {**entries, key: bytes(raw)}, bytes(64))
    with suppress(CheckpointError):
        read_all(prefix)


def bomb(folder: Path) -> Path:
    """An index whose keys share ever longer prefixes, compressed twentyfold."""
    import cramjam

    from ckptmap.checkpoint.crc import crc32c, mask
    from ckptmap.checkpoint.sstable import MAGIC, Handle
    from ckptmap.checkpoint.wire import varint

    def sealed(body: bytes) -> bytes:
        data = bytes(cramjam.snappy.compress_raw(body + bytes(4) + b"\x01\x00\x00\x00")) + b"\x01"
        return data + mask(crc32c(data)).to_bytes(4, "little")

    header = format_header(1)
    entries = b"\x00\x00" + varint(len(header)) + header
    entries += b"\x00" + varint(60000) + b"\x00" + b"a" * 60000
    entries += b"".join(varint(60000) + b"\x03\x00" + number.to_bytes(3, "big") for number in range(6500000, 6900000))
    block = sealed(entries)
    handle = Handle(0, len(block) - 5).encode()
    index = sealed(b"\x00\x01" + varint(len(handle)) + b"b" + handle)
    footer = (b"\x00\x00" + Handle(len(block), len(index) - 5).encode()).ljust(40, b"\x00") + MAGIC
    (folder / "m.index").write_bytes(block + index + footer)
    return folder / "m"


def test_a_bomb_of_keys_costs_little(tmp_path: Path) -> None:
    prefix = bomb(tmp_path)
    start = time.perf_counter()
    tracemalloc.start()
    message = complaint(prefix)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "claims to hold more than it can" in message
    assert peak < 400 * MB
    assert time.perf_counter() - start < 20


def test_reading_a_large_value_takes_no_memory(tmp_path: Path) -> None:
    size = 64 * MB
    prefix = save(tmp_path, {"v": Value(DType.UINT8, np.zeros(size, np.uint8))})
    with open_checkpoint(prefix) as checkpoint:
        tracemalloc.start()
        total = sum(len(piece) for piece in checkpoint.chunks("v"))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert total == size
    assert peak < 4 * MB


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 9\n", "this is a Git-LFS pointer"),
        (b"hello there\n", 'this is a text file ("hello there")'),
        (b"27 mtime=1522378100.737122\n", "this is a PaxHeader record"),
        (b"\x89HDF\r\n\x1a\n", "this is an HDF5 file"),
        (b"", "the file is empty"),
        (b"\x00" * 500, "damaged: the table's footer is missing"),
    ],
)
def test_something_else_in_place_of_the_index(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "m.index").write_bytes(content)
    assert complaint(tmp_path / "m").startswith(f"{tmp_path / 'm.index'}: {message}")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 9\n", "this is a Git-LFS pointer"),
        (b"the weights are too large for this repository\n", "this is a text file"),
    ],
)
def test_something_else_in_place_of_the_values(tmp_path: Path, content: bytes, message: str) -> None:
    prefix = save(tmp_path, {"v": Value(DType.FLOAT32, np.ones(3, np.float32))})
    data = Path(f"{prefix}.data-00000-of-00001")
    data.write_bytes(content)
    assert complaint(prefix).startswith(f"{data}: {message}")


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data(), st.sampled_from(["graph.pb", "saved_model.pb", "m"]), st.binary(min_size=1, max_size=8))
def test_damage_of_other_sources_is_never_anything_but_an_error(
    tmp_path: Path, data: st.DataObject, name: str, junk: bytes
) -> None:
    whole = {"graph.pb": GRAPH, "saved_model.pb": bytes_field(2, bytes_field(2, GRAPH)), "m": TENSORFLOW_FILE}[name]
    place = data.draw(st.integers(0, len(whole) - 1))
    (tmp_path / name).write_bytes(whole[:place] + junk + whole[place + len(junk) :])
    with suppress(CheckpointError):
        read_all(tmp_path / name)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=80))
def test_any_meta_file_is_read_or_refused(tmp_path: Path, content: bytes) -> None:
    prefix = save(tmp_path, {"v": Value(DType.FLOAT32, np.ones(3, np.float32))})
    (tmp_path / "m.meta").write_bytes(content)
    with open_checkpoint(prefix) as checkpoint, suppress(CheckpointError):
        checkpoint.meta()


def test_a_graph_too_large_to_be_one(tmp_path: Path) -> None:
    path = tmp_path / "graph.pb"
    with path.open("wb") as handle:
        handle.write(GRAPH)
        handle.truncate((1 << 31) + 1)  # a sparse file: it takes no space
    with pytest.raises(CheckpointError, match="is larger than 2 GiB"):
        open_checkpoint(path)
