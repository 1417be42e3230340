"""How TF1 decides which variables train: a pattern is a Python regular expression on the variable's name.

The two trainers differ. ``train``: object_detection/legacy/trainer.py, with utils/variables_helper.py's
``filter_variables``: ``re.match`` on the name, so from its beginning; ``update_trainable_variables`` is not read.
``model_main``: object_detection/model_lib.py, with tf_slim's ``filter_variables``: ``re.search`` on the name with
``:0``; a variable trains when an ``update_trainable_variables`` pattern finds it (or there is none) and no
``freeze_variables`` pattern does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

from ckptmap.families.detection.freezing.frozen_weights import Matched, Pattern, Weight
from ckptmap.families.detection.freezing.nearest import near_patterns
from ckptmap.families.detection.freezing.pattern_matching import Hits, try_hits

Trainer = Literal["train", "model_main"]
UPDATE = "update_trainable_variables"


def names_of(hits: Hits, text: str, trainer: Trainer) -> frozenset[str]:
    """The names that ``trainer`` finds the pattern ``text`` to match, by its ``hits``."""
    if trainer == "train":
        return hits.train if text else frozenset()
    return hits.model_main


def match_all(
    patterns: Sequence[Pattern], hits: Mapping[str, Hits], weights: Sequence[Weight], trainer: Trainer
) -> Iterator[Matched]:
    """What each pattern matches among the trainable variables, and the nearest one that would match."""
    other: Trainer = "model_main" if trainer == "train" else "train"
    near = _nearest(
        [pattern.text for pattern in patterns if not names_of(hits[pattern.text], pattern.text, trainer)],
        weights,
        trainer,
    )
    for pattern in patterns:
        found = hits[pattern.text]
        matched = names_of(found, pattern.text, trainer)
        names = tuple(weight.name for weight in weights if weight.name in matched)
        yield Matched(pattern, names, len(names_of(found, pattern.text, other)), *near.get(pattern.text, ("", 0)))


def _nearest(texts: Sequence[str], weights: Sequence[Weight], trainer: Trainer) -> dict[str, tuple[str, int]]:
    """For patterns that match nothing the nearest one that does, and how many variables."""
    candidates = {text: near_patterns(text, weights) for text in texts}
    hits = try_hits(
        list(dict.fromkeys(near for nears in candidates.values() for near in nears)),
        [weight.name for weight in weights],
    )
    counts = {near: len(names_of(found, near, trainer)) for near, found in hits.items()}
    return {
        text: next(((near, counts[near]) for near in nears if counts.get(near)), ("", 0))
        for text, nears in candidates.items()
    }


def divide(
    patterns: Sequence[Pattern], hits: Mapping[str, Hits], weights: Iterable[Weight], trainer: Trainer
) -> tuple[tuple[Weight, ...], tuple[Weight, ...]]:
    """(frozen, trainable): what the patterns of both fields make of the trainable variables."""
    freeze = [pattern.text for pattern in patterns if pattern.field != UPDATE]
    update = [pattern.text for pattern in patterns if pattern.field == UPDATE] if trainer == "model_main" else []
    held = frozenset().union(*(names_of(hits[text], text, trainer) for text in freeze))
    chosen = frozenset().union(*(names_of(hits[text], text, trainer) for text in update))
    frozen: list[Weight] = []
    trainable: list[Weight] = []
    for weight in weights:
        trains = weight.name not in held and (not update or weight.name in chosen)
        (trainable if trains else frozen).append(weight)
    return tuple(frozen), tuple(trainable)
