"""Slim's own extractors with settings that no shipped target covers: the live model is the template."""

from __future__ import annotations

import pytest

import ckptmap
from ckptmap.tf.compare import compare
from ckptmap.tf.environment import tf2
from ckptmap.tf.exact import register
from ckptmap.tf.models import build_model
from ckptmap.tf.tf2_model import restore, run_model
from tests.tf.slim_only_rows import UNCOVERED


@pytest.mark.matrix
@pytest.mark.parametrize("row", UNCOVERED, ids=str)
def test_the_outputs_are_tf1s(row, tf1, tmp_path):
    ran = tf1(row)
    register()
    (tmp_path / "new.config").write_text(row.tf2_config())
    model = build_model(tmp_path / "new.config")
    fresh = tf2().train.Checkpoint(model=model).save(str(tmp_path / "fresh" / "ckpt"))
    report = ckptmap.convert(
        ran.checkpoint, pipeline=ran.pipeline, to=fresh, table=f"detectors/{row.type}", output=tmp_path / "new"
    )
    assert (report["verdict"]["kind"], report["findings"]) == (row.verdict.value, [])
    restore(model, tmp_path / "new" / "ckpt-0")
    found = compare(ran.outputs, run_model(model, ran.image))
    assert {item.name: item.relative for item in found.differences if item.relative > row.tolerance} == {}
    assert found.within(row.tolerance)
