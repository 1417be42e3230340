"""What must hold before the first import of TensorFlow; every case in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from ckptmap.basics.extras import install

pytest.importorskip("tensorflow", reason="needs the [tf] extra")


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in {"TF_USE_LEGACY_KERAS", "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION", "TF_CPP_MIN_LOG_LEVEL"}
    }
    command = [sys.executable, "-c", f"from ckptmap.tf import environment\n{code}"]
    return subprocess.run(command, capture_output=True, text=True, env=inherited | environment, check=False)


def test_tf2_process_imports_the_trainer_and_the_exporter_but_builds_no_tf1_graph():
    result = run(
        "environment.tf2()\n"
        "from object_detection import exporter_lib_v2, model_lib_v2\n"
        "from object_detection.builders import model_builder\n"
        "print('ssd_mobilenet_v2_keras' in model_builder.SSD_KERAS_FEATURE_EXTRACTOR_CLASS_MAP)\n"
        "environment.tf1()\n"
    )
    assert result.stdout == "True\n"
    assert "object_detection is imported in TF2 mode already (build TF1 graphs in their own process)" in result.stderr


def test_tf1_process_knows_every_tf1_feature_extractor_but_builds_no_tf2_model():
    result = run(
        "environment.tf1()\n"
        "from object_detection.builders import model_builder\n"
        "print(len(model_builder.SSD_FEATURE_EXTRACTOR_CLASS_MAP))\n"
        "environment.tf2()\n"
    )
    assert result.stdout == "24\n"
    assert "this process runs TensorFlow in TF1 mode (build TF2 models in their own process)" in result.stderr


def test_log_level_of_the_user_wins():
    code = "environment.prepare()\nimport os\nprint(os.environ['TF_CPP_MIN_LOG_LEVEL'])"
    assert run(code, TF_CPP_MIN_LOG_LEVEL="1").stdout == "1\n"
    assert run(code).stdout == "3\n"


def test_tensorflow_with_keras_3_is_refused():
    result = run("import tensorflow\nenvironment.tf2()", PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION="python")
    assert result.returncode == 1
    assert "imported with Keras 3; the Object Detection API needs Keras 2" in result.stderr


def test_compiled_protobuf_is_refused():
    result = run("from google.protobuf.internal import api_implementation\nenvironment.prepare()")
    assert "was imported with its upb implementation" in result.stderr
    assert "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION=python" in result.stderr


def test_missing_tensorflow_names_the_extra():
    code = "import importlib.util as u\nu.find_spec = lambda name: None\nenvironment.prepare()"
    message = f"TensorFlow is not installed (with Python 3.10 to 3.12: {install('tf')})"
    assert message in run(code).stderr
