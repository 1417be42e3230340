from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from ckptmap.mapping import apply_table, check_tables, inits, list_tables, load_table
from ckptmap.mapping.locate import mappings_root, shipped_tables

ROOT = mappings_root()
CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
SCHEMA = json.loads((ROOT / "table.schema.json").read_text(encoding="utf-8"))
TABLES = sorted(path for path in ROOT.rglob("*.yaml") if path.relative_to(ROOT).parts[0] != "targets")


class TextKeys(yaml.SafeLoader):
    """YAML as JSON sees it: every key is a text."""


def _text_keys(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[str, object]:
    return {key.value: loader.construct_object(value, deep=True) for key, value in node.value}


TextKeys.add_constructor("tag:yaml.org,2002:map", _text_keys)


def validate(text: str) -> list[str]:
    validator = jsonschema.Draft202012Validator(SCHEMA)
    return [error.message for error in validator.iter_errors(yaml.load(text, TextKeys))]  # noqa: S506  a safe loader


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_shipped_table_has_no_mistake_and_fits_the_schema(path):
    assert check_tables(path) == ()
    assert validate(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "text",
    [
        "layer: []",
        "layers: [{from: a, to: b}]",
        "layers: [{from: a, to: b, as: conv, optional: sometimes}]",
        "layers: [{from: a, to: b, as: conv, per_class: {background: true}}]",
        "where: {i: itn}",
        "where: {i: {order: []}}",
        "drop: [{match: a}]",
        "drop: [{match: a, reason: ' '}]",
        "init: [{match: a, value: zeroes, reason: r}]",
        "variables: [{from: a, to: b, ops: [{transpos: [1, 0]}]}]",
        "variables: [{from: a, to: [b, c], ops: [{split: {parts: 2}}]}]",
        "variables: [{from: a, to: b, ops: [{transpose: [1, 0], squeeze: [0]}]}]",
        "include: [{from: a}]",
        "include: [{table: ../a}]",
        "kinds: {conv: {}}",
    ],
)
def test_a_broken_table_does_not_fit_the_schema(text):
    assert validate(text) != []


def test_every_detector_table_loads_by_name():
    assert list_tables() == tuple(shipped_tables())
    assert all(load_table(name).description for name in list_tables())


def corpus(path: str) -> dict[str, tuple[int, ...]]:
    file = CORPUS / f"{path}.vars.json"
    if not file.is_file():
        pytest.skip("the corpus of real checkpoints is not on this machine")
    return {name: tuple(shape) for name, _, shape in json.loads(file.read_text())}


@pytest.mark.parametrize(
    ("checkpoint", "table", "assigned", "dropped"),
    [
        ("tf1/zoo_ssd_mobilenet_v2_2018_03_29/model.ckpt", "ssd_mobilenet_v2", 344, 1),
        ("tf1/zoo_ssd_mobilenet_v1_2018_01_28/model.ckpt", "ssd_mobilenet_v1", 199, 1),
        ("tf1/ft_ssd_resnet50_fpn_airplane/model.ckpt", "ssd_resnet50_v1_fpn", 463, 1),
        ("tf1/zoo_faster_rcnn_inception_resnet_v2_2018_01_28/model.ckpt", "faster_rcnn_inception_resnet_v2", 906, 1),
    ],
)
def test_every_variable_of_a_real_checkpoint_is_accounted_for(checkpoint, table, assigned, dropped):
    result = apply_table(load_table(table), corpus(checkpoint))
    assert (result.unmatched, result.problems) == ((), ())
    assert (len(result.assignments), len(result.drops)) == (assigned, dropped)


def test_a_training_checkpoint_keeps_its_slots_apart():
    names = corpus("tf1/train_faster_rcnn_resnet101_egg/model.ckpt-11")
    result = apply_table(load_table("faster_rcnn_resnet101"), names)
    assert (len(result.assignments), len(result.drops), result.problems) == (530, 51, ())
    assert {name.rpartition("/")[2] for name in result.unmatched} == {"Momentum"}
    assert {drop.reason for drop in result.drops} == {
        "bookkeeping: the training step, not a weight of the model",
        "dead: slim builds block4 in the first stage too, but nothing reads it",
    }


@pytest.mark.parametrize(
    ("table", "source", "target"),
    [
        ("ssd_mobilenet_v2", "FeatureExtractor/MobilenetV2/expanded_conv_3/expand/weights", "block_3_expand/kernel"),
        (
            "ssd_mobilenet_v2",
            "FeatureExtractor/MobilenetV2/layer_19_2_Conv2d_2_3x3_s2_512_depthwise/BatchNorm/gamma",
            "FeatureMaps/layer_19_2_Conv2d_2_3x3_s2_512_depthwise_batchnorm/gamma",
        ),
        (
            "ssd_mobilenet_v2",
            "BoxPredictor_3/Conv2d_0_1x1_64/BatchNorm/beta",
            "BoxPredictor/SharedConvolutions_3/Conv2d_0_1x1_64_norm/beta",
        ),
        (
            "ssd_mobilenet_v2_fpn",
            "FeatureExtractor/MobilenetV2/fpn/smoothing_1/pointwise_weights",
            "FeatureMaps/top_down/smoothing_1_depthwise_conv/pointwise_kernel",
        ),
        (
            "ssd_resnet50_v1_fpn",
            "FeatureExtractor/resnet_v1_50/block3/unit_6/bottleneck_v1/shortcut/weights",
            "conv4_block6_0_conv/kernel",
        ),
        (
            "ssd_resnet50_v1_fpn",
            "WeightSharedConvolutionalBoxPredictor/PredictionTower/conv2d_3/BatchNorm/feature_4/moving_mean",
            "WeightSharedConvolutionalBoxPredictor/PredictionTower/conv2d_3/BatchNorm/feature_4/moving_mean",
        ),
        (
            "faster_rcnn_inception_resnet_v2",
            "SecondStageFeatureExtractor/InceptionResnetV2/Mixed_7a/Branch_0/Conv2d_0a_1x1/BatchNorm/beta",
            "freezable_batch_norm_156/beta",
        ),
        (
            "faster_rcnn_inception_resnet_v2",
            "FirstStageFeatureExtractor/InceptionResnetV2/Conv2d_1a_3x3/weights",
            "conv2d/kernel",
        ),
    ],
)
def test_where_a_variable_goes(table, source, target):
    found = {item.sources: item.target for item in apply_table(load_table(table), [source]).assignments}
    assert found == {(source,): target}


def test_the_last_convolution_of_a_mask_head_makes_the_masks():
    names = [f"SecondStageBoxPredictor/Conv{k}/weights" for k in ("", "_1", "_2")]
    by_table = {
        table: {item.sources[0]: item.target for item in apply_table(load_table(table), names).assignments}
        for table in ("mask_rcnn_resnet50", "mask_rcnn_resnet50_upsample")
    }
    head = "mask_rcnn_mask_head/MaskPredictor"
    assert list(by_table["mask_rcnn_resnet50"].values()) == [
        f"{head}_conv2d_0/kernel",
        f"{head}_conv2d_1/kernel",
        f"{head}_last_conv2d/kernel",
    ]
    assert list(by_table["mask_rcnn_resnet50_upsample"].values()) == [
        f"{head}_conv2d_0/kernel",
        f"{head}_upsample_conv2d/kernel",
        f"{head}_last_conv2d/kernel",
    ]


def test_biases_that_slim_does_not_have_start_as_zeros():
    found = inits(
        load_table("context_rcnn_resnet101"), ["model/AttentionBlock/context_projection_2/bias", "RPNConv/bias"]
    )
    assert {name: init.value for name, init in found.items()} == {
        "model/AttentionBlock/context_projection_2/bias": "zeros"
    }


GUIDE = (Path(__file__).parents[2] / "docs" / "tables.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", GUIDE, flags=re.DOTALL)
EXAMPLES = [block for block in BLOCKS if yaml.safe_load(block) is not None]


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_of_the_guide_fits_the_schema(example):
    assert validate(example if re.match(r"\w|#", example) else f"layers:\n{example}") == []


def test_the_first_table_of_the_guide(tmp_path):
    path = tmp_path / "my_model.yaml"
    path.write_text(next(example for example in EXAMPLES if "dense_from_1x1" in example), encoding="utf-8")
    layers = [f"net/conv{i}" for i in (1, 2)]
    names = [
        f"{layer}/{leaf}" for layer in layers for leaf in ("weights", "biases", "BatchNorm/beta", "BatchNorm/gamma")
    ]
    names += [f"{layer}/BatchNorm/moving_{leaf}" for layer in layers for leaf in ("mean", "variance")]
    result = apply_table(load_table(str(path)), [*names, "net/logits/weights", "net/logits/biases", "global_step"])
    assert (result.unmatched, result.problems, len(result.drops)) == ((), (), 1)
    found = {item.sources[0]: (item.target, [str(op) for op in item.ops]) for item in result.assignments}
    assert len(found) == 14
    assert found["net/conv2/BatchNorm/moving_mean"] == ("bn_2/moving_mean", [])
    assert found["net/logits/weights"] == ("logits/kernel", ["squeeze [0, 1]"])
