from __future__ import annotations

import time

from ckptmap.basics.nearest import Names, did_you_mean


def test_the_nearest_names() -> None:
    names = Names(["conv1/weights", "conv2/weights", "global_step"])
    assert names.nearest("conv1/weight") == ["conv1/weights"]
    assert names.nearest("conv1/weight", 3) == ["conv1/weights", "conv2/weights"]
    assert names.nearest("xyz") == []
    assert did_you_mean("conv1/weight", names) == 'nearest: "conv1/weights"'
    assert did_you_mean("xyz", names) == ""


def test_of_many_names_those_that_begin_or_end_alike_are_compared() -> None:
    names = Names([*(f"layer_{number}/weights" for number in range(100_000)), "stem/depthwise_weights"])
    start = time.perf_counter()
    assert names.nearest("layer_5001/weight") == ["layer_5001/weights"]
    assert names.nearest("stam/depthwise_weights") == ["stem/depthwise_weights"]
    assert time.perf_counter() - start < 5
