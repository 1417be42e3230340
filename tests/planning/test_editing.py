"""What an edit makes of names, shapes and dtypes: literal ledgers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ckptmap.basics.errors import PlanError
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.inventory import Inventory, Kind, Variable
from ckptmap.mapping import load_table
from ckptmap.planning.editing import Edit, Rename, plan_edit
from ckptmap.planning.ledger import Form, Plan

F32, I64 = DType.FLOAT32, DType.INT64


def inventory(*names: str, **shaped: tuple[int, ...]) -> Inventory:
    """Variables of one shape and float32, but for ``global_step``."""
    known = {name: Variable(name, F32, shaped.get(name, (2, 3)), 24) for name in sorted(names)}
    if "global_step" in known:
        known["global_step"] = Variable("global_step", I64, (), 8)
    return Inventory(Kind.V2, "old/model.ckpt", known)


TRAINED = inventory(
    "global_step",
    "net/w",
    "net/w/Momentum",
    "net/w/ExponentialMovingAverage",
    "net/w_slot_v",
    "head/w",
    "training/Adam/head/w/m",
)


def names(plan: Plan) -> dict[str, str]:
    """The new name of each variable that stays, by its old one."""
    return {record.sources[0]: record.variable.name for record in plan.targets}


def fates(plan: Plan) -> dict[str, tuple[str, str]]:
    return {record.name: (record.fate.value, record.reason) for record in plan.sources if record.fate.value != "mapped"}


def table(folder: Path, text: str):
    path = folder / "t.yaml"
    path.write_text(text)
    return load_table(path)


def test_without_rules_everything_stays():
    plan = plan_edit(TRAINED, Edit())
    assert plan.form is Form.NAMES
    assert names(plan) == {name: name for name in TRAINED.variables}
    assert (fates(plan), plan.findings) == ({}, ())


def test_slots_and_averages_go_where_their_variable_goes():
    plan = plan_edit(TRAINED, Edit(renames=[Rename("net", "body/net"), Rename("head/w", "top/kernel")]))
    assert names(plan) == {
        "global_step": "global_step",
        "net/w": "body/net/w",
        "net/w/Momentum": "body/net/w/Momentum",
        "net/w/ExponentialMovingAverage": "body/net/w/ExponentialMovingAverage",
        "net/w_slot_v": "body/net/w_slot_v",
        "head/w": "top/kernel",
        "training/Adam/head/w/m": "training/Adam/top/kernel/m",
    }


def test_a_scope_goes_and_another_comes_around_all_but_bookkeeping():
    plan = plan_edit(TRAINED, Edit(renames=[Rename("net", "")], scope="teacher"))
    assert names(plan) == {
        "global_step": "global_step",
        "net/w": "teacher/w",
        "net/w/Momentum": "teacher/w/Momentum",
        "net/w/ExponentialMovingAverage": "teacher/w/ExponentialMovingAverage",
        "net/w_slot_v": "teacher/w_slot_v",
        "head/w": "teacher/head/w",
        "training/Adam/head/w/m": "training/Adam/teacher/head/w/m",
    }


def test_a_rename_is_for_whole_scopes():
    plan = plan_edit(inventory("net/w", "network/w"), Edit(renames=[Rename("net", "a")]))
    assert names(plan) == {"net/w": "a/w", "network/w": "network/w"}


def test_what_is_dropped_takes_its_slots_along():
    plan = plan_edit(TRAINED, Edit(drop=["head"]))
    assert fates(plan) == {
        "head/w": ("dropped", "chosen by head"),
        "training/Adam/head/w/m": ("dropped", "optimizer slot (m) of a variable that is dropped"),
    }


def test_weights_only():
    plan = plan_edit(TRAINED, Edit(weights_only=True))
    assert names(plan) == {"net/w": "net/w", "head/w": "head/w"}
    assert fates(plan) == {
        "global_step": ("dropped", "bookkeeping: the training step"),
        "net/w/Momentum": ("dropped", "optimizer slot (Momentum)"),
        "net/w/ExponentialMovingAverage": ("dropped", "moving average"),
        "net/w_slot_v": ("dropped", "optimizer slot (slot_v)"),
        "training/Adam/head/w/m": ("dropped", "optimizer slot (m)"),
    }


@pytest.mark.parametrize("weights_only", [False, True])
def test_averages_in_the_place_of_their_variables(weights_only):
    plan = plan_edit(TRAINED, Edit(ema=True, weights_only=weights_only, renames=[Rename("net", "n")]))
    assert names(plan)["net/w/ExponentialMovingAverage"] == "n/w"
    assert "net/w" not in names(plan)
    assert fates(plan)["net/w"] == ("superseded", "its moving average takes its place")
    assert ("net/w/Momentum" in names(plan)) is not weights_only
    assert plan.findings == ()


def test_a_cast_leaves_bookkeeping_and_whole_numbers_alone():
    source = inventory("w", "w/Momentum", "beta1_power", "global_step", beta1_power=())
    plan = plan_edit(source, Edit(cast=DType.HALF))
    assert {record.variable.name: record.variable.dtype for record in plan.targets} == {
        "w": DType.HALF,
        "w/Momentum": DType.HALF,
        "beta1_power": F32,
        "global_step": I64,
    }


def test_a_table_names_what_it_knows_and_the_rest_stays(tmp_path):
    rules = """\
variables:
  - {from: net/w, to: body/kernel, ops: [{transpose: [1, 0]}]}
drop:
  - {match: head/w, reason: "another head"}
"""
    plan = plan_edit(TRAINED, Edit(table=table(tmp_path, rules), renames=[Rename("body", "b")]))
    assert names(plan) == {
        "global_step": "global_step",
        "net/w": "b/kernel",
        "net/w/ExponentialMovingAverage": "b/kernel/ExponentialMovingAverage",
    }
    shapes = {record.variable.name: record.variable.shape for record in plan.targets}
    assert shapes["b/kernel"] == shapes["b/kernel/ExponentialMovingAverage"] == (3, 2)
    changed = "of a variable that operations change"
    assert fates(plan) == {
        "head/w": ("dropped", "another head"),
        "training/Adam/head/w/m": ("dropped", "optimizer slot (m) of a variable that is dropped"),
        "net/w/Momentum": ("dropped", f"optimizer slot (Momentum) {changed}"),
        "net/w_slot_v": ("dropped", f"optimizer slot (slot_v) {changed}"),
    }


def test_a_table_names_object_paths_and_their_counter(tmp_path):
    kernel, slot = "m/kernel/.ATTRIBUTES/VARIABLE_VALUE", "m/kernel/.OPTIMIZER_SLOT/opt/m/.ATTRIBUTES/VARIABLE_VALUE"
    step, counter = (f"{name}/.ATTRIBUTES/VARIABLE_VALUE" for name in ("step", "save_counter"))
    source = replace(inventory(kernel, slot, step, counter, "m/b/.ATTRIBUTES/VARIABLE_VALUE"), object_based=True)
    rules = f"variables:\n  - {{from: {kernel}, to: net/w}}\n  - {{from: {step}, to: global_step}}\n"
    plan = plan_edit(source, Edit(table=table(tmp_path, rules)))
    assert names(plan) == {kernel: "net/w", step: "global_step"}
    assert fates(plan) == {
        slot: ("dropped", "optimizer slot (m)"),
        counter: ("dropped", "bookkeeping: save counter"),
        "m/b/.ATTRIBUTES/VARIABLE_VALUE": ("unused", ""),
    }
    assert [one.message for one in plan.findings] == ["1 source variable that no rule gives a name"]


def test_averages_are_joined_where_their_variables_are(tmp_path):
    source = inventory("q", "k", "q/ExponentialMovingAverage", "k/ExponentialMovingAverage")
    rules = table(tmp_path, "variables:\n  - {from: [q, k], to: qk, ops: [{concat: 0}]}\n")
    plan = plan_edit(source, Edit(table=rules))
    assert {record.variable.name: record.sources for record in plan.targets} == {
        "qk": ("q", "k"),
        "qk/ExponentialMovingAverage": ("q/ExponentialMovingAverage", "k/ExponentialMovingAverage"),
    }
    plan = plan_edit(source, Edit(table=rules, ema=True))
    assert {record.variable.name: record.sources for record in plan.targets} == {
        "qk": ("q/ExponentialMovingAverage", "k/ExponentialMovingAverage"),
    }


def test_two_sources_of_one_name_are_refused():
    with pytest.raises(PlanError) as refused:
        plan_edit(inventory("a/w", "b/w"), Edit(renames=[Rename("a", "b")]))
    assert [str(one) for one in refused.value.problems] == [
        "a/w and b/w both become b/w (drop one of them, or give it another name)"
    ]


@pytest.mark.parametrize("rename", [Rename("w", ""), Rename("w", "_CHECKPOINTABLE_OBJECT_GRAPH")])
@pytest.mark.parametrize("scope", ["", "scope"])
def test_names_that_no_variable_can_have(rename, scope):
    scope = scope if not rename.new else ""
    with pytest.raises(PlanError, match="no variable can have"):
        plan_edit(inventory("w"), Edit(renames=[rename], scope=scope))


def test_a_rule_that_needs_a_template_is_refused_with_its_line(tmp_path):
    rules = table(
        tmp_path,
        "variables:\n  - {from: w, to: v, ops: [{reshape: target}]}\n"
        "init:\n  - {match: b, value: zeros, reason: new}\n",
    )
    with pytest.raises(PlanError) as refused:
        plan_edit(inventory("w"), Edit(table=rules))
    assert [(one.message, one.where.rpartition("/")[2]) for one in refused.value.problems] == [
        ("init b: an edit cannot make a variable without a source", "t.yaml:4"),
        ("v takes a length from the target, but an edit has no target", "t.yaml:2"),
    ]


def test_a_rule_that_needs_what_is_dropped_is_refused(tmp_path):
    rules = table(tmp_path, "variables:\n  - {from: [q, k], to: qk, ops: [{concat: 0}]}\n")
    with pytest.raises(PlanError, match="qk needs k, which is dropped"):
        plan_edit(inventory("q", "k"), Edit(table=rules, drop=["k"]))


def test_what_chooses_nothing_is_a_finding():
    plan = plan_edit(
        inventory("net/w"), Edit(drop=["nets/*"], renames=[Rename("nte", "a"), Rename("net", "b")], ema=True)
    )
    assert [(one.message, one.where, one.hint) for one in plan.findings] == [
        ("chooses no variable to drop", "nets/*", 'nearest: "net"'),
        ("renames no variable", "nte=a", 'nearest: "net"'),
        ("holds no moving averages", "old/model.ckpt", "edit it without them"),
    ]


def test_a_rename_that_another_one_always_comes_before_is_a_finding():
    plan = plan_edit(inventory("net/w"), Edit(renames=[Rename("net", "a"), Rename("net/w", "b")]))
    assert [one.where for one in plan.findings] == ["net/w=b"]


def test_nothing_left_is_a_finding():
    assert [one.message for one in plan_edit(inventory("w"), Edit(drop=["**"])).findings] == [
        "no variable is left of it"
    ]
