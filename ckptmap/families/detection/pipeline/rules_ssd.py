"""Where SSD in TF2 differs from SSD in TF1.

Sources: the API's ``models/ssd_*_feature_extractor.py`` (slim and Keras), ``models/feature_map_generators.py``,
``models/keras_models/``, ``predictors/``, slim's ``nets/``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ckptmap.families.detection.pipeline.changes import Change, word
from ckptmap.families.detection.pipeline.models import (
    INCEPTION,
    MNASFPN,
    MOBILENET_FPN,
    MOBILENET_V1,
    MOBILENET_V2,
    MOBILENET_V3_LIKE,
    RESNET_FPN,
    RESNET_PPN,
    SLIM_ONLY_SSD,
    SPAGHETTINET,
)
from ckptmap.families.detection.pipeline.rule import RAW_OUTPUTS, Rule, group_norm, normalized
from ckptmap.families.detection.pipeline.widths import RESNET_NARROWEST, Widths, keras_widths, slim_widths
from ckptmap.families.verdict import Effect

if TYPE_CHECKING:
    from ckptmap.families.detection.pipeline.config import PipelineConfig
    from ckptmap.families.detection.pipeline.view import View

ALL = tuple(dict.fromkeys((*MOBILENET_V1, *MOBILENET_V2, *RESNET_FPN, *SLIM_ONLY_SSD)))
CONVOLUTIONAL = "convolutional_box_predictor"
SHARED = "weight_shared_convolutional_box_predictor"

_OVERRIDE = "override_base_feature_extractor_hyperparams"
_RESNET_LEVELS = (3, 7, 256)  # of the Keras ResNet FPN extractors, whatever the config says
_LAST_BACKBONE_LEVEL = 5
_TAKES = {
    **dict.fromkeys((*MOBILENET_FPN, *RESNET_FPN, MNASFPN), "fpn"),
    SPAGHETTINET: "spaghettinet_arch_name",
    **dict.fromkeys(MOBILENET_V3_LIKE, ""),
    **dict.fromkeys(("embedded_ssd_mobilenet_v1", *RESNET_PPN), ""),
}
"""The one special setting that an extractor takes, where it is not num_layers; empty for none."""
_BATCH_NORM_EPSILON = 1e-3  # of the Keras MobileNets without override


def _hyperparams(config: PipelineConfig) -> View:
    return config.extractor.child("conv_hyperparams")


def _override(config: PipelineConfig) -> bool:
    return config.extractor.flag(_OVERRIDE)


def _multiplier(config: PipelineConfig) -> float:
    return config.extractor.number("depth_multiplier")


def _levels(config: PipelineConfig) -> tuple[int, int, int]:
    fpn = config.extractor.child("fpn")
    return fpn.integer("min_level"), fpn.integer("max_level"), fpn.integer("additional_layer_depth")


def _multiplied(config: PipelineConfig) -> bool:
    return _multiplier(config) != 1.0


def _v2_widths(config: PipelineConfig) -> tuple[Widths, Widths]:
    lite = config.extractor_type == "ssd_mobilenet_v2_fpn" and config.extractor.flag("use_depthwise")
    min_depth = config.extractor.integer("min_depth")
    return slim_widths(_multiplier(config), min_depth, lite=lite), keras_widths(_multiplier(config), min_depth)


def _v2_filters_differ(config: PipelineConfig) -> bool:
    slim, keras = _v2_widths(config)
    return slim.filters != keras.filters


def _v2_residuals_differ(config: PipelineConfig) -> bool:
    slim, keras = _v2_widths(config)
    return slim.residuals != keras.residuals


def _v2_override_differs(config: PipelineConfig) -> bool:
    given = _hyperparams(config)
    norm = given.child("batch_norm")
    as_slim = normalized(given) and norm.flag("scale") and norm.flag("center") and given.text("activation") == "RELU_6"
    return _override(config) and not as_slim


def _v2_without_override(config: PipelineConfig) -> tuple[Change, ...]:
    given = _hyperparams(config)
    epsilon = given.child("batch_norm").number("epsilon") if normalized(given) else _BATCH_NORM_EPSILON
    reason = (
        "slim's MobileNet V2 keeps relu6 and batch norm with center and scale under the override; "
        "Keras computes that without it"
    )
    return _no_override(reason) if epsilon == _BATCH_NORM_EPSILON else ()


def _no_override(reason: str) -> tuple[Change, ...]:
    return (Change(f"model.ssd.feature_extractor.{_OVERRIDE}", "false", reason),)


def _without_narrow_norm(config: PipelineConfig) -> tuple[Change, ...]:
    """What makes room for gamma and beta, where Keras' batch norms under the override would lack one that slim has."""
    norm = _hyperparams(config).child("batch_norm")
    if normalized(_hyperparams(config)) and norm.flag("scale") and norm.flag("center"):
        return ()
    return _no_override("under the override Keras' batch norms lack variables that slim's have; outputs differ anyway")


def _resnet_without_override(config: PipelineConfig) -> tuple[Change, ...]:
    given = _hyperparams(config)
    if given.text("activation") != "RELU" or not given.child("batch_norm").flag("center"):
        return ()
    return _no_override("slim's ResNet keeps epsilon 1e-5 under the override; Keras has it without it")


def _override_always(_: PipelineConfig) -> tuple[Change, ...]:
    reason = (
        "the backbone always takes conv_hyperparams; older versions of the API always did so, today's does so "
        "only if the config says so"
    )
    return (Change(f"model.ssd.feature_extractor.{_OVERRIDE}", "true", reason, after=("conv_hyperparams",)),)


def _bipartite(config: PipelineConfig) -> bool:
    return config.model.child("matcher").which("matcher_oneof") == "bipartite_matcher"


def _argmax_matcher(_: PipelineConfig) -> tuple[Change, ...]:
    """A matcher that gives each groundtruth box the one anchor that it overlaps most, and no other."""
    reason = (
        "the API has no bipartite_matcher on TF2; this matcher also gives each groundtruth box only its best "
        "anchor, but two boxes can share one; only training uses it"
    )
    matcher = "{ matched_threshold: 1.0 unmatched_threshold: 1.0 force_match_for_each_row: true }"
    return (Change("model.ssd.matcher.argmax_matcher", matcher, reason, instead_of="bipartite_matcher"),)


def _override_without_norm(config: PipelineConfig) -> bool:
    return _override(config) and not normalized(_hyperparams(config))


def _three_levels(config: PipelineConfig) -> bool:
    low, high, _ = _levels(config)
    return min(high, _LAST_BACKBONE_LEVEL) - low + 1 >= 3


def _ends_early(config: PipelineConfig) -> bool:
    return _levels(config)[1] < _LAST_BACKBONE_LEVEL


def _other_resnet_levels(config: PipelineConfig) -> bool:
    return _levels(config) != _RESNET_LEVELS


def _resnet_filters_differ(config: PipelineConfig) -> bool:
    return _multiplied(config) or config.extractor.integer("min_depth") > RESNET_NARROWEST


def _any_group_norm(config: PipelineConfig) -> bool:
    return group_norm(_hyperparams(config)) or group_norm(config.predictor.child("conv_hyperparams"))


def _other_tower(config: PipelineConfig) -> bool:
    if config.predictor_kind != SHARED or config.predictor.integer("num_layers_before_predictor") == 0:
        return False
    return config.predictor.child("conv_hyperparams").text("activation") != "RELU_6"


def _relu6_towers(_: PipelineConfig) -> tuple[Change, ...]:
    path = f"model.ssd.box_predictor.{SHARED}.conv_hyperparams.activation"
    reason = "slim's shared prediction towers are relu6 whatever the config says; Keras reads this field"
    return (Change(path, "RELU_6", reason),)


def _sigmoid_in_head(config: PipelineConfig) -> bool:
    return config.predictor_kind == CONVOLUTIONAL and config.predictor.flag("apply_sigmoid_to_scores")


def _sigmoid_afterwards(config: PipelineConfig) -> tuple[Change, ...]:
    after = config.model.child("post_processing")
    if after.text("score_converter") != "IDENTITY" or after.number("logit_scale") != 1.0:
        return ()
    reason = "TF1's heads applied the sigmoid (apply_sigmoid_to_scores), which the Keras heads ignore"
    return (Change("model.ssd.post_processing.score_converter", "SIGMOID", reason),)


def _depths_crossed(config: PipelineConfig) -> bool:
    return config.predictor_kind == CONVOLUTIONAL and config.predictor.integer("min_depth") > config.predictor.integer(
        "max_depth"
    )


def _depths_uncrossed(config: PipelineConfig) -> tuple[Change, ...]:
    depth = config.predictor.integer("min_depth")
    reason = "the Keras predictor refuses a min_depth above max_depth; TF1 took min_depth, which this gives"
    path = f"model.ssd.box_predictor.{CONVOLUTIONAL}.max_depth"
    return (Change(path, word(depth), reason, after=("min_depth",)),)


def _untaken_fields(config: PipelineConfig) -> tuple[Change, ...]:
    takes = _TAKES.get(config.extractor_type, "num_layers")
    special = ("bifpn", "spaghettinet_arch_name", "replace_preprocessor_with_placeholder", "num_layers", "fpn")
    untaken = [name for name in special if name != takes]
    reason = "the extractor takes no such setting: building fails in TF1 and in TF2"
    path = "model.ssd.feature_extractor"
    return tuple(Change(f"{path}.{name}", None, reason) for name in untaken if config.extractor.has(name))


RULES = (
    Rule(
        "depth multiplier applied twice",
        MOBILENET_V1,
        _multiplied,
        Effect.SHAPES,
        RAW_OUTPUTS,
        "the Keras MobileNet V1 applies the depth multiplier twice",
    ),
    Rule(
        "widths of MobileNet V2",
        MOBILENET_V2,
        _v2_filters_differ,
        Effect.SHAPES,
        RAW_OUTPUTS,
        "the last convolution has other filters in slim (multipliers above 1, fpnlite: 256) than in Keras (1280)",
    ),
    Rule(
        "residuals of widened layers",
        MOBILENET_V2,
        _v2_residuals_differ,
        Effect.VALUES,
        RAW_OUTPUTS,
        "Keras drops the residual of blocks that min_depth widened",
    ),
    Rule(
        "override in MobileNet V2",
        MOBILENET_V2,
        _v2_override_differs,
        Effect.VALUES,
        RAW_OUTPUTS,
        "slim's MobileNet V2 keeps its own activation, center and scale under the override; Keras takes the config's",
        _v2_without_override,
        _without_narrow_norm,
    ),
    Rule(
        "FPN top-down path",
        MOBILENET_FPN,
        _three_levels,
        Effect.VALUES,
        RAW_OUTPUTS,
        "slim passes the unsmoothed sum down the pyramid, Keras the smoothed map",
    ),
    Rule(
        "FPN top-down path",
        RESNET_FPN,
        lambda _: True,
        Effect.VALUES,
        RAW_OUTPUTS,
        "slim passes the unsmoothed sum down the pyramid, Keras the smoothed map",
    ),
    Rule(
        "FPN that ends below level 5",
        MOBILENET_FPN,
        _ends_early,
        Effect.SHAPES,
        RAW_OUTPUTS,
        "with fpn.max_level below 5 Keras builds the pyramid on the last feature maps instead of the named levels",
    ),
    Rule(
        "FPN levels ignored",
        RESNET_FPN,
        _other_resnet_levels,
        Effect.SHAPES,
        RAW_OUTPUTS,
        "the Keras ResNet FPN extractors ignore the fpn block: they always have levels 3 to 7 of depth 256",
    ),
    Rule(
        "depth of ResNet",
        RESNET_FPN,
        _resnet_filters_differ,
        Effect.SHAPES,
        RAW_OUTPUTS,
        "slim scales a block's base depth and not the first convolution, Keras scales every convolution",
    ),
    Rule(
        "override in ResNet",
        RESNET_FPN,
        _override,
        Effect.VALUES,
        RAW_OUTPUTS,
        "slim's ResNet units end in relu and have batch-norm epsilon 1e-5 under the override; Keras takes the config's",
        _resnet_without_override,
        _without_narrow_norm,
    ),
    Rule(
        "override without batch norm",
        (*MOBILENET_V1, *RESNET_FPN),
        _override_without_norm,
        Effect.SHAPES,
        RAW_OUTPUTS,
        "the override without batch_norm gives slim's backbone biases, which the Keras backbone has no place for",
        exact=False,
    ),
    Rule(
        "override that the backbone needs",
        INCEPTION,
        lambda config: not _override(config),
        Effect.BUILD,
        RAW_OUTPUTS,
        f"the extractor cannot be built without {_OVERRIDE}",
        _override_always,
        anywhere=True,
    ),
    Rule(
        "bipartite matcher",
        ALL,
        _bipartite,
        Effect.BUILD,
        "no output: it matches in training",
        "the API has no bipartite_matcher on TF2",
        _argmax_matcher,
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
    Rule(
        "activation of shared towers",
        ALL,
        _other_tower,
        Effect.VALUES,
        RAW_OUTPUTS,
        "slim's shared prediction towers are relu6 whatever the config says",
        _relu6_towers,
        anywhere=True,
    ),
    Rule(
        "sigmoid in the heads",
        ALL,
        _sigmoid_in_head,
        Effect.VALUES,
        "class scores and detections",
        "the Keras heads ignore apply_sigmoid_to_scores",
        _sigmoid_afterwards,
        anywhere=True,
    ),
    Rule(
        "min_depth above max_depth",
        ALL,
        _depths_crossed,
        Effect.BUILD,
        RAW_OUTPUTS,
        "the Keras predictor refuses a min_depth above max_depth",
        _depths_uncrossed,
        anywhere=True,
    ),
    Rule(
        "settings of other extractors",
        ALL,
        lambda config: bool(_untaken_fields(config)),
        Effect.BUILD,
        RAW_OUTPUTS,
        "the extractor takes no such setting: building fails in TF1 and in TF2",
        _untaken_fields,
        anywhere=True,
    ),
)
"""Every rule of SSD."""
