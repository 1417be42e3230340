"""Networks whose own TF1 code goes on are known by their names, and keep them; no TensorFlow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import ckptmap
from ckptmap.basics.errors import TargetError
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.inventory import Inventory, Kind, Variable
from ckptmap.families.advice import advice
from ckptmap.families.family import Model
from ckptmap.families.own_code.slim import NETWORKS as SLIM
from ckptmap.families.registry import preprocessing_of, recognize, verdict_on
from ckptmap.targets import list_targets
from tests.convert.conftest import tf1_values, values, write_template, write_tf1

STORE = "model/_tf1_style_var_store/_vars"
TAIL = "/.ATTRIBUTES/VARIABLE_VALUE"
Shapes = dict[str, tuple[int, ...]]


def known(shapes: Shapes) -> tuple[Inventory, Model | None]:
    variables = {name: Variable(name, DType.FLOAT32, shape, 0) for name, shape in shapes.items()}
    inventory = Inventory(Kind.V2, "old/model.ckpt", variables)
    return inventory, recognize(inventory)


INCEPTION = {
    "InceptionV1/Conv2d_1a_7x7/weights": (7, 7, 3, 64),
    "InceptionV1/Logits/Conv2d_0c_1x1/weights": (1, 1, 1024, 9),
}
FILM = {"InceptionV1/Conv2d_1a_7x7/weights": (7, 7, 7, 3, 64), "InceptionV1/Logits/Conv2d_0c_1x1/biases": (400,)}
V2 = "InceptionV2/Mixed_5c/Branch_0/Conv2d_0a_1x1/weights"
CELLS = {f"cell_{at}/1x1/weights": (1, 1, 4, 4) for at in range(9)}
LAYERS = {f"{name}/w": (1, 1) for name in ("layer_1", "layer_2", "layer_3", "layer_5", "cudnn_lstm")}


@pytest.mark.parametrize(
    ("shapes", "name", "call"),
    [
        (INCEPTION, "inception_v1", 'slim_network("inception_v1", num_classes=9)'),
        (FILM, "i3d", 'slim_network("i3d", num_classes=400)'),
        ({**FILM, "InceptionV1/Conv2d_2c_3x3/temporal/weights": (3, 1, 1, 1, 1)}, "s3dg", "slim_network"),
        (
            {V2: (1, 1, 1024, 176)},
            "inception_v2",
            'slim_network("inception_v2", num_classes=None, depth_multiplier=0.5)',
        ),
        ({V2: (1, 1, 1024, 352)}, "inception_v2", 'slim_network("inception_v2", num_classes=None)'),
        ({"LeNet/fc4/weights": (1024, 10)}, "lenet", 'slim_network("lenet", num_classes=10)'),
        (
            {"resnet_v2_200/logits/weights": (1, 1, 2048, 5)},
            "resnet_v2_200",
            'slim_network("resnet_v2_200", num_classes=5)',
        ),
        (
            {**CELLS, "final_layer/FC/weights": (1, 5)},
            "pnasnet_mobile",
            'slim_network("pnasnet_mobile", num_classes=5)',
        ),
        ({**CELLS, "reduction_cell_0/x": (1,), "l1_stem_3x3/x": (1,)}, "nasnet_cifar", "slim_network"),
        ({"Generator/deconv1/weights": (4, 4, 512, 64)}, "dcgan", "slim_network"),
        (
            {f"{name}/Conv/weights": (3, 3, 3, 3) for name in ("encoder", "decoder", "output")},
            "pix2pix",
            "slim_network",
        ),
        (
            {"MobilenetV2/Conv/weights": (3, 3, 3, 32), "logits/semantic/weights": (1, 1, 256, 21)},
            "deeplab_v3",
            "multi_scale",
        ),
        ({"xception_65/entry/weights": (3, 3), "logits/semantic/biases": (21,)}, "deeplab_v3", "multi_scale"),
        ({"InceptionResnetV1/Conv2d_1a_3x3/weights": (3, 3, 3, 32)}, "facenet", "inception_resnet_v1.inference"),
        ({"vggish/fc1/fc1_1/weights": (12288, 4096)}, "vggish", "define_vggish_slim"),
        (
            {"resnet_v1_50/conv1/weights": (7, 7), "attention_block/attention/compute/conv1/weights": (1, 1)},
            "delf",
            "DelfV1",
        ),
        ({"AttentionOcr_v1/conv_tower_fn/INCE/InceptionV3/x": (1,)}, "attention_ocr", "create_base"),
        ({"detector/darknet-53/Conv/weights": (3, 3, 3, 32)}, "yolo_v3", "yolo_v3.yolo_v3"),
        ({"yolov3/darknet53_body/Conv/weights": (3, 3, 3, 32)}, "yolo_v3", "forward"),
        ({**LAYERS, "layer_6/weights": (2048, 29)}, "deepspeech", "create_model"),
    ],
)
def test_what_is_recognized(shapes: Shapes, name: str, call: str) -> None:
    inventory, found = known(shapes)
    assert found is not None
    assert (found.name, found.targets) == (name, ("own_code",))
    line = next(line for line in found.remark.splitlines() if line.startswith("model = "))
    assert call in line
    assert line.endswith("# equal")
    assert advice(inventory, found, list_targets()).command == (
        f"ckptmap convert old/model.ckpt --to own_code -o {name}_tf2"
    )


@pytest.mark.parametrize(
    "shapes",
    [
        {"FeatureExtractor/InceptionV2/Conv2d_1a_7x7/depthwise_weights": (7, 7, 3, 8)},
        {
            "InceptionV3/Conv2d_1a_3x3/weights": (3, 3, 3, 32),
            "InceptionV3/Logits/Conv2d_1c_1x1/weights": (1, 1, 2048, 5),
        },
        {"encoder/kernel": (3, 3), "decoder/kernel": (3, 3)},
        {"MobilenetV2/Conv/weights": (3, 3, 3, 32), "logits/weights": (3, 3)},
    ],
)
def test_others_stay_what_they_are(shapes: Shapes) -> None:
    found = known(shapes)[1]
    assert found is None or found.targets != ("own_code",)


def test_every_call_of_slim_names_a_network_that_there_is() -> None:
    assert {"inception_v1", "nasnet_large", "cyclegan_generator_resnet", "pix2pix_discriminator"} <= SLIM.keys()


def test_every_weight_keeps_its_name(tmp_path: Path) -> None:
    tensors = tf1_values()
    slots = {f"{name}/Adam": value for name, value in tensors.items() if name.startswith("net")}
    report = ckptmap.convert(
        write_tf1(tmp_path / "model.ckpt", {**tensors, **slots}), to="own_code", output=tmp_path / "new"
    )
    assert (report["findings"], report["verdict"]["kind"]) == ([], "equal")
    with ckptmap.open_checkpoint(tmp_path / "new") as new:
        weights = {name for name in tensors if name != "global_step"}
        keys = {name: f"{STORE}/{name.replace('/', '.S')}{TAIL}" for name in weights}
        assert set(keys.values()) <= set(new)
        for name, key in keys.items():
            np.testing.assert_array_equal(np.asarray(new[key]), tensors[name])


def test_a_moving_average_wins_and_a_dot_is_escaped(tmp_path: Path) -> None:
    raw, mean = values((2,)), values((2,), 9)
    old = write_tf1(tmp_path / "model.ckpt", {"a.b/w": raw, "a.b/w/ExponentialMovingAverage": mean})
    ckptmap.convert(old, to="own_code", output=tmp_path / "new")
    with ckptmap.open_checkpoint(tmp_path / "new") as new:
        np.testing.assert_array_equal(np.asarray(new[f"{STORE}/a..b.Sw{TAIL}"]), mean)


def test_and_back(tmp_path: Path) -> None:
    old = write_tf1(tmp_path / "model.ckpt", tf1_values())
    ckptmap.convert(old, to="own_code", output=tmp_path / "new")
    made = tmp_path / "new"
    ckptmap.convert_back(made, back=made / "report.json", fill=old, output=tmp_path / "back")
    with ckptmap.open_checkpoint(old) as before, ckptmap.open_checkpoint(tmp_path / "back") as after:
        assert set(after) == set(before)
        assert all(np.array_equal(after[name], before[name]) for name in after)


def test_several_at_once(tmp_path: Path) -> None:
    olds = [
        write_tf1(tmp_path / f"run{at}" / "model.ckpt", {**tf1_values(), f"own{at}/w": values((at,))}) for at in (1, 2)
    ]
    report = ckptmap.convert_many(olds, to="own_code", output=tmp_path / "new")
    assert [one["fate"] for one in report["conversions"]] == ["converted", "converted"]


def test_what_it_is_not_for(tmp_path: Path) -> None:
    old = write_tf1(tmp_path / "model.ckpt", tf1_values())
    table = tmp_path / "mine.yaml"
    table.write_text("variables: [{from: 'net/conv/weights', to: 'a'}]\n")
    with pytest.raises(TargetError, match="own_code keeps all names"):
        ckptmap.convert(old, to="own_code", table=table, output=tmp_path / "new")
    with pytest.raises(TargetError, match="own_code is for checkpoints of TF1"):
        ckptmap.convert(write_template(tmp_path / "mine" / "ckpt-1"), to="own_code", output=tmp_path / "new")
    with pytest.raises(TargetError, match="own_code keeps all classes"):
        ckptmap.convert(old, to="own_code", num_classes=3, output=tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_what_is_said_of_it() -> None:
    verdict = verdict_on("own_code")
    assert verdict is not None
    assert (str(verdict), verdict.extractor_type) == ("equal", "own_code(function)")
    assert preprocessing_of("own_code") == "what its TF1 code takes: that code goes on"
