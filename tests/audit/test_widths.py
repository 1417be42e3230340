"""Widths that a config says: a checkpoint of other ones does not fit, and stock fpnlite's is wider than slim's."""

from __future__ import annotations

from pathlib import Path

import pytest

from ckptmap.audit import audit
from ckptmap.audit.subject import subject_of_config
from ckptmap.checkpoint.inventory import Inventory, Kind
from ckptmap.checkpoint.object_graph import VALUE_SUFFIX
from ckptmap.checkpoint.object_writer import ObjectValue, write_object_checkpoint
from ckptmap.checkpoint.reader import open_checkpoint
from ckptmap.families.detection.pipeline.config import parse_config

CASE = Path(__file__).resolve().parents[2].parent / "shared" / "cases" / "detectors" / "H2-02-fpnlite-audit"
NOTHING = Inventory(Kind.V2, "none", {}, object_based=True)
CONFIG = """
model {{ ssd {{
  num_classes: 3
  feature_extractor {{
    type: '{kind}' depth_multiplier: {multiplier} min_depth: 16 use_depthwise: {depthwise} {norm}
  }}
  box_predictor {{ {predictor} }}
  anchor_generator {{ {anchors} }}
}} }}
"""
NORM = "conv_hyperparams { batch_norm { scale: true } }"
SHARED = f"weight_shared_convolutional_box_predictor {{ depth: 128 num_layers_before_predictor: 4 {NORM} }}"
LEVELS = "multiscale_anchor_generator { aspect_ratios: 1.0 }"
CONVOLUTIONAL = "convolutional_box_predictor { }"
LAYERS = "ssd_anchor_generator { aspect_ratios: 1.0 }"
LAST = "Conv_1/kernel"


def with_zeros(index: Path, prefix: Path) -> Path:
    """A checkpoint of the same variables below its root ``model``, whose data are at hand."""
    with open_checkpoint(index) as checkpoint:
        held = checkpoint.inventory.variables
    objects = {
        path: ObjectValue(path, held[key].dtype, held[key].shape, [bytes(held[key].nbytes)])
        for key in held
        if key.startswith("model/") and (path := key.removeprefix("model/").removesuffix(VALUE_SUFFIX))
    }
    write_object_checkpoint(prefix, "model", objects)
    return prefix


@pytest.mark.skipif(not CASE.is_dir(), reason="the case (../shared/cases) is not here")
def test_the_zoos_fpnlite_fits_its_own_config(tmp_path: Path) -> None:
    prefix = with_zeros(CASE / "ckpt-0.index", tmp_path / "ckpt-0")
    found = audit(prefix, pipeline=CASE / "pipeline.config")
    assert {fate: found.summary[fate] for fate in ("restored", "reinitialized", "missing")} == {
        "restored": 290,
        "reinitialized": 94,
        "missing": 0,
    }
    assert found.passed


def width(kind: str, multiplier: float, variable: str, *, depthwise: str = "false") -> int:
    predictor, anchors = (SHARED, LEVELS) if "_fpn" in kind else (CONVOLUTIONAL, LAYERS)
    text = CONFIG.format(
        kind=kind, multiplier=multiplier, depthwise=depthwise, norm=NORM, predictor=predictor, anchors=anchors
    )
    variables = subject_of_config(parse_config(text), NOTHING).model.variables
    assert variables is not None, subject_of_config(parse_config(text), NOTHING).remarks
    (found,) = [one.shape[-1] for one in variables if one.name == variable]
    return found


@pytest.mark.parametrize(
    ("kind", "multiplier", "expected"),
    [
        ("ssd_mobilenet_v2_fpn_keras", 1.0, 1280),
        ("ssd_mobilenet_v2_fpn_keras", 0.75, 960),
        ("ssd_mobilenet_v2_fpn_keras", 1.4, 1280),
        ("ssd_mobilenet_v2_fpn_exact_keras", 1.0, 256),
        ("ssd_mobilenet_v2_fpn_exact_keras", 0.75, 192),
    ],
)
def test_the_last_convolution_of_fpnlite(kind: str, multiplier: float, expected: int) -> None:
    assert width(kind, multiplier, LAST, depthwise="true") == expected


@pytest.mark.parametrize(
    ("kind", "multiplier", "variable", "expected"),
    [
        ("ssd_mobilenet_v2_keras", 0.35, "block_16_project/kernel", 112),
        ("ssd_mobilenet_v1_exact_keras", 0.75, "conv_pw_12/kernel", 768),
        ("ssd_mobilenet_v1_keras", 0.75, "conv_pw_12/kernel", 576),
    ],
)
def test_a_depth_multiplier_scales_what_no_checkpoint_shows(
    kind: str, multiplier: float, variable: str, expected: int
) -> None:
    assert width(kind, multiplier, variable) == expected
