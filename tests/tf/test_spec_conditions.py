"""Under which settings a variable exists, and which builds would make it sure."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckptmap.targets.choose import Setting, Settings, holds
from ckptmap.tf.specs.conditions import conditions, open_regions, rows_for
from ckptmap.tf.specs.inference import InferenceError, Presence

A, B, C = Setting("a", (False, True), False), Setting("b", (1, 2, 3), 1), Setting("c", ("x", "y"), "x")
ALL = [{"a": a, "b": b} for a in (False, True) for b in (1, 2, 3)]


def met(settings: tuple[Setting, ...], rows: list[Settings], exists) -> Presence:
    return Presence(settings, tuple(r for r in rows if exists(r)), tuple(r for r in rows if not exists(r)))


@pytest.mark.parametrize(
    ("present", "wanted"),
    [
        ([(a, b) for a in (False, True) for b in (1, 2, 3)], [{}]),
        ([(True, 1), (True, 2), (True, 3)], [{"a": (True,)}]),
        ([(False, 2), (False, 3), (True, 2), (True, 3)], [{"b": (2, 3)}]),
        ([(True, 2), (True, 3)], [{"a": (True,), "b": (2, 3)}]),
        ([(True, 1), (True, 2), (True, 3), (False, 3)], [{"a": (False,), "b": (3,)}, {"a": (True,)}]),
        ([], []),
    ],
)
def test_conditions(present: list[tuple[bool, int]], wanted: list[dict[str, tuple[object, ...]]]) -> None:
    assert conditions(met((A, B), ALL, lambda row: (row["a"], row["b"]) in present)) == wanted


def test_conditions_that_other_settings_decide_are_refused() -> None:
    with pytest.raises(InferenceError, match="say what touches what"):
        conditions(Presence((A,), ({"a": True, "b": 1},), ({"a": True, "b": 2},)))


def test_what_was_met_everywhere_leaves_nothing_open() -> None:
    assert list(open_regions(met((A, B), ALL, lambda row: row["a"]))) == []


def test_what_another_condition_accounts_for_is_not_open() -> None:
    assert list(open_regions(met((A, B), ALL, lambda row: row["a"] or row["b"] == 3))) == []


def test_values_never_met_are_open() -> None:
    presence = Presence((A, B), ({"a": True, "b": 1},), ({"a": False, "b": 1},))
    assert conditions(presence) == [{"a": (True,)}]
    assert list(open_regions(presence)) == [{"a": (True,), "b": (2,)}, {"a": (True,), "b": (3,)}]


def test_a_value_is_out_only_where_all_else_fits() -> None:
    presence = Presence((A, B), ({"a": True, "b": 2},), ({"a": False, "b": 3}, {"a": True, "b": 1}))
    assert conditions(presence) == [{"b": (2,)}]
    assert list(open_regions(presence)) == [{"b": (2,), "a": (False,)}]


def test_one_row_for_many_regions() -> None:
    regions = [{"a": (True,)}, {"b": (2, 3)}, {"a": (True,), "b": (3,)}, {"c": ("y",)}, {"a": (False,), "b": (2,)}]
    rows = list(rows_for(regions, (A, B, C), lambda _: True))
    assert rows == [{"a": True, "b": 3, "c": "y"}, {"a": False, "b": 2, "c": "x"}]


def test_rows_that_cannot_be_built_are_left_out() -> None:
    rows = list(rows_for([{"a": (True,)}, {"b": (2,)}], (A, B), lambda row: not (row["a"] and row["b"] < 3)))
    assert rows == [{"a": True, "b": 3}, {"a": False, "b": 2}]
    assert list(rows_for([{"a": (True,)}], (A, B), lambda row: not row["a"])) == []


SETTINGS = (A, B, C)
EVERY = [dict(zip("abc", values, strict=True)) for values in itertools.product(*(s.values for s in SETTINGS))]
subsets = st.fixed_dictionaries(
    {}, optional={s.name: st.lists(st.sampled_from(s.values), min_size=1, unique=True).map(tuple) for s in SETTINGS}
)


@given(subsets, st.integers(0, len(EVERY) - 1))
def test_asking_until_nothing_is_open_finds_every_conjunction(when: dict[str, tuple[object, ...]], start: int) -> None:
    rows: list[Settings] = [EVERY[start]]
    for _ in range(len(EVERY)):
        presence = met(SETTINGS, rows, lambda row: holds(when, row))
        asked = list(rows_for(open_regions(presence), SETTINGS, lambda _: True))
        if not asked:
            break
        rows += asked
    if any(holds(when, row) for row in rows):
        found = conditions(met(SETTINGS, rows, lambda row: holds(when, row)))
        assert [row for row in EVERY if any(holds(one, row) for one in found)] == [
            row for row in EVERY if holds(when, row)
        ]
