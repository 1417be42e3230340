"""What both pipeline.configs say: settings that the migrated config would have otherwise."""

from __future__ import annotations

from pathlib import Path

from ckptmap.tf.verify.configs import Expected, expected_config

TF1 = """
model {{
  faster_rcnn {{
    num_classes: 3
    image_resizer {{ keep_aspect_ratio_resizer {{ min_dimension: 600 max_dimension: 1024 }} }}
    feature_extractor {{ type: '{type}' first_stage_features_stride: {stride} }}
    first_stage_anchor_generator {{ grid_anchor_generator {{ height_stride: 16 width_stride: 16 }} }}
    initial_crop_size: 14
    maxpool_kernel_size: 2
    maxpool_stride: {maxpool}
    second_stage_box_predictor {{ mask_rcnn_box_predictor {{ use_dropout: {dropout} fc_hyperparams {{ op: FC }} }} }}
    second_stage_classification_loss_weight: {weight}
  }}
}}
"""
FIELDS = {"type": "faster_rcnn_resnet50", "stride": 16, "maxpool": 2, "dropout": "false", "weight": 1.0}


def expected(folder: Path, old: dict | None = None, **new: object) -> Expected:
    before, after = folder / "old.config", folder / "new.config"
    before.write_text(TF1.format(**{**FIELDS, **(old or {})}))
    after.write_text(TF1.format(**{**FIELDS, "type": "faster_rcnn_resnet50_keras", **new}))
    return expected_config(str(before), str(after))


def test_the_migrated_config_has_nothing_to_be_said(tmp_path: Path) -> None:
    found = expected(tmp_path, maxpool=1)
    assert (found.settings, found.remaining) == ((), ())
    assert "maxpool_stride: 1" in found.cure


def test_an_edit_that_was_not_made_is_named_with_its_reason(tmp_path: Path) -> None:
    (setting,) = expected(tmp_path).settings
    assert (setting.path, setting.wanted, setting.found) == ("model.faster_rcnn.maxpool_stride", "1", "2")
    assert "slim runs block4 on the crops with stride 1" in setting.reason


def test_stock_where_only_the_exact_extractor_is_equal(tmp_path: Path) -> None:
    found = expected(tmp_path, {"stride": 8})
    assert [one.name for one in found.remaining] == ["feature stride 8"]
    assert "faster_rcnn_resnet50_exact_keras" in found.cure


def test_what_only_training_reads_is_passed_over(tmp_path: Path) -> None:
    assert expected(tmp_path, maxpool=1, weight=2.0, dropout="true").settings == ()


def test_another_image_size_is_named(tmp_path: Path) -> None:
    after = tmp_path / "new.config"
    before = tmp_path / "old.config"
    before.write_text(TF1.format(**FIELDS))
    text = TF1.format(**{**FIELDS, "type": "faster_rcnn_resnet50_keras", "maxpool": 1})
    after.write_text(text.replace("min_dimension: 600", "min_dimension: 300"))
    (setting,) = expected_config(str(before), str(after)).settings
    assert setting.path == "model.faster_rcnn.image_resizer.keep_aspect_ratio_resizer.min_dimension"
    assert (setting.wanted, setting.found) == ("600", "300")
