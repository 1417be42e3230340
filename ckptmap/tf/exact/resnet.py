"""ResNet V1 with slim's unit outputs, batch norms, depths and atrous convolutions, from the Keras applications."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

from ckptmap.tf.exact.api import keras_resnet_v1, tf

_MOMENTUM, _EPSILON = 0.997, 1e-5  # nets/resnet_utils.py, resnet_arg_scope
_ROOT_DEPTH = 64  # nets/resnet_v1.py: the root convolution is not scaled


def slim_resnet_v1(units: int, layers: Callable[..., Any], batchnorm_training: bool, **settings: Any) -> Any:
    """``tf.keras.applications.resnet.ResNet<units>`` built of ``layers``, called as the API calls ``resnet_v1_50``.

    ``settings`` are those of ``layers`` (``conv_hyperparams``, ``weight_decay``, ``min_depth``, ``depth_multiplier``)
    and those of the Keras application (``classes``, ``weights``, ``include_top``).
    """
    ours = ("conv_hyperparams", "weight_decay", "min_depth", "depth_multiplier")
    override = layers(batchnorm_training, **{name: settings.pop(name) for name in ours if name in settings})
    application = getattr(tf.keras.applications.resnet, f"ResNet{units}")
    return application(layers=override, **settings)


class SlimResnetLayers(keras_resnet_v1._LayersOverride):
    """The layers that the Keras ResNets are built of, as slim would build them.

    Differences to stock, ``object_detection/models/keras_models/resnet_v1.py``:

    * Under ``override_base_feature_extractor_hyperparams`` a unit's output is relu, which ``nets/resnet_v1.py``
      writes out; stock takes the activation of ``conv_hyperparams`` (relu6 in every sample config). Batch norms keep
      epsilon 1e-5, momentum 0.997 and ``scale``, which slim passes as ``normalizer_params``; stock takes those of
      ``conv_hyperparams`` (epsilon 1e-3 in the sample configs).
    * Depths follow slim: the root convolution has 64 filters whatever the multiplier, a unit's output is four times
      ``max(int(depth * depth_multiplier), min_depth)``; stock scales the root too, and the output on its own.
    """

    def __init__(
        self, batchnorm_training: bool, min_depth: int = 8, depth_multiplier: float = 1.0, **settings: Any
    ) -> None:
        super().__init__(batchnorm_training, min_depth=0, depth_multiplier=1.0, **settings)
        self._slim_depth = lambda depth: max(int(depth * depth_multiplier), min_depth)

    def Conv2D(self, filters: int, kernel_size: int, **kwargs: Any) -> Any:  # noqa: N802
        """A convolution of slim's depth."""
        return super().Conv2D(self._filters(filters, kwargs["name"]), kernel_size, **kwargs)

    def Activation(self, *args: Any, **kwargs: Any) -> Any:  # noqa: N802
        """The configured activation inside a unit, relu after it."""
        if kwargs["name"].endswith("_out"):
            return tf.keras.layers.Lambda(tf.nn.relu, name=kwargs["name"])
        return super().Activation(*args, **kwargs)

    def BatchNormalization(self, **kwargs: Any) -> Any:  # noqa: N802
        """A batch norm with slim's momentum, epsilon and scale."""
        if not self._conv_hyperparams:
            return super().BatchNormalization(**kwargs)
        return self._conv_hyperparams.build_batch_norm(
            training=self._batchnorm_training, name=kwargs["name"], momentum=_MOMENTUM, epsilon=_EPSILON, scale=True
        )

    def _filters(self, filters: int, name: str) -> int:
        if name == "conv1_conv":
            return _ROOT_DEPTH
        if name.endswith(("_0_conv", "_3_conv")):
            return 4 * int(self._slim_depth(filters // 4))
        return int(self._slim_depth(filters))


class SlimRcnnResnetLayers(SlimResnetLayers):
    """The same for the two stages of Faster R-CNN.

    slim runs block4 on the crops with stride 1 (``models/faster_rcnn_resnet_v1_feature_extractor.py``); stock runs
    conv5 with stride 2.
    """

    _unstrided = re.compile("conv5_block1_[01]_conv")

    def Conv2D(self, filters: int, kernel_size: int, **kwargs: Any) -> Any:  # noqa: N802
        """A convolution with the stride that slim's block has."""
        if self._unstrided.fullmatch(kwargs["name"]):
            kwargs["strides"] = 1
        return super().Conv2D(filters, kernel_size, **kwargs)


class SlimAtrousResnetLayers(SlimRcnnResnetLayers):
    """The same at feature stride 8: block3 keeps block2's resolution and is atrous with rate 2.

    ``nets/resnet_utils.py``, ``stack_blocks_dense``: once the output stride is reached, a unit's stride becomes the
    rate of all later ones.
    """

    _unstrided = re.compile("conv[45]_block1_[01]_conv")
    _atrous = re.compile("conv4_block[0-9]+_2_conv")

    def Conv2D(self, filters: int, kernel_size: int, **kwargs: Any) -> Any:  # noqa: N802
        """A convolution with slim's stride and rate."""
        if self._atrous.fullmatch(kwargs["name"]):
            kwargs["dilation_rate"] = 2
        return super().Conv2D(filters, kernel_size, **kwargs)
