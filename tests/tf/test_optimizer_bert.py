"""Training of a BERT goes on in TF2 as in TF1: fifty steps in Model Garden and in KerasHub."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("tensorflow", reason="needs the [tf] extra")

from tests.tf.bert_going_on import BEFORE, GOING_ON, Going, go_on
from tests.tf.going_on import LATE
from tests.tf.tf1_going_on import ROUNDING

CLEARLY = 1000
"""By how much steps with the weights alone are farther from TF1's than those with the optimizer's state."""


@pytest.mark.matrix
@pytest.mark.parametrize("going", GOING_ON, ids=str)
def test_fifty_steps_of_a_bert_go_on(
    going: Going, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    if not going.possible:
        pytest.skip("keras-hub is no requirement of the tests")
    gone = go_on(going, tmp_path)
    optimizer = gone.report["optimizer"]
    assert gone.report["findings"] == []
    assert (optimizer["layout"], optimizer["step"]) == (going.layout, LATE + BEFORE)
    assert optimizer["fresh"] == (4 if going.choices else 0)  # of a pooler that TF1 did not train
    by_last_part = any("takes gamma, beta and bias" in told for told in optimizer["remarks"])
    assert by_last_part == (going.layout == "keras 3")
    found = {"noise": gone.noise, "carried": gone.differ(gone.carried), "alone": gone.differ(gone.alone)}
    for name, (losses, weights) in found.items():
        record_property(name, f"losses {losses:.1e}, weights {weights:.1e}")
    for noise, carried, alone in zip(*found.values(), strict=True):
        assert carried < 10 * max(noise, ROUNDING)
        assert alone > CLEARLY * carried
