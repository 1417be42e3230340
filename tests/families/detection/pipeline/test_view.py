from __future__ import annotations

import pytest

from ckptmap.basics.errors import ConfigError
from ckptmap.families.detection.pipeline import textproto
from ckptmap.families.detection.pipeline.view import View, root_view


def view(text: str) -> View:
    return root_view(textproto.parse(text, "f.config"))


def test_defaults_of_the_proto_where_the_file_says_nothing() -> None:
    predictor = view("").at("model.ssd.box_predictor.convolutional_box_predictor")
    assert not predictor.present
    assert (predictor.flag("use_dropout"), predictor.integer("kernel_size")) == (True, 1)
    assert predictor.number("dropout_keep_probability") == 0.8
    assert view("").child("train_config").text("fine_tune_checkpoint_version") == "V1"
    assert view("").at("train_config.optimizer").flag("use_moving_average") is True


def test_the_last_scalar_counts_and_messages_are_merged() -> None:
    merged = view("model { ssd { num_classes: 1 } }\nmodel { ssd { num_classes: 2 freeze_batchnorm: true } }")
    ssd = merged.at("model.ssd")
    assert (ssd.integer("num_classes"), ssd.flag("freeze_batchnorm"), ssd.line("num_classes")) == (2, True, 2)


def test_the_last_member_of_a_oneof_wins() -> None:
    both = view("model { ssd { num_classes: 1 } faster_rcnn { num_classes: 2 } }").child("model")
    assert both.which("model") == "faster_rcnn"
    assert (both.has("ssd"), both.child("ssd").present, both.child("faster_rcnn").present) == (False, False, True)


def test_repeated_fields_in_a_list_and_one_by_one() -> None:
    train = view('train_config { freeze_variables: ["a", "b"] freeze_variables: "c" }').child("train_config")
    assert train.values("freeze_variables") == ("a", "b", "c")
    assert [
        reader.line() for reader in view("eval_input_reader {}\neval_input_reader {}").children("eval_input_reader")
    ] == [1, 2]


def test_a_wrong_value_is_an_error_with_its_line() -> None:
    ssd = view("model {\n ssd {\n  num_classes: ninety } }").at("model.ssd")
    with pytest.raises(ConfigError) as error:
        ssd.integer("num_classes")
    assert str(error.value) == "f.config:3: num_classes is a whole number, not ninety"
    with pytest.raises(ConfigError, match=r"f\.config:1: num_classes is a int32, not a message"):
        view("model { ssd { num_classes { } } }").at("model.ssd").integer("num_classes")


@pytest.mark.parametrize("text", ["inf", "-inf", "nan", "1" + "0" * 5000, "0x" + "f" * 300])
def test_a_number_that_no_model_can_be_built_with(text: str) -> None:
    extractor = view(f"model {{ ssd {{ feature_extractor {{\n depth_multiplier: {text} }} }} }}").at(
        "model.ssd.feature_extractor"
    )
    with pytest.raises(ConfigError, match=r"f\.config:2: depth_multiplier is (-?inf|nan), which no model"):
        extractor.number("depth_multiplier")
