"""Attacks by reports, and by what a dead run left in an output folder."""

from __future__ import annotations

import json
from pathlib import Path

from tests.fuzz.documents import report_seeds
from tests.hostile.attacks.making import attack, float_entry, index_of, write

REPORT = ("report", "r.json")
MAPPED = ("diff", "m", "m", "--map", "r.json")


def write_report(folder: Path, **members: object) -> None:
    write(folder, index_of((b"v", float_entry(2, size=8, crc32c=0))), bytes(8))
    document = json.loads(report_seeds()["conversion"]) | members
    (folder / "r.json").write_text(json.dumps(document))


@attack(*REPORT, says="it is nested too deeply")
def report_nested_without_end(folder: Path) -> None:
    """Hundreds of thousands of opening brackets, where Python's parser runs out of stack."""
    (folder / "r.json").write_text('{"schema": ' + "[" * 400_000)


@attack(*REPORT, says="a number of 1,000,000 digits")
def report_with_an_endless_number(folder: Path) -> None:
    """A count of a million digits."""
    (folder / "r.json").write_text('{"schema": "ckptmap.report/1", "x": ' + "9" * 1_000_000 + "}")


@attack(*REPORT, says="does not follow the schema ckptmap.audit/1")
def report_of_something_else(folder: Path) -> None:
    """Every member a list of lists."""
    (folder / "r.json").write_text(json.dumps(json.loads(report_seeds()["audit"]) | {"target_variables": [[[]]]}))


@attack(*MAPPED, says="it is nested too deeply")
def mapping_nested_without_end(folder: Path) -> None:
    """The report that a comparison follows, nested."""
    write_report(folder)
    (folder / "r.json").write_text('{"schema": ' + "[" * 400_000)


@attack(*MAPPED, says="does not follow the schema ckptmap.report/1")
def mapping_without_variables(folder: Path) -> None:
    """A report without what it is read for."""
    write_report(folder, target_variables=3)


@attack(*MAPPED, says="NumPy cannot hold a tensor of shape")
def mapping_that_claims_what_no_array_can_be(folder: Path) -> None:
    """A shape whose lengths multiply to nothing, but not without its zero."""
    item = json.loads(report_seeds()["conversion"])["target_variables"][0]
    reshape = {"operation": "reshape", "dims": [1 << 40, 1 << 40, 0]}
    write_report(folder, target_variables=[item | {"key": "v", "source": "v", "operations": [reshape]}])
    write(folder, index_of((b"v", float_entry(0)), (b"v/.ATTRIBUTES/VARIABLE_VALUE", float_entry(0))))


@attack(*MAPPED, says="has a source twice")
def mapping_that_joins_a_variable_with_itself(folder: Path) -> None:
    """The same source a hundred thousand times."""
    item = json.loads(report_seeds()["conversion"])["target_variables"][0]
    write_report(folder, target_variables=[item | {"source": ["v"] * 100_000, "operations": []}])
