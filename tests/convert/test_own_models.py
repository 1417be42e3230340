"""Models of people's own, as they were tried: each case with what is right for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import ckptmap
from ckptmap.basics.errors import PlanError, TargetError
from ckptmap.mapping import apply_table, load_table
from ckptmap.planning.ledger import Fill, Plan

CASES = Path(__file__).resolve().parents[2].parent / "shared" / "cases" / "models"

pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="the cases that people met (../shared/cases) are not here")


def test_layer_rules_that_end_in_auto_placeholders_map_each_variable_once():
    table = load_table(CASES / "L34_layers_auto" / "t.yaml")
    result = apply_table(table, ["b/gamma", "conv2d/kernel", "conv2d/bias"])
    assert {one.sources: one.target for one in result.assignments} == {
        (name,): name for name in ("b/gamma", "conv2d/kernel", "conv2d/bias")
    }
    assert result.problems == ()


def values_of(prefix: Path) -> dict[str, np.ndarray]:
    """The weights of a TF2 checkpoint by their readable names, of a TF1 checkpoint by theirs."""
    with ckptmap.open_checkpoint(prefix) as checkpoint:
        names = checkpoint.saved_names()
        shown = dict(names.full_names) if names else {name: name for name in checkpoint.inventory.variables}
        return {name: checkpoint.read(key) for key, name in shown.items() if "save_counter" not in key}


def fills(plan: Plan) -> dict[str, tuple[str, str]]:
    return {r.variable.name: (r.fate.value, r.explained) for r in plan.targets if r.fill is not None}


def test_the_encoder_of_one_checkpoint_and_the_decoder_of_another(tmp_path):
    case = CASES / "L28"
    encoder, decoder = values_of(case / "enc"), values_of(case / "dec")
    table = tmp_path / "t.yaml"
    table.write_text((case / "t.yaml").read_text())
    first = ckptmap.convert(case / "enc", to=case / "tf2", table=table, output=tmp_path / "one", init_missing=True)
    assert first["summary"]["missing"] == 2
    ckptmap.convert(case / "dec", to=tmp_path / "one", table=table, output=tmp_path / "both", init_missing=True)
    made = values_of(tmp_path / "both" / "ckpt-0")
    np.testing.assert_equal(
        made,
        {
            "encoder/kernel": encoder["encoder/w"],
            "encoder/bias": encoder["encoder/b"],
            "decoder/kernel": decoder["decoder/w"],
            "decoder/bias": decoder["decoder/b"],
        },
    )


def test_a_new_class_head_and_a_new_layer_keep_the_values_of_the_template(tmp_path):
    case = CASES / "L36"
    plan = ckptmap.plan(case / "tf1", to=case / "tf2", table=case / "t.yaml", num_classes=4)
    head = "class head: the target has another class count; the template's value"
    assert fills(plan) == {
        "net/logits/kernel": ("reinitialized", head),
        "net/logits/bias": ("reinitialized", head),
        "net/new_proj/kernel": ("reinitialized", "new layer; the template's value"),
    }
    ckptmap.convert(case / "tf1", to=case / "tf2", table=case / "t.yaml", output=tmp_path / "new", num_classes=4)
    made, template, old = values_of(tmp_path / "new"), values_of(case / "tf2"), values_of(case / "tf1")
    for name in ("net/logits/kernel", "net/logits/bias", "net/new_proj/kernel"):
        np.testing.assert_array_equal(made[name], template[name])
    np.testing.assert_array_equal(made["net/body/kernel"], old["body/w"])


def test_a_template_without_its_data_is_refused_only_where_its_values_are_needed(tmp_path):
    case, bare = CASES / "L36", tmp_path / "bare"
    bare.mkdir()
    (bare / "ckpt.index").write_bytes((case / "tf2" / "ckpt.index").read_bytes())
    table = tmp_path / "t.yaml"  # by object paths: readable names are in the data file
    rest = "init: [{match: '{x}', value: VALUE, reason: new, where: {x: k/2|k/3|k/4}}]\n"
    rules = "variables: [{from: body/w, to: k/0}, {from: body/b, to: k/1}]\n"
    drop = "drop: [{match: 'logits/{x}', reason: another head, where: {x: w|b}}]\n"
    table.write_text(rules + drop + rest.replace("VALUE", "initializer"))
    with pytest.raises(PlanError, match="such as k/2, would keep the template's value") as error:
        ckptmap.plan(case / "tf1", to=bare, table=table)
    assert error.value.problems[0].where.endswith("ckpt.data-00000-of-00001")
    table.write_text(rules + drop + rest.replace("VALUE", "0.5"))
    plan = ckptmap.plan(case / "tf1", to=bare, table=table)
    assert [record.fill for record in plan.targets] == [None, None, Fill.RULE, Fill.RULE, Fill.RULE]
    report = ckptmap.convert(case / "tf1", to=bare, table=table, output=tmp_path / "new")
    assert report["output"]["verified"] == 6


def test_a_table_that_drops_most_of_a_checkpoint_converts_the_rest():
    case = CASES / "L12"
    plan = ckptmap.plan(case / "tf1", to=case / "tf2", table=case / "t.yaml")
    assert (plan.summary["restored"], plan.summary["missing"], plan.findings) == (197, 0, ())


def test_a_table_that_drops_slots_of_an_unknown_optimizer_converts_the_weights():
    case = CASES / "L15"
    plan = ckptmap.plan(case / "tf1", to=case / "tf2", table=case / "t2.yaml")
    assert (plan.summary["restored"], plan.summary["missing"], plan.findings) == (31, 0, ())


def test_two_layers_of_one_readable_name_are_told_apart_by_object_paths():
    case = CASES / "L32"
    with pytest.raises(PlanError) as error:
        ckptmap.plan(case / "tf1", to=case / "k2", table=case / "t2.yaml")
    assert "blocks/0/a/bias (net/block/fc/bias), blocks/0/b/bias (net/block/fc/bias)" in str(error.value)
    assert {problem.hint for problem in error.value.problems} == {"use the object path"}
    plan = ckptmap.plan(case / "tf1", to=case / "k2", table=case / "t.yaml")
    assert (plan.summary["restored"], plan.summary["missing"], plan.findings) == (8, 0, ())
    with pytest.raises(TargetError, match="Keras 3 saves no layers that a subclassed model holds in a list"):
        ckptmap.plan(case / "tf1", to=case / "k3", table=case / "t.yaml")


CUDNN = "cudnn_gru/rnn/multi_rnn_cell/cell_0/cudnn_compatible_gru_cell"
GRU_BY_NESTED_JOINS = """
variables:
  - from:
      - C/gates/kernel
      - from: [C/candidate/input_projection/kernel, C/candidate/hidden_projection/kernel]
        ops: [{concat: 0}]
    to: [gru/gru_cell/kernel, gru/gru_cell/recurrent_kernel]
    ops: [{concat: 1}, {reorder: {axis: 1, order: [1, 0, 2]}}, {split: {axis: 0}}]
  - from:
      - {from: [C/gates/bias, C/candidate/input_projection/bias], ops: [{concat: 0}]}
      - {from: [{from: C/gates/bias, ops: [{fill: 0}]}, C/candidate/hidden_projection/bias], ops: [{concat: 0}]}
    to: gru/gru_cell/bias
    ops: [{stack: 0}, {reorder: {axis: 1, order: [1, 0, 2]}}]
""".replace("C/", f"{CUDNN}/")
GRU_BY_SHARED_SOURCES = """
variables:
  - from: [C/gates/kernel, C/candidate/input_projection/kernel]
    to: gru/gru_cell/kernel
    shared: true
    ops: [OWN, {concat: 1}, {reorder: {axis: 1, order: [1, 0, 2]}}]
  - from: [{from: C/gates/kernel, ops: [{slice: {axis: 0, start: 5}}]}, C/candidate/hidden_projection/kernel]
    to: gru/gru_cell/recurrent_kernel
    shared: true
    ops: [{concat: 1}, {reorder: {axis: 1, order: [1, 0, 2]}}]
  - from:
      - {from: [C/gates/bias, C/candidate/input_projection/bias], ops: [{concat: 0}]}
      - {from: C/candidate/hidden_projection/bias, ops: [{pad: {axis: 0, before: 8, value: 0}}]}
    to: gru/gru_cell/bias
    ops: [{stack: 0}, {reorder: {axis: 1, order: [1, 0, 2]}}]
""".replace("C/", f"{CUDNN}/").replace("OWN", "{slice: {axis: 0, stop: 5}}")


@pytest.mark.parametrize("rules", [GRU_BY_NESTED_JOINS, GRU_BY_SHARED_SOURCES], ids=["nested", "shared"])
def test_a_canonical_cudnn_gru_becomes_the_gru_of_keras(tmp_path, rules):
    case, table = CASES / "L04", tmp_path / "t.yaml"
    table.write_text(rules)
    report = ckptmap.convert(case / "tf1", to=case / "tf2", table=table, output=tmp_path / "new")
    assert (report["findings"], report["summary"]["restored"], report["summary"]["unused"]) == ([], 3, 0)
    with np.load(case / "vals.npz") as held:
        old = {name.removeprefix(f"{CUDNN}/"): held[name] for name in held.files}
    gates, candidate = old["gates/kernel"], "candidate/{}_projection/{}"

    def swapped(value):
        return np.concatenate([value[..., 4:], value[..., :4]], -1)

    bias = np.concatenate([swapped(old["gates/bias"]), old[candidate.format("input", "bias")]])
    hidden_bias = np.concatenate([np.zeros(8, np.float32), old[candidate.format("hidden", "bias")]])
    np.testing.assert_equal(
        values_of(tmp_path / "new"),
        {
            "gru/gru_cell/kernel": np.hstack([swapped(gates[:5]), old[candidate.format("input", "kernel")]]),
            "gru/gru_cell/recurrent_kernel": np.hstack([swapped(gates[5:]), old[candidate.format("hidden", "kernel")]]),
            "gru/gru_cell/bias": np.stack([bias, hidden_bias]),
        },
    )


def test_a_vocabulary_that_has_grown_keeps_its_rows_and_the_new_ones_of_the_template(tmp_path):
    case, table = CASES / "L10", tmp_path / "t.yaml"
    text = (case / "t.yaml").read_text()
    assert text.count("ops: [{concat: 0}]") == 1
    table.write_text(text.replace("ops: [{concat: 0}]", "ops: [{concat: 0}, {pad: {axis: 0}}]"))
    report = ckptmap.convert(case / "tf1", to=case / "tf2_32", table=table, output=tmp_path / "new")
    (grown,) = (one for one in report["target_variables"] if one["fate"] == "partly restored")
    assert grown["reason"] == "30 of 32 along axis 0 carried over; the others have the template's value"
    with np.load(case / "vals.npz") as held:
        rows = [held[f"transformer|symbol_modality_30_4|shared|weights_{number}"] for number in range(16)]
    name = "shared_embedding/embeddings"
    made, template = values_of(tmp_path / "new")[name], values_of(case / "tf2_32")[name]
    np.testing.assert_array_equal(made, np.concatenate([*rows, template[30:]]))
    same = ckptmap.plan(case / "tf1", to=case / "tf2", table=table)
    assert (same.summary["restored"], same.summary["partly restored"]) == (2, 0)
