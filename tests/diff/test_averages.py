"""A moving average is compared with the raw value of a side that has no averages."""

from pathlib import Path

import numpy as np

from ckptmap.diff import Diff, diff
from tests.convert.conftest import write_tf1

EMA = "/ExponentialMovingAverage"


def values(first: float) -> np.ndarray:
    return np.arange(first, first + 6, dtype=np.float32).reshape(2, 3)


RAW = {"net/a": values(0), "net/b": values(10)}
AVERAGES = {"net/a": values(100), "net/b": values(200)}
TRAINED = {**RAW, **{f"{name}{EMA}": value for name, value in AVERAGES.items()}}


def compared(tmp_path: Path, a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> Diff:
    return diff(write_tf1(tmp_path / "a" / "m", a), write_tf1(tmp_path / "b" / "m", b))


def lines(found: Diff) -> list[tuple[str, str, str]]:
    return sorted((one.name, one.fate.value, one.reason) for one in found.records)


def test_an_export_holds_the_averages_under_the_raw_names(tmp_path: Path) -> None:
    found = compared(tmp_path, TRAINED, AVERAGES)
    assert found.equal
    assert found.notes == ("2 moving averages of a compared with the raw values of b, which has no averages",)
    said = "moving average in a, raw value in b"
    assert lines(found) == [
        ("net/a", "expected", "its moving average is compared"),
        (f"net/a{EMA}", "equal", said),
        ("net/b", "expected", "its moving average is compared"),
        (f"net/b{EMA}", "equal", said),
    ]


def test_it_is_the_same_from_the_other_side(tmp_path: Path) -> None:
    found = compared(tmp_path, {**AVERAGES, "net/b": values(201)}, TRAINED)
    assert not found.equal
    said = "raw value in a, moving average in b"
    assert [(one.name, one.fate.value, one.reason, one.sources) for one in found.records[:1]] == [
        (f"net/b{EMA}", "changed", said, ("net/b",)),
    ]
    assert found.notes == ("2 moving averages of b compared with the raw values of a, which has no averages",)


def test_raw_values_that_are_the_same_are_compared_with_each_other(tmp_path: Path) -> None:
    found = compared(tmp_path, TRAINED, RAW)
    assert lines(found) == [
        ("net/a", "equal", ""),
        (f"net/a{EMA}", "only_in_a", ""),
        ("net/b", "equal", ""),
        (f"net/b{EMA}", "only_in_a", ""),
    ]
    assert found.notes == ()


def test_averages_on_both_sides_are_compared_by_name(tmp_path: Path) -> None:
    found = compared(tmp_path, TRAINED, {**TRAINED, "net/a": values(1)})
    assert {one.name: one.fate.value for one in found.records} == {
        "net/a": "changed", f"net/a{EMA}": "equal", "net/b": "equal", f"net/b{EMA}": "equal",
    }  # fmt: skip


def test_an_average_of_another_shape_is_no_pair(tmp_path: Path) -> None:
    found = compared(tmp_path, {"w": values(0), f"w{EMA}": values(1)}, {"w": np.zeros(6, np.float32)})
    assert {one.name: one.fate.value for one in found.records} == {"w": "shape", f"w{EMA}": "only_in_a"}
