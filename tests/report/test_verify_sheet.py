"""A verification as a sheet, and in every format."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from ckptmap.report.formats import Format, plain_text, render
from ckptmap.report.sheet import Level
from ckptmap.report.sheets import schema_file, sheet_of
from tests.report.conftest import HOSTILE


def output(name: str, largest: float, level: str | None = None, tolerance: float = 0.0) -> dict[str, Any]:
    return {
        "name": name,
        "level": level,
        "shape_old": [1, 3, 4],
        "shape_new": [1, 3, 4],
        "max": largest,
        "mean": largest / 2,
        "spread": 2.0,
        "relative": largest / 2,
        "tolerance": tolerance,
        "within": largest / 2 <= tolerance,
    }


def image(name: str, *, agrees: bool = True, **fates: int) -> dict[str, Any]:
    counts = dict.fromkeys(("equal", "moved", "relabelled", "lost", "new"), 0) | fates
    return {
        "name": name,
        "height": 10,
        "width": 20,
        "agrees": agrees,
        "relative": 0.0 if agrees else 0.5,
        "detections": counts,
        "picture": "picture-1.png",
        "matches": [{"fate": "lost", "old": {"box": [0, 0, 1, 1], "score": 0.5, "class": 1}, "new": None}]
        * counts["lost"],
    }


def verification(**more: Any) -> dict[str, Any]:
    document = {
        "schema": "ckptmap.verify/1",
        "generator": "ckptmap 1.2.3",
        "old": {"path": "old", "kind": "frozen graph", "config": None, "weights": None, "without": []},
        "new": {"path": "new", "kind": "TF2 SavedModel", "config": None},
        "agree": True,
        "min_score": 0.3,
        "detections": {"equal": 7, "moved": 0, "relabelled": 0, "lost": 0, "new": 0},
        "outputs": [output("box_encodings", 0.0), output("box_encodings", 0.0, "P3 (2x2)")],
        "only_old": [],
        "only_new": [],
        "values": {"equal": 324, "note": None, "wrong": []},
        "first_difference": None,
        "causes": [],
        "images": [image("a.jpg", equal=7)],
        "parts": [],
    }
    return document | more


def differing(name: str = "b.jpg") -> dict[str, Any]:
    cause = {"name": "FPN top-down path", "text": "the sum", "fix": "exact", "evidence": "it agrees", "proven": True}
    part = {
        "name": "fpn/smoothing_1",
        "place": "input",
        "group": "neck",
        "level": "P3",
        "relative": None,
        "shape_old": [1],
        "shape_new": [2],
        "differs": True,
    }
    wrong = {"source": name, "key": "k", "part": "neck", "holds": "another variable's value", "of": name}
    return verification(
        agree=False,
        detections={"equal": 3, "moved": 1, "relabelled": 0, "lost": 1, "new": 0},
        outputs=[
            output("box_encodings", 3.0),
            output("box_encodings", 0.0, "P4 (1x1)"),
            output("detection_boxes", 9.0),
        ],
        only_new=["raw_detection_boxes"],
        values={"equal": 323, "note": None, "wrong": [wrong]},
        first_difference="feature pyramid at P3: the input of fpn/smoothing_1",
        causes=[cause, cause | {"name": name, "proven": False}],
        images=[image(name, agrees=False, equal=3, moved=1, lost=1)],
        parts=[part],
    )


@pytest.mark.parametrize("document", [verification(), differing()], ids=["agree", "differ"])
def test_the_documents_follow_their_schema(document: dict[str, Any]) -> None:
    schema = json.loads(schema_file(document["schema"]).read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(document)


def test_models_that_agree() -> None:
    sheet = sheet_of(verification())
    assert sheet.passed
    assert sheet.verdict == "the models agree: 1 image, outputs equal to the last bit, 7 of 7 detections equal"
    assert dict(sheet.facts)["values"] == "324 of 324 variables hold the old checkpoint's values"
    near = sheet_of(verification(outputs=[output("box_encodings", 1e-6, tolerance=2e-5)]))
    assert near.verdict == "the models agree: 1 image, outputs within 5e-07 of their spread, 7 of 7 detections equal"


def test_models_that_differ() -> None:
    sheet = sheet_of(differing())
    assert not sheet.passed
    assert sheet.verdict == (
        "the models differ: box_encodings by 1.5 of its spread, 3 of 5 detections equal; "
        "first at feature pyramid at P3: the input of fpn/smoothing_1; cause: FPN top-down path"
    )
    assert [(one.side, one.fate, one.count) for one in sheet.counts if one.count] == [
        ("outputs", "differ", 2),
        ("levels", "equal", 1),
        ("images", "differ", 1),
        ("parts", "differ", 1),
        ("values", "differ", 1),
        ("detections", "equal", 3),
        ("detections", "moved", 1),
        ("detections", "lost", 1),
    ]


def test_the_text_says_what_counts_are_of() -> None:
    lines = plain_text(differing()).splitlines()
    assert "  outputs       0 equal       0 within rounding       2 differ" in lines
    assert "  detections    3 equal       1 moved       0 relabelled       1 lost       0 new" in lines
    assert "error     cause: the sum [it agrees] (exact)" in lines
    assert "note      the old model does not return raw_detection_boxes: not compared" in lines
    assert "picture   picture-1.png  b.jpg: old left, new right; 3 equal, 1 moved, 1 lost" in lines


def test_without_detections_the_report_says_what_shows_some() -> None:
    none = verification(detections=dict.fromkeys(("equal", "moved", "relabelled", "lost", "new"), 0))
    assert [(message.level, message.text, message.hint) for message in sheet_of(none).messages] == [
        (
            Level.NOTE,
            "no detection scores 0.3 or more",
            "--min-score shows weaker ones; random images rarely show any",
        )
    ]


def test_markdown_shows_the_pictures_and_counts_results() -> None:
    text = render(differing(), Format.MARKDOWN).decode()
    assert "![b.jpg: old left, new right; 3 equal, 1 moved, 1 lost](<picture-1.png>)" in text
    assert "|  | fate | results |" in text


@pytest.mark.parametrize("form", [form for form in Format if form is not Format.PARQUET])
@pytest.mark.parametrize("name", HOSTILE)
def test_every_format_takes_hostile_names(form: Format, name: str) -> None:
    rendered = render(differing(name), form).decode()
    assert "\x1b" not in rendered
    assert form is not Format.HTML or "<script>alert" not in rendered


LACKING = {"path": "old", "kind": "slim graph", "config": "old.config", "weights": None, "without": ["graph_rewriter"]}


def test_what_the_old_side_ran_without_is_part_of_the_verdict() -> None:
    sheet = sheet_of(verification(old=LACKING))
    assert sheet.verdict.startswith("the weights agree, the old model run without its graph_rewriter: 1 image, outputs")
    (message,) = [one for one in sheet.messages if "graph_rewriter" in one.text]
    assert (message.level, message.where) == (Level.WARNING, "old.config")
    assert "only the weights are proven" in message.text
    assert "only the weights are proven" in " ".join(plain_text(verification(old=LACKING)).split())
    differing_sheet = sheet_of(differing() | {"old": LACKING})
    assert "the old one ran without its graph_rewriter" in differing_sheet.verdict


def test_a_report_of_an_earlier_version_is_shown() -> None:
    old = {name: value for name, value in LACKING.items() if name != "without"}
    document = verification(old=old)
    jsonschema.validate(document, json.loads(schema_file(document["schema"]).read_text()))
    assert sheet_of(document).verdict.startswith("the models agree: 1 image")
