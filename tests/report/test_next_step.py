"""What a conversion says to do next: for a detector, a model of one's own, a classifier, a backbone."""

from __future__ import annotations

import ast

import pytest

from ckptmap.families.registry import expression_of
from ckptmap.report.next_step import next_lines


def report(
    root="model", keys=("model/a/kernel",), name="mine", config=None, verdict=None, checkpoint="new/ckpt-0", **target
):
    return {
        "output": {"checkpoint": checkpoint},
        "config": config,
        "verdict": verdict,
        "target": {"name": name, "root": root, "settings": {}, "dimensions": {}, **target},
        "target_variables": [{"key": key} for key in keys],
    }


def test_nothing_written_has_no_next_step():
    assert list(next_lines({**report(), "output": None})) == []


def test_a_detector_gets_lines_for_its_config():
    detector = report(keys=["model/_feature_extractor/x"])
    assert list(next_lines(detector)) == [
        "lines for train_config of the TF2 pipeline.config:",
        '  fine_tune_checkpoint: "new/ckpt-0"',
        '  fine_tune_checkpoint_type: "full"',
        "  fine_tune_checkpoint_version: V2",
    ]


def test_a_migrated_config_has_them_and_the_exact_extractor_needs_its_launcher():
    exact = {"kind": "equal with the slim-exact extractor"}
    first, *_, last = next_lines(report(keys=["model/_box_predictor/x"], config={"edits": []}, verdict=exact))
    assert first == "train with the pipeline.config beside it, which has these lines:"
    assert last == "and start the API's programs so: python -m ckptmap.tf.launch model_main_tf2 …"
    equal = list(next_lines(report(keys=["model/_box_predictor/x"], config={"edits": []}, verdict={"kind": "equal"})))
    assert equal[-1] == "  fine_tune_checkpoint_version: V2"


def test_training_goes_on_where_the_checkpoint_is_copied_to():
    resumed = {**report(keys=["model/_box_predictor/x"], config={"edits": []}), "optimizer": {"step": 180_000}}
    first, *lines = next_lines(resumed)
    assert first == (
        "to go on at step 180000, copy checkpoint and ckpt-0.* into a new model_dir; "
        "train with the pipeline.config beside it, which has these lines:"
    )
    assert lines[0] == '  fine_tune_checkpoint: "new/ckpt-0"'


def test_a_backbone_goes_into_a_detector():
    lines = list(next_lines(report(root="feature_extractor", keys=["feature_extractor/layer_with_weights-0/kernel"])))
    assert lines[0] == "the backbone goes into a detector: lines for train_config of its TF2 pipeline.config:"
    assert lines[2] == '  fine_tune_checkpoint_type: "classification"'


@pytest.mark.parametrize(
    ("root", "keys", "arguments"),
    [
        ("model", ["model/layer_with_weights-0/kernel"], "model=your_model"),
        ("net", ["net/x"], "net=your_model"),
        ("model", ["model/x", "step"], "model=your_model, step=tf.Variable(0, dtype=tf.int64)"),
        ("model", ["model/x", "optimizer/m"], "model=your_model, optimizer=your_optimizer"),
        ("", ["encoder/w", "encoder/b", "decoder/w"], "encoder=your_encoder, decoder=your_decoder"),
        ("", ["layer_with_weights-0/kernel", "layer_with_weights-1/kernel"], "your_model"),
        ("", ["_variables/0"], "your_model"),
        ("_functional", ["_functional/_operations/1/_kernel"], "your_model"),
        ("", [f"{name}/w" for name in "abcde"], "a=your_a, b=your_b, c=your_c, d=your_d, …"),
        ("a-b", ["a-b/w"], '**{"a-b": your_model}'),
    ],
)
def test_a_model_of_ones_own_gets_two_lines_of_python(root, keys, arguments):
    assert list(next_lines(report(root=root, keys=keys))) == [
        f"checkpoint = tf.train.Checkpoint({arguments})",
        'checkpoint.restore("new/ckpt-0").assert_consumed()',
    ]


@pytest.mark.parametrize(
    ("root", "keys", "optimized", "told"),
    [
        ("model", ["model/a/kernel"], ["model"], True),
        ("model", ["model/a/kernel"], [""], False),
        ("model", ["model/a/kernel"], ["other"], False),
        ("layers", ["layers/0/kernel"], [""], True),
        ("", ["_variables/0"], [""], True),
        ("", ["encoder/w", "decoder/w"], [""], False),
    ],
)
def test_a_model_that_was_saved_compiled_is_restored_before_it_is_compiled(root, keys, optimized, told):
    first, last = next_lines(report(root=root, keys=keys, optimized=optimized))
    assert first.endswith("  # your_model is not compiled yet: no state of an optimizer was written") is told
    assert last == 'checkpoint.restore("new/ckpt-0").assert_consumed()'


def test_a_path_is_quoted_as_python_wants_it():
    lines = list(next_lines(report(checkpoint='C:\\new "1"\\ckpt-0')))
    assert ast.literal_eval(lines[1].removeprefix("checkpoint.restore(").removesuffix(").assert_consumed()")) == (
        'C:\\new "1"\\ckpt-0'
    )


@pytest.mark.parametrize(
    ("target", "settings", "lengths", "expression"),
    [
        ("keras_inception_v3", {}, {"num_classes": 1001}, "keras.applications.InceptionV3(weights=None, classes=1001)"),
        ("keras_vgg16", {"include_top": False}, {}, "keras.applications.VGG16(weights=None, include_top=False)"),
        (
            "keras_mobilenet",
            {"keras": 2},
            {"num_classes": 5, "width_32": 16, "width_1024": 512},
            "tf_keras.applications.MobileNet(weights=None, alpha=0.5, classes=5)",
        ),
        (
            "keras_mobilenet_v3_small_minimalistic",
            {"include_preprocessing": False},
            {"num_classes": 1001, "width_240": 184, "width_1024": 1024},
            (
                "keras.applications.MobileNetV3Small(weights=None, alpha=0.75, minimalistic=True, "
                "include_preprocessing=False, classes=1001)"
            ),
        ),
        (
            "keras_mobilenet",
            {},
            {"num_classes": 9, "width_1024": 1024},
            "keras.applications.MobileNet(weights=None, classes=9)",
        ),
        ("ssd_mobilenet_v2", {}, {"num_classes": 90}, ""),
    ],
)  # fmt: skip
def test_a_classifier_is_made_and_restored(target, settings, lengths, expression):
    assert expression_of(target, settings, lengths) == expression
    if expression:
        found = report(name=target, verdict={"kind": "equal"}, settings=settings, dimensions=lengths)
        assert list(next_lines(found)) == [
            f"model = {expression}",
            'tf.train.Checkpoint(model=model).restore("new/ckpt-0").assert_consumed()',
        ]


def test_a_normalization_of_keras_is_renewed_after_the_restore():
    found = report(name="keras_efficientnet_b0", verdict={"kind": "equal"}, dimensions={"num_classes": 8})
    leaves = ("mean", "variance", "count", "kernel")
    found["target_variables"] = [{"key": f"model/{leaf}", "name": f"normalization/{leaf}"} for leaf in leaves]
    assert list(next_lines(found)) == [
        "model = keras.applications.EfficientNetB0(weights=None, classes=8)",
        'tf.train.Checkpoint(model=model).restore("new/ckpt-0").assert_consumed()',
        'model.get_layer("normalization").finalize_state()',
    ]
