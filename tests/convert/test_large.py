"""Memory stays flat: values of any size are moved and computed a piece at a time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import ckptmap
from ckptmap.basics.errors import PlanError, TableError
from ckptmap.checkpoint.bundle import data_path
from ckptmap.checkpoint.bundle_proto import HEADER_KEY, Entry, format_entry, format_header
from ckptmap.checkpoint.crc import crc32c
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.object_writer import ObjectValue, write_object_checkpoint
from ckptmap.checkpoint.sstable import TableWriter
from ckptmap.diff import diff
from ckptmap.execution import computing
from ckptmap.mapping.ops_sized import Grow
from ckptmap.planning.ledger import Fill, TargetFate, TargetRecord
from ckptmap.targets.initializers import initial_value
from ckptmap.targets.variables import Initializer, TargetVariable
from tests.convert.conftest import values, write_tf1

TABLE = """\
variables:
  - {from: turned, to: m/turned, ops: [{transpose: [1, 0]}]}
  - {from: cut, to: m/cut, ops: [{slice: {axis: 1, start: 1}}, {cast: float64}]}
  - {from: [one, other], to: m/joined, ops: [{concat: -1}]}
  - {from: flat, to: m/flat, ops: [{reshape: [-1]}]}
  - {from: [up, down], to: m/rows, ops: [{concat: 0}, {cast: float64}]}
  - {from: gates, to: m/gates, ops: [{reorder: {axis: 0, order: [1, 2, 0]}}]}
  - {from: [q, k], to: m/stacked, ops: [{transpose: [1, 0]}, {stack: 0}]}
init:
  - {match: m/fresh, value: ones, reason: new}
"""
LARGE_TABLE = """\
variables:
  - {from: turned, to: m/turned, ops: [{transpose: [1, 0]}]}
  - {from: same, to: m/same}
  - {from: "part_{n}", to: m/joined, ops: [{concat: 0}], where: {n: int}, group: n, optional: true}
init:
  - {match: m/fresh, value: initializer, reason: new}
"""
SHAPES = {
    "m/turned": (5, 6), "m/cut": (4, 2), "m/joined": (3, 4), "m/flat": (8,), "m/fresh": (7, 2),
    "m/rows": (7, 3), "m/gates": (6, 2), "m/stacked": (2, 4, 3),
}  # fmt: skip


def write_template(folder: Path, shapes: dict[str, tuple[int, ...]]) -> Path:
    objects = {}
    for name, shape in shapes.items():
        dtype = DType.FLOAT64 if name in ("m/cut", "m/rows") else DType.FLOAT32
        size = int(np.prod(shape)) * (dtype.itemsize or 0)
        objects[name] = ObjectValue(name, dtype, shape, [bytes(size)])
    write_object_checkpoint(folder / "ckpt-0", "", objects)
    return folder / "ckpt-0"


def read(prefix: Path, name: str) -> np.ndarray:
    with ckptmap.open_checkpoint(prefix) as checkpoint:
        return checkpoint.read(f"{name}/.ATTRIBUTES/VARIABLE_VALUE")


@pytest.mark.parametrize("budget", [1, 24, 1000])
def test_pieces_make_the_same_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, budget: int) -> None:
    monkeypatch.setattr(computing, "BUDGET", budget)
    old = {
        "turned": values((6, 5)),
        "cut": values((4, 3), 100),
        "one": values((3, 1), 200),
        "other": values((3, 3), 300),
        "flat": values((2, 4), 400),
        "up": values((5, 3), 500),
        "down": values((2, 3), 600),
        "gates": values((6, 2), 700),
        "q": values((3, 4), 800),
        "k": values((3, 4), 900),
    }
    source = write_tf1(tmp_path / "old" / "model.ckpt", old)
    (tmp_path / "table.yaml").write_text(TABLE)
    template = write_template(tmp_path / "zoo", SHAPES)
    report = ckptmap.convert(source, to=template, table=tmp_path / "table.yaml", output=tmp_path / "new", data="link")
    assert report["output"]["kept"] == 1  # another shape alone changes no byte
    new = tmp_path / "new" / "ckpt-0"
    np.testing.assert_array_equal(read(new, "m/turned"), old["turned"].T)
    np.testing.assert_array_equal(read(new, "m/cut"), old["cut"][:, 1:].astype(np.float64))
    np.testing.assert_array_equal(read(new, "m/joined"), np.concatenate([old["one"], old["other"]], axis=-1))
    np.testing.assert_array_equal(read(new, "m/flat"), old["flat"].reshape(-1))
    np.testing.assert_array_equal(read(new, "m/fresh"), np.ones((7, 2)))
    np.testing.assert_array_equal(read(new, "m/rows"), np.concatenate([old["up"], old["down"]]).astype(np.float64))
    np.testing.assert_array_equal(read(new, "m/gates"), old["gates"][[2, 3, 4, 5, 0, 1]])
    np.testing.assert_array_equal(read(new, "m/stacked"), np.stack([old["q"].T, old["k"].T]))


SIZED = """\
variables:
  - {from: words, to: m/words, ops: [{transpose: [1, 0]}, {pad: {axis: 0}}]}
  - {from: wide, to: m/wide, ops: [{pad: {axis: 1}}]}
  - {from: long, to: m/long, ops: [{resize: {axis: 0}}]}
  - {from: flat, to: m/flat, ops: [{reshape: target}]}
  - {from: both, to: [m/first, m/second], ops: [{split: {axis: 0}}]}
  - {from: [left, {from: right, ops: [{fill: 2}]}], to: m/two, ops: [{concat: 1}]}
  - {from: [top, {from: [mid, low], ops: [{concat: 0}]}], to: m/three, ops: [{concat: 0}]}
init:
  - {match: m/bias, value: [0, 1], reason: "the forget gate's bias"}
"""
SIZED_SHAPES = {
    "m/words": (7, 5), "m/wide": (4, 6), "m/long": (3, 2), "m/flat": (2, 3, 2), "m/first": (5, 2), "m/second": (3, 2),
    "m/two": (3, 4), "m/three": (6, 2), "m/bias": (4,),
}  # fmt: skip


@pytest.mark.parametrize("budget", [1, 24, 1000])
def test_lengths_come_from_the_target_in_pieces_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, budget: int
) -> None:
    monkeypatch.setattr(computing, "BUDGET", budget)
    old = {
        name: values(shape, 100 * at)
        for at, (name, shape) in enumerate(
            {
                "words": (5, 4), "wide": (4, 5), "long": (9, 2), "flat": (12,), "both": (8, 2), "left": (3, 2),
                "right": (3, 2), "top": (1, 2), "mid": (2, 2), "low": (3, 2),
            }.items()
        )
    }  # fmt: skip
    source = write_tf1(tmp_path / "old" / "model.ckpt", old)
    (tmp_path / "table.yaml").write_text(SIZED)
    objects = {
        name: ObjectValue(name, DType.FLOAT32, shape, [np.full(shape, -1 - at, np.float32).tobytes()])
        for at, (name, shape) in enumerate(SIZED_SHAPES.items())
    }
    write_object_checkpoint(tmp_path / "zoo" / "ckpt-0", "", objects)
    report = ckptmap.convert(
        source, to=tmp_path / "zoo" / "ckpt-0", table=tmp_path / "table.yaml", output=tmp_path / "new"
    )
    assert report["summary"] == {
        "restored": 6, "partly restored": 2, "reinitialized": 1, "missing": 0,
        "mapped": 10, "superseded": 0, "dropped": 0, "unused": 0,
    }  # fmt: skip
    new = tmp_path / "new" / "ckpt-0"
    np.testing.assert_array_equal(read(new, "m/words"), np.concatenate([old["words"].T, np.full((3, 5), -1)]))
    np.testing.assert_array_equal(read(new, "m/wide"), np.concatenate([old["wide"], np.full((4, 1), -2)], axis=1))
    np.testing.assert_array_equal(read(new, "m/long"), old["long"][:3])
    np.testing.assert_array_equal(read(new, "m/flat"), old["flat"].reshape(2, 3, 2))
    np.testing.assert_array_equal(read(new, "m/first"), old["both"][:5])
    np.testing.assert_array_equal(read(new, "m/second"), old["both"][5:])
    np.testing.assert_array_equal(read(new, "m/two"), np.concatenate([old["left"], np.full((3, 2), 2)], axis=1))
    np.testing.assert_array_equal(read(new, "m/three"), np.concatenate([old["top"], old["mid"], old["low"]]))
    np.testing.assert_array_equal(read(new, "m/bias"), [0, 0, 1, 1])
    for mapping in (tmp_path / "new" / "report.json", tmp_path / "table.yaml"):
        found = diff(source, new, mapping=mapping)
        fates = {record.name.removesuffix("/.ATTRIBUTES/VARIABLE_VALUE"): record.fate.value for record in found.records}
        assert {name for name, fate in fates.items() if fate not in ("equal", "expected")} <= {"m/bias"}
        assert sum(fate == "equal" for fate in fates.values()) >= 8


WORDS = """\
variables:
  - {from: words, to: m/words, ops: [{vocabulary: {axis: 0, tokens: [old.txt, lists/new.txt]}}]}
  - {from: wide, to: m/wide, ops: [{vocabulary: {axis: 1, tokens: [old.txt, lists/new.txt]}}]}
"""


@pytest.mark.parametrize("budget", [1, 24, 1000])
def test_tokens_go_where_the_new_vocabulary_has_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, budget: int
) -> None:
    monkeypatch.setattr(computing, "BUDGET", budget)
    old = {"words": values((4, 3)), "wide": values((2, 4), 100)}
    source = write_tf1(tmp_path / "old" / "model.ckpt", old)
    (tmp_path / "table.yaml").write_text(WORDS)
    (tmp_path / "old.txt").write_text("[PAD]\nthe\ncat\n##s\n")
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "new.txt").write_bytes(b"[PAD]\t0\r\nthe\t-1.5\r\ndog\t-2\r\nhen\t-2e-5\r\n##s\t-3\r\n")
    objects = {
        name: ObjectValue(name, DType.FLOAT32, shape, [np.full(shape, fill, np.float32).tobytes()])
        for name, shape, fill in [("m/words", (5, 3), -1), ("m/wide", (2, 5), -2)]
    }
    write_object_checkpoint(tmp_path / "zoo" / "ckpt-0", "", objects)
    report = ckptmap.convert(
        source, to=tmp_path / "zoo" / "ckpt-0", table=tmp_path / "table.yaml", output=tmp_path / "new"
    )
    assert report["summary"]["partly restored"] == 2
    new = tmp_path / "new" / "ckpt-0"
    wanted = np.full((5, 3), -1, np.float32)
    wanted[[0, 1, 4]] = old["words"][[0, 1, 3]]
    np.testing.assert_array_equal(read(new, "m/words"), wanted)
    wanted = np.full((2, 5), -2, np.float32)
    wanted[:, [0, 1, 4]] = old["wide"][:, [0, 1, 3]]
    np.testing.assert_array_equal(read(new, "m/wide"), wanted)
    ckptmap.convert_back(new, back=tmp_path / "new" / "report.json", output=tmp_path / "back")
    with ckptmap.open_checkpoint(tmp_path / "back" / "model.ckpt") as checkpoint:  # as long as they are now
        assert {name: one.shape for name, one in checkpoint.inventory.variables.items()} == {
            "words": (5, 3),
            "wide": (2, 5),
        }


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"a\nb\nc\n", b"a\nb\na\n", 'new.txt has "a" in lines 1 and 3'),
        (b"a\nb\n", b"x\ny\n", "old.txt and new.txt have no token in common"),
        (b"a\n\xff\n", b"a\n", "old.txt is not UTF-8 text"),
        (b"a\n", None, "new.txt cannot be read"),
        (b"a\nb\n", b"a\n", "has 3 rows, the old vocabulary 2"),
    ],
)
def test_vocabularies_that_cannot_be_are_refused(tmp_path: Path, old: bytes, new: bytes | None, message: str) -> None:
    source = write_tf1(tmp_path / "old" / "model.ckpt", {"w": values((3, 2))})
    text = "variables: [{from: w, to: m/k, ops: [{vocabulary: {axis: 0, tokens: [old.txt, new.txt]}}]}]"
    (tmp_path / "t.yaml").write_text(text)
    (tmp_path / "old.txt").write_bytes(old)
    if new is not None:
        (tmp_path / "new.txt").write_bytes(new)
    template = write_template(tmp_path / "zoo", {"m/k": (1, 2)})
    with pytest.raises((TableError, PlanError), match=message):
        ckptmap.convert(source, to=template, table=tmp_path / "t.yaml", output=tmp_path / "new")


@pytest.mark.parametrize("budget", [1, 100, 10**6])
def test_an_axis_grows_by_the_initializer_s_values_in_pieces_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, budget: int
) -> None:
    monkeypatch.setattr(computing, "BUDGET", budget)
    old = values((5, 3))
    normal = Initializer("truncated_normal", {"stddev": 1.0})
    variable = TargetVariable("k", "k", DType.FLOAT32, (9, 3), initializer=normal)
    record = TargetRecord(variable, TargetFate.PARTLY, ("w",), (Grow(0, 5, 9),), fill=Fill.INITIALIZER)
    with ckptmap.open_checkpoint(write_tf1(tmp_path / "old" / "model.ckpt", {"w": old})) as checkpoint:
        made = np.frombuffer(b"".join(computing.computed(record, checkpoint, None, 3)), np.float32).reshape(9, 3)
    np.testing.assert_array_equal(made, np.concatenate([old, initial_value(variable, 3)[5:]]))


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ("{from: w, to: m/k, ops: [{pad: {axis: 0}}]}", "the source has 5 values, the target 4 (resize cuts"),
        ("{from: w, to: m/k, ops: [{reshape: target}]}", "a variable of shape [5, 3] cannot have the target's [4, 3]"),
        (
            "{from: w, to: m/k, ops: [{reshape: target}, {squeeze: [0]}]}",
            "squeeze [0] behind reshape target does not show",
        ),
        ("{from: w, to: [m/k, m/l], ops: [{split: {axis: 0}}]}", "axis 0 of shape [5, 3] has 5 values, not 6"),
    ],
)
def test_a_length_of_the_target_that_does_not_fit_is_told(tmp_path: Path, rules: str, message: str) -> None:
    source = write_tf1(tmp_path / "old" / "model.ckpt", {"w": values((5, 3))})
    (tmp_path / "table.yaml").write_text(f"variables:\n  - {rules}\n")
    template = write_template(tmp_path / "zoo", {"m/k": (4, 3), "m/l": (2, 3)})
    with pytest.raises(PlanError) as error:
        ckptmap.plan(source, to=template, table=tmp_path / "table.yaml")
    assert message in str(error.value)


def test_init_numbers_that_do_not_fill_the_last_axis_are_told(tmp_path: Path) -> None:
    source = write_tf1(tmp_path / "old" / "model.ckpt", {"w": values((4, 3))})
    (tmp_path / "table.yaml").write_text(
        "variables: [{from: w, to: m/k}]\ninit: [{match: m/l, value: [1, 2], reason: x}]\n"
    )
    template = write_template(tmp_path / "zoo", {"m/k": (4, 3), "m/l": (2, 3)})
    with pytest.raises(PlanError, match=r"m/l has shape \[2, 3\]: 2 numbers cannot fill its last axis"):
        ckptmap.plan(source, to=template, table=tmp_path / "table.yaml")


def test_a_damaged_source_is_found_by_pieces_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(computing, "BUDGET", 8)
    source = write_tf1(tmp_path / "old" / "model.ckpt", {"turned": values((6, 5)), "same": values((2,))})
    data = Path(data_path(str(source), 0, 1))
    data.write_bytes(b"\xff" + data.read_bytes()[1:])
    (tmp_path / "table.yaml").write_text(LARGE_TABLE)
    template = write_template(tmp_path / "zoo", {"m/turned": (5, 6), "m/same": (2,), "m/fresh": (2,)})
    with pytest.raises(ckptmap.CkptmapError, match="checksum of turned is wrong"):
        ckptmap.convert(source, to=template, table=tmp_path / "table.yaml", output=tmp_path / "new")


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("inner", [3, 3000])
def test_rows_of_a_stored_value(tmp_path: Path, axis: int, inner: int) -> None:
    value = values((4, 5, inner))
    with ckptmap.open_checkpoint(write_tf1(tmp_path / "old" / "m", {"before": values((7,)), "v": value})) as checkpoint:
        np.testing.assert_array_equal(checkpoint.rows("v", axis, 1, 3), value.take([1, 2], axis=axis))


def test_large_fresh_values_are_reproducible_whatever_their_shape() -> None:
    normal = Initializer("truncated_normal", {"stddev": 1.0})
    whole = initial_value(TargetVariable("k", "k", DType.FLOAT32, (3, 700_000), initializer=normal))
    start = initial_value(TargetVariable("k", "k", DType.FLOAT32, (1 << 20,), initializer=normal))
    assert whole.shape == (3, 700_000)
    np.testing.assert_array_equal(whole.reshape(-1)[: 1 << 20], start)
    assert float(np.abs(whole).max()) <= 2
    assert not np.array_equal(whole.reshape(-1)[1 << 20 : (1 << 20) + 100], start[:100])


def crc_of_zeros(size: int) -> int:
    crc = 0
    for start in range(0, size, 1 << 20):
        crc = crc32c(bytes(min(1 << 20, size - start)), crc)
    return crc


def write_sparse(folder: Path, tensors: dict[str, tuple[int, ...]]) -> Path:
    """A checkpoint of zeros that takes no room on the disk."""
    folder.mkdir()
    entries, offset = {}, 0
    for name, shape in tensors.items():
        size = 4 * int(np.prod(shape))
        entries[name.encode()] = Entry(DType.FLOAT32.number, shape, 0, offset, size, crc_of_zeros(size))
        offset += size
    with (folder / "model.ckpt.index").open("wb") as handle:
        table = TableWriter(handle.write)
        table.add(HEADER_KEY, format_header(1))
        for key, entry in sorted(entries.items()):
            table.add(key, format_entry(entry))
        table.finish()
    with (folder / "model.ckpt.data-00000-of-00001").open("wb") as handle:
        handle.truncate(offset)
    return folder / "model.ckpt"


MEASURED = """
import json, sys
import ckptmap
from tests.memory import peak_bytes
source, template, table, output, data = sys.argv[1:]
report = ckptmap.convert(source, to=template, table=table, output=output, data=data, verify_data=True)
print(json.dumps([report["output"]["bytes"], peak_bytes()]))
"""


def measure(arguments: Sequence[object]) -> tuple[int, float]:
    """Bytes written, and the peak memory of the whole process in MB."""
    command = [sys.executable, "-c", MEASURED, *map(str, arguments)]
    paths = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=paths)
    size, peak = json.loads(done.stdout)
    return size, peak / 1e6


@pytest.mark.skipif(os.name == "nt", reason="needs sparse files and a peak of memory")
@pytest.mark.parametrize("mode", [pytest.param("copy", marks=pytest.mark.slow), "link"])
def test_the_peak_of_memory_does_not_follow_the_size(tmp_path: Path, mode: str) -> None:
    joined = {f"part_{number}": (20_000_000, 2) for number in range(3)}
    source = write_sparse(tmp_path / "old", {"turned": (6000, 10_000), "same": (50_000_000,), **joined})
    shapes = {
        "m/turned": (10_000, 6000), "m/same": (50_000_000,), "m/fresh": (50_000_000,), "m/joined": (60_000_000, 2),
    }  # fmt: skip
    template = write_large_template(tmp_path / "zoo", shapes)
    (tmp_path / "table.yaml").write_text(LARGE_TABLE)
    size, peak = measure([source, template, tmp_path / "table.yaml", tmp_path / "new", mode])
    assert size == 4 * (60_000_000 + 100_000_000 + 120_000_000) + 8
    assert peak < 150


def write_large_template(folder: Path, large: dict[str, tuple[int, ...]]) -> Path:
    """A small checkpoint with larger shapes: their values are zeros that take no room on the disk, all in one place."""
    prefix = write_template(folder, dict.fromkeys(large, (1,)))
    shapes = {f"{name}/.ATTRIBUTES/VARIABLE_VALUE": shape for name, shape in large.items()}
    with ckptmap.open_checkpoint(prefix) as checkpoint:
        found = checkpoint.inventory.variables
    data = Path(data_path(str(prefix), 0, 1))
    offset = data.stat().st_size
    os.truncate(data, offset + max(4 * int(np.prod(shape)) for shape in large.values()))
    with Path(f"{prefix}.index").open("wb") as handle:
        table = TableWriter(handle.write)
        table.add(HEADER_KEY, format_header(1))
        for name, variable in sorted(found.items()):
            span = variable.span
            assert span is not None
            shape = shapes.get(name, variable.shape)
            if name in shapes:
                size = 4 * int(np.prod(shape))
                entry = Entry(variable.dtype.number, shape, 0, offset, size, crc_of_zeros(size))
            else:
                entry = Entry(variable.dtype.number, shape, 0, span.offset, span.size, span.crc32c)
            table.add(name.encode(), format_entry(entry))
        table.finish()
    return prefix
