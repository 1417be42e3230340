"""Slim-exact extractors have the names, object-graph keys and shapes of the stock ones: one checkpoint serves both."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ckptmap.basics.errors import ConfigError
from ckptmap.tf.exact import exact_type, register
from ckptmap.tf.models import build_model, model_variables
from tests.tf.rows import Row

if TYPE_CHECKING:
    from pathlib import Path

    from ckptmap.tf.models import LiveVariable

VARIABLES = {
    "ssd_mobilenet_v1": 199,
    "ssd_mobilenet_v1_fpn": 249,
    "ssd_mobilenet_v2": 324,
    "ssd_mobilenet_v2_fpn": 374,
    "ssd_resnet50_v1_fpn": 379,
    "ssd_resnet101_v1_fpn": 634,
    "ssd_resnet152_v1_fpn": 889,
    "faster_rcnn_resnet50": 275,
    "faster_rcnn_resnet101": 530,
    "faster_rcnn_resnet152": 785,
    "faster_rcnn_inception_resnet_v2": 906,
}
DEEPER = re.compile("resnet1")  # of the code of ResNet 50
_LATER_MODEL = re.compile(r"(extractor|predictor|_head)_[0-9]+(?=/)", re.IGNORECASE)
_NUMBERED = re.compile(r"(?P<layer>conv2d|freezable_batch_norm)(_(?P<number>[0-9]+))?/(?P<leaf>.+)")


@pytest.mark.parametrize(
    "tf1_type", [pytest.param(name, marks=pytest.mark.matrix if DEEPER.search(name) else ()) for name in VARIABLES]
)
def test_keys_names_and_shapes_are_stocks(tf1_type: str, tmp_path: Path) -> None:
    row = Row("keys", tf1_type)
    exact = variables(replace(row, type=exact_type(tf1_type)), tmp_path / "exact.config")
    stock = variables(replace(row, type=f"{tf1_type}_keras"), tmp_path / "stock.config")
    assert len(exact) == VARIABLES[tf1_type]
    assert shapes_by_key(exact) == shapes_by_key(stock)
    assert names_by_key(exact) == names_by_key(stock)


def test_another_stride_is_refused(tmp_path: Path) -> None:
    row = Row("stride", exact_type("faster_rcnn_resnet50"), fields={"stride": 32})
    with pytest.raises(ConfigError, match="first_stage_features_stride is 8 or 16, not 32"):
        variables(row, tmp_path / "pipeline.config")


def variables(row: Row, config: Path) -> list[LiveVariable]:
    """The variables of a row whose type is one of TF2."""
    register()
    config.write_text(row.tf1_config(), encoding="utf-8")
    return model_variables(build_model(config))


def shapes_by_key(found: list[LiveVariable]) -> dict[str, tuple[int, ...]]:
    """Checkpoint keys and shapes."""
    return {variable.key: variable.shape for variable in found}


def names_by_key(found: list[LiveVariable]) -> dict[str, str]:
    """Checkpoint keys and readable names, without what Keras adds to the names of a process's later models."""
    names = {variable.key: _LATER_MODEL.sub(r"\1", variable.full_name) for variable in found}
    numbered = {key: match for key, name in names.items() if (match := _NUMBERED.match(name))}
    first = min((int(match["number"] or 0) for match in numbered.values()), default=0)
    return names | {
        key: f"{match['layer']}_{int(match['number'] or 0) - first}/{match['leaf']}" for key, match in numbered.items()
    }
