"""The sheet of a verification's document (``ckptmap.verify/1``)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ckptmap.basics.text import plural
from ckptmap.report.conversion_document import Document
from ckptmap.report.sheet import Cell, FateCount, Level, Message, Picture, Row, Sheet, fate_counts, shape_text
from ckptmap.report.verification import cause_messages, distance, output_fate, proven_causes, verification_sheet

_ROUNDING = "within rounding"
_FATES = tuple(
    (side, fate, level)
    for side, fates in {
        "outputs": (("equal", Level.OK), (_ROUNDING, Level.OK), ("differ", Level.FAILURE)),
        "levels": (("equal", Level.OK), (_ROUNDING, Level.OK), ("differ", Level.FAILURE)),
        "images": (("agree", Level.OK), ("differ", Level.FAILURE)),
        "parts": (("equal", Level.OK), ("differ", Level.NOTE)),
        "values": (("differ", Level.FAILURE),),
    }.items()
    for fate, level in fates
)
_DETECTIONS = {"equal": Level.OK, **dict.fromkeys(("moved", "relabelled", "lost", "new"), Level.WARNING)}
_LEVELS = {(side, fate): level for side, fate, level in _FATES} | {
    ("detections", fate): level for fate, level in _DETECTIONS.items()
}
_COLUMNS = (
    "side",
    "name",
    "fate",
    "max",
    "mean",
    "spread",
    "relative",
    "tolerance",
    "shape_old",
    "shape_new",
    "reason",
)


def sheet(document: Document) -> Sheet:
    """The sheet of a verification."""
    rows = tuple(_rows(document))
    return verification_sheet(
        document,
        verdict=_verdict(document),
        facts=_facts(document),
        counts=tuple(_counts(document, rows)),
        columns=_COLUMNS,
        rows=rows,
        messages=_messages(document),
        pictures=_pictures(document),
    )


def _rows(document: Document) -> Iterator[Row]:
    for item in document["outputs"]:
        name = f"{item['name']}/{item['level']}" if item["level"] else item["name"]
        yield _row("levels" if item["level"] else "outputs", name, output_fate(item), item, item["level"] or "")
    for image in document["images"]:
        fate = "agree" if image["agrees"] else "differ"
        yield _row("images", image["name"], fate, image, _counted(image["detections"]))
        for number, match in enumerate(image["matches"], 1):
            yield _row("detections", f"{image['name']}/{number}", match["fate"], match, _moved(match))
    for part in document["parts"]:
        name = f"{part['name']}/{part['place']}" if part["place"] else part["name"]
        yield _row("parts", name, "differ" if part["differs"] else "equal", part, _where(part))
    for wrong in document["values"]["wrong"]:
        row = _row("values", wrong["source"], "differ", wrong, f"that of {wrong['of']}" if wrong["of"] else "")
        yield replace(row, reason=f"holds {wrong['holds']}")


def _row(side: str, name: str, fate: str, item: Document, reason: str = "") -> Row:
    record: dict[str, Cell] = dict.fromkeys(_COLUMNS)
    record |= {"side": side, "name": name, "fate": fate, "reason": reason or None}
    record |= {column: item.get(column) for column in ("max", "mean", "spread", "relative", "tolerance")}
    record |= {column: shape_text(item[column]) for column in ("shape_old", "shape_new") if column in item}
    return Row(name, fate, _LEVELS[side, fate], record, side, "", _detail(item, reason))


def _moved(match: Document) -> str:
    """Class and score on both sides."""
    sides = [f"class {box['class']} {box['score']:.2f}" if box else "none" for box in (match["old"], match["new"])]
    return " → ".join(sides)


def _detail(item: Document, reason: str) -> str:
    """How far apart, in a few words."""
    if item.get("shape_old") != item.get("shape_new"):
        distance = f"{shape_text(item['shape_old'])} → {shape_text(item['shape_new'])}"
    else:
        distance = f"{_number(item['relative'])} of the spread" if item.get("relative") else ""
    largest = f"max |Δ| {item['max']:.3g}, mean {item['mean']:.3g}" if item.get("max") else ""
    return ", ".join(filter(None, (largest, distance, reason)))


def _where(part: Document) -> str:
    return " at ".join(filter(None, (part["group"], part["level"])))


def _number(value: float) -> str:
    return f"{value:.3g}"


def _counted(detections: dict[str, int]) -> str:
    return ", ".join(f"{count} {fate}" for fate, count in detections.items() if count) or "no detections"


def _counts(document: Document, rows: tuple[Row, ...]) -> Iterator[FateCount]:
    for one in fate_counts(rows, _FATES):
        if one.side in ("outputs", "images") or any(row.side == one.side for row in rows):
            yield one
    for fate, level in _DETECTIONS.items():
        yield FateCount(fate, document["detections"][fate], level, "detections")


def _verdict(document: Document) -> str:
    raw = [item for item in document["outputs"] if not item["level"] and not item["name"].startswith(("det", "num_d"))]
    worst = max(raw or document["outputs"], key=distance)
    images = plural(len(document["images"]), "image")
    lacking = _without(document)
    if document["agree"]:
        equal = all(item["max"] == 0 for item in raw)
        how = "equal to the last bit" if equal else f"within {_number(worst['relative'])} of their spread"
        only = f"the weights agree, the old model run {lacking}" if lacking else "the models agree"
        return f"{only}: {images}, outputs {how}, {_share(document)}"
    parts = [f"the models differ: {worst['name']} {_apart(worst)}, {_share(document)}"]
    if lacking:
        parts.append(f"the old one ran {lacking}")
    if document["first_difference"]:
        parts.append(f"first at {document['first_difference']}")
    parts.append(proven_causes(document) or "no known cause was confirmed")
    return "; ".join(parts)


def _without(document: Document) -> str:
    """What the old model had in use and was run without; empty for none."""
    lacking = document["old"].get("without")  # reports of earlier versions do not say it
    return f"without its {' and '.join(lacking)}" if lacking else ""


def _apart(item: Document) -> str:
    if item["shape_old"] != item["shape_new"]:
        return f"has shape {shape_text(item['shape_new'])} instead of {shape_text(item['shape_old'])}"
    return "is not finite" if item["relative"] is None else f"by {_number(item['relative'])} of its spread"


def _share(document: Document) -> str:
    found = document["detections"]
    total = sum(found.values())
    return f"{found['equal']:,} of {plural(total, 'detection')} equal"


def _facts(document: Document) -> Iterator[tuple[str, str]]:
    for side in ("old", "new"):
        yield side, f"{document[side]['path']} ({document[side]['kind']})"
    if document["old"]["weights"]:
        yield "weights", {"averages": "moving averages", "raw": "raw weights"}[document["old"]["weights"]]
    yield (
        "images",
        ", ".join(image["name"] for image in document["images"][:4])
        + (f", … ({len(document['images']) - 4} more)" if len(document["images"]) > 4 else ""),
    )
    values = document["values"]
    if not values["note"]:
        total = values["equal"] + len(values["wrong"])
        hold = "holds" if values["equal"] == 1 else "hold"
        yield "values", f"{values['equal']:,} of {plural(total, 'variable')} {hold} the old checkpoint's values"
    yield "detections", f"counted from a score of {document['min_score']:g} on"


def _messages(document: Document) -> Iterator[Message]:
    if lacking := _without(document):
        text = f"the old model ran {lacking}, which rounds to 8 bits in use: only the weights are proven"
        hint = "verify the TF1 export (frozen_inference_graph.pb) to compare with what it computed"
        yield Message(Level.WARNING, text, document["old"]["config"] or "", hint)
    yield from cause_messages(document)
    if document["values"]["note"]:
        yield Message(Level.NOTE, document["values"]["note"])
    for side, other in (("old", "new"), ("new", "old")):
        if document[f"only_{side}"]:
            yield Message(
                Level.NOTE, f"the {other} model does not return {', '.join(document[f'only_{side}'])}: not compared"
            )
    if not sum(document["detections"].values()):
        text = f"no detection scores {document['min_score']:g} or more"
        yield Message(Level.NOTE, text, "", "--min-score shows weaker ones; random images rarely show any")


def _pictures(document: Document) -> Iterator[Picture]:
    for image in document["images"]:
        if image["picture"]:
            yield Picture(image["picture"], f"{image['name']}: old left, new right; {_counted(image['detections'])}")
