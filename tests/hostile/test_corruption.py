"""Bytes of index and data flipped, cut off, put in, swapped and zeroed: an error, or what the whole file gives.

The places are drawn with a seed. Of each damaged checkpoint every value is read, and the checkpoint is converted.
"""

from __future__ import annotations

import random
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import ckptmap
from ckptmap.basics.errors import CheckpointError, CkptmapError
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.object_writer import ObjectValue, write_object_checkpoint
from ckptmap.checkpoint.ordered_code import FULL
from ckptmap.checkpoint.reader import open_checkpoint
from ckptmap.checkpoint.staging import Staging
from ckptmap.checkpoint.values import encode
from ckptmap.checkpoint.writer import BundleWriter
from tests.checkpoint.test_frozen import GRAPH
from tests.checkpoint.test_v1 import TENSORFLOW_FILE
from tests.convert.conftest import TABLE, tf1_values, write_template, write_tf1

MB = 1 << 20
SECONDS = 5
Values = dict[str, bytes]


def flip(raw: bytearray, rng: random.Random) -> None:
    raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)


def truncate(raw: bytearray, rng: random.Random) -> None:
    del raw[rng.randrange(len(raw)) :]


def extend(raw: bytearray, rng: random.Random) -> None:
    place = rng.choice((len(raw), rng.randrange(len(raw))))
    raw[place:place] = rng.randbytes(rng.randint(1, 64))


def swap(raw: bytearray, rng: random.Random) -> None:
    length = rng.randint(1, 16)
    one, two = sorted(rng.sample(range(len(raw)), 2))
    raw[one : one + length], raw[two : two + length] = raw[two : two + length], raw[one : one + length]


def zero(raw: bytearray, rng: random.Random) -> None:
    place, length = rng.randrange(len(raw)), rng.randint(1, 32)
    raw[place : place + length] = bytes(len(raw[place : place + length]))


DAMAGES: tuple[Callable[[bytearray, random.Random], None], ...] = (flip, truncate, extend, swap, zero)


def write_v2(folder: Path) -> Path:
    """Numbers, strings, a scalar, an empty tensor, a partitioned variable."""
    floats = np.arange(60, dtype=np.float32).reshape(3, 20)
    strings = np.array([b"abc", b"", b"\xff" * 200], object)
    with Staging(folder) as staging:
        with BundleWriter(staging, "m") as writer:
            writer.add("conv/weights", DType.FLOAT32, (3, 20), [encode(DType.FLOAT32, floats)])
            writer.add("empty", DType.INT32, (0, 4), [])
            for start, length in ((0, 1), (1, 2)):
                part = encode(DType.FLOAT32, floats[start : start + length])
                writer.add_part("parts", DType.FLOAT32, (3, 20), ((start, length), (0, FULL)), [part])
            writer.add("step", DType.INT64, (), [encode(DType.INT64, np.array(7))])
            writer.add("words", DType.STRING, (3,), [encode(DType.STRING, strings)])
            writer.finish()
        staging.commit()
    return folder / "m"


def write_objects(folder: Path) -> Path:
    value = ObjectValue("conv/kernel", DType.FLOAT32, (4,), [bytes(16)])
    write_object_checkpoint(folder / "m", "model", {"conv/kernel": value})
    return folder / "m"


def write_v1(folder: Path) -> Path:
    folder.mkdir()
    (folder / "m").write_bytes(TENSORFLOW_FILE)
    return folder / "m"


def write_graph(folder: Path) -> Path:
    folder.mkdir()
    (folder / "m.pb").write_bytes(GRAPH)
    return folder / "m.pb"


def files_of(output: Path) -> Values:
    """The index, which holds the checksum of each value, and the data, with the object graph."""
    return {path.name: path.read_bytes() for path in output.glob("ckpt-0.*")}


WRITERS = {"v2": write_v2, "objects": write_objects, "v1": write_v1}


def read_all(path: Path) -> Values:
    with open_checkpoint(path) as checkpoint:
        names = checkpoint.inventory.variables
        found = {name: encode(names[name].dtype, checkpoint.read(name)) for name in names}
        assert found == {name: b"".join(checkpoint.chunks(name, 7)) for name in names}
        checkpoint.object_graph()
        return found


def read_or_refuse(path: Path) -> Values | None:
    """The values; None where they are refused."""
    tracemalloc.start()
    start = time.perf_counter()
    try:
        return read_all(path)
    except CheckpointError:
        return None
    finally:
        assert time.perf_counter() - start < SECONDS
        assert tracemalloc.get_traced_memory()[1] < 16 * MB
        tracemalloc.stop()


def damaged_reads(prefix: Path, rounds: int) -> tuple[int, int]:
    """How many damaged checkpoints were refused, and how many gave all values as they were saved."""
    whole = read_all(prefix)
    files = sorted(path for path in prefix.parent.iterdir() if path.name.startswith("m"))
    rng = random.Random(f"{prefix.parent.name} {rounds}")
    results = []
    for _ in range(rounds):
        path = rng.choice(files)
        raw = bytearray(original := path.read_bytes())
        rng.choice(DAMAGES)(raw, rng)
        path.write_bytes(raw)
        results.append(read_or_refuse(prefix))
        path.write_bytes(original)
    assert all(found in (None, whole) for found in results)
    return results.count(None), len(results) - results.count(None)


@pytest.mark.parametrize("rounds", [150, pytest.param(4000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", WRITERS)
def test_damage_is_found_or_without_meaning(tmp_path: Path, kind: str, rounds: int) -> None:
    refused, same = damaged_reads(WRITERS[kind](tmp_path / kind), rounds)
    print(f"{kind}: {rounds} places, {refused} refused, {same} without meaning")  # noqa: T201
    assert refused > rounds // 2


@pytest.mark.parametrize("rounds", [150, pytest.param(4000, marks=pytest.mark.slow)])
def test_a_frozen_graph_has_no_checksums_but_breaks_no_reader(tmp_path: Path, rounds: int) -> None:
    """Protobuf protects nothing: damage that leaves a graph gives its values. Never a traceback, a hang or a flood."""
    path = write_graph(tmp_path / "graph")
    rng = random.Random(rounds)
    for _ in range(rounds):
        raw = bytearray(GRAPH)
        rng.choice(DAMAGES)(raw, rng)
        path.write_bytes(raw)
        read_or_refuse(path)


@pytest.mark.parametrize("rounds", [60, pytest.param(1000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("damaged", ["source", "template"])
def test_what_is_converted_from_damage_is_refused_or_right(tmp_path: Path, damaged: str, rounds: int) -> None:
    source = write_tf1(tmp_path / "old" / "model.ckpt", tf1_values())
    template = write_template(tmp_path / "zoo" / "ckpt-0")
    table = tmp_path / "table.yaml"
    table.write_text(TABLE)
    folder = {"source": source, "template": template}[damaged].parent
    files = sorted(path for path in folder.iterdir() if path.name != "checkpoint")
    ckptmap.convert(source, to=template, table=table, output=tmp_path / "right", data="copy")
    right = files_of(tmp_path / "right")
    rng = random.Random(f"{damaged} {rounds}")
    refused = 0
    for number in range(rounds):
        path = rng.choice(files)
        raw = bytearray(original := path.read_bytes())
        rng.choice(DAMAGES)(raw, rng)
        path.write_bytes(raw)
        output = tmp_path / f"new-{number}"
        try:
            report = ckptmap.convert(source, to=template, table=table, output=output, data="copy")
        except CkptmapError:
            refused += 1
            assert not output.exists()
        else:
            assert report["findings"] or files_of(output) == right
        path.write_bytes(original)
    assert refused > rounds // 4
