"""Rules for names that differ in a component or two: a value map leads from the old words to the new ones."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from ckptmap.suggest.drafted import Candidate, Drafted, Entry, expression_of
from ckptmap.suggest.natural import natural
from ckptmap.suggest.number_rules import rule_of_numbers
from ckptmap.suggest.pieces import Number, Pieces, shape_of, written

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_SUM = re.compile(r"\{([a-z]+)([+-][0-9]+)?\}")
_WORD = re.compile(r"\{[^}]*\}|[A-Za-z0-9]+|[^A-Za-z0-9{}]")


def word_rules(entries: Sequence[Entry]) -> list[Candidate]:
    """Rules with a value map for one component of the old name, or for two that follow each other."""
    groups: dict[tuple[int, int, str], dict[str, list[Entry]]] = defaultdict(lambda: defaultdict(list))
    for entry in entries:
        parts = _by_component(entry.old)
        for span in (1, 2):
            for at in range(len(parts) - span + 1):
                masked = "/".join([*map(shape_of, parts[:at]), "\0", *map(shape_of, parts[at + span :])])
                text = "/".join("".join(map(written, part)) for part in parts[at : at + span])
                groups[at, span, masked][text].append(entry)
    found = []
    for (at, span, _), by_text in groups.items():
        if len(by_text) > 1:
            found += [Candidate(rule, span) for rule in _mapped(at, span, by_text)]
    return found


def _by_component(pieces: Pieces) -> list[Pieces]:
    """The pieces of each component of a name."""
    parts: list[list[str | Number]] = [[]]
    for piece in pieces:
        if isinstance(piece, Number):
            parts[-1].append(piece)
            continue
        first, *rest = piece.split("/")
        if first:
            parts[-1].append(first)
        parts += [[text] if text else [] for text in rest]
    return [tuple(part) for part in parts]


def _mapped(at: int, span: int, by_text: Mapping[str, Sequence[Entry]]) -> list[Drafted]:
    """Rules over the texts of one place: those whose rules differ in one place of the new name go together."""
    single: dict[str, list[tuple[str, Drafted]]] = defaultdict(list)
    alone: list[tuple[str, Sequence[Entry]]] = []
    for text, group in by_text.items():
        by_new: dict[str, list[Entry]] = defaultdict(list)
        for entry in group:
            by_new[shape_of(entry.new)].append(entry)
        largest = max(by_new.values(), key=len)
        rule = rule_of_numbers(largest)
        if rule is not None:
            single["/".join(_masked(rule.old, at, span))].append((text, rule))
            alone.append((text, largest))
    return [
        rule for masked, rules in single.items() if (rule := _joined(masked, [*rules, *_led(rules, alone)])) is not None
    ]


def _led(
    rules: Sequence[tuple[str, Drafted]], groups: Iterable[tuple[str, Sequence[Entry]]]
) -> list[tuple[str, Drafted]]:
    """Rules for further texts, in which a number never changes that does in ``rules``: what the largest says of it."""
    known = {text for text, _ in rules}
    lead_text, lead = max(rules, key=lambda item: (len(item[1].members), item[0]))
    if not lead.where or any(not isinstance(declared, str) for declared in lead.where.values()):
        return []
    found = []
    for text, group in groups:
        if text not in known:
            old = lead.old.replace(lead_text, text)
            new = _followed(lead, old, group) if old != lead.old else None
            if new is not None:
                found.append((text, Drafted(old, new, lead.where, tuple(entry.named.number for entry in group))))
    return found


def _followed(lead: Drafted, old: str, group: Sequence[Entry]) -> str | None:
    """The new names of a group as ``lead`` would have them, but for one text; None where they differ in more."""
    words = _WORD.findall(lead.new)
    expression = expression_of(Drafted(old, lead.new, lead.where, ()))
    found: set[tuple[str, ...]] = set()
    for entry in group:
        match = expression.fullmatch(entry.named.old)
        filled = [_evaluated(word, match.groupdict()) for word in words] if match else []
        if not filled:
            return None
        found.add(_replaced(words, filled, entry.named.new))
    (first, *others) = found
    return "".join(first) if first and not others else None


def _evaluated(word: str, values: Mapping[str, str]) -> str:
    """A word of a new name with the numbers filled in; nothing for what is no sum of one placeholder and a number."""
    match = _SUM.fullmatch(word)
    if match is None:
        return "" if word.startswith("{") else word
    return str(int(values[match[1]]) + int(match[2] or 0)) if values[match[1]].isdecimal() else ""


def _replaced(words: Sequence[str], filled: Sequence[str], name: str) -> tuple[str, ...]:
    """``words`` with those in the middle replaced by what ``name`` has there; empty where that takes a placeholder."""
    front = next((at for at in range(len(filled)) if not name.startswith("".join(filled[: at + 1]))), len(filled))
    rest = name[len("".join(filled[:front])) :]
    back = next(
        (at for at in range(len(filled) - front) if not rest.endswith("".join(filled[len(filled) - at - 1 :]))), 0
    )
    tail = filled[len(filled) - back :] if back else []
    middle = rest[: len(rest) - len("".join(tail))]
    inner = words[front : len(words) - back]
    if not middle or not inner or any(word.startswith("{") for word in inner):
        return ()
    return (*words[:front], middle, *(words[len(words) - back :] if back else ()))


def _masked(pattern: str, at: int, span: int) -> list[str]:
    parts = pattern.split("/")
    return [*parts[:at], "\0", *parts[at + span :]]


def _joined(masked: str, rules: Sequence[tuple[str, Drafted]]) -> Drafted | None:
    """One rule for as many of ``rules`` as differ in one piece of their new name."""
    ordered = sorted(rules, key=lambda item: (-len(item[1].members), item[0]))
    cut_new = {text: _WORD.findall(rule.new) for text, rule in ordered}
    first = ordered[0][0]
    chosen, ends = [first], None
    for text, rule in ordered[1:]:
        if rule.where != ordered[0][1].where:
            continue
        merged = _common(cut_new, [*chosen, text])
        if merged is not None:
            chosen, ends = [*chosen, text], merged
    if ends is None:
        return None
    front, back = ends
    reference = cut_new[first]
    values = {text: "".join(cut_new[text][front : len(cut_new[text]) - back]) for text in sorted(chosen, key=natural)}
    tail = "".join(reference[len(reference) - back :]) if back else ""
    new = "".join(reference[:front]) + "{part}" + tail
    by_text = dict(rules)
    members = tuple(number for text in chosen for number in by_text[text].members)
    where: dict[str, str | Mapping[str, str]] = {**by_text[first].where, "part": values}
    return Drafted(masked.replace("\0", "{part}"), new, where, members)


def _common(cut_new: Mapping[str, Sequence[str]], texts: Sequence[str]) -> tuple[int, int] | None:
    """How many words the new names have in common in front and at the end; None where that is too little."""
    names = [cut_new[text] for text in texts]
    shortest = min(map(len, names))
    front = next((at for at in range(shortest) if len({name[at] for name in names}) > 1), shortest)
    back = next((at for at in range(shortest - front) if len({name[-1 - at] for name in names}) > 1), shortest - front)
    while front + back >= shortest and (front or back):
        front, back = (front, back - 1) if back else (front - 1, back)
    middles = ["".join(name[front : len(name) - back]) for name in names]
    first = names[0]
    touching = [*first[front - 1 : front], *(first[len(first) - back : len(first) - back + 1] if back else [])]
    if any("{" in middle or not middle for middle in middles) or (front + back == 0):
        return None
    if any(word.startswith("{") for word in touching):
        return None
    if len(set(middles)) < len(middles):
        return None
    return front, back
