from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from ckptmap import convert
from tests.convert.conftest import TABLE, tf1_values, write_template, write_tf1

QUANTIZATION = {
    "net/conv/weights_quant/min": np.array(-1.5, np.float32),
    "net/conv/weights_quant/max": np.array(2.5, np.float32),
    "net/conv/act_quant/net/conv/act_quant/min/biased": np.array(0.25, np.float32),
    "net/conv/act_quant/net/conv/act_quant/min/local_step": np.array(7, np.float32),
    "net/conv/act_quant/min": np.array(-6, np.float32),
    "fake_quantization_step": np.array(9, np.int64),
}


def converted(tmp_path: Path, *, ranges: bool) -> dict[str, object]:
    table = tmp_path / "my_model.yaml"
    table.write_text(TABLE)
    source = write_tf1(tmp_path / "model.ckpt", {**tf1_values(), **QUANTIZATION})
    to = write_template(tmp_path / "zoo" / "ckpt-0")
    return convert(source, to=to, table=table, output=tmp_path / "new", ranges=ranges)


def test_variables_of_quantization_are_dropped_with_that_reason(tmp_path: Path) -> None:
    report = converted(tmp_path, ranges=False)
    assert report["findings"] == []
    assert "quantization_ranges" not in report
    found = {one["name"]: (one["fate"], one["reason"]) for one in report["source_variables"]}
    assert {name: found[name] for name in QUANTIZATION} == {
        **dict.fromkeys(QUANTIZATION, ("dropped", "range of quantization-aware training")),
        "fake_quantization_step": ("dropped", "step counter of quantization-aware training"),
    }


def test_their_ranges_are_kept_on_request(tmp_path: Path) -> None:
    report = converted(tmp_path, ranges=True)
    assert report["quantization_ranges"] == {
        "net/conv/act_quant/min": -6.0,
        "net/conv/weights_quant/max": 2.5,
        "net/conv/weights_quant/min": -1.5,
    }
    written = json.loads((tmp_path / "new" / "report.json").read_text())
    assert written["quantization_ranges"] == report["quantization_ranges"]
