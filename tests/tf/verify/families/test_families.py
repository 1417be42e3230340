"""Every family through ``verify``: the right pair agrees; each planted fault is found at its layer, with its cause."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ckptmap.tf.environment import TensorFlowError, import_quietly, prepare

try:
    prepare()
except TensorFlowError as error:
    pytest.skip(str(error), allow_module_level=True)

from ckptmap.tf.verify.general.engine import Asked, compare_models
from ckptmap.tf.verify.general.feeding import make_feeds
from ckptmap.tf.verify.general.pairing import paired
from ckptmap.tf.verify.general.requests import Given
from ckptmap.tf.verify.general.source import find_source
from ckptmap.tf.verify.general.tf1_models import open_graph
from ckptmap.tf.verify.general.tf2_models import open_model
from ckptmap.tf.verify.layers import explain, match_variables
from tests.tf.verify.families.rows import CODE, FAMILIES, Family, of_changed

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")  # of TensorFlow itself

TEXTS = ("bert", "bert_first", "bert_classes", "albert", "electra", "bert_hub", "albert_hub", "electra_hub", "gpt2")
QUICK = ("dnn-linear-8x4-keras3", "BasicLSTMCell_keras2")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The TF1 model of a family, saved once."""
    made: dict[str, Path] = {}

    def folder(family: Family) -> Path:
        if family.hub and find_spec("keras_hub") is None:
            pytest.skip("keras-hub is no requirement of the tests")
        if family.name not in made:
            made[family.name] = tmp_path_factory.mktemp("old")
            family.save(made[family.name])
        return made[family.name] / "model.ckpt"

    return folder


def opened(old: Path, new: Path, code: str) -> tuple[Any, Any]:
    """The sources of both sides, and the models in this process."""
    tf = import_quietly("tensorflow")
    before, after = find_source(old, "old"), find_source(new, "new", f"{CODE}:{code}" if code else "")
    return (before, after), (open_graph(tf, before), open_model(tf, after))


def given(family: Family) -> list[Given]:
    found = [Given(name, np.ones((2, 9), np.int32), "ones") for name in family.ones]
    return [*found, Given("", family.image, "an image")] if family.image is not None else found


def compared(old: Path, new: Path, family: Family, code: str) -> Any:
    return compare_models(*opened(old, new, code), Asked(given(family)))


def marked(names: Sequence[tuple[str, ...]]) -> list[Any]:
    return [pytest.param(*one, id="-".join(one), marks=() if one[0] in QUICK else pytest.mark.matrix) for one in names]


@pytest.mark.parametrize("name", marked([(name,) for name in FAMILIES]))
def test_the_right_pair_agrees(name: str, saved: Any, tmp_path: Path) -> None:
    family = FAMILIES[name]
    old = saved(family)
    family.convert(old, tmp_path / "new", family.table)
    found = compared(old, tmp_path / "new" / "ckpt-0", family, family.code)
    print(name, found.verdict.value, [f"{one.relative:.1e}" for one in found.measures])  # noqa: T201
    assert found.agree, [one.relative for one in found.measures]
    # the last state of a loop, and a classifier that only training uses
    assert [one.name for one in found.only_old if "/Exit" not in one.name and "/AuxLogits/" not in one.name] == []
    assert all(one.spread > 0.01 for one in found.measures)


@pytest.mark.matrix
@pytest.mark.parametrize("name", TEXTS)
def test_the_walk_accuses_no_layer_of_a_right_pair(name: str, saved: Any, tmp_path: Path) -> None:
    """However both are written: heads merged or not, one layer for three, rows looked up or multiplied by ones."""
    family = FAMILIES[name]
    old = saved(family)
    family.convert(old, tmp_path / "new", family.table)
    _, (before, after) = opened(old, tmp_path / "new" / "ckpt-0", family.code)
    report = json.loads((tmp_path / "new" / "report.json").read_text())
    pairs = match_variables(before, after, report).pairs
    feeds = make_feeds((before.side, after.side), given(family), (), 0)
    outputs = [(one.tensor, other.tensor) for one, other in paired(before.side.outputs, after.side.outputs, ())]
    found = explain(before, after, pairs, (feeds.of(0), feeds.of(1)), outputs)
    assert found.first is None, found.first.text
    assert len(found.steps) > 10


@pytest.mark.parametrize(
    ("name", "fault"), marked([(family.name, fault) for family in FAMILIES.values() for fault in family.plants])
)
def test_a_fault_is_found_at_its_layer(name: str, fault: str, saved: Any, tmp_path: Path) -> None:
    family, plant = FAMILIES[name], FAMILIES[name].plants[fault]
    old = saved(family)
    family.convert(of_changed(old, plant.changed), tmp_path / "new", plant.table or family.table)
    found = compared(old, tmp_path / "new" / "ckpt-0", family, plant.code or family.code)
    assert not found.agree
    explained = found.explanation
    assert explained is not None, found.unexplained
    places = [(explained.first, explained.causes), *((one.first, one.causes) for one in explained.larger)]
    told = [(first.layer.name, [(cause.name, cause.proven) for cause in causes]) for first, causes in places]
    assert told == [(plant.layer, [(plant.cause, True)])], (explained.first.text, explained.causes)
