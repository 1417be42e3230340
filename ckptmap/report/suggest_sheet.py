"""The sheet of a draft (``ckptmap.suggest/1``): a row for each pair of layers, and for each layer without a partner."""

from __future__ import annotations

from collections.abc import Iterator

from ckptmap.basics.text import plural
from ckptmap.report.conversion_document import Document
from ckptmap.report.sheet import Cell, Level, Message, Row, Sheet, fate_counts

_SIDES = {"left_old": "old", "left_new": "new"}
_FATES = (
    ("pair", "doubtful", Level.FAILURE),
    ("pair", "sure", Level.OK),
    ("pair", "proven", Level.OK),
    *((side, "left_over", Level.WARNING) for side in _SIDES.values()),
)
_LEVELS = {(side, fate): level for side, fate, level in _FATES}
_COLUMNS = ("name", "side", "fate", "new", "why", "rival")


def sheet(document: Document) -> Sheet:
    """The sheet of a draft."""
    rows = (*map(_pair, document["pairs"]), *(row for side in _SIDES for row in _left(document, side)))
    return Sheet(
        schema=document["schema"],
        generator=document["generator"],
        title="ckptmap suggest",
        subject=f"{document['old']} -> {document['new']}",
        passed=document["passed"],
        verdict=_verdict(document),
        facts=tuple(_facts(document)),
        counts=fate_counts(rows, _FATES),
        columns=_COLUMNS,
        rows=rows,
        messages=tuple(_messages(document)),
        unit="layer",
        folded=False,
    )


def _pair(pair: Document) -> Row:
    fate = "proven" if pair["proven"] else "sure" if pair["sure"] else "doubtful"
    return _row(pair["old"], "pair", fate, pair["new"], pair["why"], pair["rival_new"] or pair["rival_old"])


def _left(document: Document, which: str) -> Iterator[Row]:
    for one in document[which]:
        yield _row(one["layer"], _SIDES[which], "left_over", None, f"of the {_SIDES[which]} side", None)


def _row(name: str, side: str, fate: str, new: Cell, why: str, rival: Cell) -> Row:
    record: dict[str, Cell] = {"name": name, "side": side, "fate": fate, "new": new, "why": why, "rival": rival}
    detail = f"to {new}" if new is not None else ""
    return Row(name, fate, _LEVELS[side, fate], record, side=side, reason=why, detail=detail)


def _verdict(document: Document) -> str:
    counts = document["counts"]
    left = len(document["left_old"]) + len(document["left_new"])
    found = f"{plural(counts['pairs'], 'pair')} of layers, {counts['sure']:,} sure, {counts['doubtful']:,} doubtful"
    return found + (f"; {plural(left, 'layer')} left over" if left else "")


def _facts(document: Document) -> Iterator[tuple[str, str]]:
    counts = document["counts"]
    yield "old", f"{document['old']} ({plural(counts['old_layers'], 'layer')})"
    yield "new", f"{document['new']} ({plural(counts['new_layers'], 'layer')})"
    yield "rules", f"{counts['rules']:,}, {counts['doubtful_rules']:,} doubtful"
    for one in document["includes"]:
        yield "include", f"{one['table']} for {plural(one['layers'], 'layer')}"


def _messages(document: Document) -> Iterator[Message]:
    if not document["exact"]:
        yield Message(Level.FAILURE, "the table has mistakes: `ckptmap rules check` says which")
    if not document["trusted"]:
        likely = " or ".join(map(str, document["looks_like"]))
        hint = f"by its names the old checkpoint looks like {likely}" if likely else ""
        yield Message(Level.FAILURE, "the two may be different models: trust nothing of this draft", hint=hint)
