"""``convert --verify`` and ``verify`` of any two models on the command line, each model in its own process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ckptmap.tf.environment import TensorFlowError, import_quietly, prepare
from tests.tf.verify.general import nets

try:
    prepare()
except TensorFlowError as error:
    pytest.skip(str(error), allow_module_level=True)

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")  # of TensorFlow itself

ROOT = Path(__file__).resolve().parents[4]
PORT = "tests.tf.verify.general.nets:net_alone"


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    """``ckptmap`` where the module of the nets is found."""
    command = [sys.executable, "-W", "ignore", "-m", "ckptmap", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


def test_a_conversion_ends_with_its_proof_and_a_fault_is_found(tmp_path: Path) -> None:
    tf = import_quietly("tensorflow")
    values = nets.save_tf1(nets.net, tmp_path)
    target = tf.train.Checkpoint(nets.keras_net(3)).save(str(tmp_path / "target"))
    old, new = tmp_path / "model.ckpt", tmp_path / "new"
    done = run("convert", old, "--to", target, "-o", new, "--verify", "--new-model", PORT)
    assert done.returncode == 0, done.stderr
    report = json.loads((new / "verification" / "report.json").read_text())
    assert (report["schema"], report["agree"]) == ("ckptmap.verify_models/1", True)

    other = nets.with_values(nets.keras_net(3, epsilon=1e-2), values)
    other.save(tmp_path / "other.keras")
    done = run("verify", old, tmp_path / "other.keras", "--json")
    assert done.returncode == 3, done.stderr
    report = json.loads(done.stdout)
    assert report["first_difference"] == "bn (FusedBatchNormV3)"
    assert [(cause["name"], cause["proven"]) for cause in report["causes"]] == [("epsilon", True)]
