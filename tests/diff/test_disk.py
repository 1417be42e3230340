from pathlib import Path

import numpy as np
import pytest

from ckptmap.checkpoint.reader import open_checkpoint
from ckptmap.diff.disk import same_on_disk
from tests.convert.conftest import write_tf1

LONG = np.random.default_rng(0).standard_normal(300_000).astype(np.float32)


def same(a: Path, b: Path) -> set[str]:
    with open_checkpoint(a) as one, open_checkpoint(b) as other:
        inventories = one.inventory, other.inventory
    pairs = [(name, variable, inventories[1].variables[name]) for name, variable in inventories[0].variables.items()]
    return set(same_on_disk(*inventories, pairs))


@pytest.fixture
def a(tmp_path: Path) -> Path:
    return write_tf1(tmp_path / "a" / "m", {"long": LONG, "short": LONG[:3], "none": LONG[:0]})


def flipped(prefix: Path, at: int) -> None:
    data = Path(f"{prefix}.data-00000-of-00001")
    raw = bytearray(data.read_bytes())
    raw[at] ^= 1
    data.write_bytes(raw)


def test_equal_bytes_are_seen_wherever_they_lie(a: Path, tmp_path: Path) -> None:
    b = write_tf1(tmp_path / "b" / "m", {"a_first": LONG[:7], "long": LONG, "short": LONG[:3], "none": LONG[:0]})
    assert same(a, b) == {"long", "short", "none"}


def test_a_byte_that_differs_is_seen(a: Path, tmp_path: Path) -> None:
    b = write_tf1(tmp_path / "b" / "m", {"long": LONG, "short": LONG[:3], "none": LONG[:0]})
    flipped(b, 4 * 299_999)
    assert same(a, b) == {"short", "none"}


def test_the_same_damage_on_both_sides_is_seen(a: Path, tmp_path: Path) -> None:
    b = write_tf1(tmp_path / "b" / "m", {"long": LONG, "short": LONG[:3], "none": LONG[:0]})
    for prefix in (a, b):
        flipped(prefix, 4 * 200_000)
    assert same(a, b) == {"short", "none"}


def test_a_missing_or_short_file_proves_nothing(a: Path, tmp_path: Path) -> None:
    b = write_tf1(tmp_path / "b" / "m", {"long": LONG, "short": LONG[:3], "none": LONG[:0]})
    data = Path(f"{b}.data-00000-of-00001")
    data.write_bytes(data.read_bytes()[:1000])
    assert "long" not in same(a, b)
    data.unlink()
    assert same(a, b) == set()
