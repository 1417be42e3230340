"""slim's classifiers are known, and go to keras.applications, by names and shapes alone; no TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import ckptmap
from ckptmap.basics.errors import TargetError
from ckptmap.basics.wording import command_line
from ckptmap.checkpoint.dtypes import dtype_from_label
from ckptmap.checkpoint.inventory import Inventory, Kind, Variable
from ckptmap.cli.app import app
from ckptmap.families.advice import advice
from ckptmap.families.classification.models import CLASSIFIERS
from ckptmap.families.classification.recognition import Found
from ckptmap.families.classification.verdicts import verdict
from ckptmap.families.registry import recognize
from ckptmap.inspection.inspector import inspect
from ckptmap.mapping.tables import load_table
from ckptmap.planning.choices import PlanOptions
from ckptmap.planning.ledger import Plan
from ckptmap.request.resolve import find_destination
from ckptmap.targets import list_targets, load_target
from ckptmap.verbs.conversion import plan_to
from tests.convert.conftest import write_tf1

Shapes = Mapping[str, tuple[int, ...]]
WIDTHS = (64, 128, 128, 256, 256, *[512] * 6, 1024, 1024)
UNITS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}
NORM = ("gamma", "beta", "moving_mean", "moving_variance")


def normed(layer: str, shape: tuple[int, ...], leaf: str = "weights", depth: int = 0) -> Iterator[tuple[str, tuple]]:
    yield f"{layer}/{leaf}", shape
    yield from ((f"{layer}/BatchNorm/{name}", (depth or shape[-1],)) for name in NORM)


def mobilenet_v1(width: float, classes: int) -> Shapes:
    found = dict(normed("MobilenetV1/Conv2d_0", (3, 3, 3, int(32 * width))))
    before = int(32 * width)
    for at, base in enumerate(WIDTHS, 1):
        after = int(base * width)
        layer = f"MobilenetV1/Conv2d_{at}"
        found |= normed(f"{layer}_depthwise", (3, 3, before, 1), "depthwise_weights", before)
        found |= normed(f"{layer}_pointwise", (1, 1, before, after))
        before = after
    logits = "MobilenetV1/Logits/Conv2d_1c_1x1"
    return {**found, f"{logits}/weights": (1, 1, before, classes), f"{logits}/biases": (classes,)}


def resnet_v1(depth: int, classes: int) -> Shapes:
    net = f"resnet_v1_{depth}"
    found = dict(normed(f"{net}/conv1", (7, 7, 3, 64)))
    before = 64
    for block, (units, base) in enumerate(zip(UNITS[depth], (64, 128, 256, 512), strict=True), 1):
        for unit in range(1, units + 1):
            scope = f"{net}/block{block}/unit_{unit}/bottleneck_v1"
            if unit == 1:
                found |= normed(f"{scope}/shortcut", (1, 1, before, 4 * base))
            found |= normed(f"{scope}/conv1", (1, 1, before, base))
            found |= normed(f"{scope}/conv2", (3, 3, base, base))
            found |= normed(f"{scope}/conv3", (1, 1, base, 4 * base))
            before = 4 * base
    return {**found, f"{net}/logits/weights": (1, 1, before, classes), f"{net}/logits/biases": (classes,)}


def inventory(shapes: Shapes) -> Inventory:
    float32 = dtype_from_label("float32")
    assert float32 is not None
    return Inventory(Kind.V2, "old/model.ckpt", {name: Variable(name, float32, one, 0) for name, one in shapes.items()})


def planned(shapes: Shapes, target: str, table: str | None = None, **options: object) -> Plan:
    chosen = PlanOptions(**options)  # type: ignore[arg-type]
    return plan_to(inventory(shapes), find_destination(target, table, None, chosen))


@pytest.mark.parametrize("keras", [2, 3])
def test_every_variable_of_a_resnet_finds_its_place(keras: int) -> None:
    shapes = resnet_v1(50, 1000)
    plan = planned(shapes, "keras_resnet50", settings={"keras": keras})
    assert (plan.findings, plan.summary["restored"], plan.summary["reinitialized"]) == ((), len(shapes), 53)
    zeros = {record.variable.name.rpartition("/")[2]: record.init for record in plan.targets if record.init}
    assert zeros.keys() == {"bias"}
    assert zeros["bias"].value == "zeros"


def test_keras_3_is_assumed_and_said() -> None:
    plan = planned(resnet_v1(50, 1000), "keras_resnet50")
    assert [(one.setting, one.value) for one in plan.assumptions] == [("keras", 3)]
    assert plan.targets[0].variable.key.startswith("_operations/")


def test_another_depth_is_refused_with_its_name() -> None:
    with pytest.raises(TargetError, match="is not keras_resnet50") as caught:
        planned(resnet_v1(101, 1000), "keras_resnet50")
    assert caught.value.problem.hint == "it looks like resnet_v1_101: use to='keras_resnet101'"


def test_bgr_reverses_the_first_kernel_alone() -> None:
    plan = planned(resnet_v1(50, 1000), "keras_resnet50", "classification/keras_resnet_bgr")
    changed = {record.variable.name: [str(op) for op in record.ops] for record in plan.targets if record.ops}
    assert set(changed) == {"conv1_conv/kernel", "predictions/kernel"}
    assert "reorder" in changed["conv1_conv/kernel"][0]


@pytest.mark.parametrize(("keras", "width"), [(2, 1.0), (3, 0.25)])
def test_mobilenet_of_any_width(keras: int, width: float) -> None:
    shapes = mobilenet_v1(width, 1001)
    plan = planned(shapes, "keras_mobilenet", settings={"keras": keras})
    assert (plan.findings, plan.summary["restored"]) == ((), 137)
    depthwise = {record.variable.name for record in plan.targets if "_dw_1/" in record.variable.name}
    assert depthwise == {"conv_dw_1/depthwise_kernel" if keras == 2 else "conv_dw_1/kernel"}
    assert plan.unknowns["num_classes"] == 1001


def test_without_top_its_variables_are_dropped_with_a_reason() -> None:
    plan = planned(mobilenet_v1(0.25, 1001), "keras_mobilenet", settings={"include_top": False})
    dropped = {record.name: record.reason for record in plan.sources if record.fate.value == "dropped"}
    assert (plan.findings, plan.summary["restored"]) == ((), 135)
    assert set(dropped.values()) == {"the model is made without its classifier"}
    assert len(dropped) == 2


def test_a_checkpoint_without_top_shows_it() -> None:
    shapes = {name: one for name, one in mobilenet_v1(0.25, 11).items() if "Logits" not in name}
    plan = planned(shapes, "keras_mobilenet")
    assert (plan.findings, plan.settings["include_top"]) == ((), False)


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    generator = np.random.default_rng(0)
    values = {name: generator.normal(size=one).astype(np.float32) for name, one in mobilenet_v1(0.25, 11).items()}
    return write_tf1(tmp_path_factory.mktemp("old") / "model.ckpt", values)


@pytest.mark.parametrize(("classes", "kept"), [(None, 11), (10, 10)])
def test_the_background_stays_or_is_left_out_by_the_count(
    classes: int | None, kept: int, old: Path, tmp_path: Path
) -> None:
    report = ckptmap.convert(old, output=tmp_path / "new", num_classes=classes)  # the target is what the names show
    assert (report["target"]["name"], report["findings"]) == ("keras_mobilenet", [])
    said = "class 0, the background, is left out: exact (2 variables)"
    assert report["source"]["notes"] == ([said] if classes else [])
    with ckptmap.open_checkpoint(old) as source, ckptmap.open_checkpoint(tmp_path / "new") as made:
        key = next(key for key, name in made.readable_names().items() if name == "conv_preds/bias")
        expected = source.read("MobilenetV1/Logits/Conv2d_1c_1x1/biases")
        np.testing.assert_array_equal(made.read(key), expected[11 - kept :])


def test_the_report_has_the_verdict_and_the_images(old: Path) -> None:
    judged = ckptmap.convert(old, to="keras_mobilenet", output=None)["verdict"]
    assert (judged["kind"], judged["extractor_type"], judged["presumed"]) == (
        "equal",
        "keras.applications.MobileNet",
        False,
    )
    assert "RGB from -1 to 1: x / 127.5 - 1" in judged["advice"]


def test_inspect_says_what_keras_calls_it(old: Path) -> None:
    said = inspect(old).advice
    assert said.command == f"ckptmap convert {old} --to keras_mobilenet -o keras_mobilenet"
    assert said.note.startswith(
        "for keras.applications.MobileNet(weights=None, alpha=0.25, classes=11), equal; images: RGB from -1 to 1"
    )
    assert said.note.endswith("class 0 is the background: num_classes=10 leaves it out")
    printed = CliRunner().invoke(app, ["inspect", str(old)])
    with command_line():
        assert inspect(old).advice.note.endswith("class 0 is the background: --num-classes 10 leaves it out")
    assert (printed.exit_code, "keras.applications.MobileNet(" in printed.output) == (0, True)


def test_a_last_convolution_that_keras_never_makes_is_said() -> None:
    narrow = verdict("keras_mobilenet_v2", {"width_1280": 640})
    assert narrow is not None
    assert str(narrow) == ("no TF2 counterpart: the last convolution has 640 channels, in Keras 1280 or more")
    for width in (1280, 1792):
        judged = verdict("keras_mobilenet_v2", {"width_1280": width})
        assert judged is not None
        assert judged.equal
    shapes = {
        "MobilenetV2/Conv_1/weights": (1, 1, 160, 640),
        "MobilenetV2/expanded_conv_16/project/weights": (1, 1, 480, 160),
    }
    held = inventory(shapes)
    found = advice(held, recognize(held), list_targets())
    assert "alpha=0.5" in found.note
    assert "no TF2 counterpart: the last convolution has 640 channels" in found.note


def test_the_verdict_names_the_depth() -> None:
    judged = verdict("keras_resnet101")
    assert judged is not None
    assert judged.extractor_type == "keras.applications.ResNet101"


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_tf1_name_suggests_the_counterpart(name: str) -> None:
    with pytest.raises(TargetError) as caught:
        load_target(name)
    assert caught.value.problem.hint == f"the counterpart of {name} is {CLASSIFIERS[name].target}"


def test_every_classifier_is_whole() -> None:
    shipped = [name for name in list_targets() if name.startswith("keras_")]
    assert sorted(one.target for one in CLASSIFIERS.values()) == shipped
    for one in CLASSIFIERS.values():
        target, judged = load_target(one.target), verdict(one.target)
        assert (target.table, target.counterpart_of) == (f"classification/{one.table}", one.name)
        assert load_table(target.table).rules
        assert judged is not None
        assert judged.equal is not bool(one.differs)


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["MobilenetV3/expanded_conv_7/project/weights"], "mobilenet_v3_small_minimalistic"),
        (
            ["MobilenetV3/expanded_conv_7/project/weights", "MobilenetV3/expanded_conv_7/squeeze_excite/Conv/biases"],
            "mobilenet_v3_small",
        ),
        (["MobilenetV3/expanded_conv_11/project/weights"], "mobilenet_v3_large_minimalistic"),
        (["InceptionV4/Conv2d_1a_3x3/weights"], None),
        (["efficientnet-b0/stem/conv2d/kernel"], "efficientnet_b0"),
        (["efficientnet-b4/model/stem/conv2d/kernel"], "efficientnet_b4"),
        (["efficientnet-lite0/model/stem/conv2d/kernel"], None),
        (["FeatureExtractor/MobilenetV1/Conv2d_0/weights"], None),
    ],
)
def test_what_is_recognized(names: list[str], found: str | None) -> None:
    one = recognize(inventory(dict.fromkeys(names, (1, 1, 8, 48))))
    assert (one.name if isinstance(one, Found) else None) == found


@pytest.mark.parametrize(("size", "count"), [("mobile", 12), ("large", 18)])
def test_a_nasnet_by_its_cells(size: str, count: int) -> None:
    cells = ("cell_stem_0", "cell_stem_1", "reduction_cell_0", *(f"cell_{at}" for at in range(count)))
    shapes = {f"{cell}/1x1/weights": (1, 1, 8, 8) for cell in cells}
    found = recognize(inventory({**shapes, "final_layer/FC/weights": (8, 1001)}))
    assert isinstance(found, Found)
    name = f"nasnet_{size}"
    assert (found.name, found.targets, found.classes) == (name, (f"keras_{name}",), 1001)
    without = recognize(inventory(shapes))
    assert isinstance(without, Found)
    side = {"mobile": 224, "large": 331}[size]
    assert f"NASNet{size.title()}(weights=None, include_top=False, input_shape=({side}, {side}, 3))" in without.remark
    assert "weights only" in found.remark
