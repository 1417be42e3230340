"""Which model of keras.applications a conversion's report names. Imports no TensorFlow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ckptmap.basics.errors import CkptmapError
from ckptmap.tf.verify.general.shipped import Application, find_application


def written(folder: Path, target: dict[str, Any]) -> str:
    (folder / "report.json").write_text(json.dumps({"schema": "ckptmap.report/1", "target": target}))
    return str(folder / "ckpt-0")


def target(name: str, settings: dict[str, Any], **dimensions: int) -> dict[str, Any]:
    return {"name": name, "settings": settings, "dimensions": dimensions}


def test_width_and_classes_come_from_the_dimensions(tmp_path: Path) -> None:
    asked = target(
        "keras_mobilenet_v2", {"keras": 3, "include_top": True}, num_classes=9, width_320=112, width_1280=1280
    )
    options = {"include_top": True, "classes": 9, "classifier_activation": None, "alpha": 0.35}
    assert find_application(written(tmp_path, asked)) == Application("MobileNetV2", 3, options)


def test_without_its_classifier(tmp_path: Path) -> None:
    asked = target("keras_resnet50", {"keras": 2, "include_top": False})
    assert find_application(written(tmp_path, asked)) == Application("ResNet50", 2, {"include_top": False})


def test_other_targets_and_no_report_name_none(tmp_path: Path) -> None:
    assert find_application(str(tmp_path / "ckpt-0")) is None
    assert find_application(written(tmp_path, target("ssd_mobilenet_v2", {}))) is None


def test_a_report_that_lacks_what_it_should_say_is_told(tmp_path: Path) -> None:
    with pytest.raises(CkptmapError) as caught:
        find_application(written(tmp_path, {"name": "keras_resnet50"}))
    assert str(tmp_path / "report.json") in str(caught.value)
