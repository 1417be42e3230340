"""What ``ckptmap freeze`` found as plain JSON values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ckptmap.families.detection.freezing.frozen_weights import Freezing, Matched, Stage, Weight
from ckptmap.families.detection.freezing.remarks import no_match
from ckptmap.version import __version__

SCHEMA = "ckptmap.freeze/1"

Document = dict[str, Any]


def freeze_document(found: Freezing) -> Document:
    """Everything that ``found`` says; every trainable variable is listed once."""
    return {
        "schema": SCHEMA,
        "generator": f"ckptmap {__version__}",
        "subject": found.subject,
        "trainer": found.trainer,
        "passed": all(one.names for one in found.matched),
        "patterns": [_pattern(one) for one in found.matched],
        "parts": _parts(found.frozen, found.trainable),
        "stages": [_stage(stage) for stage in found.stages],
        "remarks": list(_remarks(found)),
        "variables": [
            {**_weight(weight), "frozen": frozen}
            for frozen, weights in ((True, found.frozen), (False, found.trainable))
            for weight in weights
        ],
    }


def _remarks(found: Freezing) -> Iterator[Document]:
    """All remarks; that a pattern matches nothing is an error."""
    errors = {no_match(one) for one in found.matched if not one.names}
    for one in found.remarks:
        level = "error" if one in errors else "warning"
        yield {"level": level, "message": one.message, "where": one.where or None, "hint": one.hint or None}


def _pattern(one: Matched) -> Document:
    return {
        "pattern": one.pattern.text,
        "field": one.pattern.field,
        "where": one.pattern.where or None,
        "matches": list(one.names),
        "nearest": one.nearest or None,
    }


def _weight(weight: Weight) -> Document:
    return {
        "name": weight.name,
        "part": weight.part,
        "shape": list(weight.shape),
        "parameters": weight.parameters,
        "layer": weight.layer,
        "key": weight.key,
    }


def _stage(stage: Stage) -> Document:
    return {
        "stage": stage.name,
        "patterns": list(stage.patterns),
        "parts": _parts(stage.frozen, stage.trainable),
        "trainable": [weight.name for weight in stage.trainable],
        "frozen": [weight.name for weight in stage.frozen],
    }


def _parts(frozen: Iterable[Weight], trainable: Iterable[Weight]) -> list[Document]:
    """Variables and parameters of each part, frozen and trainable, in the order of the parts' first variables."""
    parts: dict[str, Document] = {}
    for side, weights in (("frozen", frozen), ("trainable", trainable)):
        for weight in weights:
            empty = {"variables": 0, "parameters": 0}
            entry = parts.setdefault(
                weight.part, {"part": weight.part, "frozen": dict(empty), "trainable": dict(empty)}
            )
            entry[side]["variables"] += 1
            entry[side]["parameters"] += weight.parameters
    return list(parts.values())
