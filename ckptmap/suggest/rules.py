"""Pairs of names put together to few rules: placeholders, sums, value maps and ordered lists."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ckptmap.suggest.natural import natural
from ckptmap.suggest.numbering import Fit, fit_column
from ckptmap.suggest.pieces import Number, Pieces, counted_stems, cut, shape_of, values_of, written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

_LETTERS = "ijklmnpqrstuvwxyz"
_ORDERED = 4
"""How many layers a list of them must have to be better than a rule for each."""
_MAX_CHOICES = 1000
_LISTS = 2
"""The rank of rules that list two components at once."""
_SUM = re.compile(r"\{([a-z]+)([+-][0-9]+)?\}")
_WORD = re.compile(r"\{[^}]*\}|[A-Za-z0-9]+|[^A-Za-z0-9{}]")


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
class _Entry:
    named: Named
    old: Pieces
    new: Pieces


@dataclass(frozen=True, slots=True)
class _Candidate:
    rule: Drafted
    rank: int
    """Of two rules for as many pairs, the one of the lower rank is plainer."""

    @property
    def worth(self) -> float:
        """For how many pairs it is; one that lists two components at once is worth a quarter."""
        return len(self.rule.members) / (4 if self.rank == _LISTS else 1)


def compress(pairs: Sequence[Named], *, narrow: bool = False, taken: Iterable[str] = ()) -> list[Drafted]:
    """The fewest rules found that lead each old name to its new one, and match none of ``taken``.

    ``narrow`` declares every number by its values instead of ``int``.
    """
    entries = _entries(pairs)
    foreign = set(taken)
    rules: list[Drafted] = []
    while entries:
        best = _best(entries, pairs, foreign, narrow=narrow)
        if best is None:
            return [*rules, *(_alone(entry) for entry in sorted(entries, key=lambda entry: entry.named.old))]
        chosen = set(best.members)
        rules.append(best)
        entries = [entry for entry in entries if entry.named.number not in chosen]
    return rules


def _entries(pairs: Sequence[Named]) -> list[_Entry]:
    old_stems, new_stems = counted_stems(pair.old for pair in pairs), counted_stems(pair.new for pair in pairs)
    return [_Entry(pair, cut(pair.old, old_stems), cut(pair.new, new_stems)) for pair in pairs]


def _best(entries: Sequence[_Entry], pairs: Sequence[Named], foreign: set[str], *, narrow: bool) -> Drafted | None:
    """The rule for most entries, of those that match nothing that they are not for; None where none is for several."""
    found = [*_plain_rules(entries), *_mapped_rules(entries), *_ordered_rules(entries)]
    several = [candidate for candidate in found if len(candidate.rule.members) > 1]
    for candidate in sorted(several, key=lambda one: (-one.worth, one.rank, one.rule.old)):
        chosen = set(candidate.rule.members)
        others = foreign | {pair.old for pair in pairs if pair.number not in chosen}
        members = [entry for entry in entries if entry.named.number in chosen]
        rule = _narrowed(candidate.rule, members, others, narrow=narrow)
        if rule is not None:
            return rule
    return None


def _alone(entry: _Entry) -> Drafted:
    return Drafted(entry.named.old, entry.named.new, {}, (entry.named.number,))


def _plain_rules(entries: Sequence[_Entry]) -> list[_Candidate]:
    groups: dict[tuple[str, str], list[_Entry]] = defaultdict(list)
    for entry in entries:
        groups[shape_of(entry.old), shape_of(entry.new)].append(entry)
    return [_Candidate(rule, 0) for group in groups.values() for rule in _fitted(group)]


def _fitted(group: Sequence[_Entry]) -> list[Drafted]:
    """Rules for entries that differ in numbers only; several where one does not fit all."""
    rule = _fit(group)
    if rule is not None:
        return [rule]
    parts = _split(group)
    return [rule for part in parts for rule in _fitted(part)]


def _split(group: Sequence[_Entry]) -> list[list[_Entry]]:
    """The group cut by the old number that has the fewest values, more than one."""
    rows = [values_of(entry.old) for entry in group]
    counts = [(len({row[at] for row in rows}), at) for at in range(len(rows[0]))] if rows else []
    several = sorted(item for item in counts if item[0] > 1)
    if not several or len(group) < 2:
        return [[entry] for entry in group]
    at = several[0][1]
    parts: dict[int, list[_Entry]] = defaultdict(list)
    for entry, row in zip(group, rows, strict=True):
        parts[row[at]].append(entry)
    return list(parts.values())


def _fit(group: Sequence[_Entry]) -> Drafted | None:
    """The one rule for these entries; None where no sums lead from the old numbers to the new ones."""
    group = _plainly_numbered(group)
    rows = [values_of(entry.old) for entry in group]
    targets = [values_of(entry.new) for entry in group]
    varying = [at for at in range(len(rows[0])) if len({row[at] for row in rows}) > 1]
    names = {at: _LETTERS[place] for place, at in enumerate(varying) if place < len(_LETTERS)}
    if len(names) < len(varying):
        return None
    reduced = [[row[at] for at in varying] for row in rows]
    fits: list[Fit] = []
    for at in range(len(targets[0])):
        fit = fit_column(reduced, [row[at] for row in targets])
        if fit is None or not _earned(fit, reduced):
            return None
        fits.append(fit)
    old = _pattern(group[0].old, names)
    letters = [(names[at], _is_auto(group[0].old, at)) for at in varying]
    new = _template(group[0].new, fits, letters)
    where = {letter: "auto" if auto else "int" for letter, auto in letters}
    return Drafted(old, new, where, tuple(entry.named.number for entry in group))


def _plainly_numbered(group: Sequence[_Entry]) -> Sequence[_Entry]:
    """The entries with counts that are never 0 as plain numbers behind a ``_``."""
    sides = [entry.old for entry in group], [entry.new for entry in group]
    old, new = (_nonzero([values_of(pieces) for pieces in side]) for side in sides)
    return [_Entry(entry.named, _plain_counts(entry.old, old), _plain_counts(entry.new, new)) for entry in group]


def _nonzero(rows: Sequence[Sequence[int]]) -> frozenset[int]:
    return frozenset(at for at in range(len(rows[0])) if all(row[at] for row in rows))


def _plain_counts(pieces: Pieces, plain: frozenset[int]) -> Pieces:
    found: list[str | Number] = []
    at = 0
    for piece in pieces:
        if isinstance(piece, Number):
            if piece.auto and at in plain:
                found += ["_", Number(piece.value)]
            else:
                found.append(piece)
            at += 1
        else:
            found.append(piece)
    return tuple(found)


def _earned(fit: Fit, rows: Sequence[Sequence[int]]) -> bool:
    """Whether there are more pairs than a sum of that many terms would fit by chance."""
    terms = sum(factor != 0 for factor in fit.factors)
    return (terms <= 1 and all(factor in (0, 1) for factor in fit.factors)) or len(rows) >= 2 * terms + 2


def _is_auto(pieces: Pieces, number: int) -> bool:
    return [piece.auto for piece in pieces if isinstance(piece, Number)][number]


def _pattern(pieces: Pieces, names: Mapping[int, str]) -> str:
    text, at = "", 0
    for piece in pieces:
        if isinstance(piece, str):
            text += piece
        else:
            text += f"{{{names[at]}}}" if at in names else written(piece)
            at += 1
    return text


def _template(pieces: Pieces, fits: Sequence[Fit], letters: Sequence[tuple[str, bool]]) -> str:
    text, at = "", 0
    for piece in pieces:
        if isinstance(piece, str):
            text += piece
            continue
        fit = fits[at]
        at += 1
        text += _expression(fit, letters, piece.auto) if any(fit.factors) else written(Number(fit.constant, piece.auto))
    return text


def _expression(fit: Fit, letters: Sequence[tuple[str, bool]], auto: bool) -> str:
    terms = [(factor, *letter) for factor, letter in zip(fit.factors, letters, strict=True) if factor]
    text = ""
    for factor, letter, _ in terms:
        sign = "-" if factor < 0 else "+" if text else ""
        text += sign + (letter if abs(factor) == 1 else f"{abs(factor)}*{letter}")
    if fit.constant:
        text += f"{fit.constant:+d}"
    from_auto = any(is_auto for _, _, is_auto in terms)
    if auto and not (len(terms) == 1 and from_auto and text == terms[0][1]):
        text += ":auto"
    elif from_auto and not auto:
        text += ":int"
    return f"{{{text}}}"


def _mapped_rules(entries: Sequence[_Entry]) -> list[_Candidate]:
    """Rules with a value map for one component of the old name, or for two that follow each other."""
    groups: dict[tuple[int, int, str], dict[str, list[_Entry]]] = defaultdict(lambda: defaultdict(list))
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
            found += [_Candidate(rule, span) for rule in _mapped(at, span, by_text)]
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


def _mapped(at: int, span: int, by_text: Mapping[str, Sequence[_Entry]]) -> list[Drafted]:
    """Rules over the texts of one place: those whose rules differ in one place of the new name go together."""
    single: dict[str, list[tuple[str, Drafted]]] = defaultdict(list)
    alone: list[tuple[str, Sequence[_Entry]]] = []
    for text, group in by_text.items():
        by_new: dict[str, list[_Entry]] = defaultdict(list)
        for entry in group:
            by_new[shape_of(entry.new)].append(entry)
        largest = max(by_new.values(), key=len)
        rule = _fit(largest)
        if rule is not None:
            single["/".join(_masked(rule.old, at, span))].append((text, rule))
            alone.append((text, largest))
    return [
        rule for masked, rules in single.items() if (rule := _joined(masked, [*rules, *_led(rules, alone)])) is not None
    ]


def _led(
    rules: Sequence[tuple[str, Drafted]], groups: Iterable[tuple[str, Sequence[_Entry]]]
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


def _followed(lead: Drafted, old: str, group: Sequence[_Entry]) -> str | None:
    """The new names of a group as ``lead`` would have them, but for one text; None where they differ in more."""
    words = _WORD.findall(lead.new)
    expression = re.compile(_regex(Drafted(old, lead.new, lead.where, ())))
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


def _ordered_rules(entries: Sequence[_Entry]) -> list[_Candidate]:
    """Rules that list old layers for the one number that their new names have."""
    groups: dict[tuple[str, int, tuple[int, ...]], list[_Entry]] = defaultdict(list)
    for entry in entries:
        values = values_of(entry.new)
        for at in range(len(values)):
            groups[shape_of(entry.new), at, (*values[:at], *values[at + 1 :])].append(entry)
    found = []
    for (_, at, _), group in groups.items():
        if len(group) >= _ORDERED and len(group) <= _MAX_CHOICES:
            rule = _ordered(at, group)
            if rule is not None:
                found.append(_Candidate(rule, 3))
    return found


def _ordered(at: int, group: Sequence[_Entry]) -> Drafted | None:
    """A list of what the old names have besides their common beginning and end, with the new number of each."""
    names = [entry.named.old.split("/") for entry in group]
    shortest = min(map(len, names)) - 1
    front = next((i for i in range(shortest) if len({name[i] for name in names}) > 1), shortest)
    back = next((i for i in range(shortest - front) if len({name[-1 - i] for name in names}) > 1), shortest - front)
    numbers = [values_of(entry.new)[at] for entry in group]
    if len(set(numbers)) < len(numbers):
        return None
    middle = {"/".join(name[front : len(name) - back]): str(n) for name, n in zip(names, numbers, strict=True)}
    old = "/".join([*names[0][:front], "{layer}", *(names[0][len(names[0]) - back :] if back else [])])
    ordered = dict(sorted(middle.items(), key=lambda item: int(item[1])))
    new, place = "", 0
    for piece in group[0].new:
        if isinstance(piece, Number) and place == at:
            new += "{layer:auto}" if piece.auto else "{layer}"
        else:
            new += written(piece)
        place += isinstance(piece, Number)
    return Drafted(old, new, {"layer": ordered}, tuple(entry.named.number for entry in group))


def _narrowed(rule: Drafted, members: Sequence[_Entry], others: Iterable[str], *, narrow: bool) -> Drafted | None:
    """The rule with its numbers declared by their values where ``int`` would match what it is not for.

    None where it matches that even so, or where a count has to be declared by values that nothing stands for.
    """
    matches = matcher(rule)
    strange = [name for name in others if matches(name)]
    if not narrow and not strange:
        return rule
    where: dict[str, str | Mapping[str, str]] = dict(rule.where)
    expression = re.compile(_regex(rule))
    for name, declared in rule.where.items():
        if declared in ("int", "auto"):
            found = (expression.fullmatch(entry.named.old) for entry in members)
            texts = sorted({match[name] for match in found if match}, key=lambda text: (len(text), text))
            as_number = declared == "auto" and f"{{{name}}}" not in rule.new
            where[name] = {text: text.removeprefix("_") if as_number else text for text in texts}
    if any(isinstance(values, dict) and ("" in values or len(values) > _MAX_CHOICES) for values in where.values()):
        return None if strange else rule
    closer = Drafted(rule.old, rule.new, where, rule.members)
    matches = matcher(closer)
    return None if any(matches(name) for name in strange) else closer


def matcher(rule: Drafted) -> Callable[[str], bool]:
    """Whether the rule's pattern is a name."""
    expression = re.compile(_regex(rule))
    return lambda name: expression.fullmatch(name) is not None


def _regex(rule: Drafted) -> str:
    kinds = {"int": "(?:0|[1-9][0-9]{0,8})", "auto": "(?:|_[1-9][0-9]{0,8})", "path": ".+", "name": "[^/]+"}
    text = ""
    for at, part in enumerate(re.split(r"\{([^}]*)\}", rule.old)):
        if at % 2 == 0:
            text += re.escape(part)
            continue
        declared = rule.where[part]
        inner = kinds[declared] if isinstance(declared, str) else "|".join(map(re.escape, sorted(declared, key=len)))
        text += f"(?P<{part}>{inner})"
    return text
