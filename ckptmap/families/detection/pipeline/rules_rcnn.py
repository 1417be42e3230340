"""Where Faster R-CNN, Mask R-CNN, R-FCN and Context R-CNN in TF2 differ from TF1.

Sources: the API's ``models/faster_rcnn_*_feature_extractor.py`` (slim and Keras), ``meta_architectures/``,
``builders/model_builder.py`` and ``hyperparams_builder.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ckptmap.families.detection.pipeline.changes import Change, word
from ckptmap.families.detection.pipeline.models import RCNN_INCEPTION_RESNET, RCNN_RESNET, SLIM_ONLY_RCNN
from ckptmap.families.detection.pipeline.rule import RAW_OUTPUTS, SECOND_STAGE, Rule, group_norm, normalized
from ckptmap.families.verdict import Effect

if TYPE_CHECKING:
    from ckptmap.families.detection.pipeline.config import PipelineConfig

ALL = (*RCNN_RESNET, *RCNN_INCEPTION_RESNET, *SLIM_ONLY_RCNN)
MASK = "mask_rcnn_box_predictor"
RFCN = "rfcn_box_predictor"

_MODEL = "model.faster_rcnn"
_IGNORED_BY_TF1 = ("conv_hyperparams", "override_base_feature_extractor_hyperparams", "fpn")
_STOCK_ATTENTION = {
    "use_self_attention": False,
    "use_long_term_attention": True,
    "self_attention_in_sequence": False,
    "num_attention_heads": 1,
    "num_attention_layers": 1,
}
"""What ``ContextRCNNMetaArch`` builds in TF2; with anything else it raises NotImplementedError."""


def _stride(config: PipelineConfig) -> int:
    return config.extractor.integer("first_stage_features_stride")


def _two_stages(config: PipelineConfig) -> bool:
    return config.model.integer("number_of_stages") > 1


def _atrous(config: PipelineConfig) -> bool:
    return _stride(config) == 8


def _context(config: PipelineConfig) -> bool:
    return config.model.has("context_config") and not _rfcn(config)


def _rfcn(config: PipelineConfig) -> bool:
    return config.predictor_kind == RFCN


def _strided_block4(config: PipelineConfig) -> bool:
    return not _atrous(config) and _two_stages(config) and not _rfcn(config)


def _half_pooling(config: PipelineConfig) -> tuple[Change, ...]:
    stride = config.model.integer("maxpool_stride")
    if stride < 2 or stride % 2:
        return ()
    reason = (
        "slim runs block4 on the crops with stride 1, Keras with stride 2: half the pooling stride "
        "gives block4 the same places"
    )
    return (Change(f"{_MODEL}.maxpool_stride", word(stride // 2), reason),)


def _stride_16(config: PipelineConfig) -> tuple[Change, ...]:
    """What makes a stride 8 model one of stride 16: the same variables, other outputs."""
    reason = "stock TF2 has feature stride 16 only; the same weights fit, the outputs differ"
    generator = f"{_MODEL}.first_stage_anchor_generator"
    grid = "grid_anchor_generator"
    anchors = config.model.child("first_stage_anchor_generator")
    view = anchors.child(grid)
    strides = tuple(
        Change(f"{generator}.{grid}.{name}", word(2 * view.integer(name)), "anchors follow the feature stride")
        for name in ("height_stride", "width_stride")
        if anchors.which("anchor_generator_oneof") == grid
    )
    resnet = config.extractor_type in RCNN_RESNET
    pooling = _half_pooling(config) if resnet and _two_stages(config) and not _rfcn(config) else ()
    return (Change(f"{_MODEL}.feature_extractor.first_stage_features_stride", "16", reason), *strides, *pooling)


def _ignored_fields(config: PipelineConfig) -> tuple[Change, ...]:
    reason = "TF1's extractor never read it; the Keras extractor of this type does not take it and fails to build"
    return tuple(
        Change(f"{_MODEL}.feature_extractor.{name}", None, reason)
        for name in _IGNORED_BY_TF1
        if config.extractor.has(name)
    )


def _unlike_stock_attention(config: PipelineConfig) -> bool:
    context = config.model.child("context_config")
    return _context(config) and any(context.value(name) != value for name, value in _STOCK_ATTENTION.items())


def _any_group_norm(config: PipelineConfig) -> bool:
    blocks = [config.model.child("first_stage_box_predictor_conv_hyperparams")]
    names = [name for name in ("fc_hyperparams", "conv_hyperparams") if name in config.predictor.type.fields]
    return any(group_norm(block) for block in (*blocks, *(config.predictor.child(name) for name in names)))


def _unused_fc_norm(config: PipelineConfig) -> bool:
    if config.predictor_kind != MASK:
        return False
    fc = config.predictor.child("fc_hyperparams")
    return normalized(fc) and fc.text("op") != "FC"


def _no_fc_norm(_: PipelineConfig) -> tuple[Change, ...]:
    reason = "without op: FC TF1 gave the fully connected heads no batch norm; Keras would"
    return (Change(f"{_MODEL}.second_stage_box_predictor.{MASK}.fc_hyperparams.batch_norm", None, reason),)


def _no_inplace_update(_: PipelineConfig) -> tuple[Change, ...]:
    reason = "Faster R-CNN refuses inplace_batchnorm_update in TF1 and in TF2"
    return (Change(f"{_MODEL}.inplace_batchnorm_update", None, reason),)


RULES = (
    Rule(
        "feature stride 8",
        RCNN_RESNET,
        _atrous,
        Effect.BUILD,
        RAW_OUTPUTS,
        "the Keras ResNet extractors refuse first_stage_features_stride 8",
        fallback=_stride_16,
    ),
    Rule(
        "stride of block4",
        RCNN_RESNET,
        _strided_block4,
        Effect.VALUES,
        SECOND_STAGE,
        "slim runs block4 on the crops with stride 1, Keras with stride 2",
        _half_pooling,
    ),
    Rule(
        "stride of block4 in R-FCN",
        RCNN_RESNET,
        lambda config: _rfcn(config) and not _atrous(config) and _two_stages(config),
        Effect.VALUES,
        SECOND_STAGE,
        "slim runs block4 on the whole feature map with stride 1, Keras with stride 2",
    ),
    Rule(
        "padding of Mixed_7a",
        RCNN_INCEPTION_RESNET,
        lambda config: not _atrous(config) and _two_stages(config),
        Effect.VALUES,
        SECOND_STAGE,
        "Mixed_7a is VALID in slim and SAME in Keras",
    ),
    Rule(
        "feature stride 8 of Inception-ResNet",
        RCNN_INCEPTION_RESNET,
        _atrous,
        Effect.BUILD,
        RAW_OUTPUTS,
        "the Keras extractor builds at feature stride 8, but predict() crashes",
        fallback=_stride_16,
    ),
    Rule(
        "attention of Context R-CNN",
        ALL,
        _context,
        Effect.VALUES,
        SECOND_STAGE,
        "TF2's attention block returns the attention alone, TF1's adds the box features",
    ),
    Rule(
        "attention that TF2 does not build",
        ALL,
        _unlike_stock_attention,
        Effect.BUILD,
        SECOND_STAGE,
        "TF2's Context R-CNN has neither self-attention nor several heads or layers (NotImplementedError)",
        exact=False,
    ),
    Rule(
        "extractor fields that TF1 ignored",
        ALL,
        lambda config: bool(_ignored_fields(config)),
        Effect.BUILD,
        RAW_OUTPUTS,
        "the Keras extractors of this type do not take conv_hyperparams or fpn",
        _ignored_fields,
        anywhere=True,
    ),
    Rule(
        "batch norm of the fully connected heads",
        ALL,
        _unused_fc_norm,
        Effect.SHAPES,
        SECOND_STAGE,
        "batch_norm in fc_hyperparams without op: FC had no effect in TF1",
        _no_fc_norm,
        anywhere=True,
    ),
    Rule(
        "in-place batch norm updates",
        ALL,
        lambda config: config.model.flag("inplace_batchnorm_update"),
        Effect.BUILD,
        RAW_OUTPUTS,
        "Faster R-CNN refuses inplace_batchnorm_update in TF1 and in TF2",
        _no_inplace_update,
        anywhere=True,
    ),
    Rule(
        "group norm",
        ALL,
        _any_group_norm,
        Effect.SHAPES,
        RAW_OUTPUTS,
        "the Keras layers do not know group_norm: its variables have no place",
        exact=False,
    ),
)
"""Every rule of the two-stage detectors."""
