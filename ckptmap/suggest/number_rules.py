"""Rules for names that differ in numbers: the new numbers are sums of the old ones."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from ckptmap.suggest.drafted import Candidate, Drafted, Entry
from ckptmap.suggest.numbering import Fit, fit_column
from ckptmap.suggest.pieces import Number, Pieces, shape_of, values_of, written

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LETTERS = "ijklmnpqrstuvwxyz"


def number_rules(entries: Sequence[Entry]) -> list[Candidate]:
    """Rules with a placeholder for each number that changes."""
    groups: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in entries:
        groups[shape_of(entry.old), shape_of(entry.new)].append(entry)
    return [Candidate(rule, 0) for group in groups.values() for rule in _fitted(group)]


def _fitted(group: Sequence[Entry]) -> list[Drafted]:
    """Rules for entries that differ in numbers only; several where one does not fit all."""
    rule = rule_of_numbers(group)
    if rule is not None:
        return [rule]
    parts = _split(group)
    return [rule for part in parts for rule in _fitted(part)]


def _split(group: Sequence[Entry]) -> list[list[Entry]]:
    """The group cut by the old number that has the fewest values, more than one."""
    rows = [values_of(entry.old) for entry in group]
    counts = [(len({row[at] for row in rows}), at) for at in range(len(rows[0]))] if rows else []
    several = sorted(item for item in counts if item[0] > 1)
    if not several or len(group) < 2:
        return [[entry] for entry in group]
    at = several[0][1]
    parts: dict[int, list[Entry]] = defaultdict(list)
    for entry, row in zip(group, rows, strict=True):
        parts[row[at]].append(entry)
    return list(parts.values())


def rule_of_numbers(group: Sequence[Entry]) -> Drafted | None:
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


def _plainly_numbered(group: Sequence[Entry]) -> Sequence[Entry]:
    """The entries with counts that are never 0 as plain numbers behind a ``_``."""
    sides = [entry.old for entry in group], [entry.new for entry in group]
    old, new = (_nonzero([values_of(pieces) for pieces in side]) for side in sides)
    return [Entry(entry.named, _plain_counts(entry.old, old), _plain_counts(entry.new, new)) for entry in group]


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
