"""The launcher's own part: which programs there are, and how a mistake reads. Training runs in test_training."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ckptmap.basics.errors import CkptmapError
from ckptmap.tf.launch import launch


@pytest.mark.parametrize("program", ["model_main_tf3", "../model_main_tf2", "models.feature_map_generators"])
def test_an_unknown_program_is_refused(program):
    with pytest.raises(CkptmapError, match="has no program"):
        launch(program, [])


def test_without_a_program_it_says_how_to_call_it():
    done = subprocess.run([sys.executable, "-m", "ckptmap.tf.launch"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("python -m ckptmap.tf.launch PROGRAM")


def test_a_programs_flags_are_its_own():
    command = [sys.executable, "-W", "ignore", "-m", "ckptmap.tf.launch", "exporter_main_v2", "--helpshort"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "--trained_checkpoint_dir: Path to trained checkpoint directory" in done.stdout
