"""Pairs of names put together to few rules: placeholders, sums, value maps and ordered lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ckptmap.suggest.drafted import MAX_CHOICES, Drafted, Entry, Named, expression_of, matcher
from ckptmap.suggest.number_rules import number_rules
from ckptmap.suggest.order_rules import order_rules
from ckptmap.suggest.pieces import counted_stems, cut
from ckptmap.suggest.word_rules import word_rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


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


def _entries(pairs: Sequence[Named]) -> list[Entry]:
    old_stems, new_stems = counted_stems(pair.old for pair in pairs), counted_stems(pair.new for pair in pairs)
    return [Entry(pair, cut(pair.old, old_stems), cut(pair.new, new_stems)) for pair in pairs]


def _best(entries: Sequence[Entry], pairs: Sequence[Named], foreign: set[str], *, narrow: bool) -> Drafted | None:
    """The rule for most entries, of those that match nothing that they are not for; None where none is for several."""
    found = [*number_rules(entries), *word_rules(entries), *order_rules(entries)]
    several = [candidate for candidate in found if len(candidate.rule.members) > 1]
    for candidate in sorted(several, key=lambda one: (-one.worth, one.rank, one.rule.old)):
        chosen = set(candidate.rule.members)
        others = foreign | {pair.old for pair in pairs if pair.number not in chosen}
        members = [entry for entry in entries if entry.named.number in chosen]
        rule = _narrowed(candidate.rule, members, others, narrow=narrow)
        if rule is not None:
            return rule
    return None


def _alone(entry: Entry) -> Drafted:
    return Drafted(entry.named.old, entry.named.new, {}, (entry.named.number,))


def _narrowed(rule: Drafted, members: Sequence[Entry], others: Iterable[str], *, narrow: bool) -> Drafted | None:
    """The rule with its numbers declared by their values where ``int`` would match what it is not for.

    None where it matches that even so, or where a count has to be declared by values that nothing stands for.
    """
    matches = matcher(rule)
    strange = [name for name in others if matches(name)]
    if not narrow and not strange:
        return rule
    where: dict[str, str | Mapping[str, str]] = dict(rule.where)
    expression = expression_of(rule)
    for name, declared in rule.where.items():
        if declared in ("int", "auto"):
            found = (expression.fullmatch(entry.named.old) for entry in members)
            texts = sorted({match[name] for match in found if match}, key=lambda text: (len(text), text))
            as_number = declared == "auto" and f"{{{name}}}" not in rule.new
            where[name] = {text: text.removeprefix("_") if as_number else text for text in texts}
    if any(isinstance(values, dict) and ("" in values or len(values) > MAX_CHOICES) for values in where.values()):
        return None if strange else rule
    closer = Drafted(rule.old, rule.new, where, rule.members)
    matches = matcher(closer)
    return None if any(matches(name) for name in strange) else closer
