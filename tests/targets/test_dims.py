"""Dimensions in unknowns: parsing, values, solving for one unknown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckptmap.targets.dims import Dim, Factor, parse_dim

HEAD = Dim(1, (Factor("anchors_0"), Factor("num_classes", 1)))


@pytest.mark.parametrize(
    ("text", "dim"),
    [
        (32, Dim(32)),
        ("32", Dim(32)),
        ("width_32", Dim(1, (Factor("width_32"),))),
        ("6*width_16", Dim(6, (Factor("width_16"),))),
        ("2*3*w", Dim(6, (Factor("w"),))),
        ("anchors_0*(num_classes+1)", HEAD),
        ("anchors_0 * (num_classes + 1)", HEAD),
    ],
)
def test_parse(text: int | str, dim: Dim) -> None:
    assert parse_dim(text) == dim


@pytest.mark.parametrize("text", ["", "-1", "a+1", "(a+1", "a**b", "A", "a/2", "1.5"])
def test_parse_refuses(text: str) -> None:
    with pytest.raises(ValueError, match="is not a dimension"):
        parse_dim(text)


@pytest.mark.parametrize("text", ["32", "width_32", "6*width_16", "anchors_0*(num_classes+1)"])
def test_text_reads_back(text: str) -> None:
    assert str(parse_dim(text)) == text


def test_value() -> None:
    assert HEAD.value({"anchors_0": 3, "num_classes": 90}) == 273
    assert HEAD.value({"anchors_0": 3}) is None
    assert Dim(32).value({}) == 32


def test_open_factors() -> None:
    assert HEAD.open_factors({"anchors_0": 3}) == (Factor("num_classes", 1),)
    assert HEAD.unknowns == ("anchors_0", "num_classes")


def test_solved_for() -> None:
    assert HEAD.solved_for(Factor("num_classes", 1), 273, {"anchors_0": 3}) == 90
    assert HEAD.solved_for(Factor("num_classes", 1), 274, {"anchors_0": 3}) is None
    assert HEAD.solved_for(Factor("num_classes", 1), 3, {"anchors_0": 3}) is None  # no class would be left


@given(coefficient=st.integers(1, 50), plus=st.integers(0, 3), value=st.integers(1, 5000), other=st.integers(1, 99))
def test_solving_undoes_the_product(coefficient: int, plus: int, value: int, other: int) -> None:
    factor = Factor("a", plus)
    dim = Dim(coefficient, (factor, Factor("b")))
    total = dim.value({"a": value, "b": other})
    assert total == coefficient * (value + plus) * other
    assert dim.solved_for(factor, total, {"b": other}) == value
