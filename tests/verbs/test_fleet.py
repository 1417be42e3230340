"""A catalogue of many checkpoints: a row each, also for what cannot be read."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from pathlib import Path

import jsonschema
import numpy as np
import pytest

import ckptmap
from ckptmap.report.formats import Format, render
from ckptmap.report.sheets import check_read, schema_file, sheet_of
from tests.cli.conftest import Run
from tests.cli.conftest import run as run  # noqa: PLC0414
from tests.convert.conftest import write_tf1

FIXTURES = Path(__file__).parents[2] / "fixtures"


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    """A detector, the same in training, one cut off, a model that nobody knows, an index that is none."""
    folder = tmp_path / "fleet"
    shutil.copytree(FIXTURES / "ssd_mobilenet_v2_tiny", folder / "a")
    shutil.copytree(FIXTURES / "ssd_mobilenet_v2_training", folder / "b")
    shutil.copytree(FIXTURES / "ssd_mobilenet_v2_tiny", folder / "cut")
    data = folder / "cut" / "model.ckpt.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:-9])
    write_tf1(folder / "own" / "m", {"net/w": np.zeros((2, 3), np.float32)})
    shutil.copytree(FIXTURES / "ssd_mobilenet_v2_tiny", folder / "torn")
    (folder / "torn" / "model.ckpt.index").write_bytes(b"no index")
    return folder


def test_a_row_says_what_a_checkpoint_is_and_what_becomes_of_it(fleet: Path) -> None:
    found = ckptmap.catalogue([fleet])
    jsonschema.validate(dict(found), json.loads(schema_file("ckptmap.catalogue/1").read_text(encoding="utf-8")))
    check_read(found, "the catalogue")
    rows = {Path(row["path"]).name: row for row in found["checkpoints"]}
    assert list(rows) == ["a", "b", "cut", "own", "torn"]
    assert rows["b"] == {
        "path": str(fleet / "b"),
        "kind": "V2 bundle",
        "object_based": False,
        "architecture": "ssd_mobilenet_v2",
        "classes": 3,
        "step": 3,
        "optimizer": "RMSProp",
        "averages": 204,
        "variables": 937,
        "bytes": 1_356_104,
        "target": "ssd_mobilenet_v2",
        "verdict": "equal",
        "command": rows["b"]["command"],
        "note": None,
        "problems": [],
    }
    assert rows["b"]["command"].startswith("ckptmap convert ")
    assert [len(row["problems"]) for row in rows.values()] == [0, 0, 1, 0, 1]
    assert "too short" in rows["cut"]["problems"][0]
    assert (rows["own"]["architecture"], rows["own"]["variables"], rows["own"]["bytes"]) == (None, 1, 24)
    assert rows["torn"]["kind"] is None
    assert found["exit_code"] == 1


def test_the_page_sums_up_which_models_there_are(fleet: Path) -> None:
    found = ckptmap.catalogue([fleet])
    sheet = sheet_of(found)
    assert sheet.verdict == "3 of 5 checkpoints can be read; 2 are equal in TF2; 2 with problems"
    assert sheet.facts[1:] == (
        ("ssd_mobilenet_v2", "3 checkpoints: 2 equal, 1 with problems"),
        ("unknown model", "2 checkpoints: 1 unknown, 1 with problems"),
    )
    assert [len(group.rows) for group in sheet.groups] == [1] * 5
    for form in Format:
        assert render(found, form)


def test_many_processes_read_the_same_as_one(tmp_path: Path) -> None:
    for number in range(30):
        write_tf1(tmp_path / "many" / f"{number:02}" / "m", {"w": np.zeros(number + 1, np.float32)})
    alone, together = (ckptmap.catalogue([tmp_path / "many"], jobs=jobs) for jobs in (1, 3))
    assert [row["bytes"] for row in together["checkpoints"]] == [4 * (number + 1) for number in range(30)]
    assert dict(alone) == dict(together)


def test_the_command_writes_a_table_and_ends_with_1_where_one_has_problems(
    fleet: Path, tmp_path: Path, run: Run
) -> None:
    result = run("fleet", "inspect", fleet, "-o", tmp_path / "fleet.csv", "-o", tmp_path / "fleet.json")
    assert result.code == 1
    assert "3 of 5 checkpoints can be read" in result.out
    with (tmp_path / "fleet.csv").open(encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    assert [row["verdict"] for row in rows] == ["equal", "equal", "equal", "", ""]
    assert [row["step"] for row in rows][:2] == ["0", "3"]
    shown = run("report", tmp_path / "fleet.json", "-o", tmp_path / "fleet.html")
    assert shown.code == 0
    assert "2 are equal in TF2" in (tmp_path / "fleet.html").read_text(encoding="utf-8")
    assert run("fleet", "inspect", fleet / "a").code == 0
    assert run("fleet", "inspect").code == 2


def test_each_command_writes_into_a_folder_of_its_own(tmp_path: Path) -> None:
    for name in ("a", "b"):
        shutil.copytree(FIXTURES / "ssd_mobilenet_v2_tiny", tmp_path / "zoo" / name)
    shutil.copytree(FIXTURES / "ssd_mobilenet_v2_tiny", tmp_path / "zoo" / "a" / "inner")
    write_tf1(tmp_path / "zoo" / "own" / "m", {"net/w": np.zeros((2, 3), np.float32)})
    found = ckptmap.catalogue([tmp_path / "zoo" / "a", tmp_path / "zoo" / "b", tmp_path / "zoo" / "own"])
    outputs = [row["command"].rpartition(" -o ")[2] for row in found["checkpoints"] if row["command"]]
    assert outputs == ["ssd_mobilenet_v2_tf2/a", "ssd_mobilenet_v2_tf2/b"]
    alone = ckptmap.catalogue([tmp_path / "zoo" / "a"])
    assert alone["checkpoints"][0]["command"].endswith(" -o ssd_mobilenet_v2_tf2")
    nested = ckptmap.catalogue([tmp_path / "zoo" / "a", tmp_path / "zoo" / "a" / "inner"])
    outputs = [row["command"].rpartition(" -o ")[2] for row in nested["checkpoints"]]
    assert outputs == ["ssd_mobilenet_v2_tf2/1", "ssd_mobilenet_v2_tf2/2"]


def test_unknown_models_have_a_table_each_and_a_cell_is_one_line(tmp_path: Path) -> None:
    for name in ("a/m", "b/m", "b-m"):
        write_tf1(tmp_path / name / "m", {"net/w": np.zeros((2, 3), np.float32)})
    found = ckptmap.catalogue([tmp_path])
    tables = [re.findall(r"-o (\S+)", row["note"]) for row in found["checkpoints"]]
    assert tables == [["1.yaml", "new/1"], ["2.yaml", "new/2"], ["3.yaml", "new/3"]]  # b/m and b-m would share b-m.yaml
    found = ckptmap.catalogue([tmp_path / "a", tmp_path / "b"])
    assert [re.findall(r"-o (\S+)", row["note"]) for row in found["checkpoints"]] == [
        ["a-m.yaml", "new/a/m"],
        ["b-m.yaml", "new/b/m"],
    ]
    for form in (Format.CSV, Format.HTML, Format.MARKDOWN):
        assert b"\\n" not in render(found, form), form
    cell = next(csv.DictReader(io.StringIO(render(found, Format.CSV).decode())))["note"]
    assert cell.startswith("unknown to ckptmap: draft a table for your own TF2 model, then convert with it: ckptmap ")
    assert cell.count("; ckptmap convert ") == 1
