"""Slim's top-down path of the feature pyramid, and the extractors' part in it."""

from __future__ import annotations

from typing import Any

from ckptmap.tf.exact.api import feature_map_generators, tf

_STOCK_LAYERS = ("top_layers", "residual_blocks", "top_down_blocks", "reshape_blocks", "conv_layers")
LAST_BACKBONE_LEVEL = 5  # coarser levels are made from the pyramid itself


class SlimTopDownFeatureMaps(feature_map_generators.KerasFpnTopDownFeatureMaps):
    """The pyramid's top-down path as ``fpn_top_down_feature_maps`` of ``models/feature_map_generators.py`` runs it.

    Slim passes the sum of a level down the pyramid and smooths it only for the output. The Keras class of the same
    module passes the smoothed map down: from the second level on the feature maps are others, and raw outputs differ
    by 3 to 5. The layers are those of ``stock``, under the same attributes, so that the keys stay.
    """

    def __init__(self, stock: Any) -> None:
        tf.keras.Model.__init__(self, name=stock.name)
        self.scope = stock.scope
        for name in _STOCK_LAYERS:
            setattr(self, name, getattr(stock, name))

    def call(self, image_features: list[tuple[str, Any]]) -> dict[str, Any]:
        """Feature maps by ``top_down_<name>``, finest first.

        ``image_features``: (name, map of shape [batch, height, width, depth]), finest first, each half the size of
        the one before it; the maps returned are as large.
        """
        with tf.name_scope(self.scope):
            summed = _through(self.top_layers, image_features[-1][1])
            maps = [summed]
            for index, (_, features) in enumerate(reversed(image_features[:-1])):
                residual = _through(self.residual_blocks[index], features)
                summed = _through(self.top_down_blocks[index], summed)
                for layer in self.reshape_blocks[index]:
                    summed = layer([residual, summed])
                summed += residual
                maps.append(_through(self.conv_layers[index], summed))
        return {
            f"top_down_{name}": features for (name, _), features in zip(image_features, reversed(maps), strict=True)
        }


class SlimFpn:
    """Mixed into a stock SSD FPN extractor: replaces its top-down path when the extractor is built."""

    _fpn_features_generator: Any

    def build(self, input_shape: Any) -> None:
        """Build the stock extractor, then let slim's top-down path have the pyramid's layers."""
        super().build(input_shape)  # type: ignore[misc]
        self._fpn_features_generator = SlimTopDownFeatureMaps(self._fpn_features_generator)


def _through(layers: Any, features: Any) -> Any:
    for layer in layers:
        features = layer(features)
    return features
