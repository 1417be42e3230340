from __future__ import annotations

import time

from ckptmap.checkpoint.names import nearest, shortened


def test_names_fit_on_a_line() -> None:
    assert shortened("FeatureExtractor/Conv/größe") == "FeatureExtractor/Conv/größe"
    assert shortened("a\x00\x1b[2J\nb\u202e\udcff") == "a\\x00\\x1b[2J\\nb\\u202e\\udcff"
    assert shortened("x" * 1001) == "x" * 1000 + "…"


def test_the_nearest_names() -> None:
    assert nearest("conv1/weight", ["conv1/weights", "conv2/weights", "global_step"]) == (
        "did you mean conv1/weights, conv2/weights?"
    )
    assert nearest("xyz", ["global_step"]) == ""


def test_many_names_take_no_time() -> None:
    start = time.perf_counter()
    hint = nearest("layer_5001/weight", (f"layer_{number}/weights" for number in range(100_000)))
    assert "layer_5001/weights" in hint
    assert time.perf_counter() - start < 5
