"""Settings chosen by names: decided, assumed, given, excluded."""

from __future__ import annotations

import time

import pytest

from ckptmap.checkpoint.dtypes import DType
from ckptmap.targets.choose import Assumption, Setting, choose, holds
from ckptmap.targets.variables import SpecVariable, Value


def variable(name: str, **when: list[Value]) -> SpecVariable:
    return SpecVariable(f"path/{name}", name, DType.FLOAT32, (), when={key: tuple(v) for key, v in when.items()})


DROPOUT = Setting("use_dropout", (False, True), False)
LAYERS = Setting("num_layers", (1, 2, 3), 3)
DEPTHWISE = Setting("use_depthwise", (False, True), False)
SETTINGS = (DROPOUT, LAYERS, DEPTHWISE)
VARIABLES = (
    variable("always"),
    variable("map_2", num_layers=[2, 3], use_depthwise=[False]),
    variable("map_2_dw", num_layers=[2, 3], use_depthwise=[True]),
    variable("map_2_pw", num_layers=[2, 3], use_depthwise=[True]),
    variable("map_3", num_layers=[3]),
    variable("head", use_dropout=[False]),
    variable("head_behind_dropout", use_dropout=[True]),
)
BY_NAME = {one.name: one for one in VARIABLES}
# no name tells dropout: both heads are called the same in a source
HEADS = ("head", "head_behind_dropout")


def chosen(*names: str, given: dict[str, Value] | None = None, excluded=()):
    return choose(SETTINGS, VARIABLES, [BY_NAME[name] for name in names], given or {}, excluded)


def test_holds() -> None:
    assert holds({}, {"a": 1})
    assert holds({"a": (1, 2)}, {"a": 1})
    assert not holds({"a": (1, 2), "b": (True,)}, {"a": 1, "b": False})


@pytest.mark.parametrize(
    ("names", "settings"),
    [
        (("always", "map_2", "map_3", *HEADS), {"num_layers": 3, "use_depthwise": False}),
        (("always", "map_2_dw", "map_2_pw", *HEADS), {"num_layers": 2, "use_depthwise": True}),
        (("always", *HEADS), {"num_layers": 1, "use_depthwise": False}),
    ],
)
def test_names_decide(names: tuple[str, ...], settings: dict[str, Value]) -> None:
    assert chosen(*names).settings == {"use_dropout": False, **settings}


def test_what_names_leave_open_is_assumed_and_said() -> None:
    choice = chosen("always", "map_2", "map_3", *HEADS)
    assert choice.decided_by_names == ("num_layers", "use_depthwise")
    assert choice.assumed == (
        Assumption("use_dropout", False, "no name shows it; give it with settings={'use_dropout': true}"),
    )
    assert (
        str(choice.assumed[0])
        == "assumed use_dropout=false (no name shows it; give it with settings={'use_dropout': true})"
    )
    assert [one.name for one in choice.variables] == ["always", "map_2", "map_3", "head"]


def test_what_changes_nothing_is_not_assumed() -> None:
    choice = chosen("always", *HEADS)
    assert choice.decided_by_names == ("num_layers",)
    assert [one.setting for one in choice.assumed] == ["use_dropout"]  # one layer has no depthwise layers either way


def test_two_ways_to_the_same_variable_are_not_assumed() -> None:
    one = variable("bn", override=[False])
    two = variable("bn", override=[True], norm=["all"])
    settings = (Setting("override", (False, True), False), Setting("norm", ("all", "none"), "all"))
    assert choose(settings, (one, two), (one, two), {"norm": "all"}).assumed == ()


def test_given_is_kept_even_against_names() -> None:
    choice = chosen("always", "map_2", "map_3", *HEADS, given={"use_dropout": True, "num_layers": 2})
    assert choice.settings == {"use_dropout": True, "num_layers": 2, "use_depthwise": False}
    assert choice.decided_by_names == ("use_depthwise",)
    assert choice.assumed == ()


def test_excluded_combinations_are_not_chosen() -> None:
    excluded = ({"use_depthwise": (True,), "num_layers": (2,)},)
    assert chosen("always", "map_2_dw", "map_2_pw", *HEADS, excluded=excluded).settings["num_layers"] == 3


def test_choosing_is_fast() -> None:
    """The budget of a plan: under 50 ms for 100 combinations of 350 variables (four times that for a busy machine)."""
    settings = tuple(Setting(f"s{at}", (False, True), False) for at in range(7))
    variables = [variable(f"v{at}", **{f"s{at % 7}": [bool(at % 2)], f"s{(at + 1) % 7}": [True]}) for at in range(350)]
    start = time.process_time()
    choose(settings, variables, variables[::2], {})
    assert time.process_time() - start < 0.2
