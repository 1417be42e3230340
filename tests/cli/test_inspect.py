from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ckptmap.checkpoint.dtypes import DType
from tests.checkpoint.strategies import Value
from tests.checkpoint.test_writer import save
from tests.cli.conftest import Run
from tests.convert.conftest import values, write_template, write_tf1
from tests.families.detection.test_config_beside import write as write_config

CORPUS = Path(__file__).resolve().parents[2].parent / "shared" / "corpus"


TRAITS = "SSD with mobilenet_v2, depth multiplier 1; 90 classes; 3, 6, 6 anchors per location; 3 feature maps"


@pytest.fixture
def detector(tmp_path: Path) -> Path:
    """A checkpoint with the few variables that make it an SSD MobileNet V2 of 90 classes, trained with RMSProp."""
    depthwise = "FeatureExtractor/MobilenetV2/expanded_conv_16/depthwise/depthwise_weights"
    return write_tf1(
        tmp_path / "old" / "model.ckpt-200",
        {
            "global_step": np.array(200, np.int64),
            "FeatureExtractor/MobilenetV2/expanded_conv_16/project/weights": values((1, 1, 1, 320)),
            depthwise: values((3, 3, 4, 1)),
            f"{depthwise}/RMSProp": values((3, 3, 4, 1)),
            f"{depthwise}/ExponentialMovingAverage": values((3, 3, 4, 1)),
            **{f"BoxPredictor_{n}/BoxEncodingPredictor/biases": values((4 * a,)) for n, a in enumerate((3, 6, 6))},
            **{f"BoxPredictor_{n}/ClassPredictor/biases": values((91 * a,)) for n, a in enumerate((3, 6, 6))},
        },
    )


def test_text(run: Run, detector: Path) -> None:
    write_config(detector.parent / "pipeline.config", classes=11)
    result = run("inspect", detector)
    assert (result.code, result.err) == (0, "")
    write_config(detector.parent / "pipeline.config", classes=90)
    agreed = next(line for line in run("inspect", detector).out.splitlines() if "config" in line)
    assert agreed == f"  config    {detector.parent}/pipeline.config agrees (ssd_mobilenet_v2)"
    assert result.out.splitlines() == [
        str(detector),
        "  kind      V2 bundle, TF1 names",
        "  size      11 variables, 7.4 kB in 1 data file; 8 weights with 1.8 k parameters",
        f"  model     ssd_mobilenet_v2: {TRAITS}",
        "  training  step 200; RMSProp (1 slot); 1 moving average",
        f"  config    {detector.parent}/pipeline.config does not agree:",
        "            num_classes is 11 in the config, 90 in the checkpoint",
        f"  convert   ckptmap convert {detector} --to ssd_mobilenet_v2 -o ssd_mobilenet_v2_tf2",
        "",
        "global_step  int64 []",
        "BoxPredictor_{0..2}/",
        "  BoxEncodingPredictor/biases  float32 [12..24]  x3",
        "  ClassPredictor/biases  float32 [273..546]  x3",
        "FeatureExtractor/MobilenetV2/expanded_conv_16/",
        "  depthwise/depthwise_weights  float32 [3, 3, 4, 1]",
        "  project/weights  float32 [1, 1, 1, 320]",
        "",
        "2 variables of the training not listed: --slots shows them",
    ]


def test_slots(run: Run, detector: Path) -> None:
    out = run("inspect", detector, "--slots", "--match", "FeatureExtractor").out.splitlines()
    assert out[out.index("") + 1 :] == [
        "FeatureExtractor/MobilenetV2/expanded_conv_16/",
        "  depthwise/",
        "    depthwise_weights  float32 [3, 3, 4, 1]",
        "    depthwise_weights/{ExponentialMovingAverage,RMSProp}  float32 [3, 3, 4, 1]",
        "  project/weights  float32 [1, 1, 1, 320]",
    ]


def test_table(run: Run, detector: Path) -> None:
    out = run(
        "inspect", detector, "--format", "table", "--match", "global_step", "--match", "**/project"
    ).out.splitlines()
    assert out[out.index("") + 1 :] == [
        "float32  [1, 1, 1, 320]  1,280  FeatureExtractor/MobilenetV2/expanded_conv_16/project/weights",
        "int64    []                  8  global_step",
    ]


@pytest.mark.parametrize("arguments", [["--json"], ["--format", "json"]])
def test_json(run: Run, detector: Path, arguments: list[str]) -> None:
    found = json.loads(run("inspect", detector, *arguments).out)
    assert (found["schema"], found["path"]) == ("ckptmap.inspect/1", str(detector))
    assert len(found["variables"]) == 11
    assert found["convert"]["command"].startswith("ckptmap convert ")


def test_csv(run: Run, detector: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(run("inspect", detector, "--format", "csv").out)))
    assert len(rows) == 11
    assert rows[-1] == {
        "name": "global_step",
        "dtype": "int64",
        "shape": "",
        "bytes": "8",
        "slices": "0",
        "role": "bookkeeping",
        "owner": "",
        "readable_name": "",
    }


def test_a_tf2_checkpoint(run: Run, tmp_path: Path) -> None:
    out = run("inspect", write_template(tmp_path / "ckpt-0")).out
    assert "  kind      V2 bundle, TF2 object graph\n" in out
    assert "  convert   a TF2 checkpoint already: restore it with tf.train.Checkpoint\n" in out


def test_a_folder_with_many_checkpoints(run: Run, tmp_path: Path) -> None:
    for step in (7, 1200, 300):
        write_tf1(tmp_path / f"model.ckpt-{step}", {"global_step": np.array(step, np.int64)})
    latest = run("inspect", tmp_path).out
    assert latest.startswith(f"{tmp_path}/model.ckpt-1200\n")
    assert "  note      the folder holds 3 checkpoints; the latest, model.ckpt-1200, is used" in latest
    assert run("inspect", tmp_path, "--step", 7).out.startswith(f"{tmp_path}/model.ckpt-7\n")
    assert run("inspect", tmp_path / "model.ckpt-300").out.startswith(f"{tmp_path}/model.ckpt-300\n")
    refused = run("inspect", tmp_path, "--step", 8)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err == f"error: {tmp_path}: holds no checkpoint of step 8 (there are steps 7, 300, 1200)\n"


def test_the_state_file_of_another_machine(run: Run, tmp_path: Path) -> None:
    write_tf1(tmp_path / "model.ckpt-7", {"w": values((2,))})
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "C:\\\\Users\\\\someone\\\\model.ckpt-7"\n')
    result = run("inspect", tmp_path)
    assert (result.code, result.out.splitlines()[0]) == (0, f"{tmp_path}/model.ckpt-7")


def test_control_characters_in_names_are_shown_as_escapes(run: Run, tmp_path: Path) -> None:
    prefix = write_tf1(tmp_path / "model.ckpt", {"evil\x1b[2J/w\u202e": values((2,))})
    for arguments in ([], ["--format", "table"], ["--json"]):
        assert not set("\x1b\u202e") & set(run("inspect", prefix, *arguments).out)


def write_bytes(name: str, content: bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(content)
        return path

    return make


def archive(name: str, member: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        with zipfile.ZipFile(folder / name, "w") as file:
            file.writestr(member, b"")
        return folder / name

    return make


def without(*endings: str) -> Callable[[Path], Path]:
    """A checkpoint of which some files are missing."""

    def make(folder: Path) -> Path:
        prefix = write_tf1(folder / "model.ckpt", {"w": values((2,))})
        (folder / "model.ckpt.meta").write_bytes(b"")
        for ending in endings:
            (folder / f"model.ckpt{ending}").unlink()
        return prefix

    return make


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 12\n"
DATA = ".data-00000-of-00001"

WRONG = {
    "no such file": (lambda folder: folder / "model.ckpt", "no such file"),
    "an empty directory": (lambda folder: folder, "the folder is empty"),
    "an LFS pointer": (write_bytes("model.ckpt.index", POINTER), "this is a Git-LFS pointer, not the file itself"),
    "a text note": (write_bytes("model.ckpt.index", b"get it from my drive\n"), "this is a text file"),
    "a PaxHeader": (write_bytes("model.ckpt.index", b"30 mtime=1522373451.123456789\n"), "this is a PaxHeader record"),
    "a temporary file": (write_bytes("model.ckpt.index.tempstate123", b""), "is a temporary file"),
    "the graph alone": (without(".index", DATA), "is only the graph of a checkpoint"),
    "the data alone": (without(".index", ".meta"), "is only the values of a checkpoint"),
    "PyTorch": (archive("model.pth", "archive/data.pkl"), "this is a PyTorch file"),
    "Keras": (archive("model.keras", "metadata.json"), "holds no model.weights.h5: it is not a Keras archive"),
    "NumPy": (archive("model.npz", "kernel.npy"), "this is a NumPy .npz file"),
    "HDF5": (write_bytes("model.h5", b"\x89HDF\r\n\x1a\n" + bytes(64)), "damaged: HDF5 says"),
    "safetensors": (
        write_bytes("model.safetensors", b"\x02" + bytes(7) + b'{"a": 1}'),
        "damaged: its header is not JSON",
    ),
    "a pickle": (write_bytes("model.pt", b"\x80\x02}q\x00."), "this is a Python pickle"),
    "TensorFlow Lite": (
        write_bytes("model.tflite", b"\x1c\x00\x00\x00TFL3" + bytes(64)),
        "this is a TensorFlow Lite file",
    ),
    "a web page": (write_bytes("model.ckpt.index", b"<!DOCTYPE html><html></html>"), "this is a web page"),
    "an empty file": (write_bytes("model.ckpt.index", b""), "the file is empty"),
    "noise": (write_bytes("model.ckpt.index", bytes(range(256)) * 4), "damaged"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input(run: Run, tmp_path: Path, case: str) -> None:
    make, message = WRONG[case]
    result = run("inspect", make(tmp_path))
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"error: {tmp_path}")
    assert message in result.err
    assert result.err.count("\n") == 1


REAL = {
    "lfs_pointers_ssd_mobilenet_v1_11_06_2017": "this is a Git-LFS pointer",
    "lfs_pointers_ssd_mobilenet_v1_11_06_2017/frozen_inference_graph.pb": "this is a Git-LFS pointer",
    "zoo_ssd_mobilenet_v2_paxheader_junk": "this is a PaxHeader record",
    "train_faster_rcnn_resnet101_egg/model.ckpt-0.index.tempstate4947060063003929194": "is a temporary file",
    "v1_metaonly_tftuts": "is only the graph of a checkpoint",
    "v1_metaonly_tftuts/model.ckpt": "is only the graph of a checkpoint",
    "ft_ssd_resnet50_fpn_airplane/frozen_inference_graph.pb": 'this is a text file ("not original")',
    "zoo_ssd_mobilenet_v1_2018_01_28/pipeline.config": "this is a text file",
}


@pytest.mark.parametrize("path", REAL)
def test_real_oddities(run: Run, path: str) -> None:
    if not CORPUS.is_dir():
        pytest.skip("the corpus of real checkpoints (../shared/corpus) is not here")
    result = run("inspect", CORPUS / "tf1" / path)
    assert (result.code, result.out) == (2, "")
    assert REAL[path] in result.err


HOSTILE = [
    "back\x07",
    "::error file=x::pwn",
    "=1+1",
    "\x1b[31mred",
    "##[error]x",
    "##vso[a b=c]y",
    "a\n::error ::b",
    "\udcff",
]


def hostile_checkpoint(folder: Path, names: list[str]) -> Path:
    values = {name: Value(DType.FLOAT32, np.array([at], np.float32)) for at, name in enumerate(names)}
    return save(folder, values, "m.ckpt")


@pytest.mark.parametrize("form", ["tree", "table", "csv", "json"])
def test_no_name_acts_on_a_terminal_or_a_log(run: Run, tmp_path: Path, form: str) -> None:
    out = run("inspect", hostile_checkpoint(tmp_path, HOSTILE), "-f", form).out
    assert all(line.isprintable() for line in out.splitlines())
    assert not re.search(r"(?m)^\s*::|##\w*\[", out)
    if form == "csv":
        rows = list(csv.reader(io.StringIO(out)))
        assert len(rows) == len(HOSTILE) + 1
        assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)
    if form == "json":
        assert {variable["name"] for variable in json.loads(out)["variables"]} == set(HOSTILE)


def test_the_csv_of_the_attack(run: Run) -> None:
    case = Path(__file__).parents[3] / "shared" / "cases" / "attacks" / "06-inspect-csv-raw-names"
    if not case.is_dir():
        pytest.skip("the cases that went wrong are not on this machine")
    out = run("inspect", case / "m.ckpt", "-f", "csv").out
    assert all(line.isprintable() for line in out.splitlines())
    rows = list(csv.reader(io.StringIO(out)))
    names = [row[0] for row in rows[1:]]
    assert len(names) == len(out.splitlines()) - 1
    assert [name for name in names if name.startswith(("::", "=", "+", "-", "@"))] == []
    assert "\\n::error file=x::pwn" in names


VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_readable_names_stand_beside_object_paths(run: Run, tmp_path: Path, form: str) -> None:
    out = run("inspect", write_template(tmp_path / "ckpt-0"), "-f", form).out
    (line,) = [line for line in out.splitlines() if "layer-0/kernel" in line]
    expected = {
        "table": f"model/backbone/layer-0/kernel{VALUE}       Conv1/kernel",
        "csv": f"model/backbone/layer-0/kernel{VALUE},float32,1x1x3x8,96,0,weight,,Conv1/kernel",
        "json": '"readable_name": "Conv1/kernel"',
    }
    assert expected[form] in line


def test_the_tree_shows_readable_names(run: Run, tmp_path: Path) -> None:
    lines = run("inspect", write_template(tmp_path / "ckpt-0")).out.splitlines()
    assert lines[-6:] == [
        "  backbone/layer-{0..1}/",
        "    kernel  float32 [1, 1, 3, 8]  = Conv1/kernel",
        "    {beta,gamma,moving_mean}  float32 [8]  = bn_Conv1/beta, bn_Conv1/gamma, bn_Conv1/moving_mean",
        "  head/",
        "    bias  float32 [4]  = Head/ClassPredictor/bias",
        "    kernel  float32 [1, 1, 8, 4]  = Head/ClassPredictor/kernel",
    ]


def test_the_tree_folds_readable_names_and_ends_after_a_few(run: Run, tmp_path: Path) -> None:
    many = {f"k/{at}": (f"layer_{at}/w" if at < 9 else f"other{'x' * at}/w", (2,)) for at in range(15)}
    out = run("inspect", write_template(tmp_path / "ckpt-0", extra=many)).out
    (line,) = [line for line in out.splitlines() if "x15" in line]
    shown = ["layer_{0..8}/w", *(f"other{'x' * at}/w" for at in range(10, 13))]
    assert line.endswith(f"k/{{0..14}}  float32 [2]  x15  = {', '.join(shown)}, … (3 more)")


def test_readable_names_without_the_data_file_are_not_known(run: Run, tmp_path: Path) -> None:
    prefix = write_template(tmp_path / "ckpt-0")
    prefix.with_name("ckpt-0.data-00000-of-00001").unlink()
    result = run("inspect", prefix, "-f", "json")
    assert result.code == 0
    assert {variable["readable_name"] for variable in json.loads(result.out)["variables"]} == {None}


@pytest.mark.parametrize(
    "pattern", ["Conv1/kernel", "model/backbone/layer-0", f"model/backbone/layer-0/kernel{VALUE}", "**/layer-0/**"]
)
def test_match_takes_every_name_that_is_printed(run: Run, tmp_path: Path, pattern: str) -> None:
    out = run("inspect", write_template(tmp_path / "ckpt-0"), "-f", "json", "--match", pattern).out
    assert [variable["name"] for variable in json.loads(out)["variables"]] == [f"model/backbone/layer-0/kernel{VALUE}"]


def test_one_long_name_does_not_widen_every_line(run: Run, tmp_path: Path) -> None:
    prefix = write_template(tmp_path / "ckpt-0", extra={"k" * 5000: ("long/name", (1,))})
    lines = run("inspect", prefix, "-f", "table").out.splitlines()
    assert [len(line) > 1000 for line in lines if "Conv1" in line or "long/name" in line].count(True) == 1


def test_inspect_takes_part_in_the_reports(run: Run, tmp_path: Path) -> None:
    prefix = write_tf1(tmp_path / "model.ckpt-7", {"net/w": values((2, 3)), "net/w/Momentum": values((2, 3))})
    files = [tmp_path / name for name in ("i.json", "i.md", "i.html", "i.csv")]
    result = run("inspect", prefix, *(item for file in files for item in ("-o", file)))
    assert (result.code, result.out) == (0, run("inspect", prefix).out)
    assert files[0].read_text(encoding="utf-8") == run("inspect", prefix, "--json").out
    assert "| ✅ | weight | 1 |\n| ℹ️ | slot | 1 |\n" in files[1].read_text(encoding="utf-8")
    assert files[3].read_text(encoding="utf-8").splitlines()[1:] == [
        'net/w,weight,,float32,"[2, 3]",24,0,6,',
        'net/w/Momentum,slot,net/w,float32,"[2, 3]",24,0,0,',
    ]
    again = run("report", files[0])
    assert again.code == 0
    assert "    1 weight       1 slot       0 ema       0 bookkeeping       0 quantization" in again.out


@pytest.mark.parametrize("way", [(), ("--json",), ("--format", "csv"), ("--format", "table")])
def test_a_pattern_that_chooses_nothing_is_an_error(run: Run, tmp_path: Path, way: tuple[str, ...]) -> None:
    prefix = write_tf1(tmp_path / "model.ckpt", {"net/w": values((2, 3))})
    result = run("inspect", prefix, "--match", "*w", *way)
    assert (result.code, result.out) == (2, "")
    assert "no variable matches --match '*w' (\"**w\" matches 1: * and ? stop at /, ** crosses it)" in result.err


def test_readable_names_count_as_chosen_and_as_near(run: Run, tmp_path: Path) -> None:
    prefix = write_template(tmp_path / "ckpt-0")
    assert run("inspect", prefix, "--match", "Conv1/*").code == 0
    result = run("inspect", prefix, "--match", "Conv1/*", "--match", "*ClassPredictor/kernel")
    assert (result.code, result.out) == (2, "")
    assert '("**ClassPredictor/kernel" matches 1: ' in result.err


def test_no_report_replaces_what_is_inspected(run: Run, tmp_path: Path) -> None:
    prefix = write_tf1(tmp_path / "m.csv", {"net/w": values((2, 3))})
    result = run("inspect", prefix, "-o", f"{prefix}.index", "-o", tmp_path / "x.csv")
    assert (result.code, result.out, (tmp_path / "x.csv").exists()) == (2, "", False)
