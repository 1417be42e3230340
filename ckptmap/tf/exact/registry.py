"""Which exact extractors there are, and how the API's ``model_builder`` comes to know them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ckptmap.families.detection.pipeline.efficientdet import VERSIONS
from ckptmap.families.detection.pipeline.models import EXACT_SUFFIX, EXTRACTORS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

EXACT_TYPES = tuple(one.type for one in EXTRACTORS.values() if one.keras and one.exact)
"""TF1 feature extractor types that have an exact Keras extractor beside the stock one."""
SLIM_ONLY_TYPES = tuple(one.type for one in EXTRACTORS.values() if one.exact and not one.keras)
"""Those that have no stock one: slim's own code runs inside Keras."""
EFFICIENTDET_TYPES = tuple(
    sorted({one.exact_type.removesuffix(EXACT_SUFFIX) for one in VERSIONS.values() if one.exact_type != one.stock_type})
)
"""Stock types without ``_keras`` that have an exact one: AutoML's EfficientDet from D1 on."""


def exact_type(tf1_type: str) -> str:
    """The type that ``register()`` makes known for a type of ``EXACT_TYPES``, ``SLIM_ONLY_TYPES`` or the like."""
    return tf1_type + EXACT_SUFFIX


def register() -> None:
    """Make every exact extractor known to the API's ``model_builder``. Calling it again changes nothing.

    Imports TensorFlow and the API (``ckptmap.tf.environment.tf2``). Raises TensorFlowError as that does.
    """
    from ckptmap.tf.exact import efficientdet, faster_rcnn, shim, ssd
    from ckptmap.tf.exact.api import model_builder

    add_types(model_builder.SSD_KERAS_FEATURE_EXTRACTOR_CLASS_MAP, {**ssd.EXTRACTORS, **shim.EXTRACTORS_SSD})
    add_types(model_builder.SSD_KERAS_FEATURE_EXTRACTOR_CLASS_MAP, efficientdet.EXTRACTORS)
    add_types(
        model_builder.FASTER_RCNN_KERAS_FEATURE_EXTRACTOR_CLASS_MAP,
        {**faster_rcnn.EXTRACTORS, **shim.EXTRACTORS_FASTER_RCNN},
    )
    builders = model_builder.META_ARCH_BUILDER_MAP
    if not isinstance(builders["ssd"], _SsdBuilder):
        builders["ssd"] = _SsdBuilder(builders["ssd"])
    if not isinstance(builders["faster_rcnn"], _FasterRcnnBuilder):
        builders["faster_rcnn"] = _FasterRcnnBuilder(builders["faster_rcnn"])


def add_types(types: dict[str, Any], extractors: Mapping[str, Any]) -> None:
    """Add ``<tf1 type>_exact_keras`` for each TF1 type to one of ``model_builder``'s maps of feature extractors."""
    types.update({exact_type(tf1_type): extractor for tf1_type, extractor in extractors.items()})


class _SsdBuilder:
    """``model_builder``'s builder of SSD; slim's own extractors get the message of their hyperparameters as well."""

    def __init__(self, stock: Callable[..., Any]) -> None:
        self._stock = stock

    def __call__(self, config: Any, is_training: bool, add_summaries: bool) -> Any:
        from ckptmap.tf.exact.api import hyperparams_builder, replaced
        from ckptmap.tf.exact.shim import HyperparamsWithProto

        with replaced(hyperparams_builder, "KerasLayerHyperparams", HyperparamsWithProto):
            return self._stock(config, is_training, add_summaries)


class _FasterRcnnBuilder:
    """``model_builder``'s builder of Faster R-CNN; an exact Context R-CNN gets slim's attention as well.

    The attention block belongs to the meta-architecture, which no feature extractor reaches.
    """

    def __init__(self, stock: Callable[..., Any]) -> None:
        self._stock = stock

    def __call__(self, config: Any, is_training: bool, add_summaries: bool) -> Any:
        from ckptmap.tf.exact.context import slim_attention

        model = self._stock(config, is_training, add_summaries)
        exact = config.feature_extractor.type.endswith(EXACT_SUFFIX)
        return slim_attention(model) if exact and config.HasField("context_config") else model
