"""The sheet of a verification of any two models (``ckptmap.verify_models/1``)."""

from __future__ import annotations

from collections.abc import Iterator

from ckptmap.basics.text import plural
from ckptmap.report.conversion_document import Document
from ckptmap.report.sheet import Cell, Level, Message, Picture, Row, Sheet, fate_counts, shape_text
from ckptmap.report.verification import cause_messages, distance, output_fate, proven_causes, verification_sheet

_FATES = (
    ("outputs", "equal", Level.OK),
    ("outputs", "within rounding", Level.OK),
    ("outputs", "differ", Level.FAILURE),
    ("layers", "equal", Level.OK),
    ("layers", "differ", Level.NOTE),
    ("layers", "not compared", Level.OK),
)
_LEVELS = {(side, fate): level for side, fate, level in _FATES}
_COLUMNS = (
    "side", "name", "new_name", "fate", "run", "max", "mean", "spread", "relative", "tolerance", "top1",
    "shape_old", "shape_new", "operation",
)  # fmt: skip
_SAYS = {
    "equal": "the models are equal to the last bit",
    "equal within rounding": "the models are equal within rounding",
    "different": "the models differ",
}


def sheet(document: Document) -> Sheet:
    """The sheet of a verification."""
    rows = tuple(_rows(document))
    counts = fate_counts(rows, _FATES if document["parts"] else _FATES[:3])
    return verification_sheet(
        document,
        verdict=_verdict(document),
        facts=_facts(document),
        counts=counts,
        columns=_COLUMNS,
        rows=rows,
        messages=_messages(document),
        pictures=_pictures(document),
    )


def _rows(document: Document) -> Iterator[Row]:
    for item in document["outputs"]:
        name = f"{item['old']}/{item['run']}" if item["run"] else item["old"]
        yield _row("outputs", name, item["new"], output_fate(item), item)
    for part in document["parts"]:
        fate = "differ" if part["differs"] else "equal" if part["compared"] else "not compared"
        name = f"{part['name']} ({part['operation']})" if part["operation"] else part["name"]
        yield _row("layers", name, None, fate, part)


def _row(side: str, name: str, new_name: str | None, fate: str, item: Document) -> Row:
    record: dict[str, Cell] = {column: item.get(column) for column in _COLUMNS}
    record |= {"side": side, "name": name, "new_name": new_name, "fate": fate}
    record |= {column: shape_text(item[column]) for column in ("shape_old", "shape_new") if column in item}
    return Row(name, fate, _LEVELS[side, fate], record, side, "", _apart(item))


def _apart(item: Document) -> str:
    """How far apart, in a few words."""
    if item["relative"] is None:
        return _not_compared(item)
    found = [f"max |Δ| {item['max']:.3g}"] if item.get("max") else []
    found += [f"{item['relative']:.3g} of the spread"] if item["relative"] else []
    found += [f"top 1 agrees in {item['top1']:.1%}"] if item.get("top1") is not None else []
    return ", ".join(found)


def _not_compared(item: Document) -> str:
    if item.get("shape_old") != item.get("shape_new"):
        return f"{shape_text(item['shape_old'])} → {shape_text(item['shape_new'])}"
    return "another shape, or values that are not numbers" if item.get("differs", True) else ""


def _verdict(document: Document) -> str:
    worst = max(document["outputs"], key=distance)
    count = plural(len({item["old"] for item in document["outputs"]}), "output")
    parts = [f"{_SAYS[document['verdict']]}: {count}"]
    if worst["max"] != 0:
        where = f"{worst['old']} with {worst['run']}" if worst["run"] else worst["old"]
        parts[0] += f", {where} {_apart(worst)}"
    if not document["agree"]:
        first = document["first_difference"]
        parts += [_where(first)] if first else []
        parts.append(proven_causes(document))
        parts += [f"far more at {one['at']}; {proven_causes(one)}" for one in document.get("larger", ())]
    return "; ".join(filter(None, parts))


def _where(place: str) -> str:
    """``first at conv1 (Conv2D)``, or ``first after conv1 (Conv2D)``."""
    return f"first {place}" if place.startswith(("after ", "before ")) else f"first at {place}"


def _facts(document: Document) -> Iterator[tuple[str, str]]:
    for side in ("old", "new"):
        one = document[side]
        code = f" by {one['code']}" if one["code"] else ""
        yield side, f"{one['path']} ({one['kind']}{code}, {plural(one['variables'], 'variable')})"
    for item in document["inputs"]:
        name = item["old"] if item["old"] == item["new"] else f"{item['old']} = {item['new']}"
        yield "input", f"{name}: {item['dtype']}{shape_text(item['shape'])}, {item['values']}"
    for setting in document["settings"]:
        yield "set", setting
    yield "seed", str(document["seed"])


def _messages(document: Document) -> Iterator[Message]:
    if document["unexplained"]:
        yield Message(Level.NOTE, f"the place where they first differ was not found: {document['unexplained']}")
    for one in (document, *document.get("larger", ())):
        yield from cause_messages(one)
    for side, other in (("old", "new"), ("new", "old")):
        if document[f"only_{side}"]:
            names = ", ".join(document[f"only_{side}"])
            hint = "--pair OLD=NEW says which belong together"
            yield Message(Level.WARNING, f"the {other} model does not return {names}: not compared", "", hint)
        for note in document[side]["notes"]:
            yield Message(Level.NOTE, f"{side} model: {note}")


def _pictures(document: Document) -> Iterator[Picture]:
    if document["picture"]:
        yield Picture(document["picture"], "how far the models lie apart behind each layer, from the input down")
