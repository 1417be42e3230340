from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ckptmap.basics.errors import CheckpointError
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.inventory import Kind
from ckptmap.checkpoint.reader import open_checkpoint
from tests.checkpoint.strategies import Value
from tests.checkpoint.test_writer import save

# kind, number of variables, data files, object-based
CORPUS = {
    "tf1/ft_ssd_resnet50_fpn_airplane/model.ckpt": (Kind.V2, 464, 1, False),
    "tf1/tf1_bert_tiny_keras_bert/bert_model.ckpt": (Kind.V2, 139, 1, False),
    "tf1/tf1_mtcnn_pnet/PNet-18": (Kind.V2, 31, 1, False),
    "tf1/tf1_sharded2_t2t_transformer_test/model.ckpt-1": (Kind.V2, 250, 2, False),
    "tf1/train_faster_rcnn_resnet101_egg/model.ckpt-0": (Kind.V2, 903, 1, False),
    "tf1/train_faster_rcnn_resnet101_egg/model.ckpt-11": (Kind.V2, 903, 1, False),
    "tf1/train_ssd_mobilenet_v1_songwenbin/model.ckpt-197793": (Kind.V2, 587, 1, False),
    "tf1/zoo_faster_rcnn_inception_resnet_v2_2018_01_28/model.ckpt": (Kind.V2, 907, 1, False),
    "tf1/zoo_faster_rcnn_inception_v2_2018_01_28/model.ckpt": (Kind.V2, 357, 1, False),
    "tf1/zoo_ssd_mobilenet_v1_2018_01_28/model.ckpt": (Kind.V2, 200, 1, False),
    "tf1/zoo_ssd_mobilenet_v2_2018_03_29/model.ckpt": (Kind.V2, 345, 1, False),
    "tf2/serving_saved_model_half_plus_two_cpu_00000123/variables": (Kind.V2, 5, 1, False),
    "tf2/tf2_keras_sharded2_little_ruan/model.ckpt": (Kind.V2, 18, 2, True),
    "tf2/tf2_train_ssd_mobilenet_v2_fpnlite_anirudhan/ckpt-1": (Kind.V2, 387, 1, True),
    "tf2/tf2_train_ssd_mobilenet_v2_fpnlite_anirudhan/ckpt-2": (Kind.V2, 622, 1, True),
    "tf2/tf2_train_ssd_mobilenet_v2_fpnlite_anirudhan/ckpt-6": (Kind.V2, 622, 1, True),
    "tf2/tf2_zoo_faster_rcnn_resnet50_640/ckpt-0": (Kind.V2, 277, 1, True),
    "tf2/tf2_zoo_faster_rcnn_resnet50_640/variables": (Kind.V2, 276, 1, True),
    "tf2/tf2_zoo_ssd_mobilenet_v1_fpn_640/ckpt-0": (Kind.V2, 335, 1, True),
    "tf2/tf2_zoo_ssd_mobilenet_v1_fpn_640/variables": (Kind.V2, 334, 1, True),
}


@pytest.mark.parametrize("name", CORPUS)
def test_real_indexes_list_what_tensorflow_lists(corpus: Path, name: str) -> None:
    expected = json.loads((corpus / f"{name}.vars.json").read_text())
    with open_checkpoint(corpus / name) as checkpoint:
        inventory = checkpoint.inventory
        found = [
            [variable.name, variable.dtype.label, list(variable.shape)] for variable in inventory.variables.values()
        ]
        assert found == expected
        facts = (inventory.kind, len(found), len(inventory.data_files), inventory.object_based)
        assert facts == CORPUS[name]


def test_the_table_above_names_every_v2_index_of_the_corpus(corpus: Path) -> None:
    listed = {path.relative_to(corpus).as_posix().removesuffix(".vars.json") for path in corpus.glob("*/*/*.vars.json")}
    assert {name for name in listed if (corpus / f"{name}.index").exists()} == set(CORPUS)


@pytest.mark.parametrize(
    ("name", "variables"),
    [
        ("tf1/tf1_mtcnn_pnet/PNet-18", 31),
        ("tf1/tf1_sharded2_t2t_transformer_test/model.ckpt-1", 250),
        ("tf2/tf2_keras_sharded2_little_ruan/model.ckpt", 18),
    ],
)
def test_real_values_have_the_checksums_of_their_index(corpus: Path, name: str, variables: int) -> None:
    with open_checkpoint(corpus / name) as checkpoint:
        values = {name: checkpoint.read(name) for name in checkpoint.inventory.variables}
    assert len(values) == variables


def test_a_real_object_graph(corpus: Path) -> None:
    with open_checkpoint(corpus / "tf2/tf2_keras_sharded2_little_ruan/model.ckpt") as checkpoint:
        graph = checkpoint.object_graph()
    assert graph is not None
    assert graph.root_names == ("layer-0", "layer-1", "layer-2", "optimizer")
    assert graph.names.full_names["layer-1/kernel/.ATTRIBUTES/VARIABLE_VALUE"] == "sequential/dense/kernel"
    assert "layer-1/kernel/.OPTIMIZER_SLOT/optimizer/m/.ATTRIBUTES/VARIABLE_VALUE" in graph.names.slot_keys
    assert len(graph.names.slot_keys) == 8


LFS = (
    'this is a Git-LFS pointer, not the file itself (run "git lfs pull" in the repository it came from, or download '
    "the file itself)"
)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("lfs_pointers_ssd_mobilenet_v1_11_06_2017", f"model.ckpt.index: {LFS}"),
        (
            "zoo_ssd_mobilenet_v2_paxheader_junk/model.ckpt",
            (
                "model.ckpt.index: this is a PaxHeader record that an unpacker left behind, not a checkpoint (the real "
                "file lies in the folder above PaxHeader, or unpack the archive with tar)"
            ),
        ),
        (
            "v1_metaonly_tftuts",
            (
                "model.ckpt.meta: is only the graph of a checkpoint: the variables themselves are missing (copy "
                "model.ckpt.index and .data-… (or, of a V1 checkpoint, the file without an ending) from "
                "where it came from)"
            ),
        ),
        (
            "train_faster_rcnn_resnet101_egg/model.ckpt-0.index.tempstate4947060063003929194",
            (
                "is a temporary file that an interrupted save left behind (point at the finished checkpoint, for "
                "instance model.ckpt-0)"
            ),
        ),
        (
            "ft_ssd_resnet50_fpn_airplane/frozen_inference_graph.pb",
            'frozen_inference_graph.pb: this is a text file ("not original") (put the real file in its place)',
        ),
    ],
)
def test_real_oddities_are_refused(corpus: Path, name: str, message: str) -> None:
    with pytest.raises(CheckpointError) as caught:
        open_checkpoint(corpus / "tf1" / name)
    assert str(caught.value).endswith(message)


def test_a_real_pointer_in_place_of_the_values(corpus: Path) -> None:
    with open_checkpoint(corpus / "tf2/tf2_zoo_ssd_mobilenet_v1_fpn_640/ckpt-0") as checkpoint:
        with pytest.raises(CheckpointError) as caught:
            checkpoint.object_graph()
        assert str(caught.value).endswith(f"ckpt-0.data-00000-of-00001: {LFS}")
        with pytest.raises(CheckpointError, match="Git-LFS pointer"):
            list(checkpoint.chunks("save_counter/.ATTRIBUTES/VARIABLE_VALUE"))


def test_a_real_note_in_place_of_the_values(corpus: Path) -> None:
    with open_checkpoint(corpus / "tf1/ft_ssd_resnet50_fpn_airplane") as checkpoint:
        name = next(name for name, variable in checkpoint.inventory.variables.items() if variable.nbytes > 1000)
        with pytest.raises(CheckpointError, match=r'this is a text file \("not original"\)'):
            checkpoint.read(name)


def test_the_state_file_of_a_real_folder(corpus: Path) -> None:
    with open_checkpoint(corpus / "tf1/tf1_mtcnn_pnet") as checkpoint:
        assert checkpoint.inventory.notes == ("the state file names PNet-30, which is not there",)


def test_a_name_that_is_not_there(tmp_path: Path) -> None:
    prefix = save(tmp_path, {"conv/weights": Value(DType.FLOAT32, np.zeros(2, np.float32))})
    with open_checkpoint(prefix) as checkpoint, pytest.raises(CheckpointError) as caught:
        checkpoint.read("conv/weight")
    assert str(caught.value) == f"{prefix}: holds no variable conv/weight (did you mean conv/weights?)"


def test_names_keep_their_control_characters_and_messages_do_not(tmp_path: Path) -> None:
    name = "a\x1b[31m\nb\udcff"
    prefix = save(tmp_path, {name: Value(DType.INT8, np.zeros(2, np.int8))})
    (tmp_path / "m.data-00000-of-00001").write_bytes(b"\x01\x00")
    with open_checkpoint(prefix) as checkpoint:
        assert list(checkpoint.inventory.variables) == [name]
        with pytest.raises(CheckpointError, match=r"the checksum of a\\x1b\[31m\\nb\\udcff is wrong"):
            checkpoint.read(name)


def test_checksums_can_be_left_out(tmp_path: Path) -> None:
    prefix = save(tmp_path, {"v": Value(DType.INT8, np.zeros(2, np.int8))})
    (tmp_path / "m.data-00000-of-00001").write_bytes(b"\x01\x00")
    with open_checkpoint(prefix, verify=False) as checkpoint:
        assert checkpoint.read("v").tolist() == [1, 0]


def test_streams_come_in_pieces(tmp_path: Path) -> None:
    prefix = save(tmp_path, {"v": Value(DType.INT8, np.arange(100, dtype=np.int8))})
    with open_checkpoint(prefix) as checkpoint:
        assert [len(piece) for piece in checkpoint.chunks("v", 40)] == [40, 40, 20]


def test_an_index_is_listed_without_numpy(tmp_path: Path) -> None:
    prefix = save(tmp_path, {"v": Value(DType.INT8, np.zeros(2, np.int8))})
    code = (
        "import sys; from ckptmap.checkpoint.reader import open_checkpoint; "
        "heavy = {'numpy', 'ml_dtypes', 'tensorflow', 'rich'}; "
        "print(len(open_checkpoint(sys.argv[1]).inventory.variables), sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(prefix)], capture_output=True, text=True, check=True)
    assert done.stdout == "1 []\n"
