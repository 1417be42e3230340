"""A verification as plain JSON values, schema ``ckptmap.verify/1``: the one model of its report."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ckptmap.tf.verify.detection_matching import Fate, Match, counts
from ckptmap.tf.verify.measuring import ROUNDING
from ckptmap.version import __version__

if TYPE_CHECKING:
    from ckptmap.tf.verify.general.comparing import Measure as ModelMeasure
    from ckptmap.tf.verify.measuring import Measure
    from ckptmap.tf.verify.sources import New, Old
    from ckptmap.tf.verify.values import Values
    from ckptmap.tf.verify.verification import Seen, Verification
    from ckptmap.tf.verify.walking import Part

SCHEMA = "ckptmap.verify/1"


def verify_document(
    found: Verification, min_score: float = 0.3, pictures: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The document of a verification; detections count from ``min_score`` on, ``pictures`` are files by image."""
    matches = found.matches(min_score)
    return {
        "schema": SCHEMA,
        "generator": f"ckptmap {__version__}",
        "old": _side(found.old) | {"weights": found.old.weights, "without": list(found.old.without)},
        "new": _side(found.new),
        "agree": found.agree,
        "min_score": min_score,
        "detections": counts(one for image in matches for one in image),
        "outputs": [_measure(one) for one in found.measures],
        "only_old": list(found.images[0].finding.only_old),
        "only_new": list(found.images[0].finding.only_new),
        "values": _values(found.values),
        "first_difference": found.parting or None,
        "causes": [asdict(cause) for cause in found.causes],
        "images": [_image(seen, one, pictures or {}) for seen, one in zip(found.images, matches, strict=True)],
        "parts": [_part(part) for part in found.parts],
    }


def _side(side: Old | New) -> dict[str, Any]:
    return {"path": side.path, "kind": side.kind.value, "config": side.config or None}


def _measure(one: Measure) -> dict[str, Any]:
    return {
        "name": one.name,
        "level": one.level or None,
        "shape_old": list(one.reference_shape),
        "shape_new": list(one.other_shape),
        **sizes(one, ROUNDING),
    }


def sizes(one: Measure | ModelMeasure, tolerance: float) -> dict[str, Any]:
    """How far the values of both sides are apart, beside what rounding explains."""
    return {
        "max": number(one.largest),
        "mean": number(one.mean),
        "spread": number(one.spread),
        "relative": number(one.relative),
        "tolerance": tolerance,
        "within": one.within,
    }


def number(value: float) -> float | None:
    """JSON has no infinity: null where shapes differ or values are no numbers."""
    return value if math.isfinite(value) else None


def _values(values: Values) -> dict[str, Any]:
    return {
        "equal": values.equal,
        "note": values.note or None,
        "wrong": [
            {
                "source": one.source,
                "key": one.key,
                "part": one.part,
                "holds": one.instead.value,
                "of": one.other or None,
            }
            for one in values.wrong
        ],
    }


def _image(seen: Seen, matches: Sequence[Match], pictures: Mapping[str, str]) -> dict[str, Any]:
    finding = seen.finding
    return {
        "name": seen.image.name,
        "height": seen.size[0],
        "width": seen.size[1],
        "agrees": finding.agrees,
        "relative": number(finding.relative),
        "detections": counts(matches),
        "picture": pictures.get(seen.image.name),
        "matches": [_match(one) for one in matches if one.fate is not Fate.EQUAL],
    }


def _match(one: Match) -> dict[str, Any]:
    sides = {"old": one.old, "new": one.new}
    boxes = {
        side: {"box": list(box.corners), "score": box.score, "class": box.label} if box else None
        for side, box in sides.items()
    }
    return {"fate": one.fate.value, **boxes}


def _part(part: Part) -> dict[str, Any]:
    return {
        "name": part.name,
        "place": part.place or None,
        "group": part.group or None,
        "level": part.level or None,
        "relative": number(part.relative),
        "shape_old": list(part.shapes[0]),
        "shape_new": list(part.shapes[1]),
        "differs": part.differs,
    }
