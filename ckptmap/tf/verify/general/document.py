"""A verification of any two models as plain JSON values, schema ``ckptmap.verify_models/1``."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ckptmap.tf.verify.general.comparing import ROUNDING
from ckptmap.version import __version__

if TYPE_CHECKING:
    from ckptmap.tf.verify.general.comparing import Measure
    from ckptmap.tf.verify.general.feeding import Fed
    from ckptmap.tf.verify.general.model import ModelVerification, Part
    from ckptmap.tf.verify.general.side import Side
    from ckptmap.tf.verify.general.source import Source

SCHEMA = "ckptmap.verify_models/1"


def models_document(found: ModelVerification) -> dict[str, Any]:
    """The document of a verification."""
    return {
        "schema": SCHEMA,
        "generator": f"ckptmap {__version__}",
        "old": _side(found.sources[0], found.sides[0]),
        "new": _side(found.sources[1], found.sides[1]),
        "agree": found.agree,
        "verdict": found.verdict.value,
        "seed": found.seed,
        "inputs": [_input(one) for one in found.feeds.fed],
        "settings": list(found.feeds.settings),
        "outputs": [_output(one) for one in found.measures],
        "only_old": [one.name for one in found.only_old],
        "only_new": [one.name for one in found.only_new],
        "first_difference": found.explanation.first or None,
        "causes": [asdict(cause) for cause in found.explanation.causes],
        "parts": [_part(part) for part in found.explanation.parts],
    }


def _side(source: Source, side: Side) -> dict[str, Any]:
    return {
        "path": source.path,
        "kind": side.kind,
        "code": source.code or None,
        "variables": len(side.variables),
        "notes": list(side.notes),
    }


def _input(one: Fed) -> dict[str, Any]:
    return {
        "old": one.old.name,
        "new": one.new.name,
        "dtype": str(one.value.dtype),
        "shape": list(one.value.shape),
        "values": one.how,
    }


def _output(one: Measure) -> dict[str, Any]:
    return {
        "old": one.old.name,
        "new": one.new.name,
        "run": one.run or None,
        "shape_old": list(one.shapes[0]),
        "shape_new": list(one.shapes[1]),
        "max": _number(one.largest),
        "mean": _number(one.mean),
        "spread": _number(one.spread),
        "relative": _number(one.relative),
        "tolerance": ROUNDING,
        "within": one.within,
        "top1": one.top1,
    }


def _part(part: Part) -> dict[str, Any]:
    return {
        "name": part.name,
        "new_name": part.new_name,
        "place": part.place,
        "relative": _number(part.relative),
        "shape_old": list(part.shapes[0]),
        "shape_new": list(part.shapes[1]),
        "differs": part.differs,
    }


def _number(value: float) -> float | None:
    """JSON has no infinity: null where shapes differ or values are no numbers."""
    return value if math.isfinite(value) else None
