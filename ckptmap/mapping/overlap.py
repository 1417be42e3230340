"""Can two patterns match the same name? Decided before any name is seen, so that a table has no order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from ckptmap.mapping.patterns import Parts, Placeholder, Type, components

if TYPE_CHECKING:
    from collections.abc import Iterable

_MAX_STATES = 200_000
_DIGIT, _COMPONENT, _ANY = "digit", "component", "any"


@dataclass(slots=True)
class _Automaton:
    """States are numbers; ``steps`` reads one character (a literal or a class), ``skips`` reads none."""

    steps: dict[int, list[tuple[str, int]]] = field(default_factory=dict)
    skips: dict[int, list[int]] = field(default_factory=dict)
    last: int = 0

    def literal(self, text: str, start: int) -> int:
        for char in text:
            self.last += 1
            self.steps.setdefault(start, []).append((char, self.last))
            start = self.last
        return start

    def choice(self, texts: Iterable[str], start: int) -> int:
        """One of several texts; what they begin with in common is there once."""
        branches: dict[tuple[int, str], int] = {}
        ends = set()
        for text in texts:
            state = start
            for char in text:
                if (state, char) not in branches:
                    branches[state, char] = self.literal(char, state)
                state = branches[state, char]
            ends.add(state)
        return self.join(ends)

    def loop(self, kind: str, start: int) -> int:
        """One or more characters of a class."""
        self.last += 1
        self.steps.setdefault(start, []).append((kind, self.last))
        self.steps.setdefault(self.last, []).append((kind, self.last))
        return self.last

    def join(self, ends: Iterable[int]) -> int:
        self.last += 1
        for end in ends:
            self.skips.setdefault(end, []).append(self.last)
        return self.last


class Claim(NamedTuple):
    """The names that a pattern matches: its parts, and its components as ``patterns.components`` gives them."""

    parts: Parts
    components: tuple[str | None, ...]
    whole: bool


def claim(parts: Parts) -> Claim:
    """The claim of a pattern."""
    return Claim(parts, *components(parts))


def can_overlap(one: Parts, other: Parts) -> bool:
    """True when some name matches both (or, rarely, when that cannot be excluded)."""
    return compare(claim(one), claim(other))[0]


def compare(one: Claim, other: Claim) -> tuple[bool, int]:
    """Whether some name matches both (or that cannot be excluded), and how much work it was to tell."""
    if _differ_in_a_component(one, other):
        return False, 1
    starts_differ = not _compatible(_literal(one.parts[0]), _literal(other.parts[0]))
    if starts_differ or not _compatible(_literal(one.parts[-1])[::-1], _literal(other.parts[-1])[::-1]):
        return False, 1
    first, second = _automaton(one.parts), _automaton(other.parts)
    goal = (first.last, second.last)
    seen, todo = {(0, 0)}, [(0, 0)]
    while todo:
        state = todo.pop()
        if state == goal or len(seen) > _MAX_STATES:
            return True, len(seen)
        for following in _following(first, second, *state):
            if following not in seen:
                seen.add(following)
                todo.append(following)
    return False, first.last + second.last + len(seen)


def _differ_in_a_component(one: Claim, other: Claim) -> bool:
    """The quick way out for most pairs: another number of components, or another literal at the same place."""
    if one.whole and other.whole and len(one.components) != len(other.components):
        return True
    return any(
        a is not None and b is not None and a != b for a, b in zip(one.components, other.components, strict=False)
    )


def _following(first: _Automaton, second: _Automaton, a: int, b: int) -> list[tuple[int, int]]:
    states = [(skip, b) for skip in first.skips.get(a, ())]
    states += [(a, skip) for skip in second.skips.get(b, ())]
    for one, after in first.steps.get(a, ()):
        states += [(after, end) for other, end in second.steps.get(b, ()) if _meet(one, other)]
    return states


def _automaton(parts: Parts) -> _Automaton:
    automaton, state = _Automaton(), 0
    for part in parts:
        state = automaton.literal(part, state) if isinstance(part, str) else _add(automaton, part, state)
    automaton.join([state])
    return automaton


def _add(automaton: _Automaton, placeholder: Placeholder, state: int) -> int:
    if placeholder.type is Type.CHOICE:
        return automaton.choice(placeholder.choices, state)
    if placeholder.type is Type.AUTO:
        return automaton.join([state, automaton.loop(_DIGIT, automaton.literal("_", state))])
    kinds = {Type.INT: _DIGIT, Type.NAME: _COMPONENT, Type.PATH: _ANY}
    return automaton.loop(kinds[placeholder.type], state)


def _meet(one: str, other: str) -> bool:
    """True when some character is in both of two literals or classes."""
    if one == other:
        return True
    return _contains(one, other) or _contains(other, one)


def _contains(kind: str, other: str) -> bool:
    if kind == _ANY:
        return True
    if kind == _COMPONENT:
        return other not in ("/", _ANY)
    return kind == _DIGIT and len(other) == 1 and other.isdigit()


def _compatible(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def _literal(part: str | Placeholder) -> str:
    return part if isinstance(part, str) else ""
