"""AutoML's EfficientDet: plans of all versions on the names of its TF1 graphs, and heads against a NumPy reference."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pytest

import ckptmap
from ckptmap.audit import audit
from ckptmap.basics.errors import ConfigError, PlanError, TargetError
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.inventory import Inventory, Kind, Variable
from ckptmap.families.detection.operations import Anchors, BoxCoder
from ckptmap.families.detection.pipeline.config import read_config
from ckptmap.families.registry import recognize
from ckptmap.mapping.ops_classes import Classes
from ckptmap.planning.ledger import Plan
from ckptmap.planning.name_matching import match
from ckptmap.planning.plan import make_plan
from ckptmap.request.choices import PlanChoices, plan_options
from ckptmap.request.resolve import find_destination
from ckptmap.request.table_likeness import refuse_other_architecture
from tests.convert.conftest import write_tf1
from tests.convert.test_plan import label_maps
from tests.efficientdet_reference import OLD_RATIOS, anchors, decode, flat, ratios_first
from tests.efficientdet_variables import VERSIONS, read

EMA = "/ExponentialMovingAverage"
TOP = ["logits/bias", "logits/kernel", "top_bn/beta", "top_bn/gamma", "top_bn/moving_mean", "top_bn/moving_variance",
       "top_conv2d/kernel"]  # fmt: skip
HEAD = "WeightSharedConvolutionalBoxPredictor/WeightSharedConvolutionalClassHead/ClassPredictor"
BOXES = "WeightSharedConvolutionalBoxPredictor/WeightSharedConvolutionalBoxHead/BoxPredictor"
MAPPED = {"d0": 676, "d1": 868, "d2": 932, "d3": 1099, "d4": 1277, "d5": 1405, "d6": 1565, "d7x": 1902}
"""Variables of the API that AutoML's fill: its 2 or 3 weights of a node's inputs become one."""


def inventory(version: str, extra: Iterable[str] = (), classes: int = 90) -> Inventory:
    """A checkpoint of the version: its variables, and for each ending of ``extra`` one more of the same shape."""
    names = {f"{name}{end}": shape for name, shape in read(version, classes).items() for end in ("", *extra)}
    variables = {
        name: Variable(name, DType.FLOAT32, shape, 4 * math.prod(shape)) for name, shape in sorted(names.items())
    }
    return Inventory(Kind.V2, f"{version}/model.ckpt", variables | {"global_step": STEP})


STEP = Variable("global_step", DType.INT64, (), 8)


def plan_of(source: Inventory, to: str, **choices: object) -> Plan:
    destination = find_destination(to, None, None, plan_options(PlanChoices(**choices)))  # type: ignore[typeddict-item]
    matching = match(source, destination.table)
    refuse_other_architecture(matching, destination.target)
    return make_plan(matching, destination.target, destination.options)


def reinitialized(plan: Plan) -> list[str]:
    return sorted(one.variable.name for one in plan.targets if one.fate.value == "reinitialized")


@pytest.mark.parametrize("version", VERSIONS)
def test_every_variable_of_every_version_arrives(version: str) -> None:
    made = plan_of(inventory(version), f"efficientdet_{version}")
    assert made.summary == {
        "restored": MAPPED[version], "partly restored": 0, "reinitialized": 7, "missing": 0,
        "mapped": len(read(version)), "superseded": 0, "dropped": 1, "unused": 0,
    }  # fmt: skip
    assert made.findings == ()
    assert reinitialized(made) == TOP
    assert made.unknowns == {"num_classes": 90}


@pytest.mark.parametrize("version", VERSIONS)
def test_automls_own_model_takes_every_variable_by_its_name(version: str) -> None:
    made = plan_of(inventory(version), f"automl_efficientdet_{version}")
    assert made.findings == ()
    assert {one.variable.name: one.sources for one in made.targets} == {name: (name,) for name in read(version)}
    assert {one.ops for one in made.targets} == {()}
    assert made.root == ""


@pytest.mark.parametrize("version", VERSIONS)
def test_each_version_is_recognized(version: str) -> None:
    found = recognize(inventory(version, classes=3), {"global_step"})
    assert found is not None
    assert (found.name, found.heads.num_classes, found.heads.anchors) == (f"efficientdet_{version}", 3, (9,))


def test_d7_has_the_variables_of_d6() -> None:
    d6, d7 = (plan_of(inventory("d6"), f"efficientdet_{name}") for name in ("d6", "d7"))
    assert [(one.variable, one.sources) for one in d6.targets] == [(one.variable, one.sources) for one in d7.targets]
    assert (d7.target, d7.model) == ("efficientdet_d7", "efficientdet_d7")


def test_the_weights_of_a_nodes_inputs_become_a_column() -> None:
    made = plan_of(inventory("d0"), "efficientdet_d0")
    node = next(one for one in made.targets if one.variable.key.endswith("node_combine_op/6/bifpn_combine_weights"))
    assert node.variable.shape == (3, 1)
    assert node.sources == tuple(f"fpn_cells/cell_0/fnode4/WSM{k}" for k in ("", "_1", "_2"))


def test_moving_averages_stand_for_all_variables_and_slots_are_dropped() -> None:
    made = plan_of(inventory("d0", (EMA, "/Momentum")), "efficientdet_d0")
    assert (made.summary["restored"], made.summary["superseded"], made.summary["dropped"]) == (676, 709, 710)
    statistics = next(one for one in made.targets if one.variable.name == "stem_bn/moving_mean")
    assert statistics.sources == (f"efficientnet-b0/stem/tpu_batch_normalization/moving_mean{EMA}",)
    assert {end for one in made.targets for name in one.sources for end in [name.rpartition("/")[2]]} == {EMA[1:]}
    plan_of(inventory("d0", (EMA,)), "efficientdet_d0", ema="only")


def test_momentum_goes_with_the_raw_weights_and_what_automl_lacks_starts_anew() -> None:
    choices = {"optimizer": "found", "learning_rate": 0.01, "at_step": 100}
    made = plan_of(inventory("d0", (EMA, "/Momentum")), "efficientdet_d0", **choices)
    assert made.findings == ()
    assert made.optimizer is not None
    slots = {one.variable.name: one for one in made.targets if ".OPTIMIZER_SLOT/" in one.variable.key}
    trained = [name for name in TOP if "moving" not in name]
    assert sorted(name for name, one in slots.items() if not one.from_sources) == [
        f"{name}/momentum" for name in trained
    ]
    assert (made.optimizer.carried, made.optimizer.fresh) == (len(slots) - len(trained), len(trained))
    weights = {one.variable.name: one for one in made.targets}
    for name, one in slots.items():
        weight = weights[name.removesuffix("/momentum")]
        assert one.sources == tuple(f"{source}/Momentum" for source in weight.sources)
    boxes = slots[f"{BOXES}/bias/momentum"].ops
    assert [op.factors for op in boxes if isinstance(op, BoxCoder)] == [(0.1, 0.1, 0.2, 0.2)]
    assert [one for one in made.optimizer.remarks if "multiplied by numbers" in one]
    assert "the moving averages stay behind: the optimizer's slots belong to the raw weights" in made.notes


def test_another_class_count_reinitializes_the_class_prediction_only() -> None:
    made = plan_of(inventory("d0"), "efficientdet_d0", num_classes=4)
    head = [f"{HEAD}/bias", f"{HEAD}/pointwise_kernel"]
    assert reinitialized(made) == sorted([*head, *TOP])
    shapes = {one.variable.name: one.variable.shape for one in made.targets}
    assert (shapes[head[0]], shapes[head[1]]) == ((36,), (1, 1, 64, 36))


def test_label_maps_carry_classes_over_by_their_index(tmp_path: Path) -> None:
    maps = label_maps(tmp_path, "cat dog cow", "cow horse cat")
    made = plan_of(inventory("d0", classes=3), "efficientdet_d0", label_maps=maps)
    kernel = next(one for one in made.targets if one.variable.name == f"{HEAD}/pointwise_kernel")
    assert kernel.ops == (Anchors(-1, 3, 3), Classes(-1, 1, 3, (2, -1, 0)))
    assert reinitialized(made) == TOP


def test_what_the_anchors_ask_for() -> None:
    ops = {}
    for choice in ("api", "automl", "automl-2020"):
        made = plan_of(inventory("d0"), "efficientdet_d0", anchors=choice)
        ops[choice] = next(one.ops for one in made.targets if one.variable.name == f"{BOXES}/bias")
    assert ops == {"api": (Anchors(-1, 3, 3), BoxCoder(-1)), "automl": (), "automl-2020": ()}


def test_anchors_mean_nothing_for_another_model() -> None:
    with pytest.raises(PlanError, match=r"anchors='automl' has no meaning for automl_efficientdet_d0"):
        plan_of(inventory("d0"), "automl_efficientdet_d0", anchors="automl")


def test_another_version_is_refused() -> None:
    with pytest.raises(TargetError, match=r"is not efficientdet_d2: .* \(it looks like efficientdet_d1: use to='eff"):
        plan_of(inventory("d1"), "efficientdet_d2")
    with pytest.raises(TargetError, match=r"it looks like efficientdet_d0: use to='efficientdet_d0'"):
        plan_of(inventory("d0"), "ssd_mobilenet_v2")


def head_values(classes: int, seed: int = 0) -> dict[str, np.ndarray]:
    """D0's variables: random heads, zeros elsewhere."""
    generator = np.random.default_rng(seed)
    return {
        name: generator.normal(size=shape).astype(np.float32) if "-predict/" in name else np.zeros(shape, np.float32)
        for name, shape in read("d0", classes).items()
    }


def predicted(values: Mapping[str, np.ndarray], layer: str, features: np.ndarray) -> list[np.ndarray]:
    """What the pointwise part of a prediction layer says of features [1, height, width, 64] of two levels."""
    kernel, bias = values[f"{layer}/pointwise_kernel"][0, 0], values[f"{layer}/bias"]
    return [features @ kernel + bias, features[:, ::2, ::2] @ kernel + bias]


def converted(folder: Path, values: Mapping[str, np.ndarray], **choices: object) -> dict[str, np.ndarray]:
    """The variables of the new checkpoint by their readable names; the checkpoint stays in ``folder``/new."""
    write_tf1(folder / "old" / "model.ckpt", values)
    report = ckptmap.convert(folder / "old", to="efficientdet_d0", output=folder / "new", **choices)
    with ckptmap.open_checkpoint(folder / "new") as checkpoint:
        return {
            one["name"]: checkpoint.read(f"{one['key']}/.ATTRIBUTES/VARIABLE_VALUE")
            for one in report["target_variables"]
            if "Predictor/" in one["name"]
        }


def config_anchors(path: Path, size: int) -> np.ndarray:
    """The anchors [n, 4] of a config in pixels, as the API makes them of base sizes, ratios and strides."""
    generator = read_config(path).model.child("anchor_generator")
    kind = generator.which("anchor_generator_oneof")
    own = generator.child(kind)
    if kind == "flexible_grid_anchor_generator":
        grids = [(g.values("base_sizes"), g.values("aspect_ratios"), g) for g in own.children("anchor_grid")]
        levels = [(sizes, ratios, g.integer("height_stride"), g.integer("height_offset")) for sizes, ratios, g in grids]
    else:
        scales = [2 ** (k / 3) for k in range(own.integer("scales_per_octave"))]
        ratios = own.values("aspect_ratios")
        numbers = range(own.integer("min_level"), own.integer("max_level") + 1)
        base = own.number("anchor_scale")
        levels = [
            ([base * 2**n * s for _ in ratios for s in scales], [r for r in ratios for _ in scales], 2**n, 2 ** (n - 1))
            for n in numbers
        ]
    found = []
    for sizes, ratios, stride, offset in levels:
        for y in range(offset, size, stride):
            for x in range(offset, size, stride):
                for one, ratio in zip(sizes, ratios, strict=True):
                    h, w = float(one) / float(ratio) ** 0.5, float(one) * float(ratio) ** 0.5
                    found.append((y - h / 2, x - w / 2, y + h / 2, x + w / 2))
    return np.array(found)


@pytest.mark.parametrize("choice", ["api", "automl"])
def test_converted_heads_say_the_same_of_the_same_boxes(tmp_path: Path, choice: str) -> None:
    values = head_values(3)
    new = converted(tmp_path, values, anchors=choice)
    features = np.random.default_rng(1).normal(size=(1, 4, 4, 64)).astype(np.float32) / 50
    size, levels = 32, (3, 4)  # maps of 4 x 4 and 2 x 2
    own = anchors(size, levels, 4.0)
    wanted = decode(flat(predicted(values, "box_net/box-predict", features)), own)
    scores = flat(predicted(values, "class_net/class-predict", features))
    boxes = flat(predicted(new, BOXES, features)) / ([10, 10, 5, 5] if choice == "api" else [1, 1, 1, 1])
    grid = config_anchors(tmp_path / "new" / "pipeline.config", size)[: own.shape[0]]
    ordered = (wanted, scores) if choice == "automl" else (ratios_first(wanted), ratios_first(scores))
    assert np.abs(decode(boxes, grid) - ordered[0]).max() < 1e-4
    assert np.abs(flat(predicted(new, HEAD, features)) - ordered[1]).max() < 1e-5


def test_the_old_anchors_are_those_of_before_september_2020(tmp_path: Path) -> None:
    converted(tmp_path, head_values(3), anchors="automl-2020")
    grid = config_anchors(tmp_path / "new" / "pipeline.config", 128)
    assert np.abs(grid - anchors(128, range(3, 8), 4.0, OLD_RATIOS)).max() < 1e-5


def test_the_config_is_that_of_the_new_checkpoint(tmp_path: Path) -> None:
    maps = label_maps(tmp_path, "cat dog cow", "horse cat")
    converted(tmp_path, head_values(3), label_maps=maps)
    config = read_config(tmp_path / "new" / "pipeline.config")
    assert (config.num_classes, config.extractor_type) == (2, "ssd_efficientnet-b0_bifpn_keras")
    assert config.image_resizer.max_dimension == 512
    assert config.training.fine_tune_checkpoint == (tmp_path / "new" / "ckpt-0").as_posix()
    assert (config.training.fine_tune_checkpoint_type, config.training.fine_tune_checkpoint_version) == ("full", "V2")
    assert config.label_maps == (str(maps[1]),)


def test_the_audit_knows_what_the_new_checkpoint_restores(tmp_path: Path) -> None:
    converted(tmp_path, head_values(3))
    config = tmp_path / "new" / "pipeline.config"
    assert audit(tmp_path / "new", pipeline=config).summary["restored"] == 683
    text = config.read_text(encoding="utf-8").replace("num_classes: 3", "num_classes: 5")
    config.write_text(text.replace('checkpoint_type: "full"', 'checkpoint_type: "detection"'), encoding="utf-8")
    found = audit(tmp_path / "new", pipeline=config)
    assert (found.summary["restored"], found.summary["reinitialized"], found.summary["missing"]) == (539, 144, 0)


def test_the_users_own_config_says_anchors_box_coder_and_classes(tmp_path: Path) -> None:
    converted(tmp_path, head_values(3))
    text = (tmp_path / "new" / "pipeline.config").read_text(encoding="utf-8")
    mine = tmp_path / "mine.config"
    mine.write_text(text.replace("y_scale: 10.0", "y_scale: 2.0").replace("num_classes: 3", "num_classes: 8"))
    report = ckptmap.convert(tmp_path / "old", pipeline=mine, output=tmp_path / "mine")
    ops = {one["name"]: one["operations"] for one in report["target_variables"]}
    assert ops[f"{BOXES}/bias"][1] == {"operation": "box_coder", "axis": -1, "factors": [2.0, 10.0, 5.0, 5.0]}
    assert report["target"]["name"] == "efficientdet_d0"
    assert report["target"]["dimensions"] == {"num_classes": 8}
    assert [edit["path"] for edit in report["config"]["edits"]] == ["train_config.fine_tune_checkpoint"]


def test_a_config_whose_model_or_anchors_are_others_is_refused(tmp_path: Path) -> None:
    converted(tmp_path, head_values(3))
    text = (tmp_path / "new" / "pipeline.config").read_text(encoding="utf-8")
    mine = tmp_path / "mine.config"
    for old, new, message in (
        ("num_filters: 64", "num_filters: 65", "the model has other variables than AutoML's EfficientDet"),
        ("aspect_ratios: 0.5", "aspect_ratios: 0.4", "the anchors are not AutoML's"),
        ("scales_per_octave: 3", "scales_per_octave: 2", "the anchors are not AutoML's"),
    ):
        assert old in text
        mine.write_text(text.replace(old, new))
        with pytest.raises(ConfigError, match=message):
            ckptmap.plan(tmp_path / "old", pipeline=mine)
    mine.write_text(text)
    with pytest.raises(ConfigError, match="the config says which anchors it has"):
        ckptmap.plan(tmp_path / "old", pipeline=mine, anchors="automl")


def test_the_classification_backbone_alone(tmp_path: Path) -> None:
    made = plan_of(inventory("d1"), "efficientdet_d1", root="feature_extractor")
    keys = {one.variable.key for one in made.targets}
    assert len(keys) == sum(name.startswith("efficientnet-b1/") for name in read("d1")) + len(TOP)
    assert {f"layer_with_weights-{n}" for n in range(185)} == {key.partition("/")[0] for key in keys}
