from __future__ import annotations

import json
from pathlib import Path

import jsonschema

from ckptmap.report.sheets import schema_file
from tests.cli.conftest import Run

LONGEST = "mask_rcnn_inception_resnet_v2_upsample"


def test_columns_stand_apart_and_begin_below_each_other(run: Run) -> None:
    lines = run("targets").out.splitlines()
    entries = json.loads(run("targets", "--json").out)["targets"]
    columns = {line.index(f"  {entry['verdict']}  ") for line, entry in zip(lines, entries, strict=True)}
    assert len(columns) == 1
    assert any(line.startswith(f"{LONGEST}  equal with the slim-exact extractor  ") for line in lines)


def test_json_has_what_the_table_shows(run: Run) -> None:
    document = json.loads(run("targets", "--json").out)
    assert document["schema"] == "ckptmap.targets/1"
    names = [entry["name"] for entry in document["targets"]]
    assert names == [line.split()[0] for line in run("targets").out.splitlines()]


def test_targets_take_part_in_the_reports(run: Run, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("t.json", "t.md", "t.csv", "t.xml")]
    result = run("targets", *(item for file in files for item in ("-o", file)))
    assert result.code == 0
    document = json.loads(files[0].read_text(encoding="utf-8"))
    schema = json.loads(schema_file("ckptmap.targets/1").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(document)
    count = len(document["targets"])
    assert files[1].read_text(encoding="utf-8").count("\n| ✅ | `") == count
    assert files[2].read_text(encoding="utf-8").count("\n") == count + 1
    assert files[3].read_text(encoding="utf-8").count("<testcase") == count
    assert run("report", files[0]).out == result.out
