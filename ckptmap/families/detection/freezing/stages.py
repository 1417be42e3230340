"""Training in stages: what trains in each, and the patterns that freeze the rest."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence

from ckptmap.basics.errors import CkptmapError
from ckptmap.basics.nearest import nearest
from ckptmap.families.detection.freezing.frozen_weights import Stage, Weight
from ckptmap.families.detection.model_parts import BACKBONE, BOX_HEAD, CLASS_HEAD, MASK_HEAD, NECK, PREDICTOR, PROPOSALS

_HEADS = (CLASS_HEAD, BOX_HEAD, MASK_HEAD, PREDICTOR)
_TOP = (*_HEADS, NECK, PROPOSALS)
_PARTS = {part.replace(" ", "_"): (part,) for part in (BACKBONE, *_TOP)}
_NAMES = {**_PARTS, "rpn": (PROPOSALS,), "heads": _HEADS, "top": _TOP, "all": (BACKBONE, *_TOP, "")}


def plan_stages(stages: Iterable[str], weights: Sequence[Weight]) -> tuple[Stage, ...]:
    """A stage for each text: ``heads``, ``top`` (all but the backbone), ``all``, or parts (``class_head+neck``).

    Raises:
        CkptmapError: there is no such part, or the model has nothing of it.
    """
    return tuple(_stage(text, weights) for text in stages)


def _stage(text: str, weights: Sequence[Weight]) -> Stage:
    parts = {part for name in text.split("+") for part in _parts(name.strip())}
    trainable = tuple(weight for weight in weights if weight.part in parts)
    if not trainable:
        present = sorted({weight.part.replace(" ", "_") for weight in weights if weight.part})
        raise CkptmapError(f"stage {text}: the model has no such part", hint=f"it has {', '.join(present)}")
    frozen = tuple(weight for weight in weights if weight.part not in parts)
    return Stage(text, trainable, frozen, tuple(_covering("", frozen, trainable)))


def _parts(name: str) -> tuple[str, ...]:
    if name not in _NAMES:
        close = nearest(name, _NAMES) or list(_NAMES)
        raise CkptmapError(f"{name!r} is not a part to train", hint=f"known: {', '.join(close)}")
    return _NAMES[name]


def _covering(scope: str, frozen: Sequence[Weight], trainable: Collection[Weight]) -> Iterator[str]:
    """The outermost scopes below ``scope`` that hold frozen variables only, as patterns.

    They are anchored, so that they mean the same to both trainers: ``re.search`` finds ``Conv/`` in other scopes too.
    """
    below: dict[str, list[Weight]] = {}
    for weight in frozen:
        below.setdefault(weight.name[len(scope) :].partition("/")[0], []).append(weight)
    for child, members in below.items():
        inner = f"{scope}{child}/"
        others = [weight for weight in trainable if weight.name.startswith(inner)]
        if others:
            yield from _covering(inner, members, others)
        else:
            is_scope = members[0].name.startswith(inner)
            yield f"^{re.escape(scope + child)}{'/' if is_scope else ''}"
