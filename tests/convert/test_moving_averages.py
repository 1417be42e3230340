"""A training checkpoint with RMSProp slots and moving averages, as TensorFlow's Saver left it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ckptmap import convert, open_checkpoint, plan
from ckptmap.basics.errors import PlanError

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
TRAINING = FIXTURES / "ssd_mobilenet_v2_training" / "model.ckpt-3"
EMA = "/ExponentialMovingAverage"


def rows(folder: Path, ema: str) -> list[tuple[str, np.ndarray, str]]:
    """Of each restored variable: its source's name, its new value, and the reason in the report."""
    report = convert(TRAINING, to="ssd_mobilenet_v2", output=folder / "new", ema=ema)
    restored = [variable for variable in report["target_variables"] if variable["fate"] == "restored"]
    with open_checkpoint(folder / "new") as checkpoint:
        return [
            (one["source"], checkpoint.read(f"{one['key']}/.ATTRIBUTES/VARIABLE_VALUE"), one["reason"])
            for one in restored
        ]


def test_moving_averages_are_restored_exactly(tmp_path: Path) -> None:
    found = rows(tmp_path, "prefer")
    assert len(found) == 324
    averaged = [row for row in found if row[0].endswith(EMA)]
    assert len(averaged) == 204
    with open_checkpoint(TRAINING) as source:
        assert {name for name in source.inventory.variables if name.endswith(EMA)} == {name for name, _, _ in averaged}
        for name, value, reason in found:
            assert np.array_equal(value, source.read(name))
            assert reason == ("moving average" if name.endswith(EMA) else None)
        raw, average = (source.read(name) for name in (averaged[0][0].removesuffix(EMA), averaged[0][0]))
    assert not np.array_equal(raw, average)


def test_ignored_averages_leave_the_raw_values(tmp_path: Path) -> None:
    found = rows(tmp_path, "ignore")
    assert len(found) == 324
    with open_checkpoint(TRAINING) as source:
        for name, value, _ in found:
            assert not name.endswith(EMA)
            assert np.array_equal(value, source.read(name))


def test_the_ledger_names_what_was_superseded_and_dropped() -> None:
    made = plan(TRAINING, to="ssd_mobilenet_v2")
    fates = {record.name: (record.fate.value, record.reason) for record in made.sources}
    weight = "FeatureExtractor/MobilenetV2/Conv/weights"
    assert fates[weight] == ("superseded", "its moving average is restored")
    assert fates[f"{weight}{EMA}"] == ("mapped", "")
    assert fates[f"{weight}/RMSProp"] == ("dropped", "optimizer slot (RMSProp)")
    assert fates[f"{weight}/RMSProp_1"] == ("dropped", "optimizer slot (RMSProp_1)")
    assert made.summary["superseded"] == 204
    ignored = plan(TRAINING, to="ssd_mobilenet_v2", ema="ignore")
    reasons = {record.name: record.reason for record in ignored.sources}
    assert reasons[f"{weight}{EMA}"] == "moving average, left aside by ema='ignore'"
    assert ignored.summary["superseded"] == 0


def test_only_averages_where_some_lack() -> None:
    with pytest.raises(PlanError, match="has no moving average") as caught:
        plan(FIXTURES / "ssd_mobilenet_v2_tiny" / "model.ckpt", to="ssd_mobilenet_v2", ema="only")
    assert len(caught.value.problems) == 204
    assert plan(TRAINING, to="ssd_mobilenet_v2", ema="only").summary["superseded"] == 204
