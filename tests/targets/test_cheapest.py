"""The cheapest combination, against trying all."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from ckptmap.targets.cheapest import Combination, CostTable, cheapest

AXES = {"a": (False, True), "b": (1, 2, 3), "c": ("x", "y"), "d": (False, True)}
DEFAULTS = {"a": False, "b": 3, "c": "x", "d": False}


def test_settings_in_no_table_keep_their_defaults() -> None:
    assert cheapest({"a": (False, True)}, [], {"a": False}) == Combination(
        0, {"a": False}, {"a": frozenset({False, True})}, 1
    )


def test_tables_are_summed() -> None:
    one = CostTable(("a",), {(False,): 1, (True,): 0})
    two = CostTable(("a", "b"), {(a, b): 5 * a + b for a in (False, True) for b in (1, 2, 3)})
    fit = cheapest({"a": (False, True), "b": (1, 2, 3)}, [one, two], DEFAULTS)
    assert (fit.cost, fit.chosen) == (2, {"a": False, "b": 1})
    assert fit.tied == {"a": frozenset({False}), "b": frozenset({1})}


def test_given() -> None:
    table = CostTable(("a", "b"), {(False, 1): 1, (False, 2): 2, (True, 1): 3, (True, 2): 4})
    assert table.given("a", True) == CostTable(("b",), {(1,): 3, (2,): 4})
    assert table.given("c", "x") is table


@st.composite
def tables(draw: st.DrawFn) -> CostTable:
    scope = tuple(sorted(draw(st.sets(st.sampled_from(sorted(AXES)), max_size=3))))
    combinations = list(itertools.product(*(AXES[name] for name in scope)))
    return CostTable(scope, {values: draw(st.integers(-3, 3)) for values in combinations})


@given(st.lists(tables(), max_size=6))
def test_as_good_as_trying_all(tables: list[CostTable]) -> None:
    combinations = [dict(zip(AXES, values, strict=True)) for values in itertools.product(*AXES.values())]
    costs = [sum(t.costs[tuple(one[name] for name in t.scope)] for t in tables) for one in combinations]
    best = [one for one, cost in zip(combinations, costs, strict=True) if cost == min(costs)]
    fit = cheapest(AXES, tables, DEFAULTS)
    assert fit.cost == min(costs)
    assert fit.chosen in best
    assert fit.tied == {name: frozenset(one[name] for one in best) for name in AXES}
    assert fit.defaults == max(sum(one[name] == DEFAULTS[name] for name in AXES) for one in best)
