"""Every model once, small; with ``-m matrix`` the settings as well."""

from __future__ import annotations

import pytest

from tests.tf.harness import prove
from tests.tf.matrix import DEFAULT, FULL

ROWS = [*DEFAULT, *(pytest.param(row, marks=pytest.mark.matrix) for row in FULL)]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_migrated_model_computes_what_the_tf1_graph_computed(row, tf1, tmp_path):
    comparison = prove(tf1(row), tmp_path)
    assert {item.name: item.relative for item in comparison.raw if item.relative > row.tolerance} == {}
    assert comparison.within(row.tolerance)
