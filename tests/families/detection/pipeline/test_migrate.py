from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckptmap.families.detection.pipeline.changes import Edit
from ckptmap.families.detection.pipeline.classes import Classes
from ckptmap.families.detection.pipeline.config import parse_config, read_config
from ckptmap.families.detection.pipeline.migrate import Migration, Refusal, Why, migrate
from ckptmap.families.detection.pipeline.notes import Note
from ckptmap.families.detection.pipeline.training import Checkpoint
from ckptmap.families.verdict import Kind
from ckptmap.planning.choices import PlanOptions
from ckptmap.request.resolve import find_destination

CASES = Path(__file__).resolve().parents[4].parent / "shared" / "cases" / "detectors"
TF1 = """# mine
model {
  ssd {
    num_classes: 3
    feature_extractor {
      type: 'ssd_mobilenet_v2'  # the backbone
    }
    box_predictor { convolutional_box_predictor {} }
  }
}
train_config: {
  optimizer { rms_prop_optimizer: { decay: 0.9 } use_moving_average: false }
  fine_tune_checkpoint: "/old/model.ckpt"
  from_detection_checkpoint: true # yes
  load_all_detection_checkpoint_vars: true
  freeze_variables: "Feature"
}
"""

TF2 = """# mine
model {
  ssd {
    num_classes: 3
    feature_extractor {
      type: 'ssd_mobilenet_v2_keras'  # the backbone
    }
    box_predictor { convolutional_box_predictor {} }
  }
}
train_config: {
  optimizer { rms_prop_optimizer: { decay: 0.0 } use_moving_average: false }
  fine_tune_checkpoint: "new/ckpt-0"
  fine_tune_checkpoint_type: "full" # yes
  fine_tune_checkpoint_version: V2
  freeze_variables: "Feature"
}
"""

RMS_REASON = (
    "TF2 hands it to Keras as learning-rate decay, lr / (1 + decay * step), and averages squared gradients "
    "with 0.9 in any case"
)
V2_REASON = "TF2 reads object-based checkpoints; the default is V1, which it refuses"


def migrated(text: str, **options) -> Migration:
    made = migrate(parse_config(text, "f.config"), **options)
    assert isinstance(made, Migration)
    return made


def model(text: str, train: str = "") -> str:
    head = "" if "box_predictor" in text else "box_predictor { convolutional_box_predictor {} } "
    return f"model {{ ssd {{ feature_extractor {{ type: 'ssd_mobilenet_v2' }} {head}{text} }} }}\n{train}"


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_whole_config(newline: str) -> None:
    made = migrated(TF1.replace("\n", newline), checkpoint=Checkpoint("new/ckpt-0"))
    assert made.text == TF2.replace("\n", newline)
    assert made.verdict.kind is Kind.EQUAL
    assert made.edits == (
        Edit(
            6,
            "model.ssd.feature_extractor.type",
            "'ssd_mobilenet_v2'",
            "'ssd_mobilenet_v2_keras'",
            "the Keras feature extractor of the same network",
        ),
        Edit(12, "train_config.optimizer.rms_prop_optimizer.decay", "0.9", "0.0", RMS_REASON),
        Edit(
            13,
            "train_config.fine_tune_checkpoint",
            '"/old/model.ckpt"',
            '"new/ckpt-0"',
            "the converted checkpoint",
        ),
        Edit(13, "train_config.fine_tune_checkpoint_version", "", "V2", V2_REASON),
        Edit(
            14,
            "train_config.fine_tune_checkpoint_type",
            "from_detection_checkpoint: true",
            '"full"',
            "what the converted checkpoint restores",
        ),
        Edit(15, "train_config.load_all_detection_checkpoint_vars", "true", "", "TF2's train loop refuses it"),
    )
    assert made.notes == (
        Note(16, "train_config.freeze_variables", "TF2's train loop never reads it: no variable is frozen"),
    )


@pytest.mark.parametrize(
    ("train", "kind"),
    [
        ("from_detection_checkpoint: true", "detection"),
        ("from_detection_checkpoint: true load_all_detection_checkpoint_vars: true", "full"),
        ("from_detection_checkpoint: false", "classification"),
        ("", "classification"),
        ("fine_tune_checkpoint_type: 'detection'", "detection"),
    ],
)
def test_without_a_converted_checkpoint_the_type_says_what_the_config_said(train: str, kind: str) -> None:
    made = migrated(model("", f"train_config {{\n  fine_tune_checkpoint: 'a'\n  {train}\n}}\n"))
    config = parse_config(made.text)
    assert config.training.fine_tune_checkpoint == "a"
    assert (config.training.fine_tune_checkpoint_type, config.training.fine_tune_checkpoint_version) == (kind, "V2")
    assert not config.training.from_detection_checkpoint
    assert not config.training.load_all_detection_checkpoint_vars
    assert "train_config.fine_tune_checkpoint" in [note.path for note in made.notes]


def test_a_config_without_training_gets_only_its_model_migrated() -> None:
    assert migrated(model("num_classes: 1")).text == model("num_classes: 1").replace("_v2'", "_v2_keras'")


def test_a_checkpoint_makes_the_train_config_that_is_missing() -> None:
    made = migrated(model(""), checkpoint=Checkpoint("new/ckpt-0", "detection"))
    training = parse_config(made.text).training
    assert (training.fine_tune_checkpoint, training.fine_tune_checkpoint_type) == ("new/ckpt-0", "detection")
    assert training.fine_tune_checkpoint_version == "V2"
    assert made.text.count("train_config") == 1


def test_another_class_count() -> None:
    made = migrated(model("num_classes: 90"), classes=Classes(3))
    assert parse_config(made.text).num_classes == 3
    assert [edit.reason for edit in made.edits if edit.path == "model.ssd.num_classes"] == [
        "the number of classes asked for"
    ]
    assert migrated(model("num_classes: 3"), classes=Classes(3)).edits == migrated(model("num_classes: 3")).edits


def test_quantization_is_removed_and_the_verdict_says_what_that_means() -> None:
    made = migrated(model("") + "graph_rewriter {\n  quantization { delay: 1 }\n}\neval_config {}\n")
    assert made.text == model("").replace("_v2'", "_v2_keras'") + "eval_config {}\n"
    assert made.verdict.kind is Kind.WEIGHTS_ONLY
    assert str(made.verdict) == (
        "weights only: the TF1 graph rounds weights and activations to 8 bits (graph_rewriter); "
        "TF2 computes with the same weights in float"
    )
    assert made.edits[-1].old == "{ quantization { delay: 1 } }"


def test_averages_are_evaluated_only_where_they_are_kept() -> None:
    train = "train_config { optimizer { momentum_optimizer {} use_moving_average: false } }\n"
    made = migrated(model("", train + "eval_config { use_moving_averages: true }"))
    assert made.text.endswith("eval_config { use_moving_averages: false }")
    kept = migrated(model("", train.replace("false", "true") + "eval_config { use_moving_averages: true }"))
    assert kept.text.endswith("eval_config { use_moving_averages: true }")
    assert [note.path for note in kept.notes] == ["train_config.optimizer.use_moving_average"]


def test_unknown_fields_outside_the_model_are_removed() -> None:
    made = migrated(model("", "train_config {\n  freeze_vars: 'a'\n}\ntrain_input_reader { [a.b] { c: 1 } }\n"))
    assert made.text == model("", "train_config {\n}\ntrain_input_reader { }\n").replace("_v2'", "_v2_keras'")
    assert [(edit.path, edit.old, edit.reason) for edit in made.edits[1:]] == [
        ("train_config.freeze_vars", "'a'", "TrainConfig has no field freeze_vars: it refuses the file"),
        (
            "train_input_reader.[a.b]",
            "{ c: 1 }",
            "the extension [a.b] is not part of the Object Detection API: it refuses the file",
        ),
    ]


@pytest.mark.parametrize(("value", "freeze"), [("true", False), ("false", True)])
def test_a_retired_field_of_the_model_lives_on_in_todays(value: str, freeze: bool) -> None:
    text = model("").replace("_v2' }", f"_v2' batch_norm_trainable: {value} }}")
    config = parse_config(migrated(text).text)
    assert config.unreadable == ()
    assert config.model.flag("freeze_batchnorm") is freeze


def test_a_byte_order_mark_is_removed() -> None:
    made = migrated("\ufeff" + model(""))
    assert made.text.startswith("model")
    assert made.edits[0] == Edit(1, "", "byte order mark", "", "the API's reader refuses it")


@pytest.mark.parametrize(
    ("text", "why", "message"),
    [
        ("train_config {}", Why.NO_MODEL, "f.config: not a detection config: it has no model block"),
        (
            "model { experimental_model { name: 'x' } }",
            Why.NO_MODEL,
            "f.config:1: not a detection config: experimental_model is not a model of the public API",
        ),
        ("model { center_net { } }", Why.ALREADY_TF2, "f.config:1: already a TF2 config: CenterNet exists in TF2 only"),
        (
            "model { ssd { feature_extractor { type: 'ssd_mobilenet_v2_keras' } } }",
            Why.ALREADY_TF2,
            "f.config:1: already a TF2 config: ssd_mobilenet_v2_keras is a Keras feature extractor",
        ),
        (
            "model { ssd { feature_extractor {\n type: 'ssd_mobilnet_v2' } } }",
            Why.UNKNOWN_EXTRACTOR,
            (
                "f.config:2: unknown feature extractor: ssd has no feature extractor 'ssd_mobilnet_v2' "
                "(did you mean ssd_mobilenet_v2 or ssd_mobilenet_v1)"
            ),
        ),
        (
            "model { ssd { feature_extractor { type: 'faster_rcnn_resnet50' } } }",
            Why.UNKNOWN_EXTRACTOR,
            "f.config:1: unknown feature extractor: ssd has no feature extractor 'faster_rcnn_resnet50'",
        ),
        (
            (
                "model { faster_rcnn { feature_extractor { type: 'faster_rcnn_nas' } second_stage_box_predictor { "
                "mask_rcnn_box_predictor { fc_hyperparams { group_norm {} } } } } }"
            ),
            Why.NO_COUNTERPART,
            (
                "f.config:1: no Keras counterpart: the API has no Keras extractor of this network; ckptmap's runs "
                "slim's own code inside Keras; the Keras layers do not know group_norm: its variables have no place "
                "(inspect and diff read its checkpoints; convert --table carries weights into a model of your own; "
                "the frozen TF1 graph still runs under tf.compat.v1)"
            ),
        ),
        (
            "model { ssd { feature_extractor { type: 'ssd_mobilenet_v2' } } }",
            Why.INCOMPLETE,
            "f.config:1: incomplete model: it has no box predictor, without which neither TF1 nor TF2 builds it",
        ),
        (
            "model { ssd { num_clases: 3 } }",
            Why.UNREADABLE,
            "f.config:1: the API refuses to read it: Ssd has no field num_clases (did you mean num_classes)",
        ),
        (
            "model { ssd { num_classes: many num_classes: 'x' } }",
            Why.UNREADABLE,
            "f.config:1: the API refuses to read it: num_classes is a whole number, not many; and 1 more",
        ),
    ],
)
def test_refusals(text: str, why: Why, message: str) -> None:
    made = migrate(parse_config(text, "f.config"))
    assert isinstance(made, Refusal)
    assert made.why is why
    assert str(made) == message


def test_a_setting_without_a_home_is_refused() -> None:
    text = model("box_predictor { convolutional_box_predictor { conv_hyperparams { group_norm {} } } }")
    made = migrate(parse_config(text))
    assert isinstance(made, Refusal)
    assert (made.why, made.reason) == (
        Why.UNSUPPORTED_SETTING,
        "the Keras layers do not know group_norm: its variables have no place",
    )


@pytest.mark.parametrize(
    ("train", "expected"),
    [
        (
            "optimizer { rms_prop_optimizer { decay: 0.8 } use_moving_average: false }",
            [("train_config.optimizer.rms_prop_optimizer.decay", "Keras averages squared gradients with 0.9, not 0.8")],
        ),
        ("optimizer { rms_prop_optimizer { decay: 0.899999976158 } use_moving_average: false }", []),
        ("bias_grad_multiplier: 2", [("train_config.bias_grad_multiplier", "TF2's train loop never reads it")]),
        (
            "update_trainable_variables: 'a'",
            [
                (
                    "train_config.update_trainable_variables",
                    "TF2's train loop never reads it: all variables are trained",
                )
            ],
        ),
        (
            "fine_tune_checkpoint: 'a' fine_tune_checkpoint_type: 'fine_tune'",
            [
                ("train_config.fine_tune_checkpoint", "a TF1 checkpoint: convert it and name the new one here"),
                (
                    "train_config.fine_tune_checkpoint_type",
                    "TF2 knows classification, detection, full, not fine_tune",
                ),
            ],
        ),
    ],
)
def test_notes(train: str, expected: list[tuple[str, str]]) -> None:
    made = migrated(model("", f"train_config {{ {train} }}"))
    assert [(note.path, note.text) for note in made.notes] == expected


def test_untrained_batch_norm_is_noted() -> None:
    text = model("box_predictor { convolutional_box_predictor { conv_hyperparams { batch_norm { train: false } } } }")
    assert migrated(text).notes == (
        Note(
            1,
            "batch_norm.train",
            "TF2 trains the batch norm nevertheless; freeze_batchnorm: true freezes all of them",
        ),
    )


FIELDS = st.sampled_from(
    [
        "num_classes: 3",
        "feature_extractor { type: 'ssd_mobilenet_v1' depth_multiplier: 0.5 }",
        "feature_extractor { type: 'ssd_mobilenet_v2_fpn' fpn { } }",
        "feature_extractor { override_base_feature_extractor_hyperparams: true conv_hyperparams { } }",
        "feature_extractor { type: 5 }",
        "box_predictor { weight_shared_convolutional_box_predictor { num_layers_before_predictor: 2 } }",
        "box_predictor { convolutional_box_predictor { min_depth: 4 apply_sigmoid_to_scores: true } }",
        "quux: 1",
    ]
)
TRAIN = st.sampled_from(
    [
        "fine_tune_checkpoint: 'a'",
        "from_detection_checkpoint: true",
        "optimizer { rms_prop_optimizer { } }",
        "freeze_vars: 1",
        "num_steps: -1",
        "load_all_detection_checkpoint_vars: true # why",
        "data_augmentation_options { }",
    ]
)


@given(st.lists(FIELDS, max_size=4), st.lists(TRAIN, max_size=4), st.sampled_from(["\n", " ", "\r\n"]), st.booleans())
def test_any_config_is_migrated_to_one_that_is_refused_as_tf2_or_refused(
    fields: list[str], train: list[str], gap: str, given_checkpoint: bool
) -> None:
    body = gap.join(field if gap != " " else field.split("#")[0] for field in train)
    text = f"model {{{gap}ssd {{{gap}{gap.join(fields)}{gap}}}{gap}}}{gap}train_config {{{gap}{body}{gap}}}{gap}"
    made = migrate(parse_config(text), checkpoint=Checkpoint("new/ckpt-0") if given_checkpoint else None)
    if isinstance(made, Migration):
        again = parse_config(made.text)
        assert again.unreadable == ()
        refused = migrate(again)
        assert isinstance(refused, Refusal)
        assert refused.why is Why.ALREADY_TF2


def test_a_matcher_that_tf2_has_not_is_replaced_where_it_stands() -> None:
    text = TF1.replace("num_classes: 3", "num_classes: 3 matcher { bipartite_matcher { use_matmul_gather: true } }")
    made = migrated(text)
    best = "{ matched_threshold: 1.0 unmatched_threshold: 1.0 force_match_for_each_row: true }"
    assert f"num_classes: 3 matcher {{ argmax_matcher {best} }}\n" in made.text
    (edit,) = [one for one in made.edits if "matcher" in one.path]
    assert (edit.path, edit.new) == ("model.ssd.matcher.argmax_matcher", best)
    assert edit.old == "bipartite_matcher { use_matmul_gather: true }"
    assert "no bipartite_matcher on TF2" in edit.reason


def test_an_inception_of_2017_gets_the_override_that_it_always_had() -> None:
    case = CASES / "H2-01-inception-without-override" / "pipeline.config"
    if not case.is_file():
        pytest.skip(f"the case {case.parent.name} (../shared/cases) is not here")
    made = migrate(read_config(case))
    assert isinstance(made, Migration)
    (edit,) = [one for one in made.edits if "override" in one.path]
    assert (edit.path, edit.old, edit.new) == (
        "model.ssd.feature_extractor.override_base_feature_extractor_hyperparams", "", "true",
    )  # fmt: skip
    extractor = parse_config(made.text).extractor
    assert extractor.flag("override_base_feature_extractor_hyperparams")
    target = find_destination(None, None, case, PlanOptions()).target
    assert target.name == "ssd_inception_v2"
