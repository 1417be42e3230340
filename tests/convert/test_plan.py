import math
import shlex
from pathlib import Path

import numpy as np
import pytest

import ckptmap
from ckptmap.basics.errors import PlanError, TargetError
from ckptmap.basics.wording import command_line
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.inventory import Inventory, Kind, Variable
from ckptmap.checkpoint.object_writer import ObjectValue, write_object_checkpoint
from ckptmap.mapping import load_table
from ckptmap.mapping.ops_classes import Classes
from ckptmap.mapping.patterns import Placeholder, Type, parse_pattern
from ckptmap.mapping.rule_ref import RuleRef
from ckptmap.mapping.table import DropRule, Table
from ckptmap.planning.ledger import Plan
from ckptmap.planning.name_matching import match
from tests.convert.conftest import TABLE, tf1_values, values, write_template, write_tf1


def fates(plan: Plan) -> dict[str, str]:
    return {record.variable.name: record.fate.value for record in plan.targets}


def source_fates(plan: Plan) -> dict[str, tuple[str, str]]:
    return {record.name: (record.fate.value, record.reason) for record in plan.sources}


def test_every_variable_has_one_fate(source: Path, template: Path, table: Path) -> None:
    plan = ckptmap.plan(source, to=template, table=table)
    assert plan.summary == {
        "restored": 6, "partly restored": 0, "reinitialized": 0, "missing": 0,
        "mapped": 6, "superseded": 0, "dropped": 1, "unused": 0,
    }  # fmt: skip
    assert source_fates(plan)["global_step"] == ("dropped", "bookkeeping")
    assert plan.findings == ()
    kernel = next(record for record in plan.targets if record.variable.name == "Conv1/kernel")
    assert (kernel.variable.key, kernel.sources, kernel.rule) == (
        "backbone/layer-0/kernel",
        ("net/conv/weights",),
        f"{table}:5",
    )


def test_another_class_count_reinitializes_the_class_head_only(source: Path, tmp_path: Path, table: Path) -> None:
    template = write_template(tmp_path / "zoo3" / "ckpt-0", classes=3)
    plan = ckptmap.plan(source, to=template, table=table, num_classes=2)
    assert [name for name, fate in fates(plan).items() if fate == "reinitialized"] == [
        "Head/ClassPredictor/bias",
        "Head/ClassPredictor/kernel",
    ]
    reason = "class head: the target has another class count"
    assert source_fates(plan)["head/ClassPredictor/biases"] == ("dropped", reason)
    assert plan.findings == ()


def test_a_class_count_that_no_rule_can_use_is_an_error(source: Path, template: Path, table: Path) -> None:
    table.write_text(TABLE.replace(", per_class: {axis: -1}", ""))
    assert ckptmap.plan(source, to=template, table=table).findings == ()
    with pytest.raises(TargetError, match="the argument num_classes has no effect: no rule marks a class head"):
        ckptmap.plan(source, to=template, table=table, num_classes=7)


def test_a_class_count_that_neither_side_has_is_an_error(source: Path, template: Path, table: Path) -> None:
    assert ckptmap.plan(source, to=template, table=table, num_classes=3).findings == ()
    with pytest.raises(PlanError, match=r"has the length 4, which does not fit 7 classes and the background"):
        ckptmap.plan(source, to=template, table=table, num_classes=7)


def test_another_class_count_that_nobody_asked_for_is_a_finding(source: Path, tmp_path: Path, table: Path) -> None:
    template = write_template(tmp_path / "zoo3" / "ckpt-0", classes=3)
    plan = ckptmap.plan(source, to=template, table=table)
    assert [str(finding) for finding in plan.findings] == [
        (
            "Head/ClassPredictor/bias: head/ClassPredictor/biases has shape [4], the target [3]: other classes, and 1 "
            "variable like it (accept with num_classes=N, the new count; label_maps=(OLD, NEW) carries classes over)"
        )
    ]
    with pytest.raises(PlanError, match=r"has the length 3, which does not fit 3 classes and the background"):
        ckptmap.plan(source, to=template, table=table, num_classes=3)


def test_another_shape_elsewhere_is_an_error(template: Path, tmp_path: Path, table: Path) -> None:
    tensors = {**tf1_values(), "net/conv/BatchNorm/beta": values((9,))}
    with pytest.raises(PlanError, match="bn_Conv1/beta") as error:
        ckptmap.plan(write_tf1(tmp_path / "odd" / "model.ckpt", tensors), to=template, table=table)
    assert len(error.value.problems) == 1


def test_names_that_do_not_agree_are_said_without_a_table(tmp_path: Path) -> None:
    kept = {"Conv1/kernel": values((1, 1, 3, 8))}
    source = write_tf1(tmp_path / "odd" / "model.ckpt", {**kept, "other/scale": values((2,))})
    plan = ckptmap.plan(source, to=write_template(tmp_path / "zoo" / "ckpt-0"), init_missing=True)
    assert [str(finding) for finding in plan.findings] == [
        (
            "other/scale: 1 source variable that the target does not have by this name "
            "(map or drop them in a table, which ckptmap suggest drafts, or accept with allow_unused=['other/scale'])"
        ),
    ]


def test_unused_and_missing_variables_are_findings_until_accepted(tmp_path: Path, table: Path) -> None:
    source = write_tf1(tmp_path / "odd" / "model.ckpt", {**tf1_values(), "other/scale": values((2,))})
    template = write_template(tmp_path / "zoo" / "ckpt-0", extra={"neck/kernel": ("Neck/kernel", (3,))})
    plan = ckptmap.plan(source, to=template, table=table)
    assert [str(finding) for finding in plan.findings] == [
        (
            f"other/scale: 1 source variable that no rule of {plan.table} matches "
            "(map or drop them in a table, or accept with allow_unused=['other/scale'])"
        ),
        (
            "Neck/kernel: 1 target variable that nothing in the source fills "
            "(accept with init_missing=True: it keeps the template's value)"
        ),
    ]
    accepted = ckptmap.plan(source, to=template, table=table, allow_unused=["other/*"], init_missing=True)
    assert accepted.findings == ()
    assert source_fates(accepted)["other/scale"] == ("unused", "accepted by allow_unused=['other/*']")
    assert fates(accepted)["Neck/kernel"] == "missing"


def test_a_variable_of_a_mapped_layer_that_its_kind_does_not_know_is_said_with_the_rule(
    tmp_path: Path, template: Path, table: Path
) -> None:
    source = write_tf1(tmp_path / "odd" / "model.ckpt", {**tf1_values(), "net/conv/BatchNorm/betas": values((8,))})
    (finding,) = ckptmap.plan(source, to=template, table=table).findings
    assert f"{table}:" in str(finding)
    assert 'which has no leaf "betas"; nearest: "beta"; map or drop them' in str(finding)


def test_target_only_variables_are_initialized_by_rule_and_reason(source: Path, tmp_path: Path, table: Path) -> None:
    template = write_template(tmp_path / "zoo" / "ckpt-1", extra={"extra/bias": ("Extra/bias", (8,))})
    plan = ckptmap.plan(source, to=template, table=table)
    extra = next(record for record in plan.targets if record.variable.name == "Extra/bias")
    assert (extra.fate.value, extra.reason) == ("reinitialized", "slim has no bias here; zero is exact")
    assert extra.rule == f"{table}:11"


def with_averages_and_slots() -> dict[str, np.ndarray]:
    raw = tf1_values()
    trained = [name for name in raw if name not in ("global_step", "net/conv/BatchNorm/moving_mean")]
    averages = {f"{name}/ExponentialMovingAverage": raw[name] + 1000 for name in trained}
    slots = {f"{name}/{slot}": raw[name] * 0 for name in trained for slot in ("RMSProp", "RMSProp_1")}
    return {**raw, **averages, **slots}


def test_moving_averages_win_and_slots_are_dropped(template: Path, tmp_path: Path, table: Path) -> None:
    source = write_tf1(tmp_path / "train" / "model.ckpt-7", with_averages_and_slots())
    plan = ckptmap.plan(source, to=template, table=table)
    assert plan.summary == {
        "restored": 6, "partly restored": 0, "reinitialized": 0, "missing": 0,
        "mapped": 6, "superseded": 5, "dropped": 11, "unused": 0,
    }  # fmt: skip
    found = source_fates(plan)
    assert found["net/conv/weights"] == ("superseded", "its moving average is restored")
    assert found["net/conv/weights/ExponentialMovingAverage"] == ("mapped", "")
    assert found["net/conv/BatchNorm/moving_mean"] == ("mapped", "")
    assert found["net/conv/weights/RMSProp_1"] == ("dropped", "optimizer slot (RMSProp_1)")


def test_moving_averages_can_be_ignored(template: Path, tmp_path: Path, table: Path) -> None:
    source = write_tf1(tmp_path / "train" / "model.ckpt-7", with_averages_and_slots())
    found = source_fates(ckptmap.plan(source, to=template, table=table, ema="ignore"))
    assert found["net/conv/weights"] == ("mapped", "")
    assert found["net/conv/weights/ExponentialMovingAverage"] == (
        "dropped",
        "moving average, left aside by ema='ignore'",
    )


def test_only_moving_averages_needs_one_for_every_trained_variable(template: Path, tmp_path: Path, table: Path) -> None:
    tensors = with_averages_and_slots()
    del tensors["net/conv/weights/ExponentialMovingAverage"]
    source = write_tf1(tmp_path / "train" / "model.ckpt-7", tensors)
    with pytest.raises(PlanError, match="net/conv/weights: has no moving average"):
        ckptmap.plan(source, to=template, table=table, ema="only")


def test_two_variables_for_one_target_are_an_error(source: Path, template: Path, tmp_path: Path) -> None:
    table = tmp_path / "twice.yaml"
    table.write_text(TABLE.replace("to: Head/ClassPredictor", "to: Conv1"))
    with pytest.raises(PlanError) as error:
        ckptmap.plan(source, to=template, table=table)
    assert any("both fill" in str(problem) or "two variables" in str(problem) for problem in error.value.problems)


def test_an_operation_that_its_source_does_not_fit_is_an_error(source: Path, template: Path, tmp_path: Path) -> None:
    table = tmp_path / "crossed.yaml"
    table.write_text(TABLE.replace("{weights: kernel,", "{weights: {to: kernel, ops: [{transpose: [1, 0]}]},"))
    with pytest.raises(PlanError, match=r"net/conv/weights: transpose"):
        ckptmap.plan(source, to=template, table=table)


def test_an_unknown_target_variable_names_the_nearest(source: Path, template: Path, tmp_path: Path) -> None:
    table = tmp_path / "misspelt.yaml"
    table.write_text(TABLE.replace("to: bn_Conv1", "to: bn_conv1"))
    with pytest.raises(PlanError, match="bn_Conv1/gamma"):
        ckptmap.plan(source, to=template, table=table)


def test_another_architecture_than_a_shipped_target_is_refused(tmp_path: Path) -> None:
    source = write_tf1(tmp_path / "other" / "model.ckpt", {"resnet/a": values((2,)), "resnet/b": values((2,))})
    with pytest.raises(TargetError, match="knows 0% of its weights"):
        ckptmap.plan(source, to="ssd_mobilenet_v2")


def test_a_half_written_table_of_ones_own_gives_the_ledger_with_what_is_left(
    source: Path, template: Path, tmp_path: Path
) -> None:
    table = tmp_path / "begun.yaml"
    table.write_text("variables:\n  - {from: net/conv/weights, to: Conv1/kernel}\n")
    plan = ckptmap.plan(source, to=template, table=table)
    assert plan.summary == {
        "restored": 1, "partly restored": 0, "reinitialized": 0, "missing": 5,
        "mapped": 1, "superseded": 0, "dropped": 1, "unused": 5,
    }  # fmt: skip
    assert {name for name, fate in fates(plan).items() if fate == "missing"} == {
        "bn_Conv1/beta", "bn_Conv1/gamma", "bn_Conv1/moving_mean", "Head/ClassPredictor/bias",
        "Head/ClassPredictor/kernel",
    }  # fmt: skip
    assert len(plan.findings) == 2
    table.write_text("layers: []\n")
    assert ckptmap.plan(source, to=template, table=table).summary["missing"] == 6


@pytest.mark.parametrize(
    ("names", "advice"),
    [
        (["a/x", "a/y"], "--allow-unused a"),
        (["a/x", "b c/y"], "--allow-unused a --allow-unused 'b c'"),
        (["a/x", "b/y", "c/z", "d/w"], "--allow-unused '**'"),
    ],
)
def test_the_advice_accepts_all_that_is_unused(
    template: Path, tmp_path: Path, table: Path, names: list[str], advice: str
) -> None:
    tensors = {**tf1_values(), **{name: values((2,)) for name in names}}
    with command_line():
        plan = ckptmap.plan(write_tf1(tmp_path / "odd" / "model.ckpt", tensors), to=template, table=table)
    assert plan.findings[0].hint == f"map or drop them in a table, or accept with {advice}"


def test_dropped_weights_are_known_to_a_table(source: Path) -> None:
    pattern = parse_pattern("net/{x}", {"x": Placeholder("x", Type.PATH)})
    table = Table("t", "t.yaml", "", (DropRule(pattern, "old", False, RuleRef("t.yaml", 1)),), ())
    with ckptmap.open_checkpoint(source) as checkpoint:
        assert match(checkpoint.inventory, table).likeness == pytest.approx(4 / 6)


def test_a_tf2_checkpoint_is_no_source_for_a_shipped_table(template: Path) -> None:
    with pytest.raises(TargetError, match="is a TF2 checkpoint already"):
        ckptmap.plan(template, to="ssd_mobilenet_v2")


def label_maps(folder: Path, old: str, new: str) -> tuple[Path, Path]:
    """Two label map files of the classes that the words name, numbered from 1."""
    paths = folder / "old.pbtxt", folder / "new.pbtxt"
    for path, words in zip(paths, (old, new), strict=True):
        path.write_text("\n".join(f"item {{ id: {at} name: '{word}' }}" for at, word in enumerate(words.split(), 1)))
    return paths


def test_label_maps_carry_the_shared_classes_over(source: Path, tmp_path: Path, table: Path) -> None:
    """Background and three classes become background and two: one of them is known."""
    target = write_template(tmp_path / "zoo3" / "ckpt-0", classes=3)
    maps = label_maps(tmp_path, "cat dog cow", "horse cat")
    plan = ckptmap.plan(source, to=target, table=table, label_maps=maps)
    assert plan.summary == {
        "restored": 4, "partly restored": 2, "reinitialized": 0, "missing": 0,
        "mapped": 6, "superseded": 0, "dropped": 1, "unused": 0,
    }  # fmt: skip
    kernel = next(record for record in plan.targets if record.variable.name == "Head/ClassPredictor/kernel")
    assert kernel.explained == "class head: 1 of 2 classes carried over; the others have the template's value"
    assert kernel.ops == (Classes(-1, 1, 4, (0, -1, 1)),)


def test_label_maps_that_share_nothing_reinitialize_the_class_head(source: Path, tmp_path: Path, table: Path) -> None:
    target = write_template(tmp_path / "zoo3" / "ckpt-0", classes=3)
    plan = ckptmap.plan(source, to=target, table=table, label_maps=label_maps(tmp_path, "cat dog cow", "horse owl"))
    kernel = next(record for record in plan.targets if record.variable.name == "Head/ClassPredictor/kernel")
    assert (kernel.fate.value, kernel.reason) == (
        "reinitialized",
        "class head: no class of the new label map is in the old one",
    )


def test_a_label_map_with_more_classes_than_the_source_is_an_error(source: Path, tmp_path: Path, table: Path) -> None:
    target = write_template(tmp_path / "zoo3" / "ckpt-0", classes=3)
    maps = label_maps(tmp_path, "a b c d e f", "a b")
    with pytest.raises(PlanError, match="class axis goes from 4 to 3, which does not fit a change from 6 to"):
        ckptmap.plan(source, to=target, table=table, label_maps=maps)


@pytest.mark.parametrize("name", ["x'; touch pwned; '", "$(id)", "a b/c", "-o", "plain/name"])
def test_a_shell_reads_the_name_in_advice_as_one_word(tmp_path: Path, template: Path, table: Path, name: str) -> None:
    source = write_tf1(tmp_path / "odd" / "model.ckpt", {**tf1_values(), name: values((2,))})
    with command_line():
        (finding,) = ckptmap.plan(source, to=template, table=table).findings
    assert shlex.split(finding.hint[finding.hint.index("--allow-unused") :]) == ["--allow-unused", name]


KEY = "model/backbone/layer-0/kernel/.ATTRIBUTES/VARIABLE_VALUE"
PRINTED = ["Conv1/kernel", "backbone/layer-0/kernel", "model/backbone/layer-0/kernel", KEY]


@pytest.mark.parametrize("name", PRINTED)
def test_a_target_is_named_in_any_way_that_inspect_prints_it(
    source: Path, template: Path, tmp_path: Path, name: str
) -> None:
    table = tmp_path / "mine.yaml"
    other = TABLE.replace("  - {from: net/conv, to: Conv1, as: conv}\n", "")
    table.write_text(f"{other}variables:\n  - {{from: net/conv/weights, to: {name}}}\n")
    plan = ckptmap.plan(source, to=template, table=table)
    assert plan.findings == ()
    assert fates(plan)["Conv1/kernel"] == "restored"


@pytest.mark.parametrize("name", PRINTED)
def test_an_init_names_a_target_in_any_way_that_inspect_prints_it(tmp_path: Path, template: Path, name: str) -> None:
    source = write_tf1(tmp_path / "odd" / "model.ckpt", {k: v for k, v in tf1_values().items() if "weights" not in k})
    table = tmp_path / "mine.yaml"
    table.write_text(
        TABLE.replace("weights: kernel", "weights?: kernel")
        .replace("Extra/bias", name)
        .replace("  - {from: net/conv, to: Conv1, as: conv}\n", "")
    )
    plan = ckptmap.plan(source, to=template, table=table, init_missing=True)
    assert fates(plan)["Conv1/kernel"] == "reinitialized"


def test_a_name_with_another_root_is_no_name_of_the_target(source: Path, template: Path, tmp_path: Path) -> None:
    table = tmp_path / "mine.yaml"
    table.write_text(TABLE.replace("to: Conv1,", "to: other/backbone/layer-0,"))
    with pytest.raises(PlanError, match="the target has no variable 'other/backbone/layer-0/kernel'"):
        ckptmap.plan(source, to=template, table=table)


T5 = """\
where: {i: int, q: q|k|v|o, s: encoder|decoder, w: wi|wo, l: layer_001|layer_002}
variables:
  - {from: shared/embedding, to: shared/embeddings}
  - {from: "{s}/block_{i}/layer_000/SelfAttention/{q}", to: "{s}/block_{i}/attn/{q}/kernel"}
  - {from: "{s}/block_{i}/layer_000/layer_norm/scale", to: "{s}/block_{i}/ln/weight"}
  - from: "{s}/block_{i}/layer_000/SelfAttention/relative_attention_bias"
    to: "{s}/block_{i}/attn/relative_attention_bias/embeddings"
    ops: [{transpose: [1, 0]}]
  - {from: "{s}/block_{i}/{l}/DenseReluDense/{w}/kernel", to: "{s}/block_{i}/{w}/kernel"}
"""


def test_mesh_tensorflow_numbers_layers_with_zeros_and_keeps_factored_slots(tmp_path: Path) -> None:
    case = Path(__file__).parents[3] / "shared" / "cases" / "models" / "L15"
    if not case.is_dir():
        pytest.skip("the cases that went wrong are not on this machine")
    table = tmp_path / "t5.yaml"
    table.write_text(T5)
    plan = ckptmap.plan(case / "tf1", to=case / "tf2", table=table)
    assert plan.findings == ()
    assert (plan.summary["restored"], plan.summary["missing"], plan.summary["unused"]) == (31, 0, 0)
    slots = [record for record in plan.sources if record.reason.startswith("optimizer slot (slot_v")]
    assert len(slots) == 56


def test_a_rule_may_drop_slots_with_a_reason_of_its_own(source: Path, template: Path, tmp_path: Path) -> None:
    slots = {f"net/conv/weights/{name}": values((1, 1, 3, 8)) for name in ("Adam", "Adam_1")}
    odd = write_tf1(tmp_path / "odd" / "model.ckpt", {**tf1_values(), **slots})
    table = tmp_path / "mine.yaml"
    table.write_text(
        TABLE.replace("init:", "  - {match: '{p}/Adam{k}', reason: mine}\ninit:") + "where: {p: path, k: auto}\n"
    )
    plan = ckptmap.plan(odd, to=template, table=table)
    assert plan.findings == ()
    assert [source_fates(plan)[name] for name in slots] == [("dropped", "mine")] * 2
    with pytest.raises(PlanError, match="no variable matches"):
        ckptmap.plan(source, to=template, table=table)


def test_the_table_of_the_case_drops_its_slots() -> None:
    case = Path(__file__).parents[3] / "shared" / "cases" / "models" / "L15"
    if not case.is_dir():
        pytest.skip("the cases that went wrong are not on this machine")
    plan = ckptmap.plan(case / "tf1", to=case / "tf2", table=case / "t2.yaml")
    assert plan.findings == ()
    assert plan.summary["restored"] == 31
    assert [record.reason for record in plan.sources].count("Adafactor slot") == 56


def test_the_slots_of_a_tf2_source_are_set_aside(tmp_path: Path) -> None:
    value, slot = "/.ATTRIBUTES/VARIABLE_VALUE", "/.OPTIMIZER_SLOT/optimizer/m"
    keys = {
        f"model/a/kernel{value}": (3,),
        f"model/a/kernel{slot}{value}": (3,),
        f"optimizer/_variables/2{value}": (3,),
        f"optimizer/_iterations{value}": (),
    }
    held = {key: Variable(key, DType.FLOAT32, shape, 0) for key, shape in keys.items()}
    table = tmp_path / "t.yaml"
    table.write_text(f"variables: [{{from: 'model/a/kernel{value}', to: k}}]\n")
    matching = match(Inventory(Kind.V2, "m", held, object_based=True), load_table(table))
    assert list(matching.spoken) == [f"model/a/kernel{value}", f"optimizer/_iterations{value}"]
    assert (matching.problems, matching.likeness) == ([], 1.0)


@pytest.mark.parametrize(
    "saved",
    [
        {"l/0/depthwise_kernel": "dw/depthwise_kernel", "l/1/kernel": "fc/kernel"},  # Keras 2
        {"_operations/1/kernel": "dw/kernel", "_operations/2/_kernel": "fc/kernel"},  # Keras 3
        {"dw/kernel": "kernel", "fc/_kernel": "kernel"},  # Keras 3 where readable names are all alike: object paths
    ],
)
def test_one_table_for_the_leaves_of_keras_2_and_3(tmp_path: Path, saved: dict[str, str]) -> None:
    tensors = {"net/dw/depthwise_kernel": values((1, 1, 3, 1)), "net/fc/kernel": values((3, 2))}
    source = write_tf1(tmp_path / "old" / "model.ckpt", tensors)
    shapes = dict(zip(saved, ((1, 1, 3, 1), (3, 2)), strict=True))
    objects = {
        key: ObjectValue(name, DType.FLOAT32, shapes[key], [bytes(4 * math.prod(shapes[key]))])
        for key, name in saved.items()
    }
    write_object_checkpoint(tmp_path / "zoo" / "ckpt-0", "model", objects)
    table = tmp_path / "t.yaml"
    table.write_text(
        "include: [{table: kinds/keras}]\nlayers:\n"
        "  - {from: net/dw, to: dw, as: depthwise}\n  - {from: net/fc, to: fc, as: dense}\n"
    )
    plan = ckptmap.plan(source, to=tmp_path / "zoo" / "ckpt-0", table=table)
    assert {record.variable.key: record.sources for record in plan.targets} == dict(
        zip(saved, [("net/dw/depthwise_kernel",), ("net/fc/kernel",)], strict=True)
    )


def test_a_kind_that_does_not_fit_is_told_with_one_that_does(template: Path, tmp_path: Path) -> None:
    source = write_tf1(tmp_path / "old" / "model.ckpt", {"net/conv/kernel": values((1, 1, 3, 8))})
    table = tmp_path / "t.yaml"
    table.write_text("include: [{table: kinds/slim}]\nlayers:\n  - {from: net/conv, to: Conv1, as: conv}\n")
    with pytest.raises(
        PlanError, match=r"net/conv has kernel, the kind conv wants weights \(keras/conv or keras/dense"
    ):
        ckptmap.plan(source, to=template, table=table)
