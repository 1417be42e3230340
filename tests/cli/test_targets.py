from __future__ import annotations

import json

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
