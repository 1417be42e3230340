"""MobileNet V1 and V2 with slim's channel counts, residuals and override rules, from the Keras applications."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ckptmap.tf.exact.api import freezable_batch_norm, keras_mobilenet_v1, keras_mobilenet_v2, keras_model_utils, tf

if TYPE_CHECKING:
    from collections.abc import Callable

_MOMENTUM = 0.9997  # what slim's extractors and the API's Keras ones both set
_EPSILON = 1e-3
_DIVISOR = 8


def slim_mobilenet_v1(batchnorm_training: bool, alpha: float = 1.0, **settings: Any) -> Any:
    """The API's ``keras_models.mobilenet_v1.mobilenet_v1`` with the depth multiplier applied once.

    Stock hands ``alpha`` both to the Keras application, which scales the filters, and to its own layers, which scale
    them again: with 0.5 the network is a quarter as wide as ``nets/mobilenet_v1.py``. Here only the layers scale, as
    slim does: ``max(int(depth * alpha), min_depth)``. With 1.0 the two are the same network.
    """
    ours = ("conv_hyperparams", "use_explicit_padding", "min_depth", "conv_defs")
    layers = keras_mobilenet_v1._LayersOverride(
        batchnorm_training,
        default_batchnorm_momentum=_MOMENTUM,
        alpha=alpha,
        **{name: settings.pop(name) for name in ours if name in settings},
    )
    return tf.keras.applications.MobileNet(alpha=1.0, layers=layers, **settings)


def slim_mobilenet_v2(
    batchnorm_training: bool,
    *,
    conv_hyperparams: Any = None,
    use_explicit_padding: bool = False,
    alpha: float = 1.0,
    min_depth: int | None = None,
    last_depth: int = 1280,
    **application: Any,
) -> Any:
    """The API's ``keras_models.mobilenet_v2.mobilenet_v2`` as ``nets/mobilenet/mobilenet_v2.py`` builds it.

    ``last_depth`` is the depth of the last convolution before the multiplier: 1280, or 256 in slim's fpnlite.
    """
    layers = SlimMobileNetV2Layers(
        batchnorm_training,
        conv_hyperparams=conv_hyperparams,
        use_explicit_padding=use_explicit_padding,
        alpha=alpha,
        min_depth=min_depth,
        last_depth=last_depth,
    )
    return tf.keras.applications.MobileNetV2(alpha=1.0, layers=layers, **application)


class SlimMobileNetV2Layers(keras_mobilenet_v2._LayersOverride):
    """The layers that ``tf.keras.applications.MobileNetV2`` is built of, as slim would build them.

    Differences to stock, ``object_detection/models/keras_models/mobilenet_v2.py``:

    * Filters follow slim's ``mobilenet.depth_multiplier``: ``_make_divisible(depth * alpha, 8, min_depth)``, for the
      last convolution too. Stock keeps 1280 there when alpha is above 1, and rounds ``int(depth * alpha)``.
    * An expansion is divisible by 8 (slim's ``expand_input_by_factor``).
    * A unit of stride 1 has a residual whenever its output is as deep as its input. Stock compares with the depth
      before ``min_depth`` widened it and so drops residuals: with multiplier 0.35 and min_depth 16 the raw outputs
      differ by 5 to 7. The layer is called ``block_N_add``, as everywhere else.
    * Under ``override_base_feature_extractor_hyperparams`` slim's definition still wins for the activation (relu6)
      and for the batch norm's ``center`` and ``scale`` (both true; batch norm stays on without a ``batch_norm``
      message); stock takes them from ``conv_hyperparams``.

    The Keras application must be given alpha 1: all scaling happens here.
    """

    def __init__(
        self,
        batchnorm_training: bool,
        *,
        conv_hyperparams: Any,
        use_explicit_padding: bool,
        alpha: float,
        min_depth: int | None,
        last_depth: int,
    ) -> None:
        self._slim_depth = slim_depth(alpha, min_depth)
        super().__init__(
            batchnorm_training,
            default_batchnorm_momentum=_MOMENTUM,
            conv_hyperparams=conv_hyperparams,
            use_explicit_padding=use_explicit_padding,
            conv_defs=[keras_model_utils.ConvDefs("Conv_1", self._slim_depth(last_depth))],
        )
        self._unit_input: Any = None
        self._unit_stride = 1

    def Conv2D(self, filters: int, **kwargs: Any) -> Callable[[Any], Any]:  # noqa: N802
        """A convolution of slim's depth; an expansion opens a unit."""
        if not kwargs["name"].endswith("_expand"):
            return super().Conv2D(self._slim_depth(filters), **kwargs)
        return self._opening_unit(super().Conv2D(_divisible(filters), **kwargs))

    def DepthwiseConv2D(self, **kwargs: Any) -> Callable[[Any], Any]:  # noqa: N802
        """A unit's depthwise convolution, which has the unit's stride; it opens the one unit without expansion."""
        self._unit_stride = kwargs["strides"]
        layer = super().DepthwiseConv2D(**kwargs)
        return self._opening_unit(layer) if kwargs["name"].startswith("expanded_conv") else layer

    def BatchNormalization(self, **kwargs: Any) -> Callable[[Any], Any]:  # noqa: N802
        """A batch norm with slim's center and scale; the last one of a unit brings the unit's residual."""
        layer = self._batch_norm(**kwargs)
        unit, _, last = kwargs["name"].rpartition("project_BN")
        return layer if last or not unit else lambda features: self._with_residual(layer(features), unit)

    def Add(self, **kwargs: Any) -> Callable[[Any], Any]:  # noqa: N802, ARG002
        """Nothing: the residuals that the Keras application finds are added already."""
        return lambda inputs: inputs[-1]

    def ReLU(self, *args: Any, **kwargs: Any) -> Any:  # noqa: N802, ARG002
        """Relu6, whatever ``conv_hyperparams`` say: slim's network definition is the innermost argument scope."""
        return tf.keras.layers.Lambda(tf.nn.relu6, name=kwargs.get("name"))

    def _batch_norm(self, name: str, **_: Any) -> Any:
        training = self._batchnorm_training
        if self._conv_hyperparams and self._conv_hyperparams.use_batch_norm():
            return self._conv_hyperparams.build_batch_norm(training=training, name=name, center=True, scale=True)
        return freezable_batch_norm.FreezableBatchNorm(
            training=training, epsilon=_EPSILON, momentum=self._default_batchnorm_momentum, name=name
        )

    def _opening_unit(self, layer: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def opened(features: Any) -> Any:
            self._unit_input = features
            return layer(features)

        return opened

    def _with_residual(self, features: Any, unit: str) -> Any:
        if self._unit_stride != 1 or self._unit_input.shape[-1] != features.shape[-1]:
            return features
        return tf.keras.layers.Add(name=f"{unit}add")([self._unit_input, features])


def slim_depth(alpha: float, min_depth: int | None) -> Callable[[int], int]:
    """Slim's ``mobilenet.depth_multiplier``: scaled depth, to the nearest multiple of 8, at least ``min_depth``."""
    return lambda depth: int(keras_mobilenet_v2._make_divisible(depth * alpha, _DIVISOR, min_depth))


def _divisible(depth: int) -> int:
    return int(keras_mobilenet_v2._make_divisible(depth, _DIVISOR))
