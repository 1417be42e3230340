"""A slim classification checkpoint fills the backbone of a detector that runs slim's own code."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import ckptmap
from ckptmap.checkpoint.reader import open_checkpoint
from ckptmap.families.detection.roots import classification_name
from ckptmap.targets import load_target
from tests.convert.conftest import write_tf1

LOGITS = {
    "InceptionV2/Logits/Conv2d_1c_1x1/weights": np.zeros((1, 1, 1024, 1001), np.float32),
    "InceptionV2/Logits/Conv2d_1c_1x1/biases": np.zeros(1001, np.float32),
}
LEFT_OUT = {"ssd_inception_v2": 40, "faster_rcnn_inception_v2": 0}
"""Variables of the extractor's extra layers."""
HEADS = {
    "ssd_inception_v2": {"predictor_kernel": 3, **{f"anchors_{n}": 6 for n in range(6)}},
    "faster_rcnn_inception_v2": {"number_of_stages": 2, "rpn_kernel": 3, "rpn_depth": 512, "anchors": 12},
}
"""What a pipeline.config says of the parts that are not restored."""


def slim_network(target: str) -> dict[str, np.ndarray]:
    """The variables of nets/inception_v2.py below the logits, with values of their own."""
    layout = load_target(target).layout((), {"num_classes": 2, **HEADS[target]})
    backbone = [variable for variable in layout.variables if variable.part == "backbone"]
    shapes = {
        name: [dim.coefficient for dim in one.dims] for one in backbone if (name := classification_name(one.name))
    }
    assert len(backbone) - len(shapes) == LEFT_OUT[target]
    return {name: np.full(shape, at, np.float32) for at, (name, shape) in enumerate(shapes.items())}


@pytest.mark.parametrize("target", LEFT_OUT)
def test_the_backbone_is_what_fine_tune_checkpoint_type_classification_restores(target: str, tmp_path: Path) -> None:
    values = slim_network(target)
    checkpoint = write_tf1(tmp_path / "inception_v2.ckpt", {**values, **LOGITS})
    table = f"classification/{target}"
    report = ckptmap.convert(
        checkpoint,
        to=target,
        table=table,
        root="feature_extractor",
        num_classes=2,
        settings=HEADS[target],
        output=tmp_path / "new",
    )
    assert report["findings"] == []
    assert (report["summary"]["restored"], report["summary"]["dropped"]) == (len(values), 2)
    with open_checkpoint(tmp_path / "new" / "ckpt-0") as made:
        for name, value in values.items():
            key = f"feature_extractor/{name.replace('/', '.S')}/.ATTRIBUTES/VARIABLE_VALUE"
            assert made.read(key).flat[0] == value.flat[0]
