"""Numbers that size something are bounded where a config is read, and alike on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from ckptmap.basics.bounds import bound_of
from ckptmap.basics.errors import ConfigError
from ckptmap.families.detection.pipeline.config import parse_config, read_config

CASES = Path(__file__).resolve().parents[4].parent / "shared" / "cases" / "attacks"
TINY = Path(__file__).parents[4] / "fixtures" / "ssd_mobilenet_v2_tiny" / "pipeline.config"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("num_classes: 3", "num_classes: -1", "num_classes lies between 1 and 100000, not -1"),
        ("num_classes: 3", "num_classes: 0", "num_classes lies between 1 and 100000, not 0"),
        ("num_classes: 3", "num_classes: 2147483647", "num_classes lies between 1 and 100000, not 2147483647"),
        ("num_classes: 3", "num_classes: 0x7fffffff", "num_classes lies between 1 and 100000, not 0x7fffffff"),
        ("num_layers: 6", "num_layers: 100000000", "num_layers lies between 0 and 100, not 100000000"),
        ("kernel_size: 1", "kernel_size: 999999", "kernel_size lies between 1 and 1000, not 999999"),
        ("box_code_size: 4", "box_code_size: -4", "box_code_size lies between 1 and 1000, not -4"),
        ("min_depth: 8", "min_depth: 2000000000", "min_depth lies between 0 and 65536, not 2000000000"),
        ("height: 300", "height: 2147483647", "height lies between 0 and 65536, not 2147483647"),
        ("depth_multiplier: 0.1", "depth_multiplier: -0.1", "depth_multiplier lies between 0 and 100, not -0.1"),
        ("depth_multiplier: 0.1", "depth_multiplier: 1e30", "depth_multiplier lies between 0 and 100, not 1e30"),
        ("max_total_detections: 100", "max_total_detections: -5", "max_total_detections lies between 0 and 1000000"),
    ],
)
def test_a_number_out_of_bounds_is_told_with_its_field_and_line(old: str, new: str, message: str) -> None:
    text = TINY.read_text().replace(old, new, 1)
    line = text[: text.index(new)].count("\n") + 1
    with pytest.raises(ConfigError) as refused:
        parse_config(text, "p.config")
    assert str(refused.value).startswith(f"p.config:{line}: {message}")


@pytest.mark.parametrize(("low", "high"), [(1, 100_000)])
def test_the_bounds_themselves_are_taken(low: int, high: int) -> None:
    text = TINY.read_text()
    for count in (low, high):
        assert parse_config(text.replace("num_classes: 3", f"num_classes: {count}")).num_classes == count


def test_what_sizes_nothing_is_free() -> None:
    train = "train_config { num_steps: 4000000 batch_size: 24 }"
    assert parse_config(f"model {{ ssd {{ num_classes: 3 }} }} {train}").num_classes == 3


def test_anchors_that_are_a_product_are_bounded_too() -> None:
    many = " ".join(["scales: 1.0"] * 200 + ["aspect_ratios: 1.0"] * 200)
    anchors = f"first_stage_anchor_generator {{ grid_anchor_generator {{ {many} }} }}"
    config = parse_config(f"model {{ faster_rcnn {{ num_classes: 3\n{anchors} }} }}", "p.config")
    with pytest.raises(ConfigError, match=r"p\.config:2: the number of anchors at a location lies between 1 and 10000"):
        _ = config.anchors


@pytest.mark.parametrize(
    ("name", "high"),
    [("num_classes", 100_000), ("anchors_3", 10_000), ("predictor_kernel", 1_000), ("rpn_depth", 65_536)],
)
def test_unknowns_of_a_target_have_the_bounds_of_the_fields_that_say_them(name: str, high: int) -> None:
    assert bound_of(name).high == high


@pytest.mark.skipif(not CASES.is_dir(), reason="the cases of ../shared are not here")
@pytest.mark.parametrize(
    ("case", "line", "message"),
    [
        ("07-num-classes-in-config/neg1.config", 4, "num_classes lies between 1 and 100000, not -1"),
        ("07-num-classes-in-config/neg3.config", 4, "num_classes lies between 1 and 100000, not -3"),
        ("07-num-classes-in-config/max.config", 4, "num_classes lies between 1 and 100000, not 2147483647"),
        ("08-num-layers-in-config/this.config", 20, "num_layers lies between 0 and 100, not 100000000"),
    ],
)
def test_the_cases(case: str, line: int, message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read_config(CASES / case)
    assert str(refused.value) == f"{CASES / case}:{line}: {message}"
