"""How TF1 decides which variables train: a pattern is a Python regular expression on the variable's name.

The two trainers differ. ``train``: object_detection/legacy/trainer.py, with utils/variables_helper.py's
``filter_variables``: ``re.match`` on the name, so from its beginning; ``update_trainable_variables`` is not read.
``model_main``: object_detection/model_lib.py, with tf_slim's ``filter_variables``: ``re.search`` on the name with
``:0``; a variable trains when an ``update_trainable_variables`` pattern finds it (or there is none) and no
``freeze_variables`` pattern does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from ckptmap.errors import Problem, ProblemsError
from ckptmap.freezing.model import Matched, Pattern, Weight
from ckptmap.freezing.nearest import nearest_pattern

Trainer = Literal["train", "model_main"]
UPDATE = "update_trainable_variables"


def matches(pattern: str, name: str, trainer: Trainer = "train") -> bool:
    """Whether ``trainer`` finds that ``pattern`` matches the variable called ``name``."""
    if trainer == "train":
        return bool(pattern) and re.match(pattern, name) is not None
    return re.search(pattern, f"{name}:0") is not None


def check_patterns(patterns: Iterable[Pattern]) -> None:
    """Raise ProblemsError where a pattern is no regular expression, as TF1 would fail with it in the first step."""
    if problems := [problem for pattern in patterns if (problem := _unreadable(pattern))]:
        raise ProblemsError("patterns that cannot be used", problems)


def _unreadable(pattern: Pattern) -> Problem | None:
    try:
        re.compile(pattern.text)
    except re.error as error:
        hint = "a pattern is a Python regular expression: '.*' stands for anything, a lone '*' is a mistake"
        return Problem(f"{pattern.text!r} is no regular expression: {error}", pattern.where, hint)
    return None


def match_all(patterns: Iterable[Pattern], weights: Sequence[Weight], trainer: Trainer) -> Iterator[Matched]:
    """What each pattern matches among the trainable variables, and the nearest one that would match."""
    other: Trainer = "model_main" if trainer == "train" else "train"
    for pattern in patterns:
        names = tuple(weight.name for weight in weights if matches(pattern.text, weight.name, trainer))
        count = sum(matches(pattern.text, weight.name, other) for weight in weights)
        near = "" if names else nearest_pattern(pattern.text, weights)
        near_count = sum(matches(near, weight.name, trainer) for weight in weights)
        yield Matched(pattern, names, count, near if near_count else "", near_count if near else 0)


def divide(
    patterns: Sequence[Pattern], weights: Iterable[Weight], trainer: Trainer
) -> tuple[tuple[Weight, ...], tuple[Weight, ...]]:
    """(frozen, trainable): what the patterns of both fields make of the trainable variables."""
    freeze = [pattern.text for pattern in patterns if pattern.field != UPDATE]
    update = [pattern.text for pattern in patterns if pattern.field == UPDATE] if trainer == "model_main" else []
    frozen: list[Weight] = []
    trainable: list[Weight] = []
    for weight in weights:
        chosen = not update or any(matches(text, weight.name, trainer) for text in update)
        held = any(matches(text, weight.name, trainer) for text in freeze)
        (trainable if chosen and not held else frozen).append(weight)
    return tuple(frozen), tuple(trainable)
