"""Models of people's own, as they were tried: each case with what is right for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ckptmap.mapping import apply_table, load_table

CASES = Path(__file__).resolve().parents[2].parent / "shared" / "cases" / "models"

pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="the cases that people met (../shared/cases) are not here")


def test_layer_rules_that_end_in_auto_placeholders_map_each_variable_once():
    table = load_table(CASES / "L34_layers_auto" / "t.yaml")
    result = apply_table(table, ["b/gamma", "conv2d/kernel", "conv2d/bias"])
    assert {one.sources: one.target for one in result.assignments} == {
        (name,): name for name in ("b/gamma", "conv2d/kernel", "conv2d/bias")
    }
    assert result.problems == ()
