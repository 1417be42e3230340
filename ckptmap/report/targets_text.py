"""The text of the shipped targets (``ckptmap.targets/1``): a line for each, for other programs to cut too."""

from __future__ import annotations

from collections.abc import Iterator

from ckptmap.basics.escapes import printable
from ckptmap.report.conversion_document import Document


def lines(document: Document) -> Iterator[str]:
    """A catalogue's document for a person: columns of name, verdict and TF2 type."""
    entries = document["targets"]
    name, verdict = (max((len(entry[key]) for entry in entries), default=0) for key in ("name", "verdict"))
    for entry in entries:
        yield printable(f"{entry['name']:<{name}}  {entry['verdict']:<{verdict}}  {entry['extractor_type']}")
