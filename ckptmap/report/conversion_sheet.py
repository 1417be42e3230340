"""The sheet of a conversion's document (``ckptmap.report/1``)."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from ckptmap.basics.text import byte_count, checked, classes_text, optimizer_text, parameter_count, plural
from ckptmap.checkpoint.naming import told_names
from ckptmap.families.detection.roots import fine_tune_type
from ckptmap.report.conversion_document import CONVERT, Document
from ckptmap.report.sheet import Cell, ConfigEdit, Level, Message, Row, Sheet, fate_counts, shape_text

_FATES = (
    ("target", "restored", Level.OK),
    ("target", "partly restored", Level.WARNING),
    ("target", "reinitialized", Level.WARNING),
    ("target", "missing", Level.FAILURE),
    ("source", "mapped", Level.OK),
    ("source", "superseded", Level.NOTE),
    ("source", "dropped", Level.NOTE),
    ("source", "unused", Level.FAILURE),
)
_SELDOM = frozenset({"partly restored"})
"""Fates that are not counted where no variable meets them."""
_LEVELS = {(side, fate): level for side, fate, level in _FATES}
_COLUMNS = (
    "side", "name", "fate", "key", "part", "source", "operations", "reason", "rule", "shape", "dtype", "parameters",
    "fill",
)  # fmt: skip


def sheet(document: Document) -> Sheet:
    """The sheet of a conversion, dry or done."""
    told = told_names((item["key"], item["name"]) for item in document["target_variables"])
    targets = (_target_row(item, told[item["key"]]) for item in document["target_variables"])
    rows = (*targets, *map(_source_row, document["source_variables"]))
    return Sheet(
        schema=document["schema"],
        generator=document["generator"],
        title=f"ckptmap {document.get('command', CONVERT)}",
        subject=f"{document['source']['path']} → {document['target']['name']}",
        passed=not document["findings"],
        verdict=_verdict(document, rows),
        facts=tuple(_facts(document)),
        counts=tuple(count for count in fate_counts(rows, _FATES) if count.count or count.fate not in _SELDOM),
        columns=_COLUMNS,
        rows=rows,
        messages=tuple(_messages(document)),
        edits=tuple(_edits(document)),
        advice=tuple(_advice(document)),
    )


def _target_row(item: Document, name: str) -> Row:
    parameters = prod(item["shape"])
    source = item["source"]
    record: dict[str, Cell] = {
        "side": "target",
        "name": item["name"],
        "fate": item["fate"],
        "key": item["key"],
        "part": item["part"],
        "source": " + ".join(source) if isinstance(source, list) else source,
        "operations": "; ".join(map(_operation, item["operations"])),
        "reason": item["reason"],
        "rule": item["rule"],
        "shape": shape_text(item["shape"]),
        "dtype": item["dtype"],
        "parameters": parameters,
        "fill": item.get("fill"),
    }
    return Row(name, item["fate"], _level("target", item), record, "target", item["reason"] or "", "", parameters)


def _source_row(item: Document) -> Row:
    record: dict[str, Cell] = dict.fromkeys(_COLUMNS)
    record |= {"side": "source", **{name: item[name] for name in ("name", "fate", "reason", "rule")}}
    return Row(item["name"], item["fate"], _level("source", item), record, "source", item["reason"] or "")


def _level(side: str, item: Document) -> Level:
    """A finding that was accepted has a reason: it is a warning then."""
    level = _LEVELS[side, item["fate"]]
    return Level.WARNING if level is Level.FAILURE and item["reason"] else level


def _operation(item: Document) -> str:
    arguments = ", ".join(f"{name} {value}" for name, value in item.items() if name != "operation")
    return f"{item['operation']} {arguments}".strip()


def _verdict(document: Document, rows: tuple[Row, ...]) -> str:
    restored = [row for row in rows if row.side == "target" and row.fate == "restored"]
    count = document["target"]["variables"]
    share = f"{len(restored):,} of {count:,} target variables restored"
    parameters = parameter_count(sum(row.parameters for row in restored))
    if document["findings"]:
        return f"{plural(len(document['findings']), 'finding')}: nothing was written; {share} otherwise"
    if document["output"] is None:
        return f"{share} ({parameters} parameters); dry run, nothing was written"
    return f"{share} ({parameters} parameters); {checked(document['output'])}"


def _facts(document: Document) -> Iterator[tuple[str, str]]:
    source, target, output = document["source"], document["target"], document["output"]
    held = f"{source['kind']}, {plural(source['variables'], 'variable')}, {byte_count(source['bytes'])}"
    yield "source", f"{source['path']} ({held})"
    yield "target", f"{target['name']} ({plural(target['variables'], 'variable')})"
    count = {name: value for name, value in target["dimensions"].items() if name == "num_classes"}
    settings = {**target["settings"], **count}
    if settings:
        yield "settings", ", ".join(f"{name} {_plain(value)}" for name, value in settings.items())
    if document["table"]:
        yield "table", document["table"]
    if optimizer := document.get("optimizer"):
        yield "optimizer", optimizer_text(optimizer)
    if classes := document.get("classes"):
        yield "classes", classes_text(classes)
    if output:
        yield "written", f"{output['checkpoint']} ({byte_count(output['bytes'])})"
    verdict = document.get("verdict")
    if verdict:
        yield "same outputs", verdict["kind"]


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _messages(document: Document) -> Iterator[Message]:
    for finding in document["findings"]:
        yield Message(Level.FAILURE, finding["message"], finding["where"] or "", finding["hint"] or "")
    for difference in (document.get("verdict") or {}).get("differences", ()):
        if difference["remains"]:
            yield Message(Level.WARNING, f"{difference['outputs']}: {difference['reason']}")
    for assumed in document["target"]["assumed"]:
        yield Message(Level.WARNING, f"assumed {assumed['setting']} = {_plain(assumed['value'])}", "", assumed["hint"])
    for note in (*document["source"]["notes"], *(document["output"] or {}).get("notes", ())):
        yield Message(Level.NOTE, note)
    for remark in (document.get("optimizer") or {}).get("remarks", ()):
        yield Message(Level.NOTE, remark)
    for note in (document.get("config") or {}).get("notes", ()):
        yield Message(Level.NOTE, note["text"], note["path"])


def _edits(document: Document) -> Iterator[ConfigEdit]:
    edits = (document.get("config") or {}).get("edits")
    if edits:
        for edit in edits:
            yield ConfigEdit(edit["path"], edit["old"], edit["new"], edit["reason"], edit["line"])
    elif document["output"]:
        yield from _restoring_edits(document)


def _restoring_edits(document: Document) -> Iterator[ConfigEdit]:
    """What train_config needs to start from the new checkpoint, where no config was given to edit."""
    kind = fine_tune_type(document["target"]["root"], (one["key"] for one in document["target_variables"]))
    if kind:
        yield ConfigEdit("train_config.fine_tune_checkpoint", "", f'"{document["output"]["checkpoint"]}"')
        yield ConfigEdit("train_config.fine_tune_checkpoint_type", "", f'"{kind}"')
        yield ConfigEdit("train_config.fine_tune_checkpoint_version", "", "V2")


def _advice(document: Document) -> Iterator[str]:
    verdict = document.get("verdict")
    if verdict and verdict["advice"]:
        yield verdict["advice"]
