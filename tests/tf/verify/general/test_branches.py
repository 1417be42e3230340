"""Conditions and loops on both sides: they run, the right pair agrees, and a fault is named at its layer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ckptmap.tf.environment import TensorFlowError, import_quietly, prepare
from ckptmap.tf.verify.general.engine import Asked, compare_models
from ckptmap.tf.verify.general.model_verification import Verdict
from ckptmap.tf.verify.general.source import find_source
from ckptmap.tf.verify.general.tf1_models import open_graph
from ckptmap.tf.verify.general.tf2_models import open_model
from tests.tf.verify.general import branches

try:
    prepare()
except TensorFlowError as error:
    pytest.skip(str(error), allow_module_level=True)

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")  # of TensorFlow itself

FORMS = ("frozen.pb", "exported", "model.ckpt")
RUNS = {
    "condition": ("first", "left", "last"),
    "nested": ("left", "again"),
    "loop": ("again", "last"),
    "both": ("last",),
}
QUICK = {
    ("condition", True, "frozen.pb", "left"),
    ("condition", False, "frozen.pb", "left"),
    ("loop", True, "exported", "again"),
}
Pair = Callable[[str, bool, str, str], Any]


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """A net of TF1, written with functions or without, against that of TF2 with the bias of one layer zeroed."""
    saved: dict[tuple[object, ...], Path] = {}
    held = branches.values()
    tf = import_quietly("tensorflow")

    def run(net: str, newer: bool, form: str, fault: str) -> Any:
        if (net, newer) not in saved:
            saved[net, newer] = tmp_path_factory.mktemp("old")
            branches.save_old(net, held, saved[net, newer], newer=newer)
        if (net, fault) not in saved:
            saved[net, fault] = tmp_path_factory.mktemp("new")
            wrong = {f"{fault}/bias": np.zeros(branches.WIDTH, np.float32)} if fault else {}
            branches.save_new(net, held | wrong, saved[net, fault])
        before, after = find_source(saved[net, newer] / form, "old"), find_source(saved[net, fault], "new")
        return compare_models((before, after), (open_graph(tf, before), open_model(tf, after)), Asked())

    return run


def rows(faults: dict[str, tuple[str, ...]]) -> list[Any]:
    found = [
        (net, newer, form, fault)
        for net, some in faults.items()
        for fault in some
        for newer in (True, False)
        for form in FORMS
    ]
    return [pytest.param(*one, marks=() if one in QUICK else pytest.mark.matrix) for one in found]


@pytest.mark.parametrize(("net", "newer", "form", "fault"), rows(RUNS))
def test_a_fault_in_and_around_them_is_named(compared: Pair, net: str, newer: bool, form: str, fault: str) -> None:
    found = compared(net, newer, form, fault)
    assert (found.verdict, found.unexplained) == (Verdict.DIFFERENT, "")
    assert found.explanation.first.layer.name == fault
    assert [(cause.name, cause.proven) for cause in found.explanation.causes] == [("zeroed bias", True)]


@pytest.mark.parametrize(
    ("net", "newer", "form"),
    [pytest.param(*one.values[:3], marks=pytest.mark.matrix) for one in rows(dict.fromkeys(RUNS, ("",)))],
)
def test_the_right_pair_agrees(compared: Pair, net: str, newer: bool, form: str) -> None:
    found = compared(net, newer, form, "")
    assert found.verdict is Verdict.EQUAL
    assert found.measures[0].spread > 0.1


@pytest.mark.parametrize("fault", ["left", pytest.param("right", marks=pytest.mark.matrix)])
def test_a_fault_in_a_loop_with_a_condition_is_named_by_the_variable(compared: Pair, fault: str) -> None:
    """The two layers of the condition are one in the walk: inside a loop nothing can be fetched."""
    found = compared("both", True, "frozen.pb", fault).explanation
    assert found.first.layer.name == "left/kernel + left/bias"
    assert [(cause.name, cause.proven) for cause in found.causes] == [("zeroed bias", True)]
    assert f"{fault}/bias" in found.causes[0].text


def test_a_fault_in_the_branch_that_is_not_taken_does_not_show(compared: Pair) -> None:
    assert compared("condition", True, "frozen.pb", "right").verdict is Verdict.EQUAL
