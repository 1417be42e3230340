"""Context R-CNN's attention block as slim runs it."""

from __future__ import annotations

from typing import Any

from ckptmap.tf.exact.api import context_rcnn_lib, tf


class SlimAttentionBlock(context_rcnn_lib.AttentionBlock):
    """The attention block with the residuals of ``meta_architectures/context_rcnn_lib.py``.

    Slim adds the pooled box features to one layer's attention, and the sum to the pooled box features once more:
    ``2 * pooled + attention``. Stock (``context_rcnn_lib_tf2.py``) returns the attention alone; second-stage outputs
    differ by 1e2.
    """

    def call(self, box_features: Any, context_features: Any, valid_context_size: Any, num_proposals: Any) -> Any:
        """Attention and twice the pooled box features, [batch, max_num_proposals, 1, 1, depth]."""
        attention = super().call(box_features, context_features, valid_context_size, num_proposals)
        pooled = tf.reduce_mean(box_features, [1, 2])
        return attention + 2.0 * tf.reshape(pooled, [-1, self._max_num_proposals, 1, 1, pooled.shape[-1]])


def slim_attention(model: Any) -> Any:
    """``model``, a ContextRCNNMetaArch not yet built, with slim's attention block under the same attribute."""
    stock = model._context_feature_extract_fn
    model._context_feature_extract_fn = SlimAttentionBlock(
        bottleneck_dimension=stock._bottleneck_dimension,
        attention_temperature=stock._attention_temperature,
        is_training=stock._is_training,
        max_num_proposals=stock._max_num_proposals,
        name=stock.name,
    )
    return model
