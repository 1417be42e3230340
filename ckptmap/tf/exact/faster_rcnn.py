"""Slim-exact feature extractors of Faster R-CNN, also for Mask R-CNN, R-FCN and Context R-CNN."""

from __future__ import annotations

import functools
from typing import Any

from ckptmap.tf.exact.api import (
    faster_rcnn_inception_resnet_v2,
    faster_rcnn_resnet,
    keras_inception_resnet_v2,
    replaced,
)
from ckptmap.tf.exact.inception_resnet import slim_inception_resnet_v2
from ckptmap.tf.exact.resnet import SlimAtrousResnetLayers, SlimRcnnResnetLayers, slim_resnet_v1

_LAYERS_BY_STRIDE = {16: SlimRcnnResnetLayers, 8: SlimAtrousResnetLayers}
_STOCK_STRIDE = 16


class _SlimResnet:
    """Mixed into a stock ResNet extractor: another backbone, and stride 8 beside 16."""

    _units: int

    def __init__(
        self,
        is_training: bool,
        first_stage_features_stride: int = _STOCK_STRIDE,
        batch_norm_trainable: bool = False,
        weight_decay: float = 0.0,
    ) -> None:
        layers = _LAYERS_BY_STRIDE.get(first_stage_features_stride)
        if layers is None:
            raise ValueError(f"first_stage_features_stride is 8 or 16, not {first_stage_features_stride}")
        super().__init__(  # type: ignore[call-arg]
            is_training=is_training,
            first_stage_features_stride=_STOCK_STRIDE,
            batch_norm_trainable=batch_norm_trainable,
            weight_decay=weight_decay,
        )
        self._first_stage_features_stride = first_stage_features_stride
        self._resnet_v1_base_model = functools.partial(slim_resnet_v1, self._units, layers)


class SlimFasterRcnnResnet50(_SlimResnet, faster_rcnn_resnet.FasterRCNNResnet50KerasFeatureExtractor):
    """``faster_rcnn_resnet50`` with slim's block4, at feature stride 16 and 8.

    Differs from stock in conv5's stride, 1 instead of 2 (stock's second stage differs by 2 to 15, and by 5 in R-FCN;
    at stride 16 ``maxpool_stride: 1`` makes stock equal, but in R-FCN there is no pooling to change), and at stride 8,
    which stock refuses, in conv4: stride 1 and rate 2.
    """

    _units = 50


class SlimFasterRcnnResnet101(_SlimResnet, faster_rcnn_resnet.FasterRCNNResnet101KerasFeatureExtractor):
    """``faster_rcnn_resnet101``; see ``SlimFasterRcnnResnet50``."""

    _units = 101


class SlimFasterRcnnResnet152(_SlimResnet, faster_rcnn_resnet.FasterRCNNResnet152KerasFeatureExtractor):
    """``faster_rcnn_resnet152``; see ``SlimFasterRcnnResnet50``."""

    _units = 152


class SlimFasterRcnnInceptionResnetV2(faster_rcnn_inception_resnet_v2.FasterRCNNInceptionResnetV2KerasFeatureExtractor):
    """``faster_rcnn_inception_resnet_v2`` with slim's Mixed_7a, at feature stride 16 and 8.

    Differs from stock in ``SlimInceptionResnetLayers``: second-stage outputs by 1 at stride 16; at stride 8 stock
    cannot predict at all.
    """

    def get_proposal_feature_extractor_model(self, name: str | None = None) -> Any:
        """The stock model of the first stage on slim's backbone."""
        with replaced(keras_inception_resnet_v2, "inception_resnet_v2", slim_inception_resnet_v2):
            return super().get_proposal_feature_extractor_model(name)

    def get_box_classifier_feature_extractor_model(self, name: str | None = None) -> Any:
        """The stock model of the second stage on slim's backbone."""
        with replaced(keras_inception_resnet_v2, "inception_resnet_v2", slim_inception_resnet_v2):
            return super().get_box_classifier_feature_extractor_model(name)


EXTRACTORS = {
    "faster_rcnn_resnet50": SlimFasterRcnnResnet50,
    "faster_rcnn_resnet101": SlimFasterRcnnResnet101,
    "faster_rcnn_resnet152": SlimFasterRcnnResnet152,
    "faster_rcnn_inception_resnet_v2": SlimFasterRcnnInceptionResnetV2,
}
