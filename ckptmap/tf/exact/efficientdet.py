"""Exact feature extractors of EfficientDet D1 to D7x: the Object Detection API's, fed as AutoML feeds its own."""

from __future__ import annotations

import re
from typing import Any

from ckptmap.tf.exact.api import image_ops, shape_utils, ssd_efficientnet_bifpn, tf

_STACKS = {1: 0, 2: 1, 3: 2, 4: 4, 5: 6}
"""The stack of EfficientNet that ends at each level of the pyramid: stride 2, 4, 8, 16, 32."""
_LEAST_IMAGE = 129
"""The least height and width, as in stock."""


class _LastBlocks:
    """Mixed into a stock extractor: feature maps are the ends of the stacks, as ``efficientdet_arch.py`` takes them.

    Stock (``models/ssd_efficientnet_bifpn_feature_extractor.py``) names the layers where B0's stacks end, whatever the
    network. From B1 on the stacks are longer, and raw outputs differ by 0.6. Layers, names and keys are stock's: the
    last blocks, which stock never runs, are below ``classification_backbone`` here too.
    """

    classification_backbone: Any
    _bifpn_min_level: int
    _backbone_max_level: int
    _output_layer_alias: list[str]
    _pad_to_multiple: int
    _bifpn_stage: Any

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        network = self.classification_backbone
        levels = range(self._bifpn_min_level, self._backbone_max_level + 1)
        ends = [_end(network, _STACKS[level]) for level in levels]
        # a bound method: a model would be tracked, and its keys would come before stock's
        self._run_backbone = tf.keras.Model(network.inputs, ends).__call__

    def _extract_features(self, preprocessed_inputs: Any) -> list[Any]:
        """Feature maps, finest first, of images [batch, height, width, 3]."""
        image = shape_utils.check_min_image_dim(_LEAST_IMAGE, preprocessed_inputs)
        maps = self._run_backbone(image_ops.pad_to_multiple(image, self._pad_to_multiple))
        return list(self._bifpn_stage(list(zip(self._output_layer_alias, maps, strict=True))).values())


def _end(network: Any, stack: int) -> Any:
    """What the last block of a stack gives: its residual sum, or its last batch norm where it has none."""
    ends = re.compile(rf"stack_{stack}/block_[0-9]+/(?:add|project_bn)")
    return [layer for layer in network.layers if ends.fullmatch(layer.name)][-1].output


EXTRACTORS: dict[str, Any] = {
    f"ssd_efficientnet-b{n}_bifpn": type(
        f"ExactEfficientNetB{n}BiFpn",
        (_LastBlocks, getattr(ssd_efficientnet_bifpn, f"SSDEfficientNetB{n}BiFPNKerasFeatureExtractor")),
        {"__doc__": f"EfficientNet B{n} with a bidirectional feature pyramid on the ends of its stacks."},
    )
    for n in range(1, 8)
}
"""By the stock type without ``_keras``. B0's stacks end where stock takes them."""
