from pathlib import Path

import numpy as np
import pytest

from ckptmap.basics.errors import CkptmapError
from ckptmap.families.detection.freezing.freeze_document import freeze_document
from ckptmap.families.detection.freezing.rule import Trainer
from ckptmap.report.freeze_text import lines
from ckptmap.verbs.freeze import freeze
from tests.convert.conftest import write_template, write_tf1

FIXTURE = Path(__file__).parents[2] / "fixtures" / "ssd_mobilenet_v2_tiny"
LAST_REMARK = (
    "the TF2 train loop (model_lib_v2.py) reads neither freeze_variables nor update_trainable_variables: everything "
    "trains (call ckptmap.tf.apply_freeze(model, patterns) in a training loop of your own)"
)
RESNET = "resnet_v1_50/block{}/unit_1/bottleneck_v1/conv1"
RETINANET = (
    f"FeatureExtractor/{RESNET.format(1)}/weights",
    f"FeatureExtractor/{RESNET.format(1)}/BatchNorm/beta",
    "FeatureExtractor/resnet_v1_50/fpn/projection_1/weights",
    "WeightSharedConvolutionalBoxPredictor/BoxPredictor/weights",
    "WeightSharedConvolutionalBoxPredictor/ClassPredictor/weights",
)
FASTER_RCNN = (
    f"FirstStageFeatureExtractor/{RESNET.format(3)}/weights",
    "Conv/weights",
    "FirstStageBoxPredictor/ClassPredictor/weights",
    f"SecondStageFeatureExtractor/{RESNET.format(4)}/weights",
    "SecondStageBoxPredictor/BoxEncodingPredictor/weights",
    "SecondStageBoxPredictor/ClassPredictor/weights",
)


def checkpoint(folder: Path, names: tuple[str, ...]) -> Path:
    tensors = {name: np.zeros(4, np.float32) for name in names}
    return write_tf1(folder / "old" / "model.ckpt", {**tensors, "global_step": np.array(3, np.int64)})


def config(folder: Path, train: str, model: str = "") -> Path:
    """The fixture's config with more in its train_config and its model."""
    text = (FIXTURE / "pipeline.config").read_text().replace("train_config {", f"train_config {{\n{train}\n")
    path = folder / "pipeline.config"
    path.write_text(text.replace("  ssd {", f"  ssd {{\n{model}\n", 1))
    return path


def test_the_extractor_of_an_ssd_is_backbone_and_neck() -> None:
    found = freeze(FIXTURE, patterns=["FeatureExtractor/.*"])
    assert freeze_document(found)["parts"] == [
        {
            "part": "backbone",
            "frozen": {"variables": 156, "parameters": 46912},
            "trainable": {"variables": 0, "parameters": 0},
        },
        {
            "part": "neck",
            "frozen": {"variables": 24, "parameters": 22391},
            "trainable": {"variables": 0, "parameters": 0},
        },
        {
            "part": "box head",
            "frozen": {"variables": 0, "parameters": 0},
            "trainable": {"variables": 12, "parameters": 7068},
        },
        {
            "part": "class head",
            "frozen": {"variables": 0, "parameters": 0},
            "trainable": {"variables": 12, "parameters": 7068},
        },
    ]
    first = freeze_document(found)["variables"][0]
    assert (first["name"], first["layer"], first["key"], first["frozen"]) == (
        "FeatureExtractor/MobilenetV2/Conv/BatchNorm/beta",
        "bn_Conv1/beta",
        "model/_feature_extractor/classification_backbone/layer_with_weights-1/beta",
        True,
    )


def test_a_retinanet_in_three_stages(tmp_path: Path) -> None:
    found = freeze(checkpoint(tmp_path, RETINANET), stages=["heads", "top", "all"])
    assert [(stage.name, len(stage.trainable), stage.patterns) for stage in found.stages] == [
        ("heads", 2, ("^FeatureExtractor/",)),
        ("top", 3, ("^FeatureExtractor/resnet_v1_50/block1/",)),
        ("all", 5, ()),
    ]


def test_a_faster_rcnn_in_stages_of_named_parts(tmp_path: Path) -> None:
    source = checkpoint(tmp_path, FASTER_RCNN)
    found = freeze(source, stages=["class_head", "class_head+box_head", "top"])
    assert [[weight.name for weight in stage.trainable] for stage in found.stages] == [
        ["SecondStageBoxPredictor/ClassPredictor/weights"],
        ["SecondStageBoxPredictor/BoxEncodingPredictor/weights", "SecondStageBoxPredictor/ClassPredictor/weights"],
        [
            "Conv/weights",
            "FirstStageBoxPredictor/ClassPredictor/weights",
            "SecondStageBoxPredictor/BoxEncodingPredictor/weights",
            "SecondStageBoxPredictor/ClassPredictor/weights",
        ],
    ]
    assert found.stages[0].patterns == (
        "^Conv/",
        "^FirstStageBoxPredictor/",
        "^FirstStageFeatureExtractor/",
        "^SecondStageBoxPredictor/BoxEncodingPredictor/",
        "^SecondStageFeatureExtractor/",
    )
    with pytest.raises(CkptmapError, match="the model has no such part"):
        freeze(source, stages=["neck"])
    with pytest.raises(CkptmapError, match="'backbones' is not a part to train"):
        freeze(source, stages=["backbones"])


@pytest.mark.parametrize("trainer", ["train", "model_main"])
@pytest.mark.parametrize("stage", ["heads", "top", "backbone+box_head"])
def test_a_stage_s_patterns_freeze_what_it_says(tmp_path: Path, stage: str, trainer: Trainer) -> None:
    """The mask head's ``SecondStageBoxPredictor/Conv`` is none of the proposals' ``Conv``."""
    source = checkpoint(tmp_path, (*RETINANET, *FASTER_RCNN, "SecondStageBoxPredictor/Conv/weights"))
    planned = freeze(source, stages=[stage]).stages[0]
    assert freeze(source, patterns=planned.patterns, trainer=trainer).frozen == planned.frozen


def test_a_config_of_an_unknown_extractor_does_not_say_the_names(tmp_path: Path) -> None:
    path = config(tmp_path, "")
    path.write_text(path.read_text().replace("'ssd_mobilenet_v2'", "'ssd_of_mine'"))
    with pytest.raises(CkptmapError, match="names of ssd_of_mine are not known from its config alone: ") as error:
        freeze(pipeline=path)
    assert error.value.problem.where == str(path)


def test_patterns_of_a_config_are_told_with_their_lines(tmp_path: Path) -> None:
    path = config(tmp_path, 'freeze_variables: "FeatureExtractor/.*"\nfreeze_variables: ".*backbone/.*"')
    found = freeze(pipeline=path)
    assert [(one.pattern.field, one.pattern.text, len(one.names)) for one in found.matched] == [
        ("freeze_variables", "FeatureExtractor/.*", 180),
        ("freeze_variables", ".*backbone/.*", 0),
    ]
    line = found.matched[1].pattern.where
    assert line.startswith(f"{path}:")
    assert found.remarks[0].message == "shapes and parameters are those of depth multiplier 1"
    assert [str(remark) for remark in found.remarks[1:]] == [
        f"{line}: freeze_variables '.*backbone/.*' matches no variable ('FeatureExtractor/.*' would match 180)",
        (
            "in TF1 the moving statistics of 60 frozen batch norms go on moving: patterns do not reach them "
            "(freeze_batchnorm: true holds those of an SSD's backbone, batch_norm_trainable: false those of a "
            "Faster R-CNN's extractor)"
        ),
        LAST_REMARK,
    ]


def test_freeze_vars_is_no_field(tmp_path: Path) -> None:
    found = freeze(FIXTURE, pipeline=config(tmp_path, 'freeze_vars: "FeatureExtractor/.*"'))
    assert (len(found.frozen), len(found.trainable)) == (0, 204)
    assert found.remarks[0].message == (
        "there is no field freeze_vars: the API refuses the file, and it freezes nothing"
    )
    assert found.remarks[0].hint == "freeze_variables is meant"


def test_a_pattern_that_freezes_everything_is_told() -> None:
    found = freeze(FIXTURE, patterns=[".*"])
    assert found.trainable == ()
    assert found.remarks[0].message == "every variable is frozen: nothing is left to train"


def test_freeze_batchnorm_freezes_no_weight(tmp_path: Path) -> None:
    found = freeze(FIXTURE, pipeline=config(tmp_path, "", "freeze_batchnorm: true"), patterns=["FeatureExtractor/"])
    assert [remark.message for remark in found.remarks[:2]] == [
        (
            "freeze_batchnorm freezes no weight: the batch norms that it holds use their moving statistics and leave "
            "them as they are, gamma and beta go on training; in TF2 it holds all, in TF1 those of the backbone: those "
            "made by conv_hyperparams train all the same"
        ),
        "in TF1 the moving statistics of 8 frozen batch norms go on moving: patterns do not reach them",
    ]
    assert LAST_REMARK.startswith(found.remarks[2].message)


def test_the_other_trainer_s_count_is_told_where_it_differs() -> None:
    found = freeze(FIXTURE, patterns=["MobilenetV2/Conv/"])
    assert found.remarks[1].message == (
        "'MobilenetV2/Conv/' matches 0 variables in legacy/train.py (re.match), 3 in model_main.py (re.search)"
    )
    assert len(freeze(FIXTURE, patterns=["MobilenetV2/Conv/"], trainer="model_main").frozen) == 3


def test_update_trainable_variables_count_in_model_main_only(tmp_path: Path) -> None:
    path = config(tmp_path, 'update_trainable_variables: "BoxPredictor"')
    assert len(freeze(pipeline=path, trainer="model_main").trainable) == 24
    found = freeze(FIXTURE, pipeline=path)
    assert len(found.trainable) == 204
    assert found.remarks[0].message == "legacy/train.py does not read update_trainable_variables, model_main.py does"


def test_a_tf2_checkpoint_has_no_tf1_names(tmp_path: Path) -> None:
    with pytest.raises(CkptmapError, match="a TF2 checkpoint has no TF1 names"):
        freeze(write_template(tmp_path / "new" / "ckpt-0"), patterns=["a"])


def test_a_person_sees_parts_and_patterns() -> None:
    found = list(lines(freeze_document(freeze(FIXTURE, patterns=["FeatureExtractor/.*"], stages=["heads"]))))
    assert found[1:7] == [
        "pattern  FeatureExtractor/.*  180 variables  (--pattern)",
        "",
        "  part                          frozen               trainable",
        "  backbone                156 (46.9 k)                       -",
        "  neck                     24 (22.4 k)                       -",
        "  box head                           -              12 (7.1 k)",
    ]
    assert "stage    heads  freeze ^FeatureExtractor/" in found


def test_patterns_stand_in_place_of_the_config_s(tmp_path: Path) -> None:
    """And beside its update_trainable_variables, which they do not replace."""
    path = config(tmp_path, "freeze_variables: '.*Predictor.*'\nupdate_trainable_variables: '.*weights'")
    own, given = freeze(pipeline=path), freeze(pipeline=path, patterns=["FeatureExtractor/.*"])
    told = [[(one.pattern.text, one.pattern.field) for one in found.matched] for found in (own, given)]
    assert told == [
        [(".*Predictor.*", "freeze_variables"), (".*weights", "update_trainable_variables")],
        [("FeatureExtractor/.*", "--pattern"), (".*weights", "update_trainable_variables")],
    ]
    heads = [weight.name for weight in given.trainable if "Predictor" in weight.name]
    assert heads
    assert not any("Predictor" in weight.name for weight in own.trainable)
