"""Every network once, small; with ``-m matrix`` every model and setting."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.tf.harness import prove
from tests.tf.matrix import ONE_EACH, SETTINGS, as_expected

LEAST_SPREAD = 0.05  # of an output that varies enough for a difference to show
ROWS = [*ONE_EACH, *(pytest.param(row, marks=pytest.mark.matrix) for row in SETTINGS)]


def test_every_row_has_a_name_of_its_own():
    names = Counter(row.name for row in (*ONE_EACH, *SETTINGS))
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_migrated_model_computes_what_its_verdict_says(row, tf1, tmp_path):
    proof = prove(tf1(row), tmp_path)
    found = proof.comparison
    assert (proof.verdict, proof.tf2_type) == (row.verdict.value, row.tf2_type)
    assert [item.name for item in found.raw if item.name != "num_proposals" and item.spread < LEAST_SPREAD] == []
    assert proof.not_returned == ()
    assert as_expected(row, proof), [(item.name, item.relative) for item in found.differences]
