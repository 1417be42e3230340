"""What the sheets of all verifications share: of detectors (``verify_sheet``) and of any two models."""

from __future__ import annotations

from collections.abc import Iterator

from ckptmap.report.conversion_document import Document
from ckptmap.report.sheet import FateCount, Level, Message, Picture, Row, Sheet


def verification_sheet(
    document: Document,
    *,
    verdict: str,
    facts: Iterator[tuple[str, str]],
    counts: tuple[FateCount, ...],
    columns: tuple[str, ...],
    rows: tuple[Row, ...],
    messages: Iterator[Message],
    pictures: Iterator[Picture],
) -> Sheet:
    """The sheet of a verification, whichever results it has."""
    return Sheet(
        schema=document["schema"],
        generator=document["generator"],
        title="ckptmap verify",
        subject=f"{document['old']['path']} ↔ {document['new']['path']}",
        passed=document["agree"],
        verdict=verdict,
        facts=tuple(facts),
        counts=counts,
        columns=columns,
        rows=rows,
        messages=tuple(messages),
        pictures=tuple(pictures),
        unit="result",
    )


def distance(item: Document) -> float:
    """How far the two values of an output lie apart, relative to their spread; infinite where nobody can say."""
    return float("inf") if item["relative"] is None else float(item["relative"])


def output_fate(item: Document) -> str:
    """What an output met."""
    return "equal" if item["max"] == 0 else "within rounding" if item["within"] else "differ"


def cause_messages(document: Document) -> Iterator[Message]:
    """A message for each cause of a difference, confirmed or not."""
    for cause in document["causes"]:
        level = Level.FAILURE if cause["proven"] else Level.NOTE
        state = "cause" if cause["proven"] else "not confirmed"
        yield Message(level, f"{state}: {cause['text']} [{cause['evidence']}]", "", cause["fix"])


def proven_causes(document: Document) -> str:
    """The causes that were confirmed, in words; empty for none."""
    names = ", ".join(cause["name"] for cause in document["causes"] if cause["proven"])
    return f"cause: {names}" if names else ""
