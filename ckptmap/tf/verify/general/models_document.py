"""A verification of any two models as plain JSON values, schema ``ckptmap.verify_models/1``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ckptmap.tf.verify.general.comparing import ROUNDING
from ckptmap.tf.verify.verify_document import number, sizes
from ckptmap.version import __version__

if TYPE_CHECKING:
    from ckptmap.tf.verify.general.comparing import Measure
    from ckptmap.tf.verify.general.feeding import Fed
    from ckptmap.tf.verify.general.model_verification import ModelVerification
    from ckptmap.tf.verify.general.side import Side
    from ckptmap.tf.verify.general.source import Source
    from ckptmap.tf.verify.layers import Explanation, Step

SCHEMA = "ckptmap.verify_models/1"


def models_document(found: ModelVerification, picture: str = "") -> dict[str, Any]:
    """The document of a verification; ``picture`` is the file beside it that shows the layers."""
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
        **_why(found.explanation),
        "unexplained": found.unexplained or None,
        "picture": picture or None,
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
        **sizes(one, ROUNDING),
        "top1": one.top1,
    }


def _why(explanation: Explanation | None) -> dict[str, Any]:
    """Where the models part, and why; nothing where they agree."""
    if explanation is None:
        return {"first_difference": None, "causes": [], "larger": [], "parts": []}
    return {
        "first_difference": explanation.first.text if explanation.first else None,
        "causes": [asdict(cause) for cause in explanation.causes],
        "larger": [
            {"at": one.first.text, "relative": number(one.first.relative), "causes": [asdict(c) for c in one.causes]}
            for one in explanation.larger
        ],
        "parts": [_part(step) for step in explanation.steps],
    }


def _part(step: Step) -> dict[str, Any]:
    return {
        "name": step.name,
        "operation": step.op or None,
        "variables": list(step.variables),
        "relative": number(step.relative) if step.relative is not None else None,
        "differs": step.relative is not None and not step.relative <= ROUNDING,
        "compared": step.relative is not None,
    }
