"""Descriptions: merged from parts, edited by settings and probes."""

from __future__ import annotations

from ckptmap.tf.specs.description import edit, first_rows, read_description


def test_edit() -> None:
    config = {"a": {"b": 1}}
    edit(config, "a.c.d", 2)
    assert config == {"a": {"b": 1, "c": {"d": 2}}}
    edit(config, "a.b", None)
    edit(config, "a.x", None)
    assert config == {"a": {"c": {"d": 2}}}


def test_configuration_of_settings_and_probe() -> None:
    description = read_description("ssd_mobilenet_v2")
    defaults = {setting.name: setting.default for setting in description.settings}
    probe = description.probes[1]
    config = description.configuration({**defaults, "num_layers": 3, "batch_norm": "none"}, probe)
    ssd = config["model"]["ssd"]
    assert ssd["num_classes"] == probe["num_classes"] == 5
    assert ssd["feature_extractor"]["num_layers"] == 3
    assert "batch_norm" not in ssd["feature_extractor"]["conv_hyperparams"]
    assert ssd["box_predictor"]["convolutional_box_predictor"]["conv_hyperparams"]["batch_norm"]["scale"] is True
    grids = ssd["anchor_generator"]["flexible_grid_anchor_generator"]["anchor_grid"]
    assert [len(grid["base_sizes"]) for grid in grids] == [2, 3, 6]
    assert "batch_norm" in description.config["model"]["ssd"]["feature_extractor"]["conv_hyperparams"]


def test_known_values_of_a_probe() -> None:
    description = read_description("ssd_mobilenet_v2")
    assert description.known(description.probes[1]) == {
        "num_classes": 5,
        "box_code_size": 6,
        "predictor_kernel": 5,
        **{f"anchors_{at}": count for at, count in enumerate([2, 3, 6, 5, 9, 10])},
    }


def test_settings_for_an_object_path() -> None:
    description = read_description("ssd_mobilenet_v2")
    head = {setting.name for setting in description.settings_for("_box_predictor/x")}
    assert "use_dropout" in head
    assert "num_layers" in head
    assert "use_depthwise" not in head


def test_an_entry_can_be_taken_away() -> None:
    settings = {setting.name for setting in read_description("ssd_resnet50_v1_fpn").settings}
    assert "use_explicit_padding" not in settings
    assert "fpn_max_level" in settings


def test_first_rows_are_the_defaults_and_each_other_value_alone() -> None:
    description = read_description("ssd_mobilenet_v2")
    rows = first_rows(description)
    assert rows[0] == {setting.name: setting.default for setting in description.settings}
    assert len(rows) == 1 + sum(len(setting.values) - 1 for setting in description.settings)
    assert {len(set(row.items()) ^ set(rows[0].items())) for row in rows[1:]} == {2}


def test_an_object_path_belongs_to_the_section_that_its_settings_touch() -> None:
    description = read_description("ssd_resnet50_v1_fpn")
    assert description.sections == (
        "_feature_extractor/_fpn_features_generator/",
        "_feature_extractor/_coarse_feature_layers/",
        "_box_predictor/",
        "",
    )
    assert description.section_of("_feature_extractor/classification_backbone/x") == ""
    pyramid = description.section_of("_feature_extractor/_fpn_features_generator/x")
    assert {setting.name for setting in description.settings_for(pyramid)} == {
        "fpn_min_level",
        "fpn_max_level",
    }


def test_a_setting_with_one_value_is_fixed() -> None:
    description = read_description("mask_rcnn_resnet101_upsample")
    assert description.fixed == {"convolve_then_upsample_masks": True}
    assert "convolve_then_upsample_masks" not in description.touches


def test_other_settings_are_completed_with_defaults() -> None:
    description = read_description("faster_rcnn_resnet50")
    assert description.complete({"number_of_stages": 1, "use_depthwise": True}) == {
        "number_of_stages": 1,
        "rpn_batch_norm": "none",
        "use_dropout": False,
        "share_box_across_classes": False,
        "head_batch_norm": "none",
    }
