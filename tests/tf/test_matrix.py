"""Every model once, small; with ``-m matrix`` the settings as well."""

from __future__ import annotations

import pytest

from tests.tf.harness import prove
from tests.tf.matrix import ONE_EACH, SETTINGS
from tests.tf.rows import WEIGHTS

LEAST_SPREAD = 0.05  # of an output that varies enough for a difference to show
ROWS = [*ONE_EACH, *(pytest.param(row, marks=pytest.mark.matrix) for row in SETTINGS)]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_migrated_model_computes_what_its_verdict_says(row, tf1, tmp_path):
    proof = prove(tf1(row), tmp_path)
    found = proof.comparison
    assert (proof.verdict, proof.tf2_type) == (row.verdict.value, row.tf2_type)
    assert (found.only_reference, found.only_other) == ((), ())
    assert [item.name for item in found.raw if item.name != "num_proposals" and item.spread < LEAST_SPREAD] == []
    if row.verdict is WEIGHTS:
        assert max(item.relative for item in found.raw) > 0.1
        return
    assert {item.name: item.relative for item in found.differences if item.relative > row.tolerance} == {}
    assert found.within(row.tolerance)
