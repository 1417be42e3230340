"""Context R-CNN's attention block as slim runs it."""

from __future__ import annotations

from typing import Any

from ckptmap.tf.exact.api import context_rcnn_lib, tf

_STOCK_ATTRIBUTES = (
    "_key_proj",
    "_val_proj",
    "_query_proj",
    "_feature_proj",
    "_attention_temperature",
    "_bottleneck_dimension",
    "_is_training",
    "_output_dimension",
    "_max_num_proposals",
)


class SlimAttentionBlock(context_rcnn_lib.AttentionBlock):
    """The attention block with the residuals of ``meta_architectures/context_rcnn_lib.py``.

    Slim adds the pooled box features to one layer's attention, and the sum to the pooled box features once more:
    ``2 * pooled + attention``. Stock (``context_rcnn_lib_tf2.py``) returns the attention alone; second-stage outputs
    differ by 1e2. The projections are those of ``stock``, under the same attributes, so that keys and names stay.
    """

    def __init__(self, stock: Any) -> None:
        tf.keras.layers.Layer.__init__(self, name=stock.name)
        for name in _STOCK_ATTRIBUTES:
            setattr(self, name, getattr(stock, name))

    def call(self, box_features: Any, context_features: Any, valid_context_size: Any, num_proposals: Any) -> Any:
        """Attention and twice the pooled box features, [batch, max_num_proposals, 1, 1, depth]."""
        attention = super().call(box_features, context_features, valid_context_size, num_proposals)
        pooled = tf.reduce_mean(box_features, [1, 2])
        return attention + 2.0 * tf.reshape(pooled, [-1, self._max_num_proposals, 1, 1, pooled.shape[-1]])


def slim_attention(model: Any) -> Any:
    """``model``, a ContextRCNNMetaArch not yet built, with slim's attention block under the same attribute."""
    model._context_feature_extract_fn = SlimAttentionBlock(model._context_feature_extract_fn)
    return model
