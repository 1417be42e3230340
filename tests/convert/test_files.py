"""Conversions from and to files of Keras and of safetensors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

import ckptmap
from ckptmap.basics.errors import OutputError, TargetError
from ckptmap.execution import computing
from ckptmap.report.sheets import schema_file
from tests.convert.conftest import tf1_values, values, write_template, write_tf1

h5py = pytest.importorskip("h5py", reason="needs the [keras] extra")
safetensors = pytest.importorskip("safetensors", reason="needs the [core-test] extra")
pytest.importorskip("safetensors.numpy", reason="needs the [core-test] extra")

ROOT = Path(__file__).resolve().parents[2]
KERNEL, BIAS = values((2, 3), 5), values((3,), 50)


def check(report: dict[str, Any]) -> None:
    schema = json.loads(schema_file("ckptmap.report/1").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(json.loads(json.dumps(report)))


def keras_3(path: Path, *, start: float = 0.0, optimizer: bool = True, **options: Any) -> Path:
    with h5py.File(path, "w") as file:
        group = file.create_group("layers/dense/vars")
        group.attrs["name"] = "head"
        group.create_dataset("0", data=values((2, 3), start), **options)
        group.create_dataset("1", data=values((3,), start))
        if optimizer:
            file.create_dataset("optimizer/vars/0", data=np.array(9, "i8"))
        file.attrs["kept"] = "yes"
    return path


def keras_2(path: Path, kernel: np.ndarray = KERNEL) -> Path:
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [b"head"]
        file.create_group("head").attrs["weight_names"] = [b"head/kernel:0", b"head/bias:0"]
        file.create_dataset("head/head/kernel:0", data=kernel)
        file.create_dataset("head/head/bias:0", data=BIAS)
    return path


def test_keras_2_to_keras_3_and_back(tmp_path: Path) -> None:
    there = ckptmap.convert(
        keras_2(tmp_path / "old.h5"), to=keras_3(tmp_path / "new.weights.h5"), output=tmp_path / "there"
    )
    check(there)
    written = tmp_path / "there" / "model.weights.h5"
    assert there["output"]["checkpoint"] == str(written)
    assert (there["table"], there["summary"]["restored"], there["summary"]["dropped"]) == ("names that agree", 2, 0)
    with h5py.File(written) as file:
        np.testing.assert_equal(file["layers/dense/vars/0"][()], KERNEL)
        np.testing.assert_equal(file["layers/dense/vars/1"][()], BIAS)
        assert (file["optimizer/vars/0"][()], file.attrs["kept"]) == (9, "yes")  # what is no weight stays
    back = ckptmap.convert(written, to=keras_2(tmp_path / "t.h5", KERNEL * 0), output=tmp_path / "back")
    assert [(one["name"], one["reason"]) for one in back["source_variables"] if one["fate"] == "dropped"] == [
        ("optimizer/vars/0", "optimizer slot (variable of a Keras optimizer)")
    ]
    with h5py.File(tmp_path / "back" / "model.h5") as file:
        np.testing.assert_equal(file["head/head/kernel:0"][()], KERNEL)


def test_a_table_of_ones_own_from_tf1_to_a_file_of_keras(tmp_path: Path) -> None:
    """Kinds and operations are the same whatever is written; ``to`` is a readable name, a path or the dataset."""
    source = write_tf1(tmp_path / "m.ckpt", {"net/w": KERNEL.T.copy(), "net/b": BIAS})
    table = tmp_path / "t.yaml"
    table.write_text(
        "variables:\n- {from: net/w, to: head/0, ops: [{transpose: [1, 0]}]}\n"
        "- {from: net/b, to: layers/dense/vars/1}\n"
    )
    ckptmap.convert(source, to=keras_3(tmp_path / "t.weights.h5"), table=table, output=tmp_path / "o")
    with h5py.File(tmp_path / "o" / "model.weights.h5") as file:
        np.testing.assert_equal(file["layers/dense/vars/0"][()], KERNEL)
        np.testing.assert_equal(file["layers/dense/vars/1"][()], BIAS)


def test_what_nothing_fills_keeps_the_value_of_the_file(tmp_path: Path) -> None:
    source = write_tf1(tmp_path / "m.ckpt", {"head/kernel": KERNEL})
    template = keras_2(tmp_path / "t.h5", KERNEL * 0)
    report = ckptmap.convert(source, to=template, output=tmp_path / "o")
    assert (report["output"], report["summary"]["missing"]) == (None, 1)
    assert not (tmp_path / "o").exists()
    report = ckptmap.convert(source, to=template, output=tmp_path / "o", init_missing=True)
    assert report["output"]["checksums"].keys() == {"source", "output", "template"}
    with h5py.File(tmp_path / "o" / "model.h5") as file:
        np.testing.assert_equal(file["head/head/kernel:0"][()], KERNEL)
        np.testing.assert_equal(file["head/head/bias:0"][()], BIAS)


@pytest.mark.parametrize("options", [{}, {"compression": "gzip", "chunks": (1, 2)}])
def test_large_values_are_written_by_rows(
    tmp_path: Path, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(computing, "BUDGET", 8)
    report = ckptmap.convert(
        keras_2(tmp_path / "old.h5"),
        to=keras_3(tmp_path / "t.weights.h5", **options),
        output=tmp_path / "o",
    )
    assert report["output"]["verified"] == 2
    with h5py.File(tmp_path / "o" / "model.weights.h5") as file:
        np.testing.assert_equal(file["layers/dense/vars/0"][()], KERNEL)


def test_any_target_as_safetensors_with_readable_names_as_keys(tmp_path: Path, table: Path) -> None:
    source = write_tf1(tmp_path / "m.ckpt", tf1_values())
    template = write_template(tmp_path / "zoo" / "ckpt-0")
    report = ckptmap.convert(source, to=template, table=table, output=tmp_path / "o", form="safetensors")
    assert sorted(path.name for path in (tmp_path / "o").iterdir()) == ["model.safetensors", "report.json"]
    assert report["output"]["verified"] == 6
    found = safetensors.numpy.load_file(tmp_path / "o" / "model.safetensors")
    assert found.keys() == {
        *("Conv1/kernel", "bn_Conv1/gamma", "bn_Conv1/beta", "bn_Conv1/moving_mean"),
        *("Head/ClassPredictor/kernel", "Head/ClassPredictor/bias"),
    }
    np.testing.assert_equal(found["Conv1/kernel"], tf1_values()["net/conv/weights"])
    again = ckptmap.convert(tmp_path / "o" / "model.safetensors", to=template, output=tmp_path / "back")
    assert (again["summary"]["restored"], again["findings"]) == (6, [])
    with ckptmap.open_checkpoint(tmp_path / "back") as checkpoint:
        key = "model/backbone/layer-0/kernel/.ATTRIBUTES/VARIABLE_VALUE"
        np.testing.assert_equal(checkpoint.read(key), found["Conv1/kernel"])


def test_a_safetensors_file_as_the_template_keeps_its_keys(tmp_path: Path) -> None:
    template = tmp_path / "t.safetensors"
    safetensors.numpy.save_file({"head.w": KERNEL * 0, "head.b": BIAS * 0}, template)
    table = tmp_path / "t.yaml"
    table.write_text("variables:\n- {from: head/kernel, to: head.w}\n- {from: head/bias, to: head.b}\n")
    ckptmap.convert(keras_2(tmp_path / "old.h5"), to=template, table=table, output=tmp_path / "o")
    found = safetensors.numpy.load_file(tmp_path / "o" / "model.safetensors")
    np.testing.assert_equal(found, {"head.w": KERNEL, "head.b": BIAS})


def test_an_archive_cannot_be_the_target(tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "t.keras", "w") as archive:
        archive.write(keras_3(tmp_path / "t.weights.h5"), "model.weights.h5")
    with pytest.raises(TargetError, match=r"a \.keras archive cannot be the target"):
        ckptmap.convert(keras_2(tmp_path / "old.h5"), to=tmp_path / "t.keras", output=tmp_path / "o")
    assert not (tmp_path / "o").exists()


def test_the_template_is_not_written_over(tmp_path: Path) -> None:
    source = keras_2(tmp_path / "old.h5")
    (tmp_path / "mine").mkdir()
    template = keras_3(tmp_path / "mine" / "model.weights.h5")
    before = template.read_bytes()
    with pytest.raises(OutputError, match="holds the template checkpoint"):
        ckptmap.convert(source, to=template, output=template.parent, force=True)
    assert template.read_bytes() == before


def test_nothing_agrees_with_the_file(tmp_path: Path) -> None:
    source = write_tf1(tmp_path / "m.ckpt", {"a/b": KERNEL})
    with pytest.raises(TargetError, match="no variable with the same name as in the source"):
        ckptmap.convert(source, to=keras_2(tmp_path / "t.h5"), output=tmp_path / "o")
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize("packing", [{}, {"chunks": (16, 8192), "compression": "gzip"}])
def test_a_large_file_passes_by_rows_in_bounded_memory(tmp_path: Path, packing: dict[str, Any]) -> None:
    """128 MB in, 128 MB out; packed pieces are packed once, however few rows come at a time."""
    value = np.arange(32 << 20, dtype="f4").reshape(512, -1)
    for name, fill in (("a", value), ("b", value * 0)):
        with h5py.File(tmp_path / f"{name}.weights.h5", "w") as file:
            file.create_dataset("d/vars/0", data=fill, **packing)
    program = (
        "import sys, ckptmap\nfrom tests.memory import peak_bytes\nfrom ckptmap.checkpoint import hdf5\n"
        "import ckptmap.execution.files, h5py, numpy\nbefore = peak_bytes()\n"
        "ckptmap.convert(sys.argv[1], to=sys.argv[2], output=sys.argv[3])\nprint(peak_bytes() - before)\n"
    )
    command = [sys.executable, "-c", program, *(str(tmp_path / name) for name in ("a.weights.h5", "b.weights.h5", "o"))]
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    run = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": path})
    assert int(run.stdout) < 96 << 20
    with h5py.File(tmp_path / "o" / "model.weights.h5") as file:
        np.testing.assert_equal(file["d/vars/0"][()], value)
    assert (tmp_path / "o" / "model.weights.h5").stat().st_size < 1.5 * (tmp_path / "a.weights.h5").stat().st_size
