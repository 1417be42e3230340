"""A verification of any two models as a sheet, and in every format."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from ckptmap.report.formats import Format, render
from ckptmap.report.sheet import Level
from ckptmap.report.sheets import schema_file, sheet_of


def output(relative: float | None, run: str | None = None, **changes: Any) -> dict[str, Any]:
    found = {
        "old": "logits/BiasAdd", "new": "logits", "run": run, "shape_old": [2, 5], "shape_new": [2, 5],
        "max": relative, "mean": relative, "spread": 1.0, "relative": relative, "tolerance": 1e-5,
        "within": relative is not None and relative <= 1e-5, "top1": 1.0,
    }  # fmt: skip
    return found | changes


def models(*outputs: dict[str, Any], verdict: str, **changes: Any) -> dict[str, Any]:
    side = {
        "path": "old/model.ckpt",
        "kind": "frozen graph",
        "code": None,
        "variables": 8,
        "notes": ["3 nodes were cut"],
    }
    return {
        "schema": "ckptmap.verify_models/1",
        "generator": "ckptmap 1.2.3",
        "old": side,
        "new": side | {"path": "new.keras", "kind": "Keras 3 model", "code": "mine:build", "notes": []},
        "agree": verdict != "different",
        "verdict": verdict,
        "seed": 0,
        "inputs": [{"old": "ids:0", "new": "ids", "dtype": "int32", "shape": [2, 7], "values": "made up, below 50"}],
        "settings": ["is_training:0 of the old model is False"],
        "outputs": list(outputs),
        "only_old": [],
        "only_new": ["pooled"],
        "first_difference": None,
        "causes": [],
        "larger": [],
        "parts": [],
        "unexplained": None,
        "picture": None,
    } | changes  # fmt: skip


CAUSE = {"name": "epsilon", "text": "epsilon is 1e-3", "fix": "set 1e-5", "evidence": "both graphs", "proven": True}
PART = {
    "name": "conv", "operation": "Conv2D", "variables": ["conv/kernel"], "relative": 0.5, "differs": True,
    "compared": True,
}  # fmt: skip
EQUAL = models(output(0.0), verdict="equal")
DIFFERENT = models(
    output(2e-6),
    output(0.25, "small variances", top1=0.5),
    verdict="different",
    first_difference="conv",
    causes=[CAUSE],
    parts=[PART | {"differs": False, "relative": 0.0, "name": "stem"}, PART],
    picture="layers.svg",
)
ZEROED = CAUSE | {"name": "zeroed bias", "text": "fc/bias holds zeros"}
LARGER = DIFFERENT | {"larger": [{"at": "fc (MatMul)", "relative": 0.2, "causes": [ZEROED]}]}
EARLIER = {key: value for key, value in DIFFERENT.items() if key != "larger"}
"""As it was written before a larger difference had a place."""
SHAPES = models(output(None, max=None, mean=None, shape_new=[2, 6], top1=None), verdict="different")


@pytest.mark.parametrize("document", [EQUAL, DIFFERENT, LARGER, EARLIER, SHAPES])
def test_documents_follow_the_schema_and_render_in_every_format(document: dict[str, Any]) -> None:
    jsonschema.validate(document, json.loads(schema_file("ckptmap.verify_models/1").read_text(encoding="utf-8")))
    for form in Format:
        assert render(document, form)


def test_the_verdict_says_how_equal_the_models_are() -> None:
    assert sheet_of(EQUAL).verdict == "the models are equal to the last bit: 1 output"
    close = sheet_of(models(output(2e-6), verdict="equal within rounding"))
    assert close.verdict == (
        "the models are equal within rounding: 1 output, logits/BiasAdd max |Δ| 2e-06, 2e-06 of the spread, "
        "top 1 agrees in 100.0%"
    )
    assert (close.passed, sheet_of(EQUAL).passed) == (True, True)


def test_a_difference_after_a_layer_is_said_in_plain_words() -> None:
    after = sheet_of({**DIFFERENT, "first_difference": "after conv (AddV2)"}).verdict
    assert after.endswith("; first after conv (AddV2); cause: epsilon")


def test_where_and_why_they_differ_is_said() -> None:
    sheet = sheet_of(DIFFERENT)
    assert sheet.verdict == (
        "the models differ: 1 output, logits/BiasAdd with small variances max |Δ| 0.25, 0.25 of the spread, "
        "top 1 agrees in 50.0%; first at conv; cause: epsilon"
    )
    assert not sheet.passed
    assert [(row.name, row.fate, row.level) for row in sheet.rows] == [
        ("logits/BiasAdd", "within rounding", Level.OK),
        ("logits/BiasAdd/small variances", "differ", Level.FAILURE),
        ("stem (Conv2D)", "equal", Level.OK),
        ("conv (Conv2D)", "differ", Level.NOTE),
    ]
    assert [message.level for message in sheet.messages] == [Level.FAILURE, Level.NOTE, Level.WARNING]
    assert "pooled" in sheet.messages[2].text
    assert ("input", "ids:0 = ids: int32[2, 7], made up, below 50") in sheet.facts
    assert ("seed", "0") in sheet.facts
    assert "[2, 5] → [2, 6]" in sheet_of(SHAPES).verdict


def test_a_larger_difference_behind_the_first_is_said_beside_it() -> None:
    sheet = sheet_of(LARGER)
    assert sheet.verdict.endswith("first at conv; cause: epsilon; far more at fc (MatMul); cause: zeroed bias")
    assert [message.text.split(" [")[0] for message in sheet.messages if message.level is Level.FAILURE] == [
        "cause: epsilon is 1e-3", "cause: fc/bias holds zeros",
    ]  # fmt: skip


def test_junit_fails_where_an_output_differs() -> None:
    text = render(DIFFERENT, Format.JUNIT).decode()
    assert 'failures="2"' in text  # the output, and the cause
    assert "small variances" in text
    assert 'failures="0"' in render(EQUAL, Format.JUNIT).decode()
