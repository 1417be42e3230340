"""The sheet of an audit's document (``ckptmap.audit/1``)."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from ckptmap.basics.text import byte_count, plural
from ckptmap.checkpoint.naming import told_names
from ckptmap.report.conversion_document import Document
from ckptmap.report.diff_sheet import VALUE_SUFFIX
from ckptmap.report.sheet import Cell, Level, Message, Row, Sheet, fate_counts

_FATES = (
    ("model", "restored", Level.OK),
    ("model", "reinitialized", Level.NOTE),
    ("model", "missing", Level.FAILURE),
    ("checkpoint", "read", Level.OK),
    ("checkpoint", "unused", Level.NOTE),
)
_LEVELS = {(side, fate): level for side, fate, level in _FATES}
_COLUMNS = ("side", "name", "fate", "key", "part", "source", "reason", "shape", "dtype", "parameters")
_MESSAGES = {"error": Level.FAILURE, "warning": Level.WARNING, "note": Level.NOTE}
_APIS = {"tf1": "TF1 Object Detection API", "tf2": "TF2 Object Detection API"}


def sheet(document: Document) -> Sheet:
    """The sheet of an audit."""
    told = told_names((item["key"], item["name"]) for item in document["target_variables"])
    rows = (
        *(_row("model", item, told[item["key"]], document) for item in document["target_variables"]),
        *(_row("checkpoint", item, item["name"], document) for item in document["checkpoint_variables"]),
    )
    return Sheet(
        schema=document["schema"],
        generator=document["generator"],
        title="ckptmap audit",
        subject=f"{document['checkpoint']['path']} → {document['model']['name']}",
        passed=document["passed"],
        verdict=_verdict(document),
        facts=tuple(_facts(document)),
        counts=fate_counts(rows, _told_fates(document)),
        columns=_COLUMNS,
        rows=rows,
        messages=tuple(_messages(document)),
    )


def _told_fates(document: Document) -> tuple[tuple[str, str, Level], ...]:
    """All of them; those of a model whose variables nobody knows would be zeros that count nothing."""
    return tuple(one for one in _FATES if one[0] != "model" or document["model"]["variables"] is not None)


def _row(side: str, item: Document, told: str, document: Document) -> Row:
    parameters = prod(item["shape"])
    source = item.get("source")
    name = told.removesuffix(VALUE_SUFFIX)
    record: dict[str, Cell] = {
        "side": side,
        "name": item["name"].removesuffix(VALUE_SUFFIX),
        "fate": item["fate"],
        "key": item.get("key"),
        "part": item.get("part"),
        "source": source.removesuffix(VALUE_SUFFIX) if source else None,
        "reason": item["reason"],
        "shape": f"[{', '.join(map(str, item['shape']))}]",
        "dtype": item["dtype"],
        "parameters": parameters,
    }
    level = _LEVELS[side, item["fate"]]
    if level is Level.FAILURE and document["passed"]:
        level = Level.WARNING
    reason, detail = _told(item["reason"] or "")
    return Row(name, item["fate"], level, record, side, reason, detail, parameters if side == "model" else 0)


def _told(reason: str) -> tuple[str, str]:
    """What groups share, and what differs from row to row: the shapes."""
    start = reason.find("shape [")
    return (reason, "") if start < 0 else (reason[:start].rstrip(": ") or "another shape", reason[start:])


def _verdict(document: Document) -> str:
    summary, model = document["summary"], document["model"]
    if document["error"]:
        cause = next((one["message"] for one in document["findings"] if one.get("cause")), document["error"])
        return f"the restore fails: {cause}"
    if model["variables"] is None:
        return "what is restored cannot be told: the model's variables are not known"
    share = f"{summary['restored']:,} of {plural(model['variables'], 'variable')} restored"
    if document["passed"]:
        return share
    whole = summary["restored"] == model["variables"]
    return f"{share}, but there are findings" if whole else f"{share}, which is not enough"


def _facts(document: Document) -> Iterator[tuple[str, str]]:
    checkpoint, model = document["checkpoint"], document["model"]
    size = byte_count(checkpoint["bytes"])
    held = f"{checkpoint['kind']}, {plural(checkpoint['variables'], 'variable')}, {size}"
    yield "checkpoint", f"{checkpoint['path']} ({held})"
    known = plural(model["variables"], "variable") if model["variables"] is not None else "variables not known"
    classes = f", num_classes {model['num_classes']}" if model["num_classes"] else ""
    yield "model", f"{model['name']} ({known}{classes})"
    if model["config"]:
        yield "config", model["config"]
    if model["type"]:
        default = "" if model.get("type_said", True) else " (the config says none: this is the API's default)"
        yield "restored by", f'{_APIS[model["api"]]}, fine_tune_checkpoint_type "{model["type"]}"{default}'


def _messages(document: Document) -> Iterator[Message]:
    yield from (_finding(one) for one in document["findings"] if one.get("cause"))
    if document["error"]:
        yield Message(Level.FAILURE, document["error"], document["model"]["config"] or "", document["hint"] or "")
    yield from (_finding(one) for one in document["findings"] if not one.get("cause"))
    for note in document["checkpoint"]["notes"]:
        yield Message(Level.NOTE, note)


def _finding(finding: Document) -> Message:
    return Message(_MESSAGES[finding["level"]], finding["message"], finding["where"] or "", finding["hint"] or "")
