"""Patterns that a user gives on the command line to choose variables by name."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import takewhile

from ckptmap.basics.errors import PatternError, Problem
from ckptmap.basics.nearest import did_you_mean
from ckptmap.basics.wording import argument

_FEW = 3
RULE = "* and ? stop at /, ** crosses it"
"""For help and messages."""
Called = str | tuple[str, ...]
"""What a variable is called: its name, or every name that it has."""


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


def choosing_nothing(patterns: Iterable[str], names: Iterable[Called]) -> tuple[str, ...]:
    """Those of ``patterns`` that choose none of ``names``."""
    wanted = dict.fromkeys(patterns)
    known = tuple(names) if wanted else ()
    return tuple(one for one in wanted if not any(chosen((one,), *_all(called)) for called in known))


def nothing_chosen(given: str, pattern: str, names: Collection[Called]) -> Problem:
    """That ``pattern`` chooses none of ``names``, with what is near to it.

    ``given`` is the argument that it came by, as :func:`ckptmap.basics.wording.argument` knows it.
    """
    return Problem(f"no variable matches {argument(given, pattern)}", "", near_pattern(pattern, names))


def pattern_problems(given: str, patterns: Iterable[str], names: Iterable[Called]) -> tuple[Problem, ...]:
    """A problem for each of ``patterns`` that chooses none of ``names``."""
    wanted = tuple(patterns)
    known = tuple(dict.fromkeys(names)) if wanted else ()
    return tuple(nothing_chosen(given, pattern, known) for pattern in choosing_nothing(wanted, known))


def refuse_choosing_nothing(given: str, patterns: Iterable[str], names: Iterable[Called]) -> None:
    """Refuse patterns that choose none of ``names``.

    Raises:
        PatternError: one at least does; each is named, with what is near to it.
    """
    if problems := pattern_problems(given, patterns, names):
        raise PatternError("a pattern must choose something", problems)


def near_pattern(pattern: str, names: Collection[Called]) -> str:
    """For a pattern that chooses none of ``names``: the same across ``/`` where that does, else the nearest name."""
    for wider in (re.sub(r"\*+", "**", pattern), f"**/{pattern}", f"**/{re.sub(r'[*]+', '**', pattern)}"):
        if count := _count(wider, names):
            return f'"{wider}" matches {count:,}: {RULE}'
    scopes = dict.fromkeys(scope for called in names for name in _all(called) for scope in _with_scopes(name))
    return "; ".join(filter(None, (did_you_mean(pattern.strip("*/"), scopes), RULE if "*" in pattern else "")))


def _count(pattern: str, names: Iterable[Called]) -> int:
    return sum(chosen((pattern,), *_all(called)) for called in names)


def _all(called: Called) -> tuple[str, ...]:
    return (called,) if isinstance(called, str) else called


def _with_scopes(name: str) -> Iterator[str]:
    """The name, and every scope above it."""
    while name:
        yield name
        name = name.rpartition("/")[0]


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = (_TRANSLATIONS.get(token) or re.escape(token) for token in re.split(r"(\*\*|\*|\?)", pattern.rstrip("/")))
    return re.compile("".join(parts) + "(?:/.*)?", re.DOTALL)


_TRANSLATIONS = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
