from __future__ import annotations

import json

from ckptmap.families.detection.pipeline.schema import load_schema
from ckptmap.tf import config_schema


def test_the_shipped_schema_is_what_the_api_says() -> None:
    assert config_schema.OUTPUT.read_text(encoding="utf-8") == config_schema.render(config_schema.make_schema())


def test_the_schema_names_its_generator_and_the_api() -> None:
    raw = json.loads(config_schema.OUTPUT.read_text(encoding="utf-8"))
    assert raw["generator"] == "python -m ckptmap.tf.config_schema"
    assert raw["api"] == load_schema().api == "tf-models-research-object-detection 2.8.0.post1"


def test_main_writes_the_file_named(tmp_path, capsys) -> None:
    config_schema.main([str(tmp_path / "schema.json")])
    assert json.loads((tmp_path / "schema.json").read_text(encoding="utf-8"))["root"] == "TrainEvalPipelineConfig"
    assert capsys.readouterr().out == f"wrote {tmp_path / 'schema.json'}\n"
