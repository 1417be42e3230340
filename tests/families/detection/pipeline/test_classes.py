"""Another class count or label map, in the config of an SSD and of a Mask R-CNN."""

import pytest

from ckptmap.families.detection.pipeline.classes import Classes, mask_depth
from ckptmap.families.detection.pipeline.config import parse_config
from ckptmap.families.detection.pipeline.migrate import migrated

INPUTS = """train_input_reader {
  label_map_path: "old.pbtxt"
}
eval_input_reader: {
  label_map_path: 'data/old.pbtxt'
}
eval_input_reader { shuffle: false }
eval_input_reader { label_map_path: "new.pbtxt" }
"""


def ssd(inputs: str = INPUTS) -> str:
    model = "feature_extractor { type: 'ssd_mobilenet_v2' } box_predictor { convolutional_box_predictor {} }"
    return f"model {{ ssd {{ num_classes: 90 {model} }} }}\n{inputs}"


def mask_rcnn(extractor: str = "resnet50", depth: str = "mask_prediction_conv_depth: 0") -> str:
    masks = f"mask_rcnn_box_predictor {{ predict_instance_masks: true {depth} }}"
    model = f"feature_extractor {{ type: 'faster_rcnn_{extractor}' }} second_stage_box_predictor {{ {masks} }}"
    return f"model {{ faster_rcnn {{ num_classes: 90 number_of_stages: 3 {model} }} }}"


def edits(text: str, classes: Classes) -> list[tuple[int, str, str, str]]:
    """The edits that the classes make: line, path, old, new."""
    own = migrated(parse_config(text)).edits
    made = migrated(parse_config(text), classes=classes).edits
    return [(edit.line, edit.path, edit.old, edit.new) for edit in made if edit not in own]


def test_a_label_map_goes_to_every_reader_that_names_one() -> None:
    assert edits(ssd(), Classes(3, "new.pbtxt")) == [
        (1, "model.ssd.num_classes", "90", "3"),
        (3, "train_input_reader.label_map_path", '"old.pbtxt"', '"new.pbtxt"'),
        (6, "eval_input_reader[0].label_map_path", "'data/old.pbtxt'", "'new.pbtxt'"),
    ]
    made = migrated(parse_config(ssd()), classes=Classes(3, "new.pbtxt"))
    assert made.text.count("new.pbtxt") == 3
    assert "old.pbtxt" not in made.text
    assert "eval_input_reader: {\n  label_map_path: 'new.pbtxt'\n}" in made.text
    assert [note.path for note in made.notes] == []


def test_one_reader_needs_no_number() -> None:
    text = ssd("eval_input_reader { label_map_path: 'old.pbtxt' }\n")
    assert edits(text, Classes(None, "new.pbtxt")) == [
        (2, "eval_input_reader.label_map_path", "'old.pbtxt'", "'new.pbtxt'")
    ]


def test_a_class_count_alone_leaves_the_label_maps_with_a_note() -> None:
    made = migrated(parse_config(ssd()), classes=Classes(3))
    assert made.text.count("old.pbtxt") == 2
    why = "these are the old classes; the model now has 3: name the label map of the new ones"
    assert [(note.line, note.path, note.text) for note in made.notes] == [
        (3, "train_input_reader.label_map_path", why),
        (6, "eval_input_reader[0].label_map_path", why),
        (9, "eval_input_reader[2].label_map_path", why),
    ]
    assert migrated(parse_config(ssd()), classes=Classes(90)).notes == ()


@pytest.mark.parametrize(
    ("extractor", "classes", "depth"),
    [
        ("resnet50", 90, 256),
        ("resnet101", 20, 128),
        ("resnet50", 3, 32),
        ("resnet50", 1, 16),
        ("inception_resnet_v2", 90, 256),
        ("inception_resnet_v2", 1, 16),
        ("inception_resnet_v2_keras", 2, 32),
        ("resnet50_keras", 0, 16),
        ("inception_v2", 90, 256),
        ("inception_v2", 3, 32),
    ],
)
def test_the_depth_of_masks_follows_from_the_class_count(extractor: str, classes: int, depth: int) -> None:
    assert mask_depth(parse_config(mask_rcnn(extractor)), classes) == depth


def test_a_stated_depth_of_masks_stays() -> None:
    assert mask_depth(parse_config(mask_rcnn(depth="")), 3) == 256
    stated = parse_config(mask_rcnn(depth="mask_prediction_conv_depth: 64"))
    assert mask_depth(stated, 3) == 64


def test_masks_stay_as_deep_as_in_the_checkpoint() -> None:
    path = "model.faster_rcnn.second_stage_box_predictor.mask_rcnn_box_predictor.mask_prediction_conv_depth"
    count = (1, "model.faster_rcnn.num_classes", "90", "3")
    assert edits(mask_rcnn(), Classes(3)) == [count, (1, path, "0", "256")]
    assert edits(mask_rcnn(depth=""), Classes(3)) == [count]
    assert edits(mask_rcnn(), Classes(80)) == [(1, "model.faster_rcnn.num_classes", "90", "80")]
    assert edits(mask_rcnn(), Classes(90, mask_depth=256)) == []
    assert edits(mask_rcnn(), Classes(90, mask_depth=128)) == [(1, path, "0", "128")]
