"""Slim-exact feature extractors of SSD: MobileNet V1 and V2, both with FPN, and the ResNet V1 FPNs (RetinaNet)."""

from __future__ import annotations

import functools
from typing import Any

from ckptmap.tf.exact.api import (
    keras_mobilenet_v1,
    keras_mobilenet_v2,
    replaced,
    ssd_mobilenet_v1,
    ssd_mobilenet_v1_fpn,
    ssd_mobilenet_v2,
    ssd_mobilenet_v2_fpn,
    ssd_resnet_v1_fpn,
)
from ckptmap.tf.exact.fpn import LAST_BACKBONE_LEVEL, SlimFpn
from ckptmap.tf.exact.mobilenet import slim_mobilenet_v1, slim_mobilenet_v2
from ckptmap.tf.exact.resnet import SlimResnetLayers, slim_resnet_v1

_DEPTH, _FPNLITE_DEPTH = 1280, 256  # MobileNet V2's last convolution in slim


class _MobileNet:
    """Mixed into a stock MobileNet extractor: slim's backbone where ``build`` asks the API for its own.

    The layer is called as Keras calls the first stock extractor of a process, so that variables have the same names.
    """

    _stock_name: str

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{"name": self._stock_name, **settings})

    def build(self, input_shape: Any) -> None:
        """Build the stock extractor on slim's backbone."""
        with replaced(*self._backbone()):
            super().build(input_shape)  # type: ignore[misc]

    def _backbone(self) -> tuple[Any, str, Any]:
        """The API's module, its function that makes the backbone, and slim's."""
        raise NotImplementedError


class SlimMobileNetV1(_MobileNet, ssd_mobilenet_v1.SSDMobileNetV1KerasFeatureExtractor):
    """``ssd_mobilenet_v1`` with the depth multiplier applied once.

    Differs from stock in the multiplier alone (``slim_mobilenet_v1``): with 1.0 the two are equal, with any other
    stock has other shapes and restores nothing.
    """

    _stock_name = "ssd_mobile_net_v1_keras_feature_extractor"

    def _backbone(self) -> tuple[Any, str, Any]:
        return keras_mobilenet_v1, "mobilenet_v1", slim_mobilenet_v1


class SlimMobileNetV2(_MobileNet, ssd_mobilenet_v2.SSDMobileNetV2KerasFeatureExtractor):
    """``ssd_mobilenet_v2`` with slim's depths, residuals and override rules.

    Differs from stock in ``SlimMobileNetV2Layers``: residuals on layers widened by ``min_depth`` (with multiplier
    0.35 or 0.5 and min_depth 16 stock's raw outputs differ by 5 to 11), the last convolution with multipliers above 1
    (stock's shapes differ), activation and batch norm under override.
    """

    _stock_name = "ssd_mobile_net_v2_keras_feature_extractor"

    def _backbone(self) -> tuple[Any, str, Any]:
        return keras_mobilenet_v2, "mobilenet_v2", slim_mobilenet_v2


class _MobileNetFpn(_MobileNet, SlimFpn):
    """Levels as slim counts them.

    Stock takes the last ``num_levels`` maps of the backbone even when ``fpn_max_level`` is below 5: with levels 3 to
    4 it reads the maps of strides 16 and 32 instead of 8 and 16.
    """

    _fpn_max_level: int
    _feature_blocks: list[str]

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        last = min(self._fpn_max_level, LAST_BACKBONE_LEVEL)
        self._feature_blocks = self._feature_blocks[: last - 1]  # they start at level 2


class SlimMobileNetV1Fpn(_MobileNetFpn, ssd_mobilenet_v1_fpn.SSDMobileNetV1FpnKerasFeatureExtractor):
    """``ssd_mobilenet_v1_fpn`` and its fpnlite with slim's top-down path.

    Differs from stock in the top-down path (``SlimTopDownFeatureMaps``), in levels that end below 5, and in
    multipliers other than 1 as ``SlimMobileNetV1``.
    """

    _stock_name = "ssd_mobile_net_v1_fpn_keras_feature_extractor"

    def _backbone(self) -> tuple[Any, str, Any]:
        return keras_mobilenet_v1, "mobilenet_v1", slim_mobilenet_v1


class SlimMobileNetV2Fpn(_MobileNetFpn, ssd_mobilenet_v2_fpn.SSDMobileNetV2FpnKerasFeatureExtractor):
    """``ssd_mobilenet_v2_fpn`` and its fpnlite with slim's top-down path.

    Differs from stock in the top-down path (``SlimTopDownFeatureMaps``), in levels that end below 5, in fpnlite's
    last convolution (256 deep in slim; stock makes its ``_conv_defs`` and forgets to pass them, 1280), and as
    ``SlimMobileNetV2``.
    """

    _stock_name = "ssd_mobile_net_v2_fpn_keras_feature_extractor"

    def _backbone(self) -> tuple[Any, str, Any]:
        last_depth = _FPNLITE_DEPTH if self._use_depthwise else _DEPTH
        return keras_mobilenet_v2, "mobilenet_v2", functools.partial(slim_mobilenet_v2, last_depth=last_depth)


class _ResNetFpn(SlimFpn):
    """Slim's backbone, and the settings of ``fpn { … }``, which stock takes and does not hand on."""

    _units: int

    def __init__(
        self, fpn_min_level: int = 3, fpn_max_level: int = 7, additional_layer_depth: int = 256, **settings: Any
    ) -> None:
        super().__init__(**settings)
        self._fpn_min_level = fpn_min_level
        self._fpn_max_level = fpn_max_level
        self._additional_layer_depth = additional_layer_depth
        self._resnet_v1_base_model = functools.partial(slim_resnet_v1, self._units, SlimResnetLayers)


class SlimResNet50V1Fpn(_ResNetFpn, ssd_resnet_v1_fpn.SSDResNet50V1FpnKerasFeatureExtractor):
    """``ssd_resnet50_v1_fpn`` with slim's top-down path and slim's override rules.

    Differs from stock in the top-down path and in ``SlimResnetLayers``, together raw outputs by 4 to 5, and in FPN
    levels and depth other than 3, 7 and 256, which stock ignores.
    """

    _units = 50


class SlimResNet101V1Fpn(_ResNetFpn, ssd_resnet_v1_fpn.SSDResNet101V1FpnKerasFeatureExtractor):
    """``ssd_resnet101_v1_fpn``; see ``SlimResNet50V1Fpn``."""

    _units = 101


class SlimResNet152V1Fpn(_ResNetFpn, ssd_resnet_v1_fpn.SSDResNet152V1FpnKerasFeatureExtractor):
    """``ssd_resnet152_v1_fpn``; see ``SlimResNet50V1Fpn``."""

    _units = 152


EXTRACTORS = {
    "ssd_mobilenet_v1": SlimMobileNetV1,
    "ssd_mobilenet_v1_fpn": SlimMobileNetV1Fpn,
    "ssd_mobilenet_v2": SlimMobileNetV2,
    "ssd_mobilenet_v2_fpn": SlimMobileNetV2Fpn,
    "ssd_resnet50_v1_fpn": SlimResNet50V1Fpn,
    "ssd_resnet101_v1_fpn": SlimResNet101V1Fpn,
    "ssd_resnet152_v1_fpn": SlimResNet152V1Fpn,
}
