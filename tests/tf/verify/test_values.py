"""What the new checkpoint holds in place of the old one's values, read without TensorFlow."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import ckptmap
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.inventory import OBJECT_GRAPH_KEY
from ckptmap.checkpoint.object_graph import Child, ObjectGraph, variable_key
from ckptmap.checkpoint.object_graph_writing import format_object_graph
from ckptmap.checkpoint.staging import Staging
from ckptmap.checkpoint.values import join_strings
from ckptmap.checkpoint.writer import BundleWriter
from ckptmap.tf.verify.sources import New, NewKind, find_new, find_old
from ckptmap.tf.verify.values import Instead, Values, compare_values
from tests.tf.verify.damage import convert_changed, reverse_channels, swap

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures"
TINY, TRAINING = FIXTURES / "ssd_mobilenet_v2_tiny", FIXTURES / "ssd_mobilenet_v2_training"
CONV = "FeatureExtractor/MobilenetV2/Conv/weights"
FOUR, FIVE = (f"FeatureExtractor/MobilenetV2/expanded_conv_{number}/project/weights" for number in (4, 5))


def wrong(found: Values) -> list[tuple[str, Instead, str]]:
    return [(one.source, one.instead, one.other) for one in found.wrong]


def test_a_conversion_holds_every_value(tmp_path: Path) -> None:
    ckptmap.convert(TINY, pipeline=TINY / "pipeline.config", output=tmp_path / "new")
    found = compare_values(find_old(TINY), find_new(tmp_path / "new"))
    assert (found.equal, found.wrong, found.note) == (324, (), "")
    assert found.keys[CONV].endswith("/layer_with_weights-0/kernel/.ATTRIBUTES/VARIABLE_VALUE")
    assert found.parts[CONV] == "backbone"


def test_a_saved_model_keeps_the_model_under_other_keys(tmp_path: Path) -> None:
    ckptmap.convert(TINY, pipeline=TINY / "pipeline.config", output=tmp_path / "new")
    kept = New(NewKind.SAVED_MODEL, str(as_exported(tmp_path / "new", tmp_path / "exported")))
    found = compare_values(find_old(TINY), kept)
    assert (found.equal, found.wrong, found.note) == (324, (), "")
    assert found.keys == compare_values(find_old(TINY), find_new(tmp_path / "new")).keys


def as_exported(new: Path, folder: Path) -> Path:
    """A checkpoint with the keys of an exported SavedModel: the model is ``_model``, its variables are one list."""
    with ckptmap.open_checkpoint(new) as checkpoint, Staging(folder) as staging:
        graph = checkpoint.object_graph()
        variables = {key: one for key, one in checkpoint.inventory.variables.items() if key.startswith("model/")}
        keys = {key: variable_key(f"_model/variables/{number}") for number, key in enumerate(variables)}
        root, *others = (
            node._replace(tensors=tuple(one._replace(key=keys.get(one.key, one.key)) for one in node.tensors))
            for node in graph.nodes
        )
        root = root._replace(children=tuple(Child(f"_{one.name}", one.node) for one in root.children))
        with BundleWriter(staging, "variables") as writer:
            for key, one in variables.items():
                writer.add(keys[key], one.dtype, one.shape, checkpoint.chunks(key))
            encoded = join_strings([format_object_graph(ObjectGraph((root, *others)))])
            writer.add(OBJECT_GRAPH_KEY, DType.STRING, (), [encoded])
            writer.finish()
        staging.commit()
    return folder / "variables"


def test_without_a_config_the_checkpoint_shows_what_it_is(tmp_path: Path) -> None:
    ckptmap.convert(TINY, pipeline=TINY / "pipeline.config", output=tmp_path / "new")
    old = find_old(TINY)
    alone = shutil.copytree(TINY, tmp_path / "alone", ignore=shutil.ignore_patterns("*.config"))
    assert compare_values(type(old)(old.kind, str(alone / "model.ckpt")), find_new(tmp_path / "new")).equal == 324


@pytest.mark.parametrize(
    ("ema", "weights", "instead"),
    [("prefer", "averages", None), ("ignore", "raw", None), ("ignore", "averages", Instead.RAW),
     ("prefer", "raw", Instead.AVERAGE)],
)  # fmt: skip
def test_raw_weights_and_moving_averages(tmp_path: Path, ema: str, weights: str, instead: Instead | None) -> None:
    ckptmap.convert(TRAINING, pipeline=TRAINING / "pipeline.config", output=tmp_path / "new", ema=ema)
    found = compare_values(find_old(TRAINING, weights=weights), find_new(tmp_path / "new"))
    assert found.equal == (324 if instead is None else 120)  # statistics have no averages
    assert {one.instead for one in found.wrong} == ({instead} if instead else set())
    assert len(found.wrong) == (204 if instead else 0)


def test_swapped_variables_are_found_at_each_other(tmp_path: Path) -> None:
    new = convert_changed(TINY, swap(FOUR, FIVE), tmp_path / "new")
    assert wrong(compare_values(find_old(TINY), find_new(new))) == [
        (FOUR, Instead.OTHER_VARIABLE, FIVE),
        (FIVE, Instead.OTHER_VARIABLE, FOUR),
    ]


def test_reversed_channels_of_the_first_kernel(tmp_path: Path) -> None:
    new = convert_changed(TINY, reverse_channels(CONV), tmp_path / "new")
    assert wrong(compare_values(find_old(TINY), find_new(new))) == [(CONV, Instead.REVERSED_CHANNELS, "")]


def test_a_value_of_nobodys(tmp_path: Path) -> None:
    def change(values: dict[str, np.ndarray]) -> None:
        values[FOUR] = values[FOUR] + 1

    new = convert_changed(TINY, change, tmp_path / "new")
    assert wrong(compare_values(find_old(TINY), find_new(new))) == [(FOUR, Instead.UNKNOWN, "")]


def test_another_class_count_is_another_shape(tmp_path: Path) -> None:
    ckptmap.convert(TINY, pipeline=TINY / "pipeline.config", output=tmp_path / "new", num_classes=5)
    found = compare_values(find_old(TINY), find_new(tmp_path / "new"))
    assert {(one.part, one.instead) for one in found.wrong} == {("class head", Instead.SHAPE)}
    assert len(found.wrong) == 12


def test_a_model_that_nothing_knows_is_noted(tmp_path: Path) -> None:
    old = find_old(TINY)
    (tmp_path / "pipeline.config").write_text((TINY / "pipeline.config").read_text().replace("_v2", "_v9"))
    ckptmap.convert(TINY, pipeline=TINY / "pipeline.config", output=tmp_path / "new")
    unknown = type(old)(old.kind, old.path, str(tmp_path / "pipeline.config"))
    found = compare_values(unknown, find_new(tmp_path / "new"))
    assert found.note.startswith("the values of both checkpoints were not compared: ")
    assert found.keys == {}
