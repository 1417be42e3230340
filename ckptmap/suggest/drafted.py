"""Rules of a draft as values, and which names they match."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ckptmap.suggest.pieces import Pieces

MAX_CHOICES = 1000
_LISTS = 2
"""The rank of rules that list two components at once."""


@dataclass(frozen=True, slots=True)
class Named:
    """A pair of names that a rule has to lead from one to the other, and its number in the caller's list."""

    old: str
    new: str
    number: int


@dataclass(frozen=True, slots=True)
class Drafted:
    """A rule: pattern, template, declarations (``int``, ``auto``, alternatives, or a value map), and what it is for."""

    old: str
    new: str
    where: Mapping[str, str | Mapping[str, str]]
    members: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A pair of names, cut into pieces at their numbers."""

    named: Named
    old: Pieces
    new: Pieces


@dataclass(frozen=True, slots=True)
class Candidate:
    """A rule that may be taken."""

    rule: Drafted
    rank: int
    """Of two rules for as many pairs, the one of the lower rank is plainer."""

    @property
    def worth(self) -> float:
        """For how many pairs it is; one that lists two components at once is worth a quarter."""
        return len(self.rule.members) / (4 if self.rank == _LISTS else 1)


def matcher(rule: Drafted) -> Callable[[str], bool]:
    """Whether the rule's pattern is a name."""
    expression = expression_of(rule)
    return lambda name: expression.fullmatch(name) is not None


def expression_of(rule: Drafted) -> re.Pattern[str]:
    """The rule's pattern as a regular expression, with a group for each placeholder."""
    kinds = {"int": "(?:0|[1-9][0-9]{0,8})", "auto": "(?:|_[1-9][0-9]{0,8})", "path": ".+", "name": "[^/]+"}
    text = ""
    for at, part in enumerate(re.split(r"\{([^}]*)\}", rule.old)):
        if at % 2 == 0:
            text += re.escape(part)
            continue
        declared = rule.where[part]
        inner = kinds[declared] if isinstance(declared, str) else "|".join(map(re.escape, sorted(declared, key=len)))
        text += f"(?P<{part}>{inner})"
    return re.compile(text)
