"""Inception-ResNet V2 whose second half is slim's, from the Keras application."""

from __future__ import annotations

from typing import Any

from ckptmap.tf.exact.api import keras_inception_resnet_v2, tf

_LAST_OF_FIRST_STAGE = "block17_20_ac"


def slim_inception_resnet_v2(batchnorm_training: bool, **settings: Any) -> Any:
    """The API's ``keras_models.inception_resnet_v2.inception_resnet_v2``, built of ``SlimInceptionResnetLayers``."""
    ours = ("output_stride", "align_feature_maps", "weight_decay")
    layers = SlimInceptionResnetLayers(
        batchnorm_training,
        default_batchnorm_momentum=0.9997,
        default_batchnorm_epsilon=1e-3,
        **{name: settings.pop(name) for name in ours if name in settings},
    )
    return tf.keras.applications.InceptionResNetV2(layers=layers, **settings)


class SlimInceptionResnetLayers(keras_inception_resnet_v2._LayersOverride):
    """Aligned and atrous layers up to the end of the first stage, the Keras application's own after it.

    Stock (``object_detection/models/keras_models/inception_resnet_v2.py``) aligns the whole network. Slim's second
    stage (``models/faster_rcnn_inception_resnet_v2_feature_extractor.py``) runs Mixed_7a with stride 2 and VALID
    padding on the crops, which is what the application writes. Stock's SAME padding changes the second stage's
    outputs by 1; at stride 8 it takes Mixed_7a's 384 filters for Mixed_6a's and gives them stride 1, so that the
    branches do not fit and ``predict()`` fails.
    """

    def Activation(self, activation: str, **kwargs: Any) -> Any:  # noqa: N802
        """An activation; the first stage's last one ends alignment and atrous convolution."""
        if kwargs.get("name") == _LAST_OF_FIRST_STAGE:
            self._align_feature_maps = self._use_atrous = False
        return tf.keras.layers.Activation(activation, **kwargs)
