"""For a pattern that matches nothing: those near to it that might."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ckptmap.basics.nearest import Names
from ckptmap.families.detection.freezing.frozen_weights import Weight
from ckptmap.families.detection.model_parts import BACKBONE, BOX_HEAD, CLASS_HEAD, MASK_HEAD, NECK, PREDICTOR, PROPOSALS

_WORDS = {
    "backbone": (BACKBONE,),
    "body": (BACKBONE,),
    "base": (BACKBONE,),
    "neck": (NECK,),
    "fpn": (NECK,),
    "rpn": (PROPOSALS,),
    "head": (CLASS_HEAD, BOX_HEAD, MASK_HEAD, PREDICTOR),
    "classifier": (CLASS_HEAD,),
}
"""What people call the parts in patterns for other libraries."""


def near_patterns(text: str, weights: Sequence[Weight]) -> tuple[str, ...]:
    """Patterns near to one that matches nothing, the nearest first: the same unanchored, the scopes of the part that it
    names, or else the most similar scope. They may match nothing either.
    """
    words = re.findall(r"[a-z]+", text.lower())
    parts = {part for word in words for part in _WORDS.get(word, ())}
    scopes = scopes_pattern(weight for weight in weights if weight.part in parts) or _similar_scope(text, weights)
    return tuple(near for near in (_anywhere(text), scopes) if near)


def _anywhere(text: str) -> str:
    """The pattern after any beginning of the name; empty where flags stand before it."""
    bare = text.lstrip("^")
    if "(?" in bare:
        return ""
    return f".*({bare})" if "|" in bare else f".*{bare}"


def scopes_pattern(weights: Iterable[Weight]) -> str:
    """The outermost scopes as a pattern, numbers at their end opened: ``BoxPredictor_0`` and ``_1`` are
    ``BoxPredictor_\\d+``; empty for no weights."""
    firsts = (weight.name.partition("/")[0] for weight in weights)
    scopes = dict.fromkeys(re.sub(r"_\d+$", r"_\\d+", first) for first in firsts)
    return "|".join(f"{scope}/.*" for scope in scopes)


def _similar_scope(text: str, weights: Iterable[Weight]) -> str:
    plain = re.sub(r"[^\w/]+", "", text.replace(".*", "")).strip("/")
    scopes = dict.fromkeys(
        "/".join(parts[:depth])
        for weight in weights
        for parts in [weight.name.split("/")]
        for depth in range(1, len(parts))
    )
    by_lower = {scope.lower(): scope for scope in scopes}
    close = Names(by_lower).nearest(plain.lower())
    return f"{re.escape(by_lower[close[0]])}/.*" if close else ""
