from typing import Any
from xml.etree import ElementTree as ET

from ckptmap.report.junit import to_junit
from ckptmap.report.sheets import sheet_of
from tests.report.conftest import HOSTILE


def test_a_test_case_for_each_group_and_each_finding(conversion: dict[str, Any]) -> None:
    root = ET.fromstring(to_junit(sheet_of(conversion)))  # noqa: S314 - our own
    suite = root[0]
    assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == (
        "old/model.ckpt → ssd_mobilenet_v2", "8", "4",
    )  # fmt: skip
    cases = {(case.get("classname"), case.get("name")): case.find("failure") for case in suite.iter("testcase")}
    assert {key: failure is not None for key, failure in cases.items()} == {
        ("ckptmap.convert.target", "block_{1..2}"): False,
        ("ckptmap.convert.target", "head"): False,
        ("ckptmap.convert.target", "extra"): True,
        ("ckptmap.convert.source", "old/block_{1..2}"): False,
        ("ckptmap.convert.source", "old/head"): False,
        ("ckptmap.convert.source", "old"): True,
        ("ckptmap.convert.findings", "tables/t.yaml:7: 1 source variable is unused"): True,
        ("ckptmap.convert.findings", "extra/bias: 1 target variable is missing"): True,
    }
    missing = cases["ckptmap.convert.target", "extra"]
    assert missing is not None
    assert (missing.get("type"), missing.get("message"), missing.text) == (
        "missing", "1 variable: missing", "extra/bias: missing",
    )  # fmt: skip


def test_hostile_names_leave_the_xml_well_formed(hostile: dict[str, Any]) -> None:
    suite = ET.fromstring(to_junit(sheet_of(hostile)))[0]  # noqa: S314 - our own
    names = {case.get("name") for case in suite.iter("testcase") if case.get("classname", "").endswith("target")}
    assert len(names) == len(HOSTILE)
    assert r"escape\x1b[31m]]>" in names
