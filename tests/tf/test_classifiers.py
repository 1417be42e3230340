"""slim's classifiers against keras.applications: all rows with the matrix, two in the default run."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("tensorflow", reason="needs the [tf] extra")

from ckptmap.families.classification.models import CLASSIFIERS
from ckptmap.targets import load_target
from ckptmap.tf.specs.classifiers import description, live_variables
from ckptmap.tf.specs.generate import difference
from tests.tf.classifiers import QUICK, ROWS, Row, as_expected, noise_of, own_noise, prove

LATER = [name for name in ROWS if name not in QUICK]


@pytest.mark.parametrize("row", [ROWS[name] for name in QUICK], ids=str)
def test_keras_computes_what_slim_did(row: Row, tmp_path: Path) -> None:
    proof = prove(row, tmp_path)
    assert as_expected(row, proof), proof


@pytest.mark.matrix
@pytest.mark.parametrize("name", LATER)
def test_the_whole_matrix(name: str, tmp_path: Path) -> None:
    proof = prove(ROWS[name], tmp_path)
    assert as_expected(ROWS[name], proof), proof


@pytest.mark.matrix
@pytest.mark.parametrize("name", ["efficientnet_b7-keras3-64", "efficientnet_b7-keras3-no_top-64"])
def test_what_may_differ_is_what_rounding_does_to_tf1(name: str) -> None:
    assert noise_of(ROWS[name]) < 2 * own_noise(ROWS[name])


@pytest.mark.parametrize("keras", [2, 3])
def test_the_spec_is_what_keras_builds(keras: int) -> None:
    assert _differs("mobilenet_v1", keras) == ""


@pytest.mark.matrix
@pytest.mark.parametrize("keras", [2, 3])
@pytest.mark.parametrize("name", [name for name in CLASSIFIERS if name != "mobilenet_v1"])
def test_every_spec_is_what_keras_builds(name: str, keras: int) -> None:
    assert _differs(name, keras) == ""


def _differs(name: str, keras: int) -> str:
    one = description(CLASSIFIERS[name])
    settings = {**{setting.name: setting.default for setting in one.settings}, "keras": keras}
    build = live_variables(one.configuration(settings, one.probes[-1]))
    return difference(one, load_target(one.name), settings, len(one.probes) - 1, build)
