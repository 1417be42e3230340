import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ckptmap.audit import audit
from ckptmap.audit.audit_document import audit_document
from ckptmap.basics.documents import read_document
from ckptmap.basics.errors import CkptmapError
from ckptmap.diff import diff
from ckptmap.diff.diff_document import diff_document
from ckptmap.report.conversion_document import document
from ckptmap.report.sheets import check_read, schema_file, sheet_of
from ckptmap.verbs.conversion import convert, plan
from tests.convert.conftest import TABLE, tf1_values, values, write_template, write_tf1

TINY = Path(__file__).parents[2] / "fixtures" / "ssd_mobilenet_v2_tiny"


def check(document: dict[str, Any]) -> None:
    schema = json.loads(schema_file(document["schema"]).read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(json.loads(json.dumps(document)))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "t.yaml").write_text(TABLE)
    return write_tf1(tmp_path / "old" / "model.ckpt", {**tf1_values(), "lost": values((2,))})


def test_a_conversion_follows_its_schema(source: Path, tmp_path: Path) -> None:
    to = write_template(tmp_path / "zoo" / "ckpt-0", classes=2, extra={"more/kernel": ("More/kernel", (3,))})
    made = plan(source, to=to, table=tmp_path / "t.yaml")
    check(document(made))
    assert len(document(made)["findings"]) == 3
    options = {"allow_unused": ["lost"], "init_missing": True, "num_classes": 1, "output": tmp_path / "new"}
    written = convert(source, to=to, table=tmp_path / "t.yaml", **options)
    check(written)
    sheet = sheet_of(written)
    assert sheet.passed
    assert [(count.side, count.fate, count.count) for count in sheet.counts] == [
        ("target", "restored", 4),
        ("target", "reinitialized", 2),
        ("target", "missing", 1),
        ("source", "mapped", 4),
        ("source", "superseded", 0),
        ("source", "dropped", 3),
        ("source", "unused", 1),
    ]
    assert sheet.edits == ()


def test_a_detector_without_a_config_is_told_what_train_config_needs(tmp_path: Path) -> None:
    written = convert(TINY, to="ssd_mobilenet_v2", no_pipeline=True, output=tmp_path / "new")
    assert [(edit.path, edit.new) for edit in sheet_of(written).edits] == [
        ("train_config.fine_tune_checkpoint", f'"{tmp_path}/new/ckpt-0"'),
        ("train_config.fine_tune_checkpoint_type", '"full"'),
        ("train_config.fine_tune_checkpoint_version", "V2"),
    ]


def test_a_comparison_follows_its_schema(source: Path, tmp_path: Path) -> None:
    other = write_tf1(tmp_path / "b" / "model.ckpt", {**tf1_values(), "net/conv/weights": values((1, 1, 3, 8), 12)})
    found = diff_document(diff(source, other))
    check(found)
    sheet = sheet_of(found)
    assert (sheet.passed, sheet.verdict) == (False, "different: 2 of 8 variables")
    changed = next(row for row in sheet.rows if row.fate == "changed")
    assert changed.detail == "max |Δ| 2, RMS 2, cosine 0.99969"
    assert changed.record["max_delta"] == 2.0


def test_an_audit_follows_its_schema(source: Path, tmp_path: Path) -> None:
    to = write_template(tmp_path / "zoo" / "ckpt-0", classes=2)
    other = write_template(tmp_path / "b" / "ckpt-0", classes=3)
    found = audit_document(audit(other, like=to))
    check(found)
    sheet = sheet_of(found)
    assert not sheet.passed
    assert sheet.verdict == (
        "the restore fails: ValueError: Head/ClassPredictor/bias: shape [3] in the checkpoint, [2] in the model,"
        " and 1 variable more"
    )
    check(audit_document(audit(source, like=to)))


def test_the_example_of_the_other_tests_follows_the_schema(conversion: dict[str, Any], hostile: dict[str, Any]) -> None:
    check(conversion)
    check(hostile)


def test_a_document_of_another_schema_is_refused() -> None:
    with pytest.raises(CkptmapError, match=r"the schema ckptmap\.report/2 is not one of a report"):
        sheet_of({"schema": "ckptmap.report/2"})


def test_a_document_with_holes_is_refused(conversion: dict[str, Any]) -> None:
    del conversion["target_variables"][0]["fate"]
    with pytest.raises(CkptmapError, match=r"r.json: does not follow the schema ckptmap.report/1: 'fate' is missing"):
        check_read(conversion, "r.json")
    with pytest.raises(KeyError):  # in a document of our own making it is our mistake, and not the user's
        sheet_of(conversion)


@pytest.mark.parametrize("text", ["[]", "{}", "{"])
def test_a_file_that_holds_no_report_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(CkptmapError, match=r"x\.json: (is not a report of ckptmap|cannot be read as a report)"):
        read_document(tmp_path / "x.json")
