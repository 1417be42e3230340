"""Freezing real models: the index of a fine-tuned RetinaNet and of a Faster R-CNN in training, the official configs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from ckptmap.basics.errors import CkptmapError
from ckptmap.families.detection.freezing.frozen_weights import Freezing
from ckptmap.verbs.freeze import freeze

CORPUS = Path(__file__).resolve().parents[4].parent / "shared" / "corpus"
RETINANET = CORPUS / "tf1" / "ft_ssd_resnet50_fpn_airplane"
FASTER_RCNN = CORPUS / "tf1" / "train_faster_rcnn_resnet101_egg"
SAMPLES = CORPUS / "configs" / "samples_tf1"

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of real files (../shared/corpus) is not here")


def freeze_as_configured(folder: Path, **options: Sequence[str]) -> Freezing:
    """A checkpoint with the config beside it."""
    return freeze(folder, pipeline=folder / "pipeline.config", **options)  # type: ignore[arg-type]


def parts(found: Freezing) -> tuple[dict[str, int], dict[str, int]]:
    """Parameters of each part, frozen and trainable."""
    sides: tuple[dict[str, int], dict[str, int]] = ({}, {})
    for counts, weights in zip(sides, (found.frozen, found.trainable), strict=True):
        for weight in weights:
            counts[weight.part] = counts.get(weight.part, 0) + weight.parameters
    return sides


def remarks(found: Freezing) -> list[str]:
    """All remarks but the last, which every report ends with."""
    assert found.remarks[-1].message.startswith("the TF2 train loop (model_lib_v2.py) reads neither")
    return [str(remark) for remark in found.remarks[:-1]]


def edited(path: Path, folder: Path, old: str, new: str) -> Path:
    text = path.read_text()
    assert old in text
    (folder / "pipeline.config").write_text(text.replace(old, new, 1))
    return folder / "pipeline.config"


def test_the_extractor_of_a_retinanet() -> None:
    found = freeze_as_configured(RETINANET, patterns=["FeatureExtractor/.*"])
    assert parts(found) == (
        {"backbone": 23508032, "neck": 3279616},
        {"box head": 2424856, "class head": 2535496},
    )
    assert (len(found.frozen), len(found.trainable)) == (177, 92)
    places = {weight.name: (weight.layer, weight.key) for weight in found.frozen}
    assert places["FeatureExtractor/resnet_v1_50/conv1/weights"] == (
        "conv1_conv/kernel",
        "model/_feature_extractor/classification_backbone/layer_with_weights-0/kernel",
    )
    assert places["FeatureExtractor/resnet_v1_50/fpn/projection_1/biases"] == (
        "FeatureMaps/top_down/projection_1/bias",
        "model/_feature_extractor/_fpn_features_generator/residual_blocks/1/0/bias",
    )
    assert remarks(found) == [
        (
            "in TF1 the moving statistics of 57 frozen batch norms go on moving: patterns do not reach them "
            "(freeze_batchnorm: true holds those of an SSD's backbone, batch_norm_trainable: false those of a "
            "Faster R-CNN's extractor)"
        )
    ]


def test_a_pattern_for_the_batch_norms_of_a_retinanet() -> None:
    """The towers have a batch norm for each of five levels; statistics are no trainable variables."""
    found = freeze_as_configured(RETINANET, patterns=[".*BatchNorm.*"])
    assert (len(found.frozen), len(found.trainable)) == (194, 75)
    assert remarks(found)[0].startswith("in TF1 the moving statistics of 97 frozen batch norms go on moving")


def test_a_retinanet_in_three_stages() -> None:
    stages = freeze_as_configured(RETINANET, stages=["heads", "top", "all"]).stages
    assert [(stage.name, len(stage.trainable), len(stage.frozen)) for stage in stages] == [
        ("heads", 92, 177),
        ("top", 110, 159),
        ("all", 269, 0),
    ]
    assert stages[0].patterns == ("^FeatureExtractor/",)
    assert stages[1].patterns == (
        "^FeatureExtractor/resnet_v1_50/block1/",
        "^FeatureExtractor/resnet_v1_50/block2/",
        "^FeatureExtractor/resnet_v1_50/block3/",
        "^FeatureExtractor/resnet_v1_50/block4/",
        "^FeatureExtractor/resnet_v1_50/conv1/",
    )


def test_the_seeds_of_confusion_in_a_retinanet(tmp_path: Path) -> None:
    config = RETINANET / "pipeline.config"
    assert remarks(freeze_as_configured(RETINANET, patterns=[".*backbone/.*"])) == [
        "the pattern '.*backbone/.*' matches no variable ('FeatureExtractor/.*' would match 177)"
    ]
    everything = freeze_as_configured(RETINANET, patterns=[".*"])
    assert everything.trainable == ()
    assert remarks(everything)[0] == (
        "every variable is frozen: nothing is left to train (leave the heads out, as 'FeatureExtractor/.*' does)"
    )
    misnamed = freeze(RETINANET, pipeline=edited(config, tmp_path, "train_config {", "train_config { freeze_vars: 'F'"))
    assert (len(misnamed.frozen), len(misnamed.trainable)) == (0, 269)
    assert remarks(misnamed)[0].endswith(
        "there is no field freeze_vars: the API refuses the file, and it freezes nothing (freeze_variables is meant)"
    )
    held = edited(config, tmp_path, "freeze_batchnorm: false", "freeze_batchnorm: true")
    assert remarks(freeze(RETINANET, pipeline=held, patterns=["FeatureExtractor/"])) == [
        (
            f"{held}:126: freeze_batchnorm freezes no weight: the batch norms that it holds use their moving "
            "statistics and leave them as they are, gamma and beta go on training; in TF2 it holds all, in TF1 none: "
            "those made by conv_hyperparams train all the same"
        ),
        (
            "in TF1 the moving statistics of 57 frozen batch norms go on moving: patterns do not reach them "
            "(freeze_batchnorm: true holds those of an SSD's backbone, batch_norm_trainable: false those of a "
            "Faster R-CNN's extractor)"
        ),
    ]


def test_the_extractors_of_a_faster_rcnn() -> None:
    found = freeze(FASTER_RCNN, patterns=["FirstStageFeatureExtractor/.*", "SecondStageFeatureExtractor/.*"])
    assert parts(found) == ({"backbone": 57464896}, {"proposals": 4756040, "box head": 8196, "class head": 4098})
    assert [len(one.names) for one in found.matched] == [312, 30]
    places = {weight.name: (weight.layer, weight.key) for weight in (*found.frozen, *found.trainable)}
    assert places["SecondStageFeatureExtractor/resnet_v1_101/block4/unit_1/bottleneck_v1/conv1/weights"] == (
        "conv5_block1_1_conv/kernel",
        "model/_feature_extractor_for_box_classifier_features/layer_with_weights-0/kernel",
    )
    assert places["Conv/weights"] == (
        "RPNConv/kernel",
        "model/_first_stage_box_predictor_first_conv/layer_with_weights-0/kernel",
    )
    assert remarks(found) == [
        (
            "the extractor's batch norms leave their moving statistics as they are, "
            "unless the config says batch_norm_trainable: true"
        )
    ]


def test_a_faster_rcnn_in_stages() -> None:
    stages = freeze_as_configured(FASTER_RCNN, stages=["heads", "rpn+heads", "top", "all"]).stages
    assert [(stage.name, len(stage.trainable), stage.patterns) for stage in stages] == [
        (
            "heads",
            4,
            ("^Conv/", "^FirstStageBoxPredictor/", "^FirstStageFeatureExtractor/", "^SecondStageFeatureExtractor/"),
        ),
        ("rpn+heads", 10, ("^FirstStageFeatureExtractor/", "^SecondStageFeatureExtractor/")),
        ("top", 10, ("^FirstStageFeatureExtractor/", "^SecondStageFeatureExtractor/")),
        ("all", 352, ()),
    ]


def test_the_seeds_of_confusion_in_a_faster_rcnn(tmp_path: Path) -> None:
    config = FASTER_RCNN / "pipeline.config"
    assert remarks(freeze_as_configured(FASTER_RCNN, patterns=[".*backbone/.*"])) == [
        (
            "the pattern '.*backbone/.*' matches no variable "
            "('FirstStageFeatureExtractor/.*|SecondStageFeatureExtractor/.*' would match 342)"
        )
    ]
    assert remarks(freeze_as_configured(FASTER_RCNN, patterns=["FeatureExtractor/.*"])) == [
        "the pattern 'FeatureExtractor/.*' matches no variable ('.*FeatureExtractor/.*' would match 342)",
        (
            "'FeatureExtractor/.*' matches 0 variables in legacy/train.py (re.match), 342 in model_main.py (re.search) "
            "(the argument trainer says whose rule counts; begin patterns with the outermost scope)"
        ),
    ]
    assert remarks(freeze_as_configured(FASTER_RCNN, patterns=[".*"]))[0] == (
        "every variable is frozen: nothing is left to train "
        "(leave the heads out, as 'FirstStageFeatureExtractor/.*|SecondStageFeatureExtractor/.*' does)"
    )
    vars_ = edited(config, tmp_path, "train_config: {", "train_config: { freeze_vars: 'Conv/'")
    misnamed = freeze(FASTER_RCNN, pipeline=vars_)
    assert misnamed.frozen == ()
    assert "there is no field freeze_vars: the API refuses the file" in remarks(misnamed)[0]
    norms = edited(config, tmp_path, "faster_rcnn {", "faster_rcnn { freeze_batchnorm: true")
    assert remarks(freeze(FASTER_RCNN, pipeline=norms)) == [
        (
            f"{norms}:8: FasterRcnn has no field freeze_batchnorm: the API refuses the file (an SSD has it; for the "
            "extractor of a Faster R-CNN batch_norm_trainable: false, its default, does the same)"
        )
    ]


def test_batch_norm_trainable_says_whether_statistics_move(tmp_path: Path) -> None:
    config, patterns = FASTER_RCNN / "pipeline.config", [".*FeatureExtractor/.*"]
    assert remarks(freeze(FASTER_RCNN, pipeline=config, patterns=patterns)) == [
        (
            f"{config}: batch_norm_trainable: false, the default, freezes no weight: the extractor's batch norms use "
            "their moving statistics and leave them as they are, "
            "gamma and beta go on training; TF1 and TF2 both read it"
        )
    ]
    trained = edited(config, tmp_path, "feature_extractor {", "feature_extractor { batch_norm_trainable: true")
    assert remarks(freeze(FASTER_RCNN, pipeline=trained, patterns=patterns)) == [
        (
            "in TF1 the moving statistics of 114 frozen batch norms go on moving: patterns do not reach them "
            "(freeze_batchnorm: true holds those of an SSD's backbone, batch_norm_trainable: false those of a "
            "Faster R-CNN's extractor)"
        )
    ]


@pytest.mark.parametrize(
    ("config", "frozen", "trainable"),
    [
        ("ssd_mobilenet_v2_coco", {"backbone": 156, "neck": 24}, {"box head": 12, "class head": 12}),
        (
            "ssd_resnet50_v1_fpn_shared_box_predictor_640x640_coco14_sync",
            {"backbone": 159, "neck": 18},
            {"box head": 46, "class head": 46},
        ),
        ("faster_rcnn_resnet50_coco", {"backbone": 159}, {"proposals": 6, "box head": 2, "class head": 2}),
        (
            "faster_rcnn_inception_resnet_v2_atrous_coco",
            {"backbone": 488},
            {"proposals": 6, "box head": 2, "class head": 2},
        ),
    ],
)
def test_an_official_config_says_its_variables(config: str, frozen: dict[str, int], trainable: dict[str, int]) -> None:
    found = freeze(pipeline=SAMPLES / f"{config}.config", patterns=[".*FeatureExtractor/.*"])
    counts: list[dict[str, int]] = [{}, {}]
    for side, weights in zip(counts, (found.frozen, found.trainable), strict=True):
        for weight in weights:
            side[weight.part] = side.get(weight.part, 0) + 1
    assert counts == [frozen, trainable]


def test_a_config_of_tf2_has_nothing_to_freeze_by() -> None:
    config = SAMPLES / "ssd_mobilenet_v2_pets_keras.config"
    with pytest.raises(CkptmapError, match="is a model of TF2, whose train loop reads no freeze_variables"):
        freeze(pipeline=config)


def test_a_model_that_no_shipped_target_covers_needs_its_checkpoint(tmp_path: Path) -> None:
    text = (SAMPLES / "ssd_inception_v2_coco.config").read_text()
    config = tmp_path / "pipeline.config"
    config.write_text(text.replace("depth_multiplier: 1.0", "depth_multiplier: 0.5"))
    with pytest.raises(CkptmapError, match="the variable names of ssd_inception_v2 are not known") as error:
        freeze(pipeline=config)
    assert "depth_multiplier is 0.5; the shipped target ssd_inception_v2 covers only 1" in str(error.value)


def test_slims_own_extractors_are_frozen_by_their_tf1_names() -> None:
    found = freeze(
        CORPUS / "tf1" / "zoo_faster_rcnn_inception_v2_2018_01_28",
        pipeline=SAMPLES / "faster_rcnn_inception_v2_coco.config",
        patterns=["FirstStageFeatureExtractor/"],
    )
    assert (len(found.frozen), len(found.trainable)) == (151, 67)
