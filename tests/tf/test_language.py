"""BERT and its kin against Model Garden and KerasHub: all rows with the matrix, one in the default run."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

pytest.importorskip("tensorflow", reason="needs the [tf] extra")

from ckptmap.tf.environment import tf2
from tests.tf.language import QUICK, ROWS, as_expected, prove
from tests.tf.language_reference import Size


def test_a_pretrained_bert_in_model_garden(tmp_path: Path) -> None:
    proof = prove(ROWS[QUICK], tmp_path)
    assert as_expected(ROWS[QUICK], proof), proof
    encoder = ROWS["bert-BertEncoderV2-2x24"].home.make(Size(2, 24, 3))
    alone = tf2().train.Checkpoint(model=tf2().train.Checkpoint(encoder_network=encoder))
    alone.restore(str(tmp_path / "new" / "ckpt-0")).assert_existing_objects_matched()  # tied ones too


@pytest.mark.matrix
@pytest.mark.parametrize("name", [name for name in ROWS if name != QUICK])
def test_the_whole_matrix(name: str, tmp_path: Path) -> None:
    if ROWS[name].home.keras == 3 and find_spec("keras_hub") is None:
        pytest.skip("keras-hub is no requirement of the tests")
    proof = prove(ROWS[name], tmp_path)
    assert as_expected(ROWS[name], proof), proof
