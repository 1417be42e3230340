from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

import ckptmap
from ckptmap.inspection.csv_format import to_csv
from ckptmap.inspection.inspect_document import document
from ckptmap.inspection.inspector import inspect
from ckptmap.report.conversion_document import Document
from ckptmap.report.sheets import schema_file, sheet_of
from tests.convert.conftest import values, write_tf1
from tests.families.detection.test_config_beside import write as write_config
from tests.inspection.test_corpus import ROWS

SCHEMA = json.loads(schema_file("ckptmap.inspect/1").read_text(encoding="utf-8"))


def validated(found: Document) -> Document:
    jsonschema.Draft202012Validator(SCHEMA).validate(found)
    return found


def test_a_small_checkpoint(tmp_path: Path) -> None:
    prefix = write_tf1(tmp_path / "model.ckpt-7", {"w": values((2, 3)), "w/Momentum": values((2, 3))})
    found = validated(document(inspect(prefix)))
    assert found == {
        "schema": "ckptmap.inspect/1",
        "generator": f"ckptmap {ckptmap.__version__}",
        "path": str(prefix),
        "kind": "V2 bundle",
        "object_based": False,
        "written_by": None,
        "data_files": [{"path": f"{prefix}.data-00000-of-00001", "bytes": 48, "problem": None}],
        "notes": [],
        "total": {"variables": 2, "bytes": 48, "weights": 1, "parameters": 6},
        "architecture": None,
        "training": {
            "step": 7,
            "step_from": "file name",
            "optimizers": ["Momentum"],
            "slots": 1,
            "averages": 0,
            "quantization": 0,
        },
        "config": None,
        "convert": {
            "command": None,
            "note": "unknown to ckptmap: draft a table for your own TF2 model, then convert with it:\n"
            f"ckptmap suggest {prefix} --to mine_tf2/ckpt-1 -o my_model.yaml\n"
            f"ckptmap convert {prefix} --table my_model.yaml --to mine_tf2/ckpt-1 -o new",
        },
        "variables": [
            {
                "name": "w",
                "dtype": "float32",
                "shape": [2, 3],
                "bytes": 24,
                "slices": 0,
                "role": "weight",
                "owner": None,
                "readable_name": None,
            },
            {
                "name": "w/Momentum",
                "dtype": "float32",
                "shape": [2, 3],
                "bytes": 24,
                "slices": 0,
                "role": "slot",
                "owner": "w",
                "readable_name": None,
            },
        ],
    }


def test_a_detector_with_a_config(tmp_path: Path) -> None:
    prefix = write_tf1(
        tmp_path / "model.ckpt",
        {
            "FeatureExtractor/MobilenetV2/expanded_conv_16/project/weights": values((1, 1, 1, 320)),
            "BoxPredictor_0/BoxEncodingPredictor/biases": values((12,)),
            "BoxPredictor_0/ClassPredictor/biases": values((36,)),
        },
    )
    write_config(tmp_path / "pipeline.config", reduced="true")
    found = validated(document(inspect(prefix)))
    assert found["architecture"] == {
        "name": "ssd_mobilenet_v2",
        "meta_architecture": "ssd",
        "extractor_type": "ssd_mobilenet_v2",
        "family": "MobileNet",
        "backbone": "mobilenet_v2",
        "depth_multiplier": 1.0,
        "num_classes": 11,
        "anchors_per_location": [3],
        "feature_maps": 1,
        "box_predictor": "convolutional_box_predictor",
        "depthwise_predictor": False,
        "fpn_levels": None,
        "mask_head": False,
    }
    assert found["config"] == {
        "path": str(tmp_path / "pipeline.config"),
        "type": "ssd_mobilenet_v2",
        "agrees": False,
        "differences": [
            {"what": "num_classes", "config": "90", "checkpoint": "11"},
            {"what": "anchors per location", "config": "3, 6, 6", "checkpoint": "3"},
        ],
        "note": None,
    }
    found["config"] |= {"agrees": None, "differences": []}
    path = str(tmp_path / "pipeline.config")
    assert dict(sheet_of(found).facts)["config"] == f"{path}: not compared"
    found["config"]["note"] = "is of another model"
    assert dict(sheet_of(found).facts)["config"] == f"{path}: is of another model"


def test_match_limits_the_list_but_not_the_totals(tmp_path: Path) -> None:
    prefix = write_tf1(tmp_path / "model.ckpt", {"a/w": values((2,)), "b/w": values((2,))})
    found = document(inspect(prefix), match=("a",))
    assert [variable["name"] for variable in found["variables"]] == ["a/w"]
    assert found["total"]["variables"] == 2


@pytest.mark.parametrize("path", ROWS)
def test_real_checkpoints_keep_to_the_schema(corpus: Path, path: str) -> None:
    assert validated(json.loads(json.dumps(document(inspect(corpus / path)))))["path"].startswith(str(corpus))


def test_csv(tmp_path: Path) -> None:
    prefix = write_tf1(tmp_path / "model.ckpt", {"a,b": values(()), "w": values((2, 3)), "w/Adam": values((2, 3))})
    assert to_csv(document(inspect(prefix))["variables"]) == (
        "name,dtype,shape,bytes,slices,role,owner,readable_name\n"
        '"a,b",float32,,4,0,weight,,\n'
        "w,float32,2x3,24,0,weight,,\n"
        "w/Adam,float32,2x3,24,0,slot,w,\n"
    )
