"""TensorFlow's canned Estimators against Keras: all rows with the matrix, one in the default run."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("tensorflow", reason="needs the [tf] extra")

from tests.tf.estimators import QUICK, ROWS, as_expected, prove


def test_keras_computes_what_wide_and_deep_did(tmp_path: Path) -> None:
    proof = prove(ROWS[QUICK], tmp_path)
    assert as_expected(proof), proof


@pytest.mark.matrix
@pytest.mark.parametrize("name", [name for name in ROWS if name != QUICK])
def test_the_whole_matrix(name: str, tmp_path: Path) -> None:
    proof = prove(ROWS[name], tmp_path)
    assert as_expected(proof), proof
