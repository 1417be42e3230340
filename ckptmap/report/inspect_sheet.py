"""The sheet of an inspection (``ckptmap.inspect/1``): a row for each variable that is listed."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from ckptmap.basics.text import byte_count, parameter_count, plural
from ckptmap.report.conversion_document import Document
from ckptmap.report.sheet import Cell, Level, Message, Row, Sheet, fate_counts

_FATES = (
    ("", "weight", Level.OK),
    ("", "slot", Level.NOTE),
    ("", "ema", Level.NOTE),
    ("", "bookkeeping", Level.NOTE),
    ("", "quantization", Level.NOTE),
)
_LEVELS = {fate: level for _, fate, level in _FATES}
_COLUMNS = ("name", "role", "owner", "dtype", "shape", "bytes", "slices", "parameters", "readable_name")


def sheet(document: Document) -> Sheet:
    """The sheet of an inspection."""
    rows = tuple(map(_row, document["variables"]))
    total = document["total"]
    return Sheet(
        schema=document["schema"],
        generator=document["generator"],
        title="ckptmap inspect",
        subject=document["path"],
        passed=True,
        verdict=f"{plural(total['weights'], 'weight')} with {parameter_count(total['parameters'])} parameters",
        facts=tuple(_facts(document)),
        counts=fate_counts(rows, _FATES),
        columns=_COLUMNS,
        rows=rows,
        messages=tuple(_messages(document)),
        advice=tuple(filter(None, (document["convert"]["command"], *(document["convert"]["note"] or "").splitlines()))),
    )


def _row(item: Document) -> Row:
    parameters = prod(item["shape"]) if item["role"] == "weight" else 0
    record: dict[str, Cell] = {
        **{name: item[name] for name in ("name", "role", "owner", "dtype", "bytes", "slices")},
        "shape": f"[{', '.join(map(str, item['shape']))}]",
        "parameters": parameters,
        "readable_name": item.get("readable_name"),
    }
    return Row(item["name"], item["role"], _LEVELS[item["role"]], record, parameters=parameters)


def _facts(document: Document) -> Iterator[tuple[str, str]]:
    total, training, architecture = document["total"], document["training"], document["architecture"]
    yield "kind", ", ".join(filter(None, (document["kind"], document["written_by"])))
    yield "size", f"{plural(total['variables'], 'variable')}, {byte_count(total['bytes'])}"
    yield "model", _model(architecture) if architecture else "unknown architecture"
    step = "step unknown" if training["step"] is None else f"step {training['step']:,}"
    slots = f"{' and '.join(training['optimizers']) or 'optimizer'} ({plural(training['slots'], 'slot')})"
    averages = plural(training["averages"], "moving average")
    held = (slots if training["slots"] else "", averages if training["averages"] else "")
    yield "training", "; ".join(filter(None, (step, *held)))
    if config := document["config"]:
        agrees = {True: "agrees", False: "does not agree", None: config["note"] or "not compared"}[config["agrees"]]
        yield "config", f"{config['path']}: {agrees}"


def _model(architecture: Document) -> str:
    classes = architecture.get("num_classes")
    return f"{architecture['name']}, {plural(classes, 'class', 'classes')}" if classes else str(architecture["name"])


def _messages(document: Document) -> Iterator[Message]:
    for data in document["data_files"]:
        if data["problem"]:
            yield Message(Level.WARNING, data["problem"], data["path"])
    for one in (document["config"] or {}).get("differences", ()):
        text = f"{one['what']} is {one['config']} in the config, {one['checkpoint']} in the checkpoint"
        yield Message(Level.WARNING, text, document["config"]["path"])
    for note in document["notes"]:
        yield Message(Level.NOTE, note)
