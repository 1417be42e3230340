"""What paths mean: each kind of old and new, and what is said of the wrong ones."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

import ckptmap
from ckptmap.basics.errors import CheckpointError
from ckptmap.tf.verify.sources import NewKind, OldKind, find_new, find_old

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures"
TINY, TRAINING = FIXTURES / "ssd_mobilenet_v2_tiny", FIXTURES / "ssd_mobilenet_v2_training"
QUANTIZED = Path(__file__).resolve().parents[3].parent / "shared" / "cases" / "detectors" / "H2-03-quant-verify"


def message(number: int, data: bytes) -> bytes:
    """A field of a protobuf message that holds bytes of a length below 128."""
    return bytes([number << 3 | 2, len(data)]) + data


def meta_graph(*nodes: str) -> bytes:
    return message(2, b"".join(message(1, message(1, name.encode())) for name in nodes))


@pytest.fixture
def new(tmp_path: Path) -> Path:
    ckptmap.convert(TINY, pipeline=TINY / "pipeline.config", output=tmp_path / "new")
    return tmp_path / "new"


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """What a TF1 export holds, by its names; nothing is run."""
    folder = shutil.copytree(TINY, tmp_path / "export")
    (folder / "model.ckpt.meta").write_bytes(meta_graph("image_tensor", "detection_boxes"))
    (folder / "saved_model").mkdir()
    (folder / "saved_model" / "saved_model.pb").write_bytes(message(2, meta_graph("image_tensor")))
    (folder / "frozen_inference_graph.pb").touch()
    return folder


def test_the_kinds_of_an_export_in_their_order(export: Path) -> None:
    config = str(export / "pipeline.config")
    found = find_old(export)
    assert (found.kind, found.path, found.config) == (OldKind.FROZEN, str(export / "frozen_inference_graph.pb"), config)
    (export / "frozen_inference_graph.pb").unlink()
    found = find_old(export)
    assert (found.kind, found.path, found.config) == (OldKind.SAVED_MODEL, str(export / "saved_model"), config)
    shutil.rmtree(export / "saved_model")
    found = find_old(export)
    assert (found.kind, found.path, found.config) == (OldKind.META, str(export / "model.ckpt"), config)
    (export / "model.ckpt.meta").unlink()
    assert find_old(export).kind is OldKind.SLIM


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("frozen_inference_graph.pb", OldKind.FROZEN),
        ("saved_model", OldKind.SAVED_MODEL),
        ("saved_model/saved_model.pb", OldKind.SAVED_MODEL),
        ("model.ckpt.meta", OldKind.META),
        ("model.ckpt", OldKind.META),
    ],
)
def test_a_file_of_an_export_chooses_its_kind(export: Path, name: str, kind: OldKind) -> None:
    assert find_old(export / name).kind is kind


def test_a_given_config_means_the_slim_graph(export: Path) -> None:
    assert find_old(export, TINY / "pipeline.config").kind is OldKind.SLIM


def test_a_training_graph_is_not_run(export: Path) -> None:
    (export / "model.ckpt.meta").write_bytes(meta_graph("IteratorGetNext", "train_op"))
    assert find_old(export / "model.ckpt").kind is OldKind.SLIM
    (export / "pipeline.config").unlink()
    with pytest.raises(CheckpointError, match=r"model\.ckpt\.meta is a training graph.*pipeline\.config beside it"):
        find_old(export / "model.ckpt")


def test_moving_averages_are_preferred_and_can_be_refused() -> None:
    assert find_old(TRAINING).weights == "averages"
    assert find_old(TRAINING, weights="raw").weights == "raw"
    assert find_old(TINY).weights is None


def test_a_converted_folder_and_its_prefix(new: Path) -> None:
    for path in (new, new / "ckpt-0", new / "ckpt-0.index"):
        found = find_new(path)
        assert (found.kind, found.path, found.config) == (
            NewKind.MODEL,
            str(new / "ckpt-0"),
            str(new / "pipeline.config"),
        )


def test_a_tf2_saved_model_is_known_by_its_objects(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(message(2, message(7, b"")))
    assert find_new(tmp_path).kind is NewKind.SAVED_MODEL
    assert find_new(tmp_path / "saved_model.pb").path == str(tmp_path)


@pytest.mark.parametrize(
    ("made", "path", "told"),
    [
        ("new", "", "this is a TF2 checkpoint (the old side is a TF1 export"),
        ("nothing", "missing", "missing"),
    ],
)
def test_what_the_old_side_is_not(new: Path, made: str, path: str, told: str) -> None:
    with pytest.raises(CheckpointError, match=re.escape(told)):
        find_old(new if made == "new" else new.parent / path)


def test_what_the_new_side_is_not(new: Path, export: Path) -> None:
    with pytest.raises(
        CheckpointError, match=r"this is a TF1 V2 bundle .the new side is what convert --pipeline wrote"
    ):
        find_new(TINY)
    with pytest.raises(CheckpointError, match="this is a TF1 SavedModel"):
        find_new(export / "saved_model")
    (new / "pipeline.config").unlink()
    with pytest.raises(CheckpointError, match=r"there is no pipeline.config beside this checkpoint"):
        find_new(new)


REWRITER = "graph_rewriter { quantization { delay: 48000 weight_bits: 8 activation_bits: 8 } }"


def test_a_slim_graph_has_no_graph_rewriter(tmp_path: Path) -> None:
    folder = shutil.copytree(TINY, tmp_path / "old")
    assert find_old(folder).without == ()
    with (folder / "pipeline.config").open("a") as config:
        config.write(REWRITER)
    found = find_old(folder)
    assert (found.kind, found.without) == (OldKind.SLIM, ("graph_rewriter",))


def test_an_exported_graph_is_run_whole(export: Path) -> None:
    with (export / "pipeline.config").open("a") as config:
        config.write(REWRITER)
    assert find_old(export).without == ()


@pytest.mark.skipif(not QUANTIZED.is_dir(), reason="the case (../shared/cases) is not here")
def test_a_checkpoint_of_quantization_aware_training(tmp_path: Path) -> None:
    """Its ranges say it, whether the config beside does or not."""
    assert find_old(QUANTIZED).without == ("graph_rewriter",)
    shutil.copy(QUANTIZED / "model.ckpt.index", tmp_path)
    text = (QUANTIZED / "pipeline.config").read_text()
    assert "graph_rewriter" in text
    (tmp_path / "pipeline.config").write_text(text.partition("graph_rewriter")[0])
    assert find_old(tmp_path / "model.ckpt").without == ("graph_rewriter",)
