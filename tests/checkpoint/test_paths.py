from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pytest

from ckptmap.basics.errors import CheckpointError
from ckptmap.checkpoint.data_files import Located, prefix_of
from ckptmap.checkpoint.files import LocalFiles
from ckptmap.checkpoint.inventory import Kind
from ckptmap.checkpoint.paths import locate
from ckptmap.checkpoint.sstable import MAGIC

TABLE = bytes(40) + MAGIC


def find(path: Path, step: int | None = None) -> Located:
    with closing(LocalFiles()) as files:
        return locate(str(path), files, step)


def complaint(path: Path, step: int | None = None) -> str:
    with pytest.raises(CheckpointError) as caught:
        find(path, step)
    return str(caught.value)


def touch(folder: Path, *names: str, content: bytes = b"\x00") -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def bundle(folder: Path, *names: str) -> None:
    for name in names:
        touch(folder, f"{name}.index", f"{name}.data-00000-of-00001", f"{name}.meta")


@pytest.mark.parametrize(
    "name", ["model.ckpt-5", "model.ckpt-5.index", "model.ckpt-5.data-00000-of-00001", "model.ckpt-5.meta", ""]
)
def test_any_of_its_files_means_the_checkpoint(tmp_path: Path, name: str) -> None:
    bundle(tmp_path, "model.ckpt-5")
    assert find(tmp_path / name) == Located(Kind.V2, str(tmp_path / "model.ckpt-5"))


@pytest.mark.parametrize("name", ["", "/", "/.index", "/.data-00000-of-00001", "/.meta", "/checkpoint"])
@pytest.mark.parametrize("state", ["", "/elsewhere/", "./"])
def test_a_checkpoint_without_a_name(tmp_path: Path, name: str, state: str) -> None:
    bundle(tmp_path / "m", "")
    if state or name == "/checkpoint":
        touch(tmp_path, "m/checkpoint", content=f'model_checkpoint_path: "{state or "m/"}"\n'.encode())
    with closing(LocalFiles()) as files:
        found = locate(f"{tmp_path}/m{name}", files)
    assert found == Located(Kind.V2, f"{tmp_path}/m/")


def test_a_checkpoint_without_a_name_among_others(tmp_path: Path) -> None:
    bundle(tmp_path, "", "model.ckpt-7")
    found = find(tmp_path)
    assert (found.path, found.notes) == (
        str(tmp_path / "model.ckpt-7"),
        ("the folder holds 2 checkpoints; the latest, model.ckpt-7, is used",),
    )
    touch(tmp_path, "checkpoint", content=b'model_checkpoint_path: "/there/"\n')
    found = find(tmp_path)
    assert (found.path, found.notes) == (
        f"{tmp_path}/",
        ("the folder holds 2 checkpoints; the latest, .index, is used",),
    )
    with closing(LocalFiles()) as files:
        assert locate(f"{tmp_path}/", files).path == f"{tmp_path}/"
        assert locate(f"{tmp_path}/", files, 7).path == str(tmp_path / "model.ckpt-7")


def test_the_parts_of_a_checkpoint_without_a_name(tmp_path: Path) -> None:
    touch(tmp_path, "a/.data-00000-of-00001", "b/.meta", "c/.index.tempstate12")
    assert ".index, which names them, is missing" in complaint(tmp_path / "a")
    assert "the variables themselves are missing" in complaint(tmp_path / "b" / ".meta")
    assert "point at the finished checkpoint, for instance .index" in complaint(tmp_path / "c" / ".index.tempstate12")


@pytest.mark.parametrize(
    ("path", "prefix"),
    [
        ("a/m.ckpt.index", "a/m.ckpt"),
        ("a/.index", "a/"),
        (".index", ""),
        ("a/m.data-00000-of-00002", "a/m"),
        ("a.index/m", "a.index/m"),
        ("gs://b/m.meta", "gs://b/m"),
        ("a/", "a/"),
    ],
)
def test_the_prefix_that_a_file_belongs_to(path: str, prefix: str) -> None:
    assert prefix_of(path) == prefix


def test_a_folder_of_the_same_name(tmp_path: Path) -> None:
    bundle(tmp_path, "export")
    bundle(tmp_path / "export", "inner")
    assert find(tmp_path / "export") == Located(Kind.V2, str(tmp_path / "export"))
    with closing(LocalFiles()) as files:
        assert locate(f"{tmp_path}/export/", files).path == str(tmp_path / "export" / "inner")


def test_a_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle(tmp_path, "m")
    monkeypatch.chdir(tmp_path)
    assert find(Path("m")).path == "m"
    assert find(Path()).path == "m"
    assert find(Path("m.index")).path == "m"


def test_the_state_file_of_another_machine(tmp_path: Path) -> None:
    bundle(tmp_path, "model.ckpt-3", "model.ckpt-20")
    touch(tmp_path, "checkpoint", content=b'model_checkpoint_path: "/home/somebody/train/model.ckpt-3"\n')
    located = Located(
        Kind.V2,
        str(tmp_path / "model.ckpt-3"),
        (),
        ("the folder holds 2 checkpoints; the latest, model.ckpt-3, is used",),
    )
    assert find(tmp_path) == located
    assert find(tmp_path / "checkpoint") == located


def test_a_state_file_from_windows(tmp_path: Path) -> None:
    bundle(tmp_path, "m")
    touch(tmp_path, "checkpoint", content=b'model_checkpoint_path: "C:\\\\train\\\\m"\n')
    assert find(tmp_path) == Located(Kind.V2, str(tmp_path / "m"))


def test_a_state_file_that_names_what_is_gone(tmp_path: Path) -> None:
    bundle(tmp_path, "model.ckpt-9", "model.ckpt-10")
    touch(tmp_path, "checkpoint", content=b'model_checkpoint_path: "model.ckpt-99"\n')
    assert find(tmp_path) == Located(
        Kind.V2,
        str(tmp_path / "model.ckpt-10"),
        (),
        (
            "the state file names model.ckpt-99, which is not there",
            "the folder holds 2 checkpoints; the latest, model.ckpt-10, is used",
        ),
    )


def test_a_state_file_that_names_another_folder(tmp_path: Path) -> None:
    bundle(tmp_path / "elsewhere", "m")
    touch(tmp_path / "here", "checkpoint", content=f'model_checkpoint_path: "{tmp_path}/elsewhere/m"\n'.encode())
    found = find(tmp_path / "here")
    assert Path(found.path) == tmp_path / "elsewhere" / "m"
    assert found.notes == (f"the state file names {tmp_path}/elsewhere/m, which is used",)


def test_the_latest_by_step_then_by_time(tmp_path: Path) -> None:
    bundle(tmp_path, "model.ckpt-9", "model.ckpt-100", "best")
    assert Path(find(tmp_path).path).name == "model.ckpt-100"
    bundle(tmp_path / "named", "a", "b")
    os.utime(tmp_path / "named" / "b.index", (1, 1))
    assert Path(find(tmp_path / "named").path).name == "a"


def test_a_step_of_many(tmp_path: Path) -> None:
    bundle(tmp_path, "model.ckpt-9", "model.ckpt-19", "best")
    assert find(tmp_path, 9).path == str(tmp_path / "model.ckpt-9")
    assert complaint(tmp_path, 8) == f"{tmp_path}: holds no checkpoint of step 8 (there are steps 9, 19)"


def test_v1_files(tmp_path: Path) -> None:
    touch(tmp_path, "model.ckpt", content=TABLE)
    touch(tmp_path, "model.ckpt.meta", "sharded.meta")
    touch(tmp_path, "sharded-00000-of-00002", "sharded-00001-of-00002", content=TABLE)
    whole = Located(Kind.V1, str(tmp_path / "model.ckpt"), (str(tmp_path / "model.ckpt"),))
    assert find(tmp_path / "model.ckpt") == find(tmp_path / "model.ckpt.meta") == whole
    shards = tuple(str(tmp_path / f"sharded-0000{number}-of-00002") for number in range(2))
    sharded = Located(Kind.V1, str(tmp_path / "sharded"), shards)
    for name in ("sharded", "sharded.meta", "sharded-00001-of-00002"):
        assert find(tmp_path / name) == sharded
    (tmp_path / "sharded-00001-of-00002").unlink()
    assert complaint(tmp_path / "sharded") == (
        f"{tmp_path / 'sharded-00001-of-00002'}: 1 of 2 data files is missing (copy all of them)"
    )


def test_a_folder_of_v1_files(tmp_path: Path) -> None:
    touch(tmp_path / "a", "inception_v3.ckpt", content=TABLE)
    touch(tmp_path / "a", "notes.txt", content=b"hello")
    assert find(tmp_path / "a").path == str(tmp_path / "a" / "inception_v3.ckpt")
    touch(tmp_path / "b", "export-00000-of-00001", content=TABLE)
    touch(tmp_path / "b", "export.meta")
    assert find(tmp_path / "b") == Located(
        Kind.V1, str(tmp_path / "b" / "export"), (str(tmp_path / "b" / "export-00000-of-00001"),)
    )
    touch(tmp_path / "c", "m-5", "m-10", content=TABLE)
    assert find(tmp_path / "c").path == str(tmp_path / "c" / "m-10")
    assert find(tmp_path / "c").notes == ("the folder holds 2 checkpoints; the latest, m-10, is used",)


def test_the_best_of_an_export(tmp_path: Path) -> None:
    touch(tmp_path, "saved_model/saved_model.pb", "frozen_inference_graph.pb")
    touch(tmp_path, "saved_model/variables/variables.index")
    bundle(tmp_path, "model.ckpt")
    note = "the checkpoint is used; saved_model and frozen_inference_graph.pb beside it are not read"
    assert find(tmp_path) == Located(Kind.V2, str(tmp_path / "model.ckpt"), (), (note,))
    for path in tmp_path.glob("model.ckpt*"):
        path.unlink()
    assert find(tmp_path) == Located(
        Kind.SAVED_MODEL,
        str(tmp_path / "saved_model" / "variables" / "variables"),
        (),
        ("the SavedModel in saved_model/ is used",),
    )
    (tmp_path / "saved_model" / "variables" / "variables.index").unlink()
    assert find(tmp_path) == Located(Kind.FROZEN_GRAPH, str(tmp_path / "frozen_inference_graph.pb"))
    (tmp_path / "frozen_inference_graph.pb").unlink()
    assert find(tmp_path).path == str(tmp_path / "saved_model" / "saved_model.pb")


def test_saved_models(tmp_path: Path) -> None:
    touch(tmp_path, "saved_model.pb", "variables/variables.index")
    variables = str(tmp_path / "variables" / "variables")
    assert find(tmp_path) == find(tmp_path / "saved_model.pb") == Located(Kind.SAVED_MODEL, variables)
    assert find(tmp_path / "variables").path == variables
    (tmp_path / "variables" / "variables.index").unlink()
    note = "the SavedModel was exported frozen: its weights are constants of its graph"
    frozen = Located(Kind.FROZEN_GRAPH, str(tmp_path / "saved_model.pb"), (), (note,))
    assert find(tmp_path) == find(tmp_path / "saved_model.pb") == frozen


def test_a_download_of_the_tf2_zoo(tmp_path: Path) -> None:
    bundle(tmp_path / "checkpoint", "ckpt-0")
    touch(tmp_path, "saved_model/saved_model.pb", "saved_model/variables/variables.index", "pipeline.config")
    note = "the checkpoint is used; saved_model beside it is not read"
    assert find(tmp_path) == Located(Kind.V2, str(tmp_path / "checkpoint" / "ckpt-0"), (), (note,))


def test_nothing_there(tmp_path: Path) -> None:
    bundle(tmp_path, "model.ckpt-100")
    assert complaint(tmp_path / "model.ckpt-10") == (
        f"{tmp_path / 'model.ckpt-10'}: no such file (did you mean model.ckpt-100, model.ckpt-100.meta, "
        "model.ckpt-100.data-00000-of-00001?)"
    )
    assert complaint(tmp_path / "x" / "y") == (
        f"{tmp_path / 'x' / 'y'}: no such file (the folder {tmp_path / 'x'} does not exist either)"
    )
    assert complaint(tmp_path / "Q") == (
        f"{tmp_path / 'Q'}: no such file (the folder holds model.ckpt-100.data-00000-of-00001, model.ckpt-100.index, "
        "model.ckpt-100.meta)"
    )
    assert complaint(tmp_path / "n\n\x1b[2J.index").startswith(f"{tmp_path}{os.sep}n\\n\\x1b[2J.index: no such file")


def test_folders_without_a_checkpoint(tmp_path: Path) -> None:
    assert complaint(tmp_path) == f"{tmp_path}: the folder is empty"
    touch(tmp_path, "notes.txt", content=b"hello")
    assert complaint(tmp_path) == f"{tmp_path}: holds no checkpoint (it holds notes.txt)"
    bundle(tmp_path / "train", "m")
    assert complaint(tmp_path) == f"{tmp_path}: holds no checkpoint (there is one in train)"


def test_parts_alone(tmp_path: Path) -> None:
    touch(tmp_path / "a", "m.data-00000-of-00001")
    message = (
        f"{tmp_path / 'a' / 'm.data-00000-of-00001'}: is only the values of a checkpoint: m.index, which names them, "
        "is missing (copy the .index file from where this file came from)"
    )
    assert complaint(tmp_path / "a" / "m.data-00000-of-00001") == complaint(tmp_path / "a") == message
    touch(tmp_path / "b", "m.meta")
    message = (
        f"{tmp_path / 'b' / 'm.meta'}: is only the graph of a checkpoint: the variables themselves are missing (copy "
        "m.index and .data-… (or, of a V1 checkpoint, the file without an ending) from where it came from)"
    )
    assert complaint(tmp_path / "b" / "m.meta") == complaint(tmp_path / "b") == message


def test_left_overs_of_an_interrupted_save(tmp_path: Path) -> None:
    name = "m-0.index.tempstate4947060063003929194"
    touch(tmp_path, name)
    assert complaint(tmp_path / name) == (
        f"{tmp_path / name}: is a temporary file that an interrupted save left behind (point at the finished "
        "checkpoint, for instance m-0)"
    )
    assert complaint(tmp_path) == f"{tmp_path}: holds no checkpoint (it holds {name})"


def test_other_files(tmp_path: Path) -> None:
    touch(tmp_path, "weights.pt", content=b"PK\x03\x04" + bytes(22) + b"\x10\x00\x00\x00archive/data.pkl")
    assert complaint(tmp_path / "weights.pt") == (
        f"{tmp_path / 'weights.pt'}: this is a PyTorch file (ckptmap reads TensorFlow checkpoints, frozen graphs and "
        "SavedModels, and files of Keras and safetensors)"
    )
    touch(tmp_path, "junk", content=b"\x00\x01\x02")
    assert complaint(tmp_path / "junk").startswith(
        f"{tmp_path / 'junk'}: is not a TensorFlow checkpoint: the end of a table"
    )
