"""The Python expression that makes the model of keras.applications which a converted classifier restores into."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ckptmap.families.classification.models import CLASSIFIERS, Classifier

_PUBLISHED = (0.25, 0.35, 0.5, 0.75, 1.0, 1.3, 1.4)
"""The widths that slim has checkpoints of; others are told to two places."""
_NEAR = 0.02
_KERAS_2 = 2


def expression(target: str, settings: Mapping[str, object], lengths: Mapping[str, int]) -> str:
    """``keras.applications.MobileNet(weights=None, alpha=0.5, classes=1001)``; empty for targets of other families.

    ``settings`` and ``lengths`` are those that the target's layout was solved with.
    """
    model = next((one for one in CLASSIFIERS.values() if one.target == target), None)
    if model is None:
        return ""
    home = "tf_keras" if settings.get("keras") == _KERAS_2 else "keras"
    return f"{home}.applications.{model.keras}({', '.join(_arguments(model, settings, lengths))})"


def _arguments(model: Classifier, settings: Mapping[str, object], lengths: Mapping[str, int]) -> Iterator[str]:
    yield "weights=None"
    alpha = _width(model, lengths)
    if model.widens and alpha != 1.0:
        yield f"alpha={alpha}"
    yield from (f"{name}={value}" for name, value in model.options.items())
    if settings.get("include_preprocessing") is False:
        yield "include_preprocessing=False"
    if settings.get("include_top") is False:
        yield "include_top=False"
    elif "num_classes" in lengths:
        yield f"classes={lengths['num_classes']}"


def _width(model: Classifier, lengths: Mapping[str, int]) -> float:
    """The depth multiplier, from the widest layer that it makes narrower: channels are rounded, and there least."""
    known = ((re.fullmatch(r"width_(\d+)", name), value) for name, value in lengths.items())
    widths = {int(name[1]): value for name, value in known if name is not None and int(name[1]) != model.last}
    if not widths:
        return 1.0
    ratio = widths[max(widths)] / max(widths)
    near = min(_PUBLISHED, key=lambda width: abs(width - ratio))
    return near if abs(near - ratio) < _NEAR else round(ratio, 2)
