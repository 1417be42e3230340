"""An optimizer's state goes where its weights go, by the same operations; what cannot follow says why."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest

import ckptmap
from ckptmap.basics.errors import CkptmapError, PlanError
from ckptmap.checkpoint.dtypes import dtype_from_label
from ckptmap.checkpoint.object_graph import VALUE_SUFFIX
from ckptmap.checkpoint.object_writer import ObjectValue, write_object_checkpoint
from ckptmap.checkpoint.reader import open_checkpoint
from ckptmap.checkpoint.values import encode
from ckptmap.cli.convert_options import with_optimizer
from ckptmap.mapping.op import slot_ops
from ckptmap.mapping.ops import Reorder, Transpose
from ckptmap.mapping.ops_branches import Branch, Branches
from ckptmap.mapping.ops_join import Concat, Sum
from ckptmap.mapping.ops_numeric import Add, Fill, Scale, SumOver
from ckptmap.mapping.ops_sized import Pad
from ckptmap.mapping.optimizer_state import optimizer_states
from ckptmap.mapping.slots import Slot, classify
from ckptmap.report.sheets import schema_file
from tests.convert.conftest import write_tf1

FIXTURE = Path(__file__).parents[2] / "fixtures" / "ssd_mobilenet_v2_training"
TABLE = """\
variables:
  - {from: w, to: model/dense/kernel, ops: [{transpose: [1, 0]}, {scale: 2.0}]}
  - {from: b, to: model/dense/bias, ops: [{add: 1.0}]}
drop:
  - {match: global_step, reason: bookkeeping, optional: true}
"""
W, B = np.arange(6, dtype=np.float32).reshape(2, 3), np.array([1, 2], np.float32)
SHAPES = {"model/dense/kernel": (3, 2), "model/dense/bias": (2,)}


def source(folder: Path, **more: np.ndarray) -> Path:
    values = {"w": W, "b": B, "global_step": np.array(180_000, np.int64)}
    return write_tf1(folder / "old" / "model.ckpt", {**values, **more})


def momentum(of: str = "Momentum") -> dict[str, np.ndarray]:
    return {f"w/{of}": W + 10, f"b/{of}": B + 10}


def template(folder: Path, slots: tuple[str, ...] = ("momentum",), **numbers: float) -> Path:
    """A model of one layer with a legacy optimizer that keeps these slots."""
    float32, int64 = dtype_from_label("float32"), dtype_from_label("int64")
    assert float32 is not None
    assert int64 is not None
    values = {
        path: ObjectValue(path, float32, shape, [bytes(4 * int(np.prod(shape)))]) for path, shape in SHAPES.items()
    }
    for slot in slots:
        for path, shape in SHAPES.items():
            value = encode(float32, np.full(shape, 0.1, np.float32))
            values[f"{path}/.OPTIMIZER_SLOT/optimizer/{slot}"] = ObjectValue(f"{path}/{slot}", float32, shape, [value])
    if slots:
        values["optimizer/iter"] = ObjectValue("iter", int64, (), [bytes(8)])
    for name, number in numbers.items():
        values[f"optimizer/{name}"] = ObjectValue(name, float32, (), [encode(float32, np.float32(number))])
    write_object_checkpoint(folder / "tf2" / "ckpt-1", "", values)
    return folder / "tf2" / "ckpt-1"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.yaml"
    path.write_text(TABLE)
    return path


def values_by_path(prefix: Path) -> dict[str, np.ndarray]:
    """Every value of a checkpoint of objects, by its object path."""
    with open_checkpoint(str(prefix)) as checkpoint:
        graph = checkpoint.object_graph()
        assert graph is not None
        keys = [tensor.key for node in graph.nodes for tensor in node.tensors]
        names = {key: name for name, known in checkpoint.inventory.names.items() for key in known}
        return {key.removesuffix(VALUE_SUFFIX): checkpoint.read(names.get(key, key)) for key in keys}


def test_momentum_becomes_minus_rate_times_accum_by_the_operations_of_its_weight(tmp_path: Path, table: Path) -> None:
    old = source(tmp_path, **momentum())
    new = template(tmp_path, learning_rate=0.5)
    report = ckptmap.convert(old, to=new, table=table, output=tmp_path / "new", optimizer="found", learning_rate=0.1)
    assert report["findings"] == []
    by_key = {one["key"]: one for one in report["target_variables"]}
    kernel = by_key["model/dense/kernel/.OPTIMIZER_SLOT/optimizer/momentum"]
    assert kernel["source"] == "w/Momentum"
    assert [one["operation"] for one in kernel["operations"]] == ["scale", "transpose", "scale"]
    assert kernel["operations"][0]["values"] == [-0.1]
    assert kernel["operations"][2]["values"] == [0.5]
    bias = by_key["model/dense/bias/.OPTIMIZER_SLOT/optimizer/momentum"]
    assert [one["operation"] for one in bias["operations"]] == ["scale"]
    assert report["optimizer"]["carried"] == 2
    assert report["optimizer"]["fresh"] == 0
    assert (report["optimizer"]["step"], report["optimizer"]["learning_rate"]) == (180_000, 0.1)
    assert report["optimizer"]["layout"] == "legacy"
    assert "momentum is TF1's times -0.1, the learning rate of step 180000" in report["optimizer"]["remarks"]
    assert "1 weight multiplied by numbers, model/dense/kernel first" in report["optimizer"]["remarks"][-1]
    values = values_by_path(tmp_path / "new" / "ckpt-0")
    slot = ".OPTIMIZER_SLOT/optimizer/momentum"
    assert np.array_equal(values["model/dense/kernel"], W.T * np.float32(2))
    assert np.array_equal(values[f"model/dense/kernel/{slot}"], (W + 10).T * np.float32(-0.1) * np.float32(0.5))
    assert np.array_equal(values[f"model/dense/bias/{slot}"], (B + 10) * np.float32(-0.1))
    assert values["optimizer/iter"] == 180_000
    assert values["optimizer/learning_rate"] == np.float32(0.5)


def test_adams_moments_change_with_the_powers_of_a_factor_and_the_template_keeps_its_numbers(
    tmp_path: Path, table: Path
) -> None:
    moments = {"w/Adam": W, "w/Adam_1": W + 1, "b/Adam": B, "b/Adam_1": B + 1}
    powers = {"beta1_power": np.array(0, np.float32), "beta2_power": np.array(0, np.float32)}
    old = source(tmp_path, **moments, **powers)
    new = template(tmp_path, ("m", "v"), beta_1=0.8)
    report = ckptmap.convert(old, to=new, table=table, output=tmp_path / "new", optimizer="adam")
    by_key = {one["key"]: one for one in report["target_variables"]}
    second = by_key["model/dense/kernel/.OPTIMIZER_SLOT/optimizer/v"]
    assert second["source"] == "w/Adam_1"
    assert [one.get("values") for one in second["operations"]] == [None, [0.25]]
    assert by_key["optimizer/beta_1"]["fill"] == "template"
    assert by_key["optimizer/iter"]["source"] == "global_step"
    dropped = {one["name"]: one["fate"] for one in report["source_variables"]}
    assert dropped["beta1_power"] == "dropped"
    assert dropped["w/Adam"] == "mapped"
    assert report["optimizer"]["learning_rate"] is None


@pytest.mark.parametrize(
    ("step", "correction"),
    [
        (None, "TF1's update has no bias correction, and that of Keras' Adam is over by now"),
        (1000, "TF1's update has no bias correction, and that of Keras' Adam multiplies by 0.795407 at this step"),
    ],
)
def test_what_weight_decay_without_bias_correction_means_is_told(
    step: int | None, correction: str, tmp_path: Path, table: Path
) -> None:
    moments = {f"{name}/adam_{of}": value for name, value in (("w", W), ("b", B)) for of in "mv"}
    old, new = source(tmp_path, **moments), template(tmp_path, ("m", "v"))
    report = ckptmap.convert(old, to=new, table=table, output=tmp_path / "new", optimizer="adamw", at_step=step)
    told = report["optimizer"]["remarks"]
    assert told[0].startswith(correction)
    assert "a global norm of 1" in told[1]
    assert "exclude_from_weight_decay() of the new optimizer" in told[2]


def test_of_two_optimizers_one_is_chosen_by_its_name(tmp_path: Path, table: Path) -> None:
    old = source(tmp_path, **{"w/Adam_G": W, "w/Adam_G_1": W, "b/Adam_D": B, "b/Adam_D_1": B})
    new = template(tmp_path, ("m", "v"))
    with pytest.raises(PlanError) as error:
        ckptmap.plan(old, to=new, table=table, optimizer="found")
    problem = error.value.problems[0]
    assert "2 optimizers" in problem.message
    assert {"Adam_G", "Adam_D"} <= set(problem.message.replace("(", " ").replace(",", " ").split())
    assert "optimizer='adam:Adam_G'" in problem.hint
    plan = ckptmap.plan(old, to=new, table=table, optimizer="adam:Adam_G", init_missing=True)
    carried = [one.variable.key for one in plan.targets if ".OPTIMIZER_SLOT" in one.variable.key and one.from_sources]
    assert carried == [f"/model/dense/kernel/.OPTIMIZER_SLOT/optimizer/{slot}" for slot in ("m", "v")]
    fresh = {one.reason for one in plan.targets if "bias/.OPTIMIZER_SLOT" in one.variable.key}
    assert fresh == {"starts at the optimizer's initial value: the source keeps no slot of b"}


@pytest.mark.parametrize(
    ("slots", "choices", "message"),
    [
        ({}, {}, "keeps no state of an optimizer"),
        (momentum("Adafactor"), {}, "keeps the state of Adafactor, and Keras has no such optimizer"),
        (momentum(), {}, "no config gives the rate"),
        (momentum(), {"optimizer": "adam"}, "keeps no state of adam, but of Momentum (Momentum)"),
        (
            momentum("Adagrad"),
            {},
            "template is sgd (legacy), and the source keeps the state of Adagrad",
        ),
        (
            {**momentum("Adam"), "w/Adam_1": W},
            {"optimizer": "adam"},
            "Adam keeps 2 slots of a weight, but b has b/Adam",
        ),
    ],
)
def test_what_cannot_go_on_says_why(
    tmp_path: Path, table: Path, slots: dict[str, np.ndarray], choices: dict[str, str], message: str
) -> None:
    old, new = source(tmp_path, **slots), template(tmp_path)
    with pytest.raises(PlanError) as error:
        ckptmap.plan(old, to=new, table=table, **{"optimizer": "found", **choices})  # type: ignore[arg-type]
    assert message in str(error.value)


def test_a_checkpoint_without_a_step_needs_one_said(tmp_path: Path, table: Path) -> None:
    values = {"w": W, "b": B, **momentum()}
    old, new = write_tf1(tmp_path / "old" / "model.ckpt", values), template(tmp_path)
    with pytest.raises(PlanError) as error:
        ckptmap.plan(old, to=new, table=table, optimizer="found", learning_rate=0.1)
    assert "at_step=N" in error.value.problems[0].hint
    plan = ckptmap.plan(old, to=new, table=table, optimizer="found", learning_rate=0.1, at_step=25)
    counter = next(one for one in plan.targets if one.variable.key == "/optimizer/iter")
    assert counter.init is not None
    assert counter.init.value == 25


def test_slots_of_half_the_weights_are_a_finding_that_names_the_others(tmp_path: Path, table: Path) -> None:
    old, new = source(tmp_path, **{"w/Momentum": W}), template(tmp_path)
    choices = {"to": new, "table": table, "optimizer": "found", "learning_rate": 0.1}
    plan = ckptmap.plan(old, **choices)  # type: ignore[arg-type]
    assert [(one.message, one.where) for one in plan.findings] == [("1 weight of which Momentum keeps no slot: b", "b")]
    assert ckptmap.plan(old, **choices, init_missing=True).findings == ()  # type: ignore[arg-type]


def test_a_slot_of_another_shape_is_a_finding_that_names_it(tmp_path: Path, table: Path) -> None:
    old, new = source(tmp_path, **{"w/Momentum": W.T, "b/Momentum": B}), template(tmp_path)
    plan = ckptmap.plan(old, to=new, table=table, optimizer="found", learning_rate=0.1)
    message = "w/Momentum is [3, 2], and w is [2, 3]: it is not a slot of this weight"
    assert (message, "w/Momentum") in [(one.message, one.where) for one in plan.findings]
    alone = write_tf1(tmp_path / "alone" / "model.ckpt", {"w": W, "b": B, "w/Momentum": W.T})
    with pytest.raises(PlanError) as error:
        ckptmap.plan(alone, to=new, table=table, optimizer="found", learning_rate=0.1)
    assert error.value.problems[0].message == message


def in_parts(slot: str, value: np.ndarray, axis: int, *ends: int) -> dict[str, np.ndarray]:
    """The slot of ``w`` in parts that end there, the last first."""
    cut = np.split(value, ends, axis)
    return {f"w/part_{at}/{slot}": cut[at] for at in reversed(range(len(cut)))}


def test_the_slots_of_a_weights_parts_are_joined_as_the_parts_are(tmp_path: Path, table: Path) -> None:
    second = W + 20
    parts = {**in_parts("Adam", W + 10, 1, 1, 2), **in_parts("Adam_1", second, 1, 1, 2)}
    old, new = source(tmp_path, **parts, **{"b/Adam": B, "b/Adam_1": B}), template(tmp_path, ("m", "v"))
    report = ckptmap.convert(old, to=new, table=table, output=tmp_path / "new", optimizer="adam")
    assert report["findings"] == []
    assert report["optimizer"]["fresh"] == 0
    values, slots = values_by_path(tmp_path / "new" / "ckpt-0"), "model/dense/kernel/.OPTIMIZER_SLOT/optimizer"
    assert np.array_equal(values[f"{slots}/m"], (W + 10).T * np.float32(0.5))
    assert np.array_equal(values[f"{slots}/v"], second.T * np.float32(0.25))
    ckptmap.convert_back(tmp_path / "new", back=tmp_path / "new" / "report.json", output=tmp_path / "back")
    with open_checkpoint(str(tmp_path / "back")) as found:
        assert all(np.array_equal(found.read(name), value) for name, value in parts.items())


def test_two_weights_that_become_one_have_their_slots_joined_first(tmp_path: Path) -> None:
    low, high = np.zeros((1, 3), np.float32), np.ones((1, 3), np.float32)
    whole = {"low": low, "low/Momentum": low + 3, "high": high, "b": B, "b/Momentum": B}
    parts = {"high/part_0/Momentum": high[:, :1] + 4, "high/part_1/Momentum": high[:, 1:] + 5}
    old = write_tf1(tmp_path / "old" / "model.ckpt", {**whole, **parts, "global_step": np.array(1, np.int64)})
    table = tmp_path / "table.yaml"
    table.write_text(TABLE.replace("from: w,", "from: [high, low],").replace("[{transpose", "[{concat: 0}, {transpose"))
    choices = {"to": template(tmp_path), "table": table, "optimizer": "found", "learning_rate": 1.0}
    report = ckptmap.convert(old, output=tmp_path / "new", **choices)  # type: ignore[arg-type]
    assert report["findings"] == []
    values = values_by_path(tmp_path / "new" / "ckpt-0")
    slot = values["model/dense/kernel/.OPTIMIZER_SLOT/optimizer/momentum"]
    assert slot.tolist() == [[-2.5, -1.5], [-3.0, -1.5], [-3.0, -1.5]]
    ckptmap.convert_back(tmp_path / "new", back=tmp_path / "new" / "report.json", output=tmp_path / "back")
    with open_checkpoint(str(tmp_path / "back")) as found:
        assert all(np.array_equal(found.read(name), value) for name, value in {**whole, **parts}.items())


@pytest.mark.parametrize(
    ("lost", "message"),
    [
        ("w/part_1/Momentum", "Momentum keeps 1 slot of a weight, but w has"),
        ("w/part_2/Momentum", r"w/part_0/Momentum becomes float32 \[2, 2\], and the slot is float32 \[3, 2\]"),
    ],
)
def test_a_part_whose_slot_is_lost_is_refused(tmp_path: Path, table: Path, lost: str, message: str) -> None:
    parts = in_parts("Momentum", W, 1, 1, 2)
    del parts[lost]
    old, new = source(tmp_path, **parts, **{"b/Momentum": B}), template(tmp_path)
    with pytest.raises(PlanError, match=message):
        ckptmap.plan(old, to=new, table=table, optimizer="found", learning_rate=0.1)


def test_averages_contradict_an_optimizers_state(tmp_path: Path, table: Path) -> None:
    averages = {"w/ExponentialMovingAverage": W, "b/ExponentialMovingAverage": B}
    old, new = source(tmp_path, **momentum(), **averages), template(tmp_path)
    choices = {"to": new, "table": table, "optimizer": "found", "learning_rate": 0.1}
    with pytest.raises(CkptmapError, match="belongs to the raw values, and ema='only' restores averages"):
        ckptmap.plan(old, **choices, ema="only")  # type: ignore[arg-type]
    plan = ckptmap.plan(old, **choices)  # type: ignore[arg-type]
    assert [one.sources for one in plan.targets[:2]] == [("b",), ("w",)]
    assert "the moving averages stay behind: the optimizer's slots belong to the raw weights" in plan.notes


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"optimizer": "adm"}, "no optimizer is called 'adm'"),
        ({"optimizer": "sgd", "learning_rate": -1.0}, "learning_rate cannot be -1.0"),
        ({"optimizer": "sgd", "at_step": -1}, "at_step cannot be -1"),
        ({"learning_rate": 0.1}, "learning_rate is about an optimizer"),
    ],
)
def test_choices_that_mean_nothing_are_refused(tmp_path: Path, choices: dict[str, object], message: str) -> None:
    with pytest.raises(CkptmapError, match=message):
        ckptmap.plan(source(tmp_path), to=template(tmp_path), **choices)  # type: ignore[arg-type]


def test_a_template_without_an_optimizer_says_how_to_save_one(tmp_path: Path, table: Path) -> None:
    old, new = source(tmp_path, **momentum()), template(tmp_path, ())
    with pytest.raises(PlanError, match="the template has no optimizer") as error:
        ckptmap.plan(old, to=new, table=table, optimizer="found", learning_rate=0.1)
    assert "tf.train.Checkpoint(model=model, optimizer=optimizer)" in error.value.problems[0].hint


def test_a_detector_gets_the_optimizer_of_the_apis_trainer_with_averages(tmp_path: Path) -> None:
    report = ckptmap.convert(FIXTURE, output=tmp_path / "new", optimizer="found")
    assert report["findings"] == []
    optimizer = report["optimizer"]
    assert (optimizer["kind"], optimizer["path"], optimizer["step"]) == ("rmsprop", "optimizer/ema_base_optimizer", 3)
    by_key = {one["key"]: one for one in report["target_variables"]}
    weight = next(key for key in by_key if key.startswith("model/_box_predictor") and key.endswith("/bias"))
    raw = by_key[weight]["source"]
    below = f"{weight}/.OPTIMIZER_SLOT/optimizer"
    assert by_key[f"{below}/average"]["source"] == f"{raw}/ExponentialMovingAverage"
    assert by_key[f"{below}/ema_base_optimizer/rms"]["source"] == f"{raw}/RMSProp"
    assert by_key[f"{below}/ema_base_optimizer/momentum"]["source"] == f"{raw}/RMSProp_1"
    assert by_key["step"]["source"] == by_key["optimizer/ema_base_optimizer/iter"]["source"] == "global_step"
    assert {one["fate"] for one in report["source_variables"]} == {"mapped"}
    assert optimizer["fresh"] == 0
    notes = {one["path"]: one["text"] for one in report["config"]["notes"]}
    assert "training goes on at step 3" in notes["train_config.fine_tune_checkpoint"]
    values = values_by_path(tmp_path / "new" / "ckpt-0")
    with open_checkpoint(str(FIXTURE)) as old:
        assert np.array_equal(values[f"{below}/ema_base_optimizer/rms"], old.read(f"{raw}/RMSProp"))
        assert np.array_equal(values[f"{below}/average"], old.read(f"{raw}/ExponentialMovingAverage"))
        assert np.array_equal(values[weight], old.read(raw))
    assert values["optimizer/ema_base_optimizer/rho"] == np.float32(0.9)
    document = json.loads((tmp_path / "new" / "report.json").read_text())
    assert document["optimizer"] == optimizer
    schema = json.loads(schema_file(document["schema"]).read_text())
    jsonschema.Draft202012Validator(schema).validate(document)


def test_what_was_converted_is_a_template_with_averages(tmp_path: Path) -> None:
    ckptmap.convert(FIXTURE, output=tmp_path / "new", optimizer="found")
    choices = {"no_pipeline": True, "optimizer": "found"}
    report = ckptmap.convert(FIXTURE, to=tmp_path / "new", output=tmp_path / "again", **choices)  # type: ignore[arg-type]
    assert report["findings"] == []
    assert report["optimizer"]["carried"] == 612
    first, again = values_by_path(tmp_path / "new" / "ckpt-0"), values_by_path(tmp_path / "again" / "ckpt-0")
    assert first.keys() == again.keys()
    assert all(np.array_equal(first[path], again[path]) for path in first)


def test_the_way_back_gives_tf1_its_slots_again(tmp_path: Path) -> None:
    ckptmap.convert(FIXTURE, output=tmp_path / "new", optimizer="found")
    back = ckptmap.convert_back(tmp_path / "new", back=tmp_path / "new" / "report.json", output=tmp_path / "back")
    assert back["findings"] == []
    with open_checkpoint(str(tmp_path / "back")) as found, open_checkpoint(str(FIXTURE)) as old:
        assert list(found.inventory.variables) == list(old.inventory.variables)
        assert all(np.array_equal(found.read(name), old.read(name)) for name in old.inventory.variables)


def test_of_several_checkpoints_each_goes_on_at_its_own_step(tmp_path: Path, table: Path) -> None:
    for name, step in (("a", 5), ("b", 7)):
        values = {"w": W, "b": B, **momentum(), "global_step": np.array(step, np.int64)}
        write_tf1(tmp_path / "zoo" / name / "model.ckpt", values)
    choices = {"to": template(tmp_path), "table": table, "optimizer": "found", "learning_rate": 0.1}
    ckptmap.convert_many([tmp_path / "zoo"], output=tmp_path / "out", **choices)  # type: ignore[arg-type]
    reports = [json.loads(path.read_text()) for path in sorted((tmp_path / "out").rglob("report.json"))]
    assert [one["optimizer"]["step"] for one in reports] == [5, 7]


def test_a_file_of_weights_and_a_part_of_a_model_have_no_optimizer(tmp_path: Path) -> None:
    with pytest.raises(CkptmapError, match="a file of weights holds no optimizer"):
        ckptmap.convert(FIXTURE, output=tmp_path / "new", optimizer="found", form="safetensors")
    with pytest.raises(PlanError, match="a part of a model has no optimizer of its own"):
        ckptmap.plan(FIXTURE, optimizer="found", root="feature_extractor")


def test_the_option_may_stand_alone() -> None:
    assert with_optimizer(["old/model.ckpt", "--optimizer", "-o", "new"]) == [
        *("old/model.ckpt", "--optimizer", "found", "-o", "new"),
    ]
    assert with_optimizer(["--optimizer"]) == ["--optimizer", "found"]
    assert with_optimizer(["--optimizer", "old/model.ckpt"]) == ["--optimizer", "found", "old/model.ckpt"]
    assert with_optimizer(["--optimizer", "adam:Adam_G", "x"]) == ["--optimizer", "adam:Adam_G", "x"]
    assert with_optimizer(["--optimizer", "adm"]) == ["--optimizer", "adm"]
    assert with_optimizer(["--optimizer=adam", "x"]) == ["--optimizer=adam", "x"]


def test_a_config_that_trains_otherwise_is_refused(tmp_path: Path) -> None:
    text = (FIXTURE / "pipeline.config").read_text()
    start, end = text.index("rms_prop_optimizer {"), text.index("use_moving_average")
    own = "momentum_optimizer { learning_rate { constant_learning_rate { learning_rate: 0.1 } } }\n    "
    config = tmp_path / "other.config"
    config.write_text(text[:start] + own + text[end:])
    with pytest.raises(PlanError, match="the config trains with sgd, and the checkpoint keeps the state of RMSProp"):
        ckptmap.plan(FIXTURE, pipeline=config, optimizer="found")


def test_operations_for_what_an_optimizer_keeps() -> None:
    assert slot_ops((Transpose((1, 0)), Add((1.0,)), Scale((2.0, 4.0))), -2) == (
        Transpose((1, 0)),
        Scale((0.25, 0.0625)),
    )
    assert slot_ops((Reorder(0, (1, 0)),), -1) == (Reorder(0, (1, 0)),)
    assert slot_ops((Pad(0, 1, 0, 5.0), Fill(3.0)), -1) == (Pad(0, 1, 0, 0.0), Fill(0.0))
    assert slot_ops((Scale((0.0,)),), -1) is None
    assert slot_ops((Scale((3.0,)),), 0) == ()
    assert slot_ops((Sum(),), -1) is None
    assert slot_ops((SumOver(0),), -1) is None
    inner = Branches((Branch((0,), (Add((1.0,)),)), Branch((1,), (Scale((2.0,)),))))
    assert slot_ops((inner, Concat(0)), -1) == (
        Branches((Branch((0,), ()), Branch((1,), (Scale((0.5,)),)))),
        Concat(0),
    )


def test_slots_are_told_by_number_and_by_name() -> None:
    def slot(label: str, optimizer: str, scope: str = "") -> Slot:
        return Slot("slot", "w", optimizer, label, scope)

    centered = {f"w/{label}": slot(label, "RMSProp") for label in ("RMSProp", "RMSProp_1", "RMSProp_2")}
    (state,), problems = optimizer_states(centered)
    assert problems == ()
    assert state.slots == {"w": {"rms": ("w/RMSProp",), "mg": ("w/RMSProp_1",), "momentum": ("w/RMSProp_2",)}}
    (state,), _ = optimizer_states({f"w/{one}": slot(one, "AdamWeightDecay") for one in ("adam_m", "adam_v")})
    assert state.slots == {"w": {"m": ("w/adam_m",), "v": ("w/adam_v",)}}
    lamb = classify(dict.fromkeys(("w", "w/lamb_m", "w/lamb_v"), W))
    (state,), _ = optimizer_states(lamb)
    assert (state.kind.name, state.slots) == ("LAMB", {"w": {"m": ("w/lamb_m",), "v": ("w/lamb_v",)}})
    keras = {f"training/Adam/w/{one}": slot(one, "Adam", "training/Adam") for one in ("m", "v")}
    (state,), _ = optimizer_states(keras)
    assert (state.name, state.slots) == ("Adam", {"w": {"m": ("training/Adam/w/m",), "v": ("training/Adam/w/v",)}})


def test_the_graph_of_a_checkpoint_with_slots_leads_to_each(tmp_path: Path) -> None:
    with open_checkpoint(str(template(tmp_path, ("momentum",)))) as checkpoint:
        graph = checkpoint.object_graph()
    assert graph is not None
    holder = next(node for node in graph.nodes if node.slots)
    assert [slot.name for slot in holder.slots] == ["momentum", "momentum"]
    weights = [graph.nodes[slot.variable_node].tensors[0].key for slot in holder.slots]
    assert weights == [f"{path}{VALUE_SUFFIX}" for path in SHAPES]
    slots = [graph.nodes[slot.slot_node].tensors[0].key for slot in holder.slots]
    assert slots == [f"{path}/.OPTIMIZER_SLOT/optimizer/momentum{VALUE_SUFFIX}" for path in SHAPES]


def test_what_becomes_of_the_templates_optimizer_is_told(tmp_path: Path, table: Path) -> None:
    old, new = source(tmp_path, **momentum()), template(tmp_path)
    told = "the template's optimizer (sgd at optimizer) begins anew: its state is not in the new checkpoint"
    left = ckptmap.plan(old, to=new, table=table)
    assert left.notes == (f"{told}; optimizer='found' carries that of the source over",)
    plain = ckptmap.plan(source(tmp_path / "plain"), to=new, table=table)
    assert plain.notes == (f"{told}; the source has none either",)
    carried = ckptmap.plan(old, to=new, table=table, optimizer="found", learning_rate=0.1)
    assert not any("begins anew" in note for note in carried.notes)
    bare = template(tmp_path / "bare", slots=())
    assert ckptmap.plan(old, to=bare, table=table).notes == ()
