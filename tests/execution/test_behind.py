"""What is read back while more is written: only what is there and right is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import ckptmap
from ckptmap.basics.errors import CheckpointError
from ckptmap.checkpoint.crc import crc32c
from ckptmap.checkpoint.inventory import Span
from ckptmap.execution import behind
from ckptmap.execution.behind import Behind
from tests.convert.conftest import TABLE, tf1_values, write_template, write_tf1


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads are woken for every value, however small."""
    monkeypatch.setattr(behind, "_ENOUGH", 1)


def test_what_is_right_is_told(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_bytes(b"onetwothree")
    one, two, three = (
        Span(0, 0, 3, crc32c(b"one")), Span(0, 3, 3, crc32c(b"twi")), Span(0, 6, 5, crc32c(b"three"))
    )  # fmt: skip
    with Behind(path) as checks:
        for span in (one, two, three):
            checks.wrote(span)
        assert checks.end() == {one, three}


def test_bytes_that_are_not_there_yet_are_not_told(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_bytes(b"on")
    with Behind(path) as checks:
        checks.wrote(Span(0, 0, 3, crc32c(b"one")))
        checks.wrote(Span(0, 9, 3, crc32c(b"one")))
        assert checks.end() == frozenset()


def test_a_value_longer_than_a_block(tmp_path: Path) -> None:
    raw = np.random.default_rng(3).bytes(700_001)
    (tmp_path / "data").write_bytes(b"x" + raw)
    with Behind(tmp_path / "data") as checks:
        checks.wrote(Span(0, 1, len(raw), crc32c(raw)))
        assert checks.end() == {Span(0, 1, len(raw), crc32c(raw))}


def test_no_file_is_no_news(tmp_path: Path) -> None:
    with Behind(tmp_path / "data") as checks:
        checks.wrote(Span(0, 0, 3, crc32c(b"one")))
        assert checks.end() == frozenset()


def test_few_bytes_start_no_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(behind, "_ENOUGH", 4)
    (tmp_path / "data").write_bytes(b"one")
    with Behind(tmp_path / "data") as checks:
        checks.wrote(Span(0, 0, 3, crc32c(b"one")))
        assert checks.end() == frozenset()


def converted(folder: Path) -> dict[str, object]:
    (folder / "t.yaml").write_text(TABLE)
    return ckptmap.convert(
        folder / "old" / "model.ckpt",
        to=write_template(folder / "zoo" / "ckpt-0"),
        table=folder / "t.yaml",
        output=folder / "new",
        data="copy",
    )


def test_a_conversion_counts_what_was_read_behind_it(tmp_path: Path) -> None:
    write_tf1(tmp_path / "old" / "model.ckpt", tf1_values())
    report = converted(tmp_path)
    output = report["output"]
    assert isinstance(output, dict)
    assert (output["verified"], output["kept"]) == (len(report["target_variables"]) + 1, 0)  # type: ignore[arg-type]


def test_a_damaged_source_is_found(tmp_path: Path) -> None:
    write_tf1(tmp_path / "old" / "model.ckpt", tf1_values())
    data = tmp_path / "old" / "model.ckpt.data-00000-of-00001"
    raw = bytearray(data.read_bytes())
    for at in range(len(raw)):
        raw[at] ^= 1
    data.write_bytes(raw)
    with pytest.raises(CheckpointError, match="checksum"):
        converted(tmp_path)
    assert not (tmp_path / "new").exists()
