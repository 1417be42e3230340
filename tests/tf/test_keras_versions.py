"""Keras 2 to Keras 3 to Keras 2, each in a process of its own: outputs are the same, by checkpoints and by files."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import ckptmap

SCRIPT = Path(__file__).with_name("keras_version.py")
MODELS = ("functional", "sequential", "subclassed")


@dataclass
class Keras:
    """A process with one version of Keras, and what its trained models gave."""

    folder: Path
    process: subprocess.Popen[str]
    outputs: dict[str, np.ndarray]

    def ask(self, *job: str) -> np.ndarray:
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps(job) + "\n")
        stdin.flush()
        answer = stdout.readline()
        assert answer, f"the process died at {job}"
        return np.array(json.loads(answer))


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Keras]]:
    started = {}
    for version in "23":
        folder = tmp_path_factory.mktemp(f"keras{version}")
        command = [sys.executable, str(SCRIPT), version, str(folder)]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True)
        started[version] = Keras(folder, process, {})
    for one in started.values():
        one.outputs.update({name: one.ask(name) for name in MODELS})
    yield started
    for one in started.values():
        assert one.process.stdin is not None
        assert one.process.stdout is not None
        one.process.stdin.close()
        one.process.stdout.close()
        one.process.wait(60)


@pytest.mark.parametrize("name", MODELS)
def test_checkpoints_with_their_optimizers_go_there_and_back(
    versions: dict[str, Keras], name: str, tmp_path: Path
) -> None:
    two, three = versions["2"], versions["3"]
    there = ckptmap.convert(two.folder / name / "ckpt", to=three.folder / name / "ckpt", output=tmp_path / "there")
    assert (there["findings"], there["table"]) == ([], "names that agree")
    np.testing.assert_allclose(three.ask(name, str(tmp_path / "there" / "ckpt-0")), two.outputs[name], atol=2e-6)
    assert np.abs(three.outputs[name] - two.outputs[name]).max() > 1e-3  # other weights than it had
    back = ckptmap.convert(tmp_path / "there" / "ckpt-0", to=two.folder / name / "ckpt", output=tmp_path / "back")
    assert back["findings"] == []
    np.testing.assert_equal(two.ask(name, str(tmp_path / "back" / "ckpt-0")), two.outputs[name])


@pytest.mark.parametrize("name", MODELS)
def test_files_of_weights_go_there_and_back(versions: dict[str, Keras], name: str, tmp_path: Path) -> None:
    two, three = versions["2"], versions["3"]
    source, template = two.folder / name / "model.h5", three.folder / name / "model.weights.h5"
    there = ckptmap.convert(source, to=template, output=tmp_path / "there")
    assert there["findings"] == []
    np.testing.assert_allclose(
        three.ask(name, str(tmp_path / "there" / "model.weights.h5")), two.outputs[name], atol=2e-6
    )
    ckptmap.convert(tmp_path / "there" / "model.weights.h5", to=source, output=tmp_path / "back")
    np.testing.assert_equal(two.ask(name, str(tmp_path / "back" / "model.h5")), two.outputs[name])


@pytest.mark.parametrize("name", MODELS)
def test_a_checkpoint_becomes_a_file_that_load_weights_takes(
    versions: dict[str, Keras], name: str, tmp_path: Path
) -> None:
    two, three = versions["2"], versions["3"]
    template = three.folder / name / "model.weights.h5"
    ckptmap.convert(two.folder / name / "ckpt", to=template, output=tmp_path / "o")
    np.testing.assert_allclose(three.ask(name, str(tmp_path / "o" / "model.weights.h5")), two.outputs[name], atol=2e-6)


@pytest.mark.parametrize("name", ["functional", "sequential"])
def test_a_whole_archive_of_keras_3_becomes_a_checkpoint_of_keras_2(
    versions: dict[str, Keras], name: str, tmp_path: Path
) -> None:
    two, three = versions["2"], versions["3"]
    ckptmap.convert(three.folder / name / "model.keras", to=two.folder / name / "ckpt", output=tmp_path / "o")
    np.testing.assert_allclose(two.ask(name, str(tmp_path / "o" / "ckpt-0")), three.outputs[name], atol=2e-6)
