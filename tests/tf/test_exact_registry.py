"""The exact types: what there is, under which names, known to the API's model_builder."""

from __future__ import annotations

import subprocess
import sys

from ckptmap.families.detection.pipeline.efficientdet import VERSIONS
from ckptmap.tf.exact import EFFICIENTDET_TYPES, EXACT_TYPES, SLIM_ONLY_TYPES, exact_type, register


def test_the_types():
    assert EXACT_TYPES == (
        "ssd_mobilenet_v1",
        "ssd_mobilenet_v1_fpn",
        "ssd_mobilenet_v2",
        "ssd_mobilenet_v2_fpn",
        "ssd_resnet50_v1_fpn",
        "ssd_resnet101_v1_fpn",
        "ssd_resnet152_v1_fpn",
        "faster_rcnn_resnet50",
        "faster_rcnn_resnet101",
        "faster_rcnn_resnet152",
        "faster_rcnn_inception_resnet_v2",
    )
    assert exact_type("ssd_mobilenet_v2_fpn") == "ssd_mobilenet_v2_fpn_exact_keras"


def test_every_efficientdet_has_its_exact_type_or_needs_none():
    types = {f"{name}_keras" for name in EFFICIENTDET_TYPES}
    assert {one.stock_type for one in VERSIONS.values()} - types == {"ssd_efficientnet-b0_bifpn_keras"}
    exact = {exact_type(name) for name in EFFICIENTDET_TYPES}
    assert {one.exact_type for one in VERSIONS.values() if one.name != "efficientdet_d0"} == exact


def test_register_adds_each_type_beside_the_stock_one_and_nothing_twice():
    register()
    from object_detection.builders import model_builder

    def known():
        ssd, rcnn = (
            model_builder.SSD_KERAS_FEATURE_EXTRACTOR_CLASS_MAP,
            model_builder.FASTER_RCNN_KERAS_FEATURE_EXTRACTOR_CLASS_MAP,
        )
        return {**ssd, **rcnn}, model_builder.META_ARCH_BUILDER_MAP["faster_rcnn"]

    types, builder = known()
    for tf1_type in (*EXACT_TYPES, *EFFICIENTDET_TYPES):
        assert issubclass(types[exact_type(tf1_type)], types[f"{tf1_type}_keras"])
    assert {exact_type(tf1_type) for tf1_type in SLIM_ONLY_TYPES} <= types.keys()
    register()
    assert known() == (types, builder)


def test_the_names_cost_no_tensorflow():
    code = "import sys, ckptmap.tf.exact; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
