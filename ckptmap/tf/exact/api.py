"""What the exact extractors use of TensorFlow and of the Object Detection API, imported in a prepared process."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from ckptmap.tf import environment

if TYPE_CHECKING:
    from collections.abc import Iterator

tf = environment.tf2()

_MODELS = "object_detection.models"
freezable_batch_norm = environment.import_quietly("object_detection.core.freezable_batch_norm")
feature_map_generators = environment.import_quietly(f"{_MODELS}.feature_map_generators")
keras_inception_resnet_v2 = environment.import_quietly(f"{_MODELS}.keras_models.inception_resnet_v2")
keras_mobilenet_v1 = environment.import_quietly(f"{_MODELS}.keras_models.mobilenet_v1")
keras_mobilenet_v2 = environment.import_quietly(f"{_MODELS}.keras_models.mobilenet_v2")
keras_model_utils = environment.import_quietly(f"{_MODELS}.keras_models.model_utils")
keras_resnet_v1 = environment.import_quietly(f"{_MODELS}.keras_models.resnet_v1")
faster_rcnn_meta_arch = environment.import_quietly("object_detection.meta_architectures.faster_rcnn_meta_arch")
ssd_meta_arch = environment.import_quietly("object_detection.meta_architectures.ssd_meta_arch")
hyperparams_builder = environment.import_quietly("object_detection.builders.hyperparams_builder")
context_rcnn_lib = environment.import_quietly("object_detection.meta_architectures.context_rcnn_lib_tf2")
faster_rcnn_inception_resnet_v2 = environment.import_quietly(
    f"{_MODELS}.faster_rcnn_inception_resnet_v2_keras_feature_extractor"
)
faster_rcnn_resnet = environment.import_quietly(f"{_MODELS}.faster_rcnn_resnet_keras_feature_extractor")
image_ops = environment.import_quietly("object_detection.utils.ops")
shape_utils = environment.import_quietly("object_detection.utils.shape_utils")
ssd_efficientnet_bifpn = environment.import_quietly(f"{_MODELS}.ssd_efficientnet_bifpn_feature_extractor")
ssd_mobilenet_v1 = environment.import_quietly(f"{_MODELS}.ssd_mobilenet_v1_keras_feature_extractor")
ssd_mobilenet_v1_fpn = environment.import_quietly(f"{_MODELS}.ssd_mobilenet_v1_fpn_keras_feature_extractor")
ssd_mobilenet_v2 = environment.import_quietly(f"{_MODELS}.ssd_mobilenet_v2_keras_feature_extractor")
ssd_mobilenet_v2_fpn = environment.import_quietly(f"{_MODELS}.ssd_mobilenet_v2_fpn_keras_feature_extractor")
ssd_resnet_v1_fpn = environment.import_quietly(f"{_MODELS}.ssd_resnet_v1_fpn_keras_feature_extractor")
model_builder = environment.import_quietly("object_detection.builders.model_builder")


@contextlib.contextmanager
def replaced(module: Any, name: str, replacement: Any) -> Iterator[None]:
    """``module.name`` is ``replacement`` while stock code runs that looks it up there.

    It lets a subclass reuse the API's ``build()`` with another backbone. Not for several threads at once, no more
    than ``tf.keras.applications`` itself, which keeps its layers in a module variable.
    """
    stock = getattr(module, name)
    setattr(module, name, replacement)
    try:
        yield
    finally:
        setattr(module, name, stock)
