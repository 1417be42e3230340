from __future__ import annotations

import pytest

from ckptmap.basics.errors import ConfigError
from ckptmap.families.detection.pipeline.config import PipelineConfig, parse_config
from ckptmap.families.detection.pipeline.models import EXTRACTORS
from ckptmap.families.detection.pipeline.presumed import presumed_verdict
from ckptmap.families.detection.pipeline.verdict import EXACT_NOTE, RULES, verdict
from ckptmap.families.verdict import Kind

CONV = "box_predictor { convolutional_box_predictor { max_depth: 0 } }"
OVERRIDE = "override_base_feature_extractor_hyperparams: true"
NORM = "batch_norm { scale: true center: true epsilon: 0.001 }"


def ssd(name: str, extractor: str = "", rest: str = CONV) -> PipelineConfig:
    return parse_config(f"model {{ ssd {{ feature_extractor {{ type: '{name}' {extractor} }} {rest} }} }}")


def shared(activation: str, layers: int = 4) -> str:
    return (
        f"box_predictor {{ weight_shared_convolutional_box_predictor {{ num_layers_before_predictor: {layers} "
        f"conv_hyperparams {{ {activation} {NORM} }} }} }}"
    )


def rcnn(
    name: str, extractor: str = "first_stage_features_stride: 16", rest: str = "maxpool_stride: 2"
) -> PipelineConfig:
    predictor = (
        "" if "second_stage_box_predictor" in rest else "second_stage_box_predictor { mask_rcnn_box_predictor { } }"
    )
    return parse_config(
        f"model {{ faster_rcnn {{ feature_extractor {{ type: '{name}' {extractor} }} {predictor} {rest} "
        "first_stage_anchor_generator { grid_anchor_generator { height_stride: 8 width_stride: 8 } } } }"
    )


RELU6 = "activation: RELU_6"
TOWER = "model.ssd.box_predictor.weight_shared_convolutional_box_predictor.conv_hyperparams.activation"
NO_OVERRIDE = ("model.ssd.feature_extractor.override_base_feature_extractor_hyperparams", "false")
BEST_ANCHOR = "{ matched_threshold: 1.0 unmatched_threshold: 1.0 force_match_for_each_row: true }"
POOLING = ("model.faster_rcnn.maxpool_stride", "1")
STRIDE_16 = (
    ("model.faster_rcnn.feature_extractor.first_stage_features_stride", "16"),
    ("model.faster_rcnn.first_stage_anchor_generator.grid_anchor_generator.height_stride", "16"),
    ("model.faster_rcnn.first_stage_anchor_generator.grid_anchor_generator.width_stride", "16"),
)


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("model { ssd { feature_extractor { type: 'my_net' } } }", "my_net"),
        ("model { center_net { feature_extractor { type: 'resnet' } } }", "resnet"),
        ("model { faster_rcnn { feature_extractor { type: 'ssd_mobilenet_v2' } } }", "ssd_mobilenet_v2"),
    ],
)
def test_a_model_that_tf2_does_not_have_stays_different(text: str, missing: str) -> None:
    answer = verdict(parse_config(text))
    assert (answer.kind, answer.equal) == (Kind.NO_COUNTERPART, False)
    assert str(answer) == f"no TF2 counterpart: TF2 has no {missing}"
    assert [one.remains for one in answer.reasons] == [True]


@pytest.mark.parametrize(
    ("config", "kind", "differences", "changes"),
    [
        (ssd("ssd_mobilenet_v1"), Kind.EQUAL, [], ()),
        (ssd("ssd_mobilenet_v1", f"{OVERRIDE} conv_hyperparams {{ {NORM} }}"), Kind.EQUAL, [], ()),
        (ssd("ssd_mobilenet_v1", "use_depthwise: true use_explicit_padding: true"), Kind.EQUAL, [], ()),
        (ssd("ssd_mobilenet_v2"), Kind.EQUAL, [], ()),
        (ssd("ssd_mobilenet_v2", "depth_multiplier: 0.5 min_depth: 8"), Kind.EQUAL, [], ()),
        (ssd("ssd_mobilenet_v2", f"{OVERRIDE} conv_hyperparams {{ {RELU6} {NORM} }}"), Kind.EQUAL, [], ()),
        (
            ssd("ssd_mobilenet_v2", f"{OVERRIDE} conv_hyperparams {{ {NORM} }}"),
            Kind.EQUAL_WITH_EDITS,
            ["override in MobileNet V2"],
            (NO_OVERRIDE,),
        ),
        (
            ssd("ssd_mobilenet_v2", f"{OVERRIDE} conv_hyperparams {{ {RELU6} batch_norm {{ }} }}"),
            Kind.EQUAL_WITH_EDITS,
            ["override in MobileNet V2"],
            (NO_OVERRIDE,),
        ),
        (
            ssd("ssd_mobilenet_v2", f"{OVERRIDE} conv_hyperparams {{ {RELU6} }}"),
            Kind.EQUAL_WITH_EDITS,
            ["override in MobileNet V2"],
            (NO_OVERRIDE,),
        ),
        (ssd("ssd_mobilenet_v1_fpn", "fpn { min_level: 4 }"), Kind.EQUAL, [], ()),
        (
            ssd("ssd_mobilenet_v1", rest=shared("activation: RELU")),
            Kind.EQUAL_WITH_EDITS,
            ["activation of shared towers"],
            ((TOWER, "RELU_6"),),
        ),
        (
            ssd("ssd_mobilenet_v1", rest=shared("")),
            Kind.EQUAL_WITH_EDITS,
            ["activation of shared towers"],
            ((TOWER, "RELU_6"),),
        ),
        (ssd("ssd_mobilenet_v1", rest=shared("", layers=0)), Kind.EQUAL, [], ()),
        (ssd("ssd_mobilenet_v1", rest=shared(RELU6)), Kind.EQUAL, [], ()),
        (
            ssd("ssd_mobilenet_v1", rest=CONV.replace("max_depth: 0", "apply_sigmoid_to_scores: true")),
            Kind.EQUAL_WITH_EDITS,
            ["sigmoid in the heads"],
            (("model.ssd.post_processing.score_converter", "SIGMOID"),),
        ),
        (
            ssd("ssd_mobilenet_v1", rest=CONV.replace("max_depth: 0", "min_depth: 8")),
            Kind.EQUAL_WITH_EDITS,
            ["min_depth above max_depth"],
            (("model.ssd.box_predictor.convolutional_box_predictor.max_depth", "8"),),
        ),
        (
            ssd("ssd_mobilenet_v1", "fpn { } replace_preprocessor_with_placeholder: false"),
            Kind.EQUAL_WITH_EDITS,
            ["settings of other extractors"],
            (
                ("model.ssd.feature_extractor.replace_preprocessor_with_placeholder", None),
                ("model.ssd.feature_extractor.fpn", None),
            ),
        ),
        (
            ssd("ssd_mobilenet_v1", rest=f"{CONV} matcher {{ bipartite_matcher {{ }} }}"),
            Kind.EQUAL_WITH_EDITS,
            ["bipartite matcher"],
            (("model.ssd.matcher.argmax_matcher", BEST_ANCHOR),),
        ),
        (rcnn("faster_rcnn_resnet50"), Kind.EQUAL_WITH_EDITS, ["stride of block4"], (POOLING,)),
        (
            rcnn("faster_rcnn_resnet101", rest="maxpool_stride: 4"),
            Kind.EQUAL_WITH_EDITS,
            ["stride of block4"],
            ((POOLING[0], "2"),),
        ),
        (rcnn("faster_rcnn_resnet152", rest="number_of_stages: 1"), Kind.EQUAL, [], ()),
        (rcnn("faster_rcnn_inception_resnet_v2", rest="number_of_stages: 1"), Kind.EQUAL, [], ()),
        (
            rcnn("faster_rcnn_resnet50", "conv_hyperparams { } first_stage_features_stride: 16"),
            Kind.EQUAL_WITH_EDITS,
            ["stride of block4", "extractor fields that TF1 ignored"],
            (POOLING, ("model.faster_rcnn.feature_extractor.conv_hyperparams", None)),
        ),
        (
            rcnn(
                "faster_rcnn_resnet50",
                rest="number_of_stages: 1 inplace_batchnorm_update: true second_stage_box_predictor { "
                f"mask_rcnn_box_predictor {{ fc_hyperparams {{ {NORM} }} }} }}",
            ),
            Kind.EQUAL_WITH_EDITS,
            ["batch norm of the fully connected heads", "in-place batch norm updates"],
            (
                (
                    "model.faster_rcnn.second_stage_box_predictor.mask_rcnn_box_predictor.fc_hyperparams.batch_norm",
                    None,
                ),
                ("model.faster_rcnn.inplace_batchnorm_update", None),
            ),
        ),
    ],
)
def test_stock_is_equal(config: PipelineConfig, kind: Kind, differences: list[str], changes: tuple) -> None:
    for prefer in ("exact", "stock"):
        answer = verdict(config, prefer)
        assert (answer.kind, [one.name for one in answer.reasons]) == (kind, differences)
        assert tuple((change.path, change.new) for change in answer.changes) == changes
        assert answer.extractor_type == f"{config.extractor_type}_keras"
        assert answer.equal
        assert not any(one.remains for one in answer.reasons)


@pytest.mark.parametrize(
    ("config", "differences", "stock", "exact_changes", "stock_changes"),
    [
        (
            ssd("ssd_mobilenet_v1", "depth_multiplier: 0.75"),
            ["depth multiplier applied twice"],
            Kind.NO_COUNTERPART,
            (),
            (),
        ),
        (ssd("ssd_mobilenet_v2", "depth_multiplier: 0.5"), ["residuals of widened layers"], Kind.WEIGHTS_ONLY, (), ()),
        (ssd("ssd_mobilenet_v2", "depth_multiplier: 1.4"), ["widths of MobileNet V2"], Kind.NO_COUNTERPART, (), ()),
        (
            ssd("ssd_mobilenet_v2", f"{OVERRIDE} conv_hyperparams {{ batch_norm {{ scale: true epsilon: 0.01 }} }}"),
            ["override in MobileNet V2"],
            Kind.WEIGHTS_ONLY,
            (),
            (),
        ),
        (
            ssd("ssd_mobilenet_v2", f"{OVERRIDE} conv_hyperparams {{ batch_norm {{ epsilon: 0.01 }} }}"),
            ["override in MobileNet V2"],
            Kind.WEIGHTS_ONLY,
            (),
            (NO_OVERRIDE,),
        ),
        (
            ssd("ssd_mobilenet_v2_fpn", "use_depthwise: true", shared("")),
            ["widths of MobileNet V2", "FPN top-down path", "activation of shared towers"],
            Kind.NO_COUNTERPART,
            ((TOWER, "RELU_6"),),
            (),
        ),
        (
            ssd("ssd_mobilenet_v1_fpn", "fpn { }", shared("")),
            ["FPN top-down path", "activation of shared towers"],
            Kind.WEIGHTS_ONLY,
            ((TOWER, "RELU_6"),),
            ((TOWER, "RELU_6"),),
        ),
        (
            ssd("ssd_mobilenet_v1_fpn", "fpn { min_level: 3 max_level: 4 }"),
            ["FPN that ends below level 5"],
            Kind.NO_COUNTERPART,
            (),
            (),
        ),
        (
            ssd("ssd_resnet50_v1_fpn", f"{OVERRIDE} conv_hyperparams {{ {RELU6} {NORM} }}"),
            ["FPN top-down path", "override in ResNet"],
            Kind.WEIGHTS_ONLY,
            (),
            (),
        ),
        (
            ssd("ssd_resnet101_v1_fpn", f"{OVERRIDE} conv_hyperparams {{ {NORM} }}"),
            ["FPN top-down path", "override in ResNet"],
            Kind.WEIGHTS_ONLY,
            (),
            (NO_OVERRIDE,),
        ),
        (
            ssd("ssd_resnet152_v1_fpn", "fpn { max_level: 6 }"),
            ["FPN top-down path", "FPN levels ignored"],
            Kind.NO_COUNTERPART,
            (),
            (),
        ),
        (
            ssd("ssd_resnet50_v1_fpn", "min_depth: 128"),
            ["FPN top-down path", "depth of ResNet"],
            Kind.NO_COUNTERPART,
            (),
            (),
        ),
        (
            rcnn("faster_rcnn_resnet50", "first_stage_features_stride: 8"),
            ["feature stride 8"],
            Kind.WEIGHTS_ONLY,
            (),
            (*STRIDE_16, POOLING),
        ),
        (
            rcnn("faster_rcnn_inception_resnet_v2", "first_stage_features_stride: 8"),
            ["feature stride 8 of Inception-ResNet"],
            Kind.WEIGHTS_ONLY,
            (),
            STRIDE_16,
        ),
        (rcnn("faster_rcnn_inception_resnet_v2"), ["padding of Mixed_7a"], Kind.WEIGHTS_ONLY, (), ()),
        (rcnn("faster_rcnn_resnet50", rest="maxpool_stride: 1"), ["stride of block4"], Kind.WEIGHTS_ONLY, (), ()),
        (
            rcnn("faster_rcnn_resnet101", rest="second_stage_box_predictor { rfcn_box_predictor { } }"),
            ["stride of block4 in R-FCN"],
            Kind.WEIGHTS_ONLY,
            (),
            (),
        ),
        (
            rcnn("faster_rcnn_resnet101", rest="maxpool_stride: 2 context_config { }"),
            ["stride of block4", "attention of Context R-CNN"],
            Kind.WEIGHTS_ONLY,
            (),
            (POOLING,),
        ),
    ],
)
def test_the_exact_extractor_is_equal_where_stock_is_not(
    config: PipelineConfig, differences: list[str], stock: Kind, exact_changes: tuple, stock_changes: tuple
) -> None:
    exact = verdict(config)
    assert (exact.kind, exact.advice) == (Kind.EXACT, EXACT_NOTE)
    assert exact.extractor_type == f"{config.extractor_type}_exact_keras"
    assert [one.name for one in exact.reasons] == differences
    assert not any(one.remains for one in exact.reasons)
    assert tuple((change.path, change.new) for change in exact.changes) == exact_changes
    less = verdict(config, "stock")
    assert (less.kind, less.equal) == (stock, False)
    assert tuple((change.path, change.new) for change in less.changes) == stock_changes
    assert less.extractor_type == (f"{config.extractor_type}_keras" if stock is Kind.WEIGHTS_ONLY else "")
    assert less.advice == "the slim-exact extractor (prefer exact) computes what TF1 computed"
    assert any(one.remains for one in less.reasons)


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (
            ssd("ssd_mobilenet_v1", OVERRIDE),
            "the override without batch_norm gives slim's backbone biases, which the Keras backbone has no place for",
        ),
        (
            ssd("ssd_mobilenet_v2", "conv_hyperparams { group_norm { } }"),
            "the Keras layers do not know group_norm: its variables have no place",
        ),
        (
            rcnn(
                "faster_rcnn_resnet50",
                rest="number_of_stages: 1 first_stage_box_predictor_conv_hyperparams { group_norm {} }",
            ),
            "the Keras layers do not know group_norm: its variables have no place",
        ),
        (
            rcnn("faster_rcnn_resnet50", rest="maxpool_stride: 2 context_config { num_attention_heads: 2 }"),
            "TF2's Context R-CNN has neither self-attention nor several heads or layers (NotImplementedError)",
        ),
    ],
)
def test_settings_that_have_no_place_in_tf2(config: PipelineConfig, reason: str) -> None:
    for prefer in ("exact", "stock"):
        answer = verdict(config, prefer)
        assert (answer.kind, answer.extractor_type) == (Kind.NO_COUNTERPART, "")
        assert reason in [one.reason for one in answer.reasons if one.remains]


@pytest.mark.parametrize("name", ["ssd_inception_v2", "ssd_inception_v3"])
def test_inception_is_built_with_the_override_alone(name: str) -> None:
    override = ("model.ssd.feature_extractor.override_base_feature_extractor_hyperparams", "true")
    for said, changes in (("", (override,)), (OVERRIDE, ()), (OVERRIDE.replace("true", "false"), (override,))):
        answer = verdict(ssd(name, said))
        assert (answer.kind, answer.extractor_type) == (Kind.EXACT, f"{name}_exact_keras")
        assert tuple((change.path, change.new) for change in answer.changes) == changes


def test_a_difference_that_nothing_cures_leaves_the_weights() -> None:
    rest = CONV.replace("max_depth: 0", "apply_sigmoid_to_scores: true")
    config = ssd("ssd_mobilenet_v1", rest=f"{rest} post_processing {{ score_converter: SIGMOID }}")
    answer = verdict(config)
    assert (answer.kind, answer.extractor_type) == (Kind.WEIGHTS_ONLY, "ssd_mobilenet_v1_keras")
    assert str(answer) == "weights only: the Keras heads ignore apply_sigmoid_to_scores"


def test_quantization_leaves_the_weights_of_either_model() -> None:
    for extractor, chosen in (("", "_keras"), ("depth_multiplier: 0.5", "_exact_keras")):
        text = ssd("ssd_mobilenet_v2", extractor).document.text + "graph_rewriter { }"
        answer = verdict(parse_config(text))
        assert (answer.kind, answer.extractor_type) == (Kind.WEIGHTS_ONLY, f"ssd_mobilenet_v2{chosen}")
        assert [one.name for one in answer.reasons if one.remains] == ["quantization"]


SLIM_ONLY = [one for one in EXTRACTORS.values() if not one.keras]
NO_KERAS = "the API has no Keras extractor of this network; ckptmap's runs slim's own code inside Keras"


def test_slim_only_extractors_run_slims_own_code() -> None:
    assert len(SLIM_ONLY) == 20
    for one in SLIM_ONLY:
        answer = verdict(ssd(one.type, OVERRIDE) if one.architecture == "ssd" else rcnn(one.type))
        assert (answer.kind, answer.extractor_type) == (Kind.EXACT, f"{one.type}_exact_keras")
        assert [difference.reason for difference in answer.reasons] == [NO_KERAS]
        assert "needs ckptmap's tf extra; an exported SavedModel needs plain TensorFlow" in answer.advice


def test_stock_tf2_has_no_slim_only_extractor() -> None:
    for one in SLIM_ONLY:
        answer = verdict(ssd(one.type) if one.architecture == "ssd" else rcnn(one.type), "stock")
        assert (answer.kind, str(answer)) == (Kind.NO_COUNTERPART, f"no TF2 counterpart: {NO_KERAS}")
        assert answer.advice == "the slim-exact extractor (prefer exact) computes what TF1 computed"


@pytest.mark.parametrize(
    ("extractor_type", "field", "kept"),
    [
        ("ssd_spaghettinet", "spaghettinet_arch_name: 'spaghettinet_edgetpu_s'", True),
        ("ssd_mobilenet_v2_mnasfpn", "fpn { max_level: 6 }", True),
        ("ssd_inception_v2", "fpn { max_level: 6 }", False),
        ("ssd_inception_v2", "num_layers: 5", True),
        ("ssd_mobiledet_cpu", "num_layers: 5", False),
        ("ssd_mobilenet_edgetpu", "num_layers: 6", False),
        ("ssd_mobilenet_v3_small", "num_layers: 6", False),
        ("ssd_resnet50_v1_ppn", "num_layers: 6", False),
        ("embedded_ssd_mobilenet_v1", "num_layers: 6", False),
    ],
)
def test_a_slim_only_extractor_keeps_the_settings_that_it_takes(extractor_type: str, field: str, kept: bool) -> None:
    assert (verdict(ssd(extractor_type, f"{OVERRIDE} {field}")).changes == ()) is kept


def test_every_rule_names_extractors_that_exist() -> None:
    assert all(set(rule.types) <= set(EXTRACTORS) for rule in RULES)
    assert all(rule.reason and rule.outputs for rule in RULES)


def test_a_model_without_a_predictor_is_an_error() -> None:
    with pytest.raises(ConfigError, match="the model has no box predictor"):
        verdict(parse_config("model { ssd { feature_extractor { type: 'ssd_mobilenet_v1' } } }"))


@pytest.mark.parametrize("name", ["ssd_inception_v2", "ssd_mobiledet_cpu", "ssd_mobilenet_v2"])
def test_what_is_presumed_of_a_checkpoint_needs_no_edit(name: str) -> None:
    found = presumed_verdict(name)
    assert found is not None
    assert (found.equal, found.changes) == (True, ())
