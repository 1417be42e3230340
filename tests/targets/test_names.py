"""Names found whole, by their end, with numbers in them, and with counted scopes."""

from __future__ import annotations

import pytest

from ckptmap.basics.errors import Problem
from ckptmap.checkpoint.dtypes import DType
from ckptmap.targets.names import NameIndex, numbers_in
from ckptmap.targets.variables import SpecVariable

NAMES = [
    "Conv1/kernel",
    "extractor/FeatureMaps/layer_1_1x1_{width}_conv/kernel",
    "extractor/FeatureMaps/layer_2_1x1_64_conv/kernel",
    "BoxPredictor_1/BoxHead_0/Conv/kernel",
    "BoxPredictor_1/BoxHead_1/Conv/kernel",
    "block_1_expand/kernel",
]
INDEX = NameIndex(SpecVariable(f"path/{at}", name, DType.FLOAT32, ()) for at, name in enumerate(NAMES))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("Conv1/kernel", 0),
        ("path/0", 0),
        ("layer_1_1x1_128_conv/kernel", 1),
        ("FeatureMaps/layer_1_1x1_7_conv/kernel", 1),
        ("extractor/FeatureMaps/layer_1_1x1_{width}_conv/kernel", 1),
        ("layer_2_1x1_64_conv/kernel", 2),
        ("BoxHead_1/Conv/kernel", 4),
        ("BoxPredictor/BoxHead_0/Conv/kernel", 3),
    ],
)
def test_found(text: str, place: int) -> None:
    assert INDEX.find(text) == INDEX.variables[place]


@pytest.mark.parametrize(
    "text", ["onv1/kernel", "layer_2_1x1_128_conv/kernel", "layer_3_1x1_128_conv/kernel", "kernel/"]
)
def test_not_found(text: str) -> None:
    assert INDEX.matches(text) == ()


def test_ambiguous_names_the_candidates() -> None:
    assert INDEX.find("Conv/kernel") == Problem(
        "'Conv/kernel' can mean 2 variables of the target: BoxPredictor_1/BoxHead_0/Conv/kernel, "
        "BoxPredictor_1/BoxHead_1/Conv/kernel",
        "Conv/kernel",
        "give more of the name",
    )


def test_variables_of_one_name_are_told_apart_by_their_object_paths() -> None:
    twins = [SpecVariable(f"blocks/{at}/kernel", "net/fc/kernel", DType.FLOAT32, ()) for at in range(2)]
    index = NameIndex(twins, "model")
    assert index.find("fc/kernel") == Problem(
        "'fc/kernel' can mean 2 variables of the target: blocks/0/kernel (net/fc/kernel), "
        "blocks/1/kernel (net/fc/kernel)",
        "fc/kernel",
        "use the object path",
    )
    paths = ("blocks/1/kernel", "model/blocks/1/kernel", "model/blocks/1/kernel/.ATTRIBUTES/VARIABLE_VALUE")
    assert [index.find(path) for path in paths] == [twins[1]] * 3
    assert index.matches("other/blocks/1/kernel") == ()


def test_a_layer_in_a_list_goes_by_its_name_and_the_path_below_it() -> None:
    saved = {
        "_operations/6/self_attention/relative_bias": "self_attention/embeddings",
        "_operations/6/self_attention/query/_kernel": "encoder_0/kernel",
        "_operations/6/cross/query/_kernel": "encoder_0/kernel",
        "_operations/13/self_attention/query/_kernel": "decoder_0/kernel",
        "_operations/14/_heads/0/_kernel": "decoder_1/kernel",
        "_operations/14/_heads/1/_kernel": "decoder_1/kernel",
    }
    index = NameIndex([SpecVariable(key, name, DType.FLOAT32, ()) for key, name in saved.items()], "model")
    for text, key in {
        "encoder_0/self_attention/relative_bias": "_operations/6/self_attention/relative_bias",
        "encoder_0/self_attention/query/kernel": "_operations/6/self_attention/query/_kernel",
        "encoder_0/cross/query/_kernel": "_operations/6/cross/query/_kernel",
        "decoder_0/self_attention/query/kernel": "_operations/13/self_attention/query/_kernel",
        "decoder_1/heads/1/kernel": "_operations/14/_heads/1/_kernel",
    }.items():
        assert [found.key for found in index.matches(text)] == [key], text
    for unknown in ("decoder_0/cross/query/kernel", "query/kernel", "decoder_0", "_operations/6"):
        assert index.matches(unknown) == (), unknown
    assert len(index.matches("decoder_1/kernel")) == 2  # of two heads


def test_a_list_whose_names_do_not_agree_has_no_layer() -> None:
    saved = {"layers/0/kernel": "a/kernel", "layers/0/more/kernel": "b/kernel", "layers/1/x": "x", "layers/1/y": "y"}
    index = NameIndex([SpecVariable(key, name, DType.FLOAT32, ()) for key, name in saved.items()])
    assert index.matches("a/more/kernel") == index.matches("b/more/kernel") == index.matches("/x") == ()


def test_nearest_names_are_hinted() -> None:
    assert INDEX.find("block_1_expnd/kernel") == Problem(
        "the target has no variable 'block_1_expnd/kernel'", "block_1_expnd/kernel", "nearest: block_1_expand/kernel"
    )


def test_layers_are_never_counted_away() -> None:
    index = NameIndex([SpecVariable("p", "scope/conv_1/kernel", DType.FLOAT32, ())])
    assert index.matches("scope/conv/kernel") == ()


def test_numbers_in() -> None:
    name = "extractor/layer_1_1x1_{width}_conv/kernel"
    assert numbers_in(name, "layer_1_1x1_128_conv/kernel") == (128,)
    assert numbers_in(name, "path/1") == ()
    assert numbers_in("Conv1/kernel", "Conv1/kernel") == ()
