"""The sheet of a catalogue (``ckptmap.catalogue/1``): a row for each checkpoint, and how many there are of which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ckptmap.basics.text import byte_count, one_line, plural
from ckptmap.report.conversion_document import Document
from ckptmap.report.sheet import Cell, Level, Message, Row, Sheet, fate_counts

_PROBLEMS, _TF2, _UNKNOWN, _NO_TARGET = "with problems", "TF2 already", "unknown", "no shipped target"
_FIRST = ("path", "kind", "architecture", "classes", "step", "optimizer", "averages", "variables", "bytes")
_COLUMNS = (*_FIRST, "target", "verdict", "command", "note", "problems")


def sheet(document: Document) -> Sheet:
    """The sheet of a catalogue."""
    rows = tuple(map(_row, document["checkpoints"]))
    fates = dict.fromkeys(row.fate for row in sorted(rows, key=lambda row: (row.level, row.fate)))
    levels = {row.fate: row.level for row in rows}
    return Sheet(
        schema=document["schema"],
        generator=document["generator"],
        title="ckptmap fleet inspect",
        subject=plural(len(rows), "checkpoint"),
        passed=document["exit_code"] == 0,
        verdict=_verdict(rows),
        facts=tuple(_facts(document)),
        counts=fate_counts(rows, [("", fate, levels[fate]) for fate in fates]),
        columns=_COLUMNS,
        rows=rows,
        unit="checkpoint",
        folded=False,
    )


def _row(one: Document) -> Row:
    record: dict[str, Cell] = {
        **{name: one[name] for name in _COLUMNS[:-1]},
        "note": one_line(one["note"]) if one["note"] else None,
        "problems": "; ".join(one["problems"]) or None,
    }
    fate = _fate(one)
    level = {_PROBLEMS: Level.FAILURE, _UNKNOWN: Level.NOTE, _NO_TARGET: Level.NOTE}.get(fate, Level.OK)
    messages = tuple(Message(Level.FAILURE, problem) for problem in one["problems"])
    return Row(one["path"], fate, level, record, detail=_detail(one), messages=messages)


def _fate(one: Document) -> str:
    """What stands in the way, or what TF2 computes of it."""
    if one["problems"]:
        return _PROBLEMS
    if one["object_based"]:
        return _TF2
    if one["architecture"] is None:
        return _UNKNOWN
    return one["verdict"] or _NO_TARGET


def _detail(one: Document) -> str:
    step = None if one["step"] is None else f"step {one['step']:,}"
    size = None if one["bytes"] is None else byte_count(one["bytes"])
    return ", ".join(filter(None, (one["architecture"], step, size)))


def _verdict(rows: tuple[Row, ...]) -> str:
    met = Counter(row.fate for row in rows)
    bad = met.pop(_PROBLEMS, 0)
    told = f"{len(rows) - bad:,} of {plural(len(rows), 'checkpoint')} can be read"
    ready = sum(count for fate, count in met.items() if fate.startswith("equal"))
    return f"{told}; {ready:,} {'is' if ready == 1 else 'are'} equal in TF2" + (
        f"; {bad:,} with problems" if bad else ""
    )


def _facts(document: Document) -> Iterator[tuple[str, str]]:
    """The size of all, and each model with the number of its checkpoints, the most first."""
    yield "size", byte_count(sum(one["bytes"] or 0 for one in document["checkpoints"]))
    models: dict[str, Counter[str]] = {}
    for one in document["checkpoints"]:
        models.setdefault(one["architecture"] or "unknown model", Counter())[_fate(one)] += 1
    for model, fates in sorted(models.items(), key=lambda item: (-item[1].total(), item[0])):
        told = ", ".join(f"{count:,} {fate}" for fate, count in fates.most_common())
        yield model, f"{plural(fates.total(), 'checkpoint')}: {told}"
