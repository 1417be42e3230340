import pytest

from ckptmap.audit.tf2_paths import refusal, restore_paths, root_of
from ckptmap.checkpoint.dtypes import DType
from ckptmap.targets import TargetVariable

SSD_KEYS = (
    "_feature_extractor/classification_backbone/layer_with_weights-0/kernel",
    "_feature_extractor/feature_map_generator/convolutions/0/0/kernel",
    "_box_predictor/_prediction_heads/box_encodings/0/_box_encoder_layers/0/kernel",
)
RCNN_KEYS = (
    "_feature_extractor_for_proposal_features/layer_with_weights-0/kernel",
    "_feature_extractor_for_proposal_features/layer_with_weights-85/gamma",
    "_feature_extractor_for_box_classifier_features/layer_with_weights-0/kernel",
    "_first_stage_box_predictor_first_conv/layer_with_weights-0/kernel",
)


def paths(architecture: str, kind: str, keys: tuple[str, ...]) -> list[str | None]:
    found = restore_paths(architecture, kind, [TargetVariable(key, key, DType.FLOAT32, (1,)) for key in keys])
    return [found.get(key) for key in keys]


def test_full_looks_for_everything_below_model() -> None:
    assert paths("ssd", "full", SSD_KEYS) == [f"model/{key}" for key in SSD_KEYS]
    assert paths("faster_rcnn", "full", RCNN_KEYS) == [f"model/{key}" for key in RCNN_KEYS]


def test_detection_leaves_the_heads() -> None:
    assert paths("ssd", "detection", SSD_KEYS) == [f"model/{key}" for key in SSD_KEYS[:2]] + [None]
    assert paths("faster_rcnn", "detection", RCNN_KEYS) == [f"model/{key}" for key in RCNN_KEYS[:3]] + [None]


def test_classification_looks_for_the_backbone_alone() -> None:
    assert paths("ssd", "classification", SSD_KEYS) == ["feature_extractor/layer_with_weights-0/kernel", None, None]


def test_the_two_stages_of_an_rcnn_are_one_backbone() -> None:
    assert paths("faster_rcnn", "classification", RCNN_KEYS) == [
        "feature_extractor/layer_with_weights-0/kernel",
        "feature_extractor/layer_with_weights-85/gamma",
        "feature_extractor/layer_with_weights-86/kernel",
        None,
    ]


def test_roots() -> None:
    assert [root_of(kind) for kind in ("full", "detection", "classification")] == [
        "model", "model", "feature_extractor",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("architecture", "kind", "expected"),
    [
        ("ssd", "detection", ("", "")),
        (
            "ssd",
            "fine_tune",
            (
                "ValueError: Not supported fine_tune_checkpoint_type: fine_tune",
                "one of classification, detection, full",
            ),
        ),
        (
            "faster_rcnn",
            "detections",
            ("ValueError: Not supported fine_tune_checkpoint_type: detections", "did you mean detection?"),
        ),
        (
            "center_net",
            "fine_tune",
            ("ValueError: fine_tune is no longer supported for CenterNet", "detection does the same"),
        ),
    ],
)
def test_types_that_are_refused(architecture: str, kind: str, expected: tuple[str, str]) -> None:
    assert refusal(architecture, kind) == expected
