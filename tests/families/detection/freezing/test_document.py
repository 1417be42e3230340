import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from ckptmap.families.detection.freezing.freeze_document import Document, freeze_document
from ckptmap.report.sheets import schema_file
from ckptmap.verbs.freeze import freeze
from tests.convert.conftest import write_tf1

FIXTURE = Path(__file__).parents[4] / "fixtures" / "ssd_mobilenet_v2_tiny"


def validate(document: Document) -> None:
    schema = json.loads(schema_file("ckptmap.freeze/1").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(json.loads(json.dumps(document)))


def test_patterns_of_every_field_and_stages_follow_the_schema(tmp_path: Path) -> None:
    text = (FIXTURE / "pipeline.config").read_text()
    fields = 'freeze_variables: "FeatureExtractor/" freeze_variables: "xyz" update_trainable_variables: "Box"'
    (tmp_path / "pipeline.config").write_text(text.replace("train_config {", f"train_config {{ {fields}"))
    found = freeze(FIXTURE, pipeline=tmp_path / "pipeline.config", stages=["heads", "all"], trainer="model_main")
    document = freeze_document(found)
    validate(document)
    assert [(one["field"], one["nearest"]) for one in document["patterns"]] == [
        ("freeze_variables", None),
        ("freeze_variables", None),
        ("update_trainable_variables", None),
    ]
    validate(freeze_document(freeze(FIXTURE, patterns=["feature_extractor/.*"])))


def test_a_model_that_is_no_detector_follows_the_schema(tmp_path: Path) -> None:
    source = write_tf1(tmp_path / "model.ckpt", {"dense/kernel": np.zeros((2, 3), np.float32)})
    document = freeze_document(freeze(source, patterns=["dense"]))
    validate(document)
    assert {(weight["part"], weight["layer"]) for weight in document["variables"]} == {("", None)}


def test_an_unknown_key_breaks_the_schema() -> None:
    document = freeze_document(freeze(FIXTURE, patterns=["FeatureExtractor/.*"]))
    with pytest.raises(jsonschema.ValidationError) as refused:
        validate({**document, "more": 1})
    assert (refused.value.validator, list(refused.value.path)) == ("additionalProperties", [])
