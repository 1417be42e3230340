"""Patterns that a user gives on the command line to choose variables by name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache


def first_match(name: str, patterns: Iterable[str]) -> str | None:
    """The first of ``patterns`` that chooses ``name``, None where none does.

    ``*`` and ``?`` stay within one component of the name, ``**`` crosses components; a pattern that matches a
    scope chooses all variables below it, so ``BoxPredictor_*`` chooses ``BoxPredictor_0/ClassPredictor/weights``.
    """
    return next((pattern for pattern in patterns if _compiled(pattern).fullmatch(name)), None)


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = (_TRANSLATIONS.get(token) or re.escape(token) for token in re.split(r"(\*\*|\*|\?)", pattern.rstrip("/")))
    return re.compile("".join(parts) + "(?:/.*)?", re.DOTALL)


_TRANSLATIONS = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
