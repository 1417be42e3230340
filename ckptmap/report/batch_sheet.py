"""The sheet of many conversions (``ckptmap.batch/1``): a row for each checkpoint."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from ckptmap.basics.text import byte_count, plural
from ckptmap.report.conversion_document import Document
from ckptmap.report.sheet import Cell, Level, Message, Row, Sheet, fate_counts

_FATES = (
    ("", "converted", Level.OK),
    ("", "kept", Level.OK),
    ("", "planned", Level.OK),
    ("", "findings", Level.FAILURE),
    ("", "failed", Level.FAILURE),
)
_LEVELS = {fate: level for _, fate, level in _FATES}
_COUNTS = ("restored", "partly restored", "reinitialized", "missing", "mapped", "superseded", "dropped", "unused")
_COLUMNS = ("source", "fate", "checkpoint", "bytes", "data", *_COUNTS, "findings", "error")
_MOST_PROBLEMS = 3
Shared: TypeAlias = Mapping[str, Sequence[str]]
"""Notes of several checkpoints, with those checkpoints."""


def sheet(document: Document) -> Sheet:
    """The sheet of a batch."""
    shared = _shared_notes(document["conversions"])
    rows = tuple(_row(one, shared) for one in document["conversions"])
    return Sheet(
        schema=document["schema"],
        generator=document["generator"],
        title="ckptmap convert",
        subject=f"{plural(len(rows), 'checkpoint')} → {document['target']}",
        passed=document["exit_code"] == 0,
        verdict=_verdict(document),
        facts=tuple(_facts(document)),
        counts=fate_counts(rows, _told_fates(document)),
        columns=_COLUMNS,
        rows=rows,
        messages=(*map(_finding, document.get("findings", ())), *_of_several(shared)),
        unit="checkpoint",
        folded=False,
    )


def _told_fates(document: Document) -> tuple[tuple[str, str, Level], ...]:
    """All of them; what an earlier run made is told where there is some."""
    return tuple(one for one in _FATES if one[1] != "kept" or document["summary"].get("kept"))


def _row(one: Document, shared: Shared) -> Row:
    summary = one["summary"] or {}
    record: dict[str, Cell] = {
        **{name: one[name] for name in ("source", "fate", "checkpoint", "bytes", "data")},
        **{name: summary.get(name) for name in _COUNTS},
        "findings": len(one["findings"]),
        "error": one["error"]["message"] if one["error"] else None,
    }
    level = _LEVELS[one["fate"]]
    return Row(one["source"], one["fate"], level, record, detail=_detail(one), messages=tuple(_messages(one, shared)))


def _detail(one: Document) -> str:
    if one["checkpoint"] is not None:
        return f"→ {one['checkpoint']} ({byte_count(one['bytes'])}, {one['data']})"
    return plural(len(one["findings"]), "finding") if one["findings"] else ""


def _messages(one: Document, shared: Shared) -> Iterator[Message]:
    if one["error"]:
        yield Message(Level.FAILURE, _told(one), one["error"]["where"] or "", one["error"]["hint"] or "")
    yield from map(_finding, one["findings"])
    for note in one["notes"]:
        if _without_place(note, one["source"]) not in shared:
            yield Message(Level.NOTE, note)


def _shared_notes(conversions: Iterable[Document]) -> Shared:
    """The notes that several checkpoints have, but for the folder that each names, with those checkpoints."""
    told: dict[str, list[str]] = {}
    for one in conversions:
        for note in one["notes"]:
            told.setdefault(_without_place(note, one["source"]), []).append(one["source"])
    return {note: sources for note, sources in told.items() if len(sources) > 1}


def _without_place(note: str, source: str) -> str:
    """The note without the folder of the checkpoint, which differs from one to the next."""
    for place in (source, os.path.dirname(source)):  # noqa: PTH120 - it may be a URL
        if place:
            note = note.replace(f"{place}/", "").replace(f"{place}{os.sep}", "")
    return note


def _of_several(shared: Shared) -> Iterator[Message]:
    for note, sources in shared.items():
        yield Message(Level.NOTE, note, f"{sources[0]} and {len(sources) - 1:,} more")


def _finding(finding: Document) -> Message:
    return Message(Level.FAILURE, finding["message"], finding["where"] or "", finding["hint"] or "")


def _told(one: Document) -> str:
    """The message with its first problems; the JSON has them all."""
    message, problems = one["error"]["message"], one["error"]["problems"]
    more = [f"and {plural(len(problems) - _MOST_PROBLEMS, 'problem')} more"] if len(problems) > _MOST_PROBLEMS else []
    told = "; ".join([*problems[:_MOST_PROBLEMS], *more])
    return f"{message}: {told}" if told else str(message)


def _facts(document: Document) -> Iterator[tuple[str, str]]:
    yield from ((name, document[name]) for name in ("target", "table") if document[name])
    kept = document["summary"].get("kept", 0)
    begun = len(document["conversions"]) - kept
    made = f"{plural(document['plans'], 'plan')} for {plural(begun, 'checkpoint')}" if begun else "none needed"
    made = made if document["plans"] or not begun else "none made"
    yield "plans", f"{made}; {kept:,} kept from an earlier run" if kept else made


def _verdict(document: Document) -> str:
    summary, count = document["summary"], len(document["conversions"])
    done = f"{summary['converted']:,} of {plural(count, 'checkpoint')} converted"
    if summary["planned"]:
        done = f"{summary['planned']:,} of {plural(count, 'checkpoint')} planned; dry run, nothing was written"
    rest = [f"{summary['kept']:,} kept from an earlier run"] if summary.get("kept") else []
    rest += [f"{summary['findings']:,} with findings"] if summary["findings"] else []
    rest += [f"{summary['failed']:,} failed"] if summary["failed"] else []
    return "; ".join([done, *rest])
