"""A sheet as JUnit XML, which CI systems read test results from: a test case for each module group, or each row."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree as ET  # only written here, never parsed

from ckptmap.basics.errors import Problem
from ckptmap.basics.escapes import printable
from ckptmap.basics.text import plural
from ckptmap.report.sheet import Group, Level, Message, Row, Sheet

_MOST_LINES = 200


def to_junit(sheet: Sheet) -> str:
    """A test suite: a group fails where one of its rows does; a failure that is the whole's is a case too."""
    cases = [_group_case(sheet, group) for group in sheet.groups]
    cases += [_message_case(sheet, message) for message in sheet.messages if message.level is Level.FAILURE]
    failures = sum(case.find("failure") is not None for case in cases)
    counts = {"tests": str(len(cases)), "failures": str(failures), "errors": "0"}
    suites = ET.Element("testsuites", {"name": printable(sheet.title), **counts})
    suite = ET.SubElement(suites, "testsuite", {"name": printable(sheet.subject), **counts, "skipped": "0"})
    suite.extend(cases)
    output = ET.SubElement(suite, "system-out")
    output.text = printable(sheet.verdict)
    ET.indent(suites, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(suites, encoding="unicode") + "\n"


def _group_case(sheet: Sheet, group: Group) -> ET.Element:
    case = ET.Element("testcase", {"classname": _class(sheet, group.side), "name": printable(group.label)})
    failed = [row for row in group.rows if row.level is Level.FAILURE]
    if failed:
        first = failed[0]
        message = f"{plural(len(failed), sheet.unit)}: {first.told}" if sheet.folded else first.told
        failure = ET.SubElement(case, "failure", {"type": first.fate, "message": printable(message)})
        lines = [printable(line) for row in failed for line in _failed_lines(row)]
        failure.text = "\n".join([*lines[:_MOST_LINES], *(["…"] if len(lines) > _MOST_LINES else [])])
    return case


def _failed_lines(row: Row) -> Iterator[str]:
    yield f"{row.name}: {row.fate.replace('_', ' ')} {row.detail}".rstrip()
    for message in row.messages:
        elsewhere = message.where.rstrip("/\\") != row.name.rstrip("/\\")
        yield str(Problem(message.text, message.where if elsewhere else "", message.hint))


def _message_case(sheet: Sheet, message: Message) -> ET.Element:
    name = printable(f"{message.where}: {message.text}" if message.where else message.text)
    case = ET.Element("testcase", {"classname": _class(sheet, "findings"), "name": name})
    failure = ET.SubElement(case, "failure", {"type": "finding", "message": printable(message.text)})
    failure.text = printable(message.hint)
    return case


def _class(sheet: Sheet, side: str) -> str:
    return ".".join(filter(None, (sheet.title.replace(" ", "."), side)))
