"""The detectors of the Object Detection API and AutoML's EfficientDet, as the other rooms ask for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ckptmap.families.detection.config_beside import config_beside
from ckptmap.families.detection.operations import AUTOML, EFFICIENTDET
from ckptmap.families.detection.recognition.tf1 import recognize_tf1
from ckptmap.families.detection.recognition.tf2 import recognize_tf2
from ckptmap.families.family import Family

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ckptmap.families.detection.recognition.architecture import Architecture
    from ckptmap.families.family import Shapes
    from ckptmap.families.verdict import Verdict


_NORMALIZED = "RGB images of the model's size, normalized by ImageNet's mean and deviation"


def _recognize(shapes: Shapes, object_based: bool) -> Architecture | None:
    return recognize_tf2(shapes) if object_based else recognize_tf1(shapes)


def _verdict(target: str, settings: Mapping[str, object], lengths: Mapping[str, int]) -> Verdict | None:
    from ckptmap.families.detection.pipeline.presumed import presumed_verdict

    return presumed_verdict(target, settings, lengths)


def _preprocessing(target: str) -> str:
    """What the model of a target takes. Sources: ``preprocess`` of the API's meta-architectures and extractors;
    ``EfficientDetNet`` and ``EfficientDetModel`` of efficientdet/tf2/efficientdet_keras.py."""
    if _verdict(target, {}, {}) is None:
        return ""
    if target.startswith(AUTOML):
        return f"{_NORMALIZED}; the Keras model leaves that to its caller, as AutoML's TF1 graph does"
    own = "RGB images, 0 to 255, which the model's own preprocess resizes and normalizes"
    return f"{own}; AutoML's TF1 graph takes {_NORMALIZED}" if target.startswith(EFFICIENTDET) else f"{own}, as in TF1"


DETECTION = Family("detection", _recognize, _verdict, config_beside, _preprocessing)
