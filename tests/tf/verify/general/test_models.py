"""Any two models: opened in every way, fed the same, compared. All in the one TensorFlow of the tests."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ckptmap.basics.errors import CkptmapError
from ckptmap.basics.wording import command_line
from ckptmap.checkpoint.reader import open_checkpoint
from ckptmap.tf.environment import TensorFlowError, import_quietly, prepare
from ckptmap.tf.verify.general.engine import Asked, compare_models
from ckptmap.tf.verify.general.model_verification import Verdict
from ckptmap.tf.verify.general.models_document import models_document
from ckptmap.tf.verify.general.pairing import parse_pairs
from ckptmap.tf.verify.general.requests import parse_inputs
from ckptmap.tf.verify.general.serving import served
from ckptmap.tf.verify.general.source import find_source
from ckptmap.tf.verify.general.tf1_models import open_graph
from ckptmap.tf.verify.general.tf2_models import open_model
from tests.tf.verify.general import nets

try:
    prepare()
except TensorFlowError as error:
    pytest.skip(str(error), allow_module_level=True)

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")  # of TensorFlow itself

NETS = "tests.tf.verify.general.nets"


@dataclass(frozen=True)
class Made:
    """Folders of the TF1 models, and of what their ports are saved as."""

    net: Path
    ids: Path
    new: Path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("models")
    found = Made(folder / "net", folder / "ids", folder / "new")
    for place in (found.net, found.ids, found.new):
        place.mkdir()
    tf = import_quietly("tensorflow")
    values = nets.save_tf1(nets.net, found.net)
    for version in (2, 3):
        model = nets.with_values(nets.keras_net(version), values)
        tf.train.Checkpoint(model=model).save(str(found.new / f"keras{version}"))
        if version == 2:
            tf.saved_model.save(model, str(found.new / "saved2"))
            model.save(found.new / "net2.keras")
        else:
            model.export(found.new / "saved3", verbose=False)
    module = nets.module()
    for name, variable in module.held.items():
        variable.assign(next(value for key, value in values.items() if key.replace("/", "_") == name))
    tf.train.Checkpoint(net=module).save(str(found.new / "module"))
    words = nets.save_tf1(nets.ids, found.ids)
    for version in (2, 3):
        model = nets.with_values(nets.keras_ids(version), words)
        tf.train.Checkpoint(model).save(str(found.new / f"ids{version}"))
    return found


def opened(path: Path, end: Any, code: str = "", **options: Any) -> tuple[Any, Any]:
    """A source and its model, in this process."""
    tf = import_quietly("tensorflow")
    source = replace(find_source(path, end, f"{NETS}:{code}" if code else ""), **options)
    return source, (open_graph if end == "old" else open_model)(tf, source)


def compared(old: tuple[Any, Any], new: tuple[Any, Any], **asked: Any) -> Any:
    return compare_models((old[0], new[0]), (old[1], new[1]), Asked(**asked))


OLD = {
    "meta": ("model.ckpt", ""),
    "code": ("model.ckpt", "net"),
    "frozen": ("frozen.pb", ""),
    "saved": ("exported", ""),
}
NEW = {
    "keras 2": ("keras2-1", "net_2"),
    "keras 3": ("keras3-1", "net_3"),
    "saved 2": ("saved2", ""),
    "saved 3": ("saved3", ""),
    "keras file": ("net2.keras", ""),
}


@pytest.mark.parametrize(
    ("old", "new"),
    [("meta", "keras 2"), ("code", "keras 3"), ("frozen", "saved 2"), ("saved", "keras file"), ("meta", "saved 3")],
)
def test_a_port_agrees_with_its_original(made: Made, old: str, new: str) -> None:
    path, code = OLD[old]
    before = opened(made.net / path, "old", code)
    path, code = NEW[new]
    found = compared(before, opened(made.new / path, "new", code))
    exact = new not in ("keras 3", "saved 3")  # Keras 3 writes batch norms as multiplications and additions
    assert found.verdict is (Verdict.EQUAL if exact else Verdict.ROUNDING)
    assert [(one.shapes, one.top1) for one in found.measures] == [(((2, 5), (2, 5)), 1.0)]
    assert [(one.old.name, one.value.shape) for one in found.feeds.fed] == [("image", (2, 8, 8, 3))]
    assert found.measures[0].spread > 0.1
    if old in ("code", "frozen", "saved"):
        assert found.feeds.settings == ("is_training:0 of the old model is False",)


def test_variables_are_told_by_their_names_where_they_are_read(made: Made) -> None:
    names = ["conv/kernel", "conv/bias", "bn/gamma", "bn/beta", "bn/moving_mean", "bn/moving_variance"]
    names += [f"{layer}/{leaf}" for layer in ("hidden", "logits") for leaf in ("kernel", "bias")]
    sides = [opened(made.net / "model.ckpt", "old")[1], opened(made.new / "keras2-1", "new", "net_2")[1]]
    sides += [opened(made.net / "frozen.pb", "old")[1], opened(made.new / "saved2", "new")[1]]
    sides += [opened(made.new / "keras3-1", "new", "net_3")[1]]
    kernels = []
    for running in sides:
        variables = {one.name: one for one in running.side.variables}
        assert sorted(variables) == sorted(names)
        read = variables["hidden/kernel"].reads[0]
        kernels.append(running.run({}, [read])[read])
        assert variables["hidden/kernel"].shape == (64, 6)
    assert all(np.array_equal(kernels[0], one) for one in kernels[1:])


def test_nodes_stand_in_the_order_of_the_computation(made: Made) -> None:
    for path, end, code in ((made.net / "model.ckpt", "old", ""), (made.new / "saved2", "new", "")):
        nodes = opened(path, end, code)[1].side.nodes
        seen: set[str] = set()
        for node in nodes:
            assert all(name.removeprefix("^").partition(":")[0] in seen for name in node.inputs)
            seen.add(node.name)
        assert {"Conv2D", "MatMul"} <= {node.op for node in nodes}
        assert next(node for node in nodes if node.op == "Conv2D").attributes["strides"] == (1, 2, 2, 1)


def test_another_epsilon_shows_with_small_variances(made: Made) -> None:
    tf = import_quietly("tensorflow")
    model = nets.keras_net(2, epsilon=1.0001e-3)
    tf.train.Checkpoint(model=model).read(str(made.new / "keras2-1")).assert_existing_objects_matched()
    source = find_source(made.new / "keras2-1", "new", f"{NETS}:net_2")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nets, "net_2", lambda: nets.keras_net(2, epsilon=1.0001e-3))
        new = source, open_model(tf, source)
    old = opened(made.net / "model.ckpt", "old")
    assert compared(old, new).agree
    found = compared(old, new, small_variances=True)
    assert [(one.run, one.within) for one in found.measures] == [("", True), ("small variances", False)]
    same = compared(old, opened(made.new / "keras2-1", "new", "net_2"), small_variances=True)
    assert (same.verdict, len(same.measures)) == (Verdict.EQUAL, 2)


@pytest.mark.parametrize("version", [2, 3])
def test_ids_stay_within_the_rows_of_the_embedding(made: Made, version: int) -> None:
    found = compared(
        opened(made.ids / "model.ckpt", "old", "ids"), opened(made.new / f"ids{version}-1", "new", f"ids_{version}")
    )
    assert found.agree
    (fed,) = found.feeds.fed
    assert fed.how == "made up, below 50"
    assert fed.value.shape == (2, 7)
    assert fed.value.max() >= nets.WORDS / 2
    assert found.measures[0].old.name == "scores"


def test_a_module_is_told_what_it_takes(made: Made) -> None:
    old = opened(made.net / "model.ckpt", "old")
    with pytest.raises(CkptmapError, match=r"does not say what it takes.*inputs=\['NAME=DTYPE\[SHAPE\]'\]"):
        opened(made.new / "module-1", "new", "module")
    asked, told = (
        find_source(made.new / "module-1", "new", f"{NETS}:module"),
        r"does not say what it takes.*--input 'NAME=DTYPE\[SHAPE\]'",
    )
    with command_line(), pytest.raises(CkptmapError, match=told), served(asked) as model:
        model.open()
    new = opened(made.new / "module-1", "new", "module", inputs=(("image", "float32", (2, 8, 8, 3)),))
    found = compared(old, new, requests=parse_inputs(["image=float32[2,8,8,3]"]))
    assert (found.agree, new[1].side.kind) == (True, "tf.Module")


def test_values_are_given_in_files(made: Made, tmp_path: Path) -> None:
    image = np.random.default_rng(1).normal(size=(3, 8, 8, 3))
    np.savez(tmp_path / "batch.npz", image=image)
    old, new = opened(made.net / "frozen.pb", "old"), opened(made.new / "saved2", "new")
    found = compared(old, new, requests=parse_inputs([str(tmp_path / "batch.npz")]))
    assert (found.feeds.fed[0].value == image).all()
    assert (found.verdict, found.measures[0].shapes[0]) == (Verdict.EQUAL, (3, 5))


def test_what_differs_is_said(made: Made) -> None:
    old = opened(made.net / "model.ckpt", "old")
    source, new = opened(made.new / "saved2", "new")
    bias = next(one for one in new.side.variables if one.name == "logits/bias")

    class Shifted:
        side = new.side

        def run(self, feeds: Any, fetches: Any) -> Any:
            return new.run({**feeds, bias.reads[0]: np.zeros(5, np.float32)}, fetches)

    found = compared(old, (source, Shifted()))
    assert (found.verdict, found.measures[0].within) == (Verdict.DIFFERENT, False)
    assert 0.01 < found.measures[0].relative < 100
    assert found.explanation.first.text == "logits (BiasAdd)"
    assert models_document(found)["first_difference"] == "logits (BiasAdd)"
    walked = list(dict.fromkeys(step.name for step in found.explanation.steps))
    assert walked == ["conv", "bn", "hidden", "logits", "logits/BiasAdd"]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"requests": ["nothing=float32[2]"]}, "input nothing fits neither side"),
        ({"requests": ["image=float32[2,9,9,3]"]}, r"image is \[2, 9, 9, 3\], and the old model takes image float32"),
        ({"pairs": ["logitz=logits"]}, "the old model has no input or output logitz"),
        ({"pairs": ["logits/BiasAdd=fc"]}, "the new model has no input or output fc"),
    ],
)
def test_what_fits_nothing_is_refused(made: Made, asked: dict[str, list[str]], message: str) -> None:
    old, new = opened(made.net / "frozen.pb", "old"), opened(made.new / "saved2", "new")
    known = {"requests": parse_inputs(asked.get("requests", [])), "pairs": parse_pairs(asked.get("pairs", []))}
    with pytest.raises(CkptmapError, match=message):
        compared(old, new, **known)


def test_models_with_nothing_in_common_are_refused(made: Made) -> None:
    old = opened(made.ids / "model.ckpt", "old", "ids")
    with pytest.raises(CkptmapError, match=r"no output in common.*scores float32.*logits float32"):
        compared(old, opened(made.new / "saved2", "new"))


def test_an_output_that_is_not_there_is_refused_with_the_nearest(made: Made) -> None:
    for path, code in OLD.values():
        with pytest.raises(CkptmapError, match="logits/BiasAdd"):
            opened(made.net / path, "old", code, outputs=("logits/BiasAd",))


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "tests.tf.verify.general.nets:raises",
            r"nets\.py:\d+: tests.*:raises raised ValueError: no such backbone: resnt",
        ),
        ("tests.tf.verify.general.nets:nett", r"has no function nett \(nearest: .net"),
        ("tests.tf.nothing:net", "there is no module tests.tf.nothing"),
        ("no_such_package_here.nets:net", "there is no module no_such_package_here"),
    ],
)
def test_code_that_fails_is_told_with_its_own_error(made: Made, code: str, message: str) -> None:
    tf = import_quietly("tensorflow")
    for end, path, run in (("old", made.net / "model.ckpt", open_graph), ("new", made.new / "keras2-1", open_model)):
        with pytest.raises(CkptmapError, match=message):
            run(tf, find_source(path, end, code))  # type: ignore[arg-type]


@pytest.mark.parametrize("version", [2, 3])
def test_a_normalization_computes_with_what_was_restored(version: int, tmp_path: Path) -> None:
    """Keras computes with a copy of the statistics, which no restore renews: the report says what has to be done."""
    values = nets.save_tf1(nets.normalized, tmp_path)
    model = nets.keras_normalized(version)
    statistics = {"mean": np.array(nets.MEAN), "variance": np.square(nets.DEVIATION)}
    for one in model.weights:
        name = getattr(one, "path", one.name).partition(":")[0].rpartition("/")[2]
        one.assign({**statistics, **{key.rpartition("/")[2]: value for key, value in values.items()}, "count": 0}[name])
    import_quietly("tensorflow").train.Checkpoint(model=model).save(str(tmp_path / "new"))
    new = opened(tmp_path / "new-1", "new", f"normalized_{version}")
    found = compared(opened(tmp_path / "model.ckpt", "old"), new)
    assert found.agree
    assert [note.partition(" was")[0] for note in new[1].side.notes] == ["finalize_state()"]
    assert "on normalization after" in new[1].side.notes[0]


def test_a_checkpoint_of_another_model_is_refused(made: Made) -> None:
    with pytest.raises(CkptmapError, match=r"the checkpoint lacks 10 variables of the graph, conv/kernel first"):
        opened(made.ids / "model.ckpt", "old", "net")
    with pytest.raises(CkptmapError, match=r"cannot restore it into the model of .*ids_2"):
        opened(made.new / "keras2-1", "new", "ids_2")


def test_an_average_in_the_place_of_a_raw_weight_is_known_from_the_checkpoint(made: Made, tmp_path: Path) -> None:
    """The graph runs raw weights; what the conversion restored are the averages, which only the checkpoint holds."""
    tf = import_quietly("tensorflow")
    v1 = tf.compat.v1
    values = {}
    with v1.Graph().as_default(), v1.Session() as session:
        v1.identity(nets.net(), name="out")
        for one in v1.trainable_variables():
            average = np.random.default_rng(5).normal(size=one.shape.as_list()).astype(np.float32)
            name = f"{one.op.name}/ExponentialMovingAverage"
            values[one.op.name] = average
            v1.get_variable(name, initializer=average, trainable=False, use_resource=False)
        session.run(v1.global_variables_initializer())
        values |= session.run({one.op.name: one for one in v1.global_variables() if "moving_" in one.op.name})
        prefix = v1.train.Saver().save(session, str(tmp_path / "model.ckpt"))
    with open_checkpoint(prefix) as checkpoint:  # the convolution is raw on both sides, all behind it is not
        values |= {name: checkpoint.read(name) for name in ("conv/kernel", "conv/bias")}
    nets.with_values(nets.keras_net(2), values).save(tmp_path / "net.keras")
    found = compared(opened(Path(prefix), "old"), opened(tmp_path / "net.keras", "new")).explanation
    assert found is not None
    assert found.first is not None
    assert found.first.layer.name == "bn"
    assert [(cause.name, cause.proven) for cause in found.causes] == [("moving averages in place of raw weights", True)]
