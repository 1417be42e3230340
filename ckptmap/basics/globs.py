"""Patterns that a user gives on the command line to choose variables by name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import takewhile

_FEW = 3


def first_match(name: str, patterns: Iterable[str]) -> str | None:
    """The first of ``patterns`` that chooses ``name``, None where none does.

    ``*`` and ``?`` stay within one component of the name, ``**`` crosses components; a pattern that matches a
    scope chooses all variables below it, so ``BoxPredictor_*`` chooses ``BoxPredictor_0/ClassPredictor/weights``.
    """
    return next((pattern for pattern in patterns if _compiled(pattern).fullmatch(name)), None)


def accepting(names: Sequence[str]) -> tuple[str, ...]:
    """A few patterns that choose all of ``names``: the scope that those below one root share, numbers left open where
    there would be many, and ``**`` where that does not help."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(name.partition("/")[0], []).append(name)
    scopes = [_shared_scope(group) for group in groups.values()]
    if len(scopes) <= _FEW:
        return tuple(scopes)
    alike = tuple(dict.fromkeys(re.sub(r"\d+", "*", scope) for scope in scopes))
    return alike if len(alike) <= _FEW else ("**",)


def _shared_scope(names: Sequence[str]) -> str:
    components = zip(*(name.split("/") for name in names), strict=False)
    return "/".join(first for first, *_ in takewhile(lambda parts: len(set(parts)) == 1, components))


def chosen(patterns: Sequence[str], *names: str | None) -> bool:
    """Whether one of ``patterns`` chooses a variable with these names; None and the empty name are none."""
    return any(first_match(name, patterns) is not None for name in names if name)


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = (_TRANSLATIONS.get(token) or re.escape(token) for token in re.split(r"(\*\*|\*|\?)", pattern.rstrip("/")))
    return re.compile("".join(parts) + "(?:/.*)?", re.DOTALL)


_TRANSLATIONS = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
