"""Recognition against the variables of real TF1 graphs: what is recognized is what the graph's config says."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from ckptmap.families.detection.config_beside import differences
from ckptmap.families.detection.pipeline.config import PipelineConfig, read_config
from ckptmap.families.detection.pipeline.models import EXTRACTORS
from ckptmap.families.detection.recognition.tf1 import recognize_tf1
from ckptmap.tf.environment import TensorFlowError, prepare
from tests.tf.rows import Row

try:
    prepare()
except TensorFlowError as error:
    pytest.skip(str(error), allow_module_level=True)

SAMPLES = Path(__file__).resolve().parents[2].parent / "shared" / "corpus" / "configs" / "samples_tf1"
MODELS = (
    Row("ssdlite_mobilenet_v2", "ssd_mobilenet_v2", fields={"predictor_use_depthwise": "true", "kernel_size": 3}),
    Row("ssd_mobilenet_v1", "ssd_mobilenet_v1", fields={"num_classes": 1}),
    Row("ssd_mobilenet_v1_fpn", "ssd_mobilenet_v1_fpn", fields={"depth_multiplier": 0.5}),
    Row("faster_rcnn_resnet50", "faster_rcnn_resnet50"),
    Row("mask_rcnn_inception_v2", "faster_rcnn_inception_v2", fields={"predictor": "masks", "stages": 3}),
)

LIST_VARIABLES = """
import json, sys
from ckptmap.tf.environment import import_quietly, tf1
from ckptmap.tf.models import image_size, read_pipeline
v1 = tf1()
builder = import_quietly("object_detection.builders.model_builder")
for path in sys.argv[1:]:
    pipeline = read_pipeline(path)
    with v1.Graph().as_default():
        image = v1.placeholder(v1.float32, [1, *image_size(pipeline), 3])
        model = builder.build(pipeline.model, is_training=False)
        context = {}
        if "context" in path:
            context["context_features"] = v1.placeholder(v1.float32, [1, 20, 2057])
            context["valid_context_size"] = v1.placeholder(v1.int32, [1])
        model.predict(*model.preprocess(image), **context)
        found = {variable.op.name: variable.shape.as_list() for variable in v1.global_variables()}
    print("VARIABLES", path, json.dumps(found), sep="\\t", flush=True)
"""


@cache
def graphs(*configs: Path) -> dict[str, dict[str, tuple[int, ...]]]:
    """The shape of each variable of the graphs that the API builds from these configs."""
    command = [sys.executable, "-W", "ignore", "-c", LIST_VARIABLES, *map(str, configs)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    lines = [line.split("\t") for line in done.stdout.splitlines() if line.startswith("VARIABLES\t")]
    return {path: {name: tuple(shape) for name, shape in json.loads(text).items()} for _, path, text in lines}


def assert_recognized(shapes: dict[str, tuple[int, ...]], config: PipelineConfig) -> None:
    found = recognize_tf1(shapes)
    assert found is not None
    assert found.extractor_type == config.extractor_type
    assert found.heads.num_classes == config.num_classes
    assert list(differences(found, config)) == []


@pytest.fixture(scope="module")
def configs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("configs")
    for row in MODELS:
        (folder / f"{row.name}.config").write_text(row.tf1_config())
    return {row.name: folder / f"{row.name}.config" for row in MODELS}


@pytest.mark.parametrize("name", [row.name for row in MODELS])
def test_a_graph_is_recognized(configs: dict[str, Path], name: str) -> None:
    shapes = graphs(*configs.values())[str(configs[name])]
    found = recognize_tf1(shapes)
    assert found is not None
    assert found.name == name
    assert_recognized(shapes, read_config(configs[name]))


@pytest.mark.matrix
@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.config")), ids=lambda path: path.stem)
def test_the_graph_of_an_official_config_is_recognized(path: Path) -> None:
    config = read_config(path)
    if config.extractor_type not in EXTRACTORS:
        pytest.skip(f"{config.extractor_type} is no TF1 type")
    assert_recognized(graphs(path)[str(path)], config)
