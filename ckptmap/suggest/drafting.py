"""The draft: pairs of layers put together to the rules, kinds, drops and inits of a mapping table."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ckptmap.suggest.cells import KINDS as CELLS
from ckptmap.suggest.certainty import ANSWERED
from ckptmap.suggest.checking import PROOFS
from ckptmap.suggest.drafted import Drafted, Named
from ckptmap.suggest.fusing import PART
from ckptmap.suggest.leaves import Leaves, Move, as_layer, fits_kind, leaves_of
from ckptmap.suggest.leftovers import grouped
from ckptmap.suggest.natural import natural
from ckptmap.suggest.rules import compress
from ckptmap.suggest.scopes import grouped_by, whole_scopes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ckptmap.mapping.table import Kind
    from ckptmap.suggest.including import Part
    from ckptmap.suggest.layer_values import Item, Layer, Matched, Pair


_IDLE = "left over: no output of the model depends on it"
COPY = "copy"
"""The placeholder for the numbers of variables that are stacked to one."""


@dataclass(frozen=True, slots=True)
class DraftedRule:
    """A rule of the table: ``kind`` is empty for a rule for single variables."""

    rule: Drafted
    kind: str
    ops: str
    first: tuple[object, ...]
    """By which the rules of a table are sorted: the first layer that it is for."""
    doubts: tuple[Pair, ...]
    """The doubtful pairs among those that it is for."""
    count: int
    answered: int = 0
    """How many pairs the user has settled."""
    olds: tuple[str, ...] = ()
    news: tuple[str, ...] = ()
    """The patterns and names where a rule lists several; empty for one."""
    proofs: Mapping[str, int] = field(default_factory=dict)
    """What runs of both models showed, and of how many pairs."""


@dataclass(frozen=True, slots=True)
class Left:
    """A ``drop``, or with ``value`` an ``init``: a pattern for what has no partner, and why that is so."""

    rule: Drafted
    reason: str
    doubtful: bool
    value: str = ""


@dataclass(frozen=True, slots=True)
class DraftTable:
    """The parts of a drafted table."""

    includes: tuple[str, ...]
    kinds: Mapping[str, tuple[tuple[str, str, str], ...]]
    """Kinds of its own: old leaf with ``?`` where it may be absent, new leaf, operations."""
    rules: tuple[DraftedRule, ...]
    drops: tuple[Left, ...]
    inits: tuple[Left, ...]
    parts: tuple[Part, ...] = ()
    """What shipped tables make, in the place of rules."""


@dataclass(frozen=True, slots=True)
class _How:
    """``narrow``: all numbers are declared by their values; ``literal``: no name has a placeholder."""

    narrow: bool
    literal: bool


@dataclass(frozen=True, slots=True)
class _One:
    pair: Pair
    old: Layer
    new: Layer
    leaves: Leaves
    moves: tuple[Move, ...] | None


def draft(
    matched: Matched,
    shipped: Mapping[str, Mapping[str, Kind]],
    bookkeeping: Mapping[str, str],
    *,
    parts: Sequence[Part] = (),
    narrow: bool = False,
    literal: bool = False,
) -> DraftTable:
    """The table for these pairs.

    ``shipped`` are the kinds of shipped tables by table, ``bookkeeping`` old variables that are no weights and what
    they are, ``parts`` what shipped tables make: no rule is made for it. ``narrow`` declares all numbers by their
    values, ``literal`` makes a rule for every layer.
    """
    ones = [_one(pair, matched) for pair in matched.pairs]
    made = {at for part in parts for at in part.members}
    whole = {} if literal else whole_scopes([one.leaves.moves for one in ones], matched.old)
    whole = {at: scopes for at, scopes in whole.items() if at not in made}
    rules = [_whole(scope, target, members, ones) for (scope, target), members in grouped_by(whole).items()]
    rest = [at for at in range(len(ones)) if at not in whole and at not in made]
    include, kinds, kind_of = _kinds([ones[at] for at in rest], shipped)
    kind_of = _spread(kind_of, rest, len(ones))
    layered = [at for at in rest if ones[at].moves is not None]
    single = [at for at in rest if ones[at].moves is None]
    scopes = [layer.scope for layer in matched.old]
    rules += _layer_rules(ones, layered, kind_of, scopes, narrow=narrow, literal=literal)
    rules += _variable_rules(ones, single, matched, narrow=narrow, literal=literal)
    how = _How(narrow, literal)
    kept = {name: what for name, what in bookkeeping.items() if not any(name in part.dropped for part in parts)}
    drops, inits = _drops(matched, ones, kept, how), _inits(matched, ones, how)
    return DraftTable(include, kinds, tuple(sorted(rules, key=lambda one: one.first)), drops, inits, tuple(parts))


def _whole(scope: str, target: str, members: Sequence[int], ones: Sequence[_One]) -> DraftedRule:
    """The rule for all that lies below a scope."""
    rule = Drafted(f"{scope}/{{rest}}", f"{target}/{{rest}}", {"rest": "path"}, tuple(members))
    return _drafted(rule, "", "", ones)


def _spread(values: Sequence[str], places: Sequence[int], size: int) -> list[str]:
    """The values at their places, nothing elsewhere."""
    found = [""] * size
    for value, at in zip(values, places, strict=True):
        found[at] = value
    return found


def _one(pair: Pair, matched: Matched) -> _One:
    old, new = matched.old[pair.old], matched.new[pair.new]
    leaves = leaves_of(old, new)
    return _One(pair, old, new, leaves, as_layer(old, new, leaves))


def _kinds(
    ones: Sequence[_One], shipped: Mapping[str, Mapping[str, Kind]]
) -> tuple[tuple[str, ...], dict[str, tuple[tuple[str, str, str], ...]], list[str]]:
    """The shipped table of kinds that serves most, kinds of its own, and the kind of each pair."""
    kind_of = [""] * len(ones)
    best = max(shipped, key=lambda table: sum(bool(_shipped_kind(one, shipped[table])) for one in ones), default="")
    own: dict[tuple[tuple[Move, ...], bool], list[int]] = defaultdict(list)
    used = False
    for at, one in enumerate(ones):
        if one.moves is None:
            continue
        if one.old.cell:
            kind_of[at] = one.old.cell.kind
            continue
        kind_of[at] = _shipped_kind(one, shipped[best]) if best else ""
        used = used or bool(kind_of[at])
        if not kind_of[at]:
            own[one.moves, bool(one.leaves.spare_old)].append(at)
    names = set(shipped[best]) if used else set()
    kinds: dict[str, tuple[tuple[str, str, str], ...]] = {}
    for members, moves in _merged_kinds(own):
        name = _kind_name(ones[members[0]], names)
        names.add(name)
        kinds[name] = moves
        for at in members:
            kind_of[at] = name
    cells = (CELLS,) if any(one.old.cell for one in ones) else ()
    return ((best, *cells) if used else cells), kinds, kind_of


def _shipped_kind(one: _One, kinds: Mapping[str, Kind]) -> str:
    if one.moves is None or one.old.cell:
        return ""
    spare = [item.name.rpartition("/")[2] for item in one.leaves.spare_old]
    return next((name for name, kind in kinds.items() if fits_kind(kind, one.moves, spare)), "")


def _merged_kinds(
    own: Mapping[tuple[tuple[Move, ...], bool], Sequence[int]],
) -> list[tuple[list[int], tuple[tuple[str, str, str], ...]]]:
    """Kinds for sets of moves: those that do not contradict each other, and share a leaf, become one."""
    merged: list[tuple[list[int], dict[str, Move], set[str], bool]] = []
    for (moves, spare), members in sorted(own.items(), key=lambda item: -len(item[1])):
        leaves = {move.old: move for move in moves}
        for found, known, required, closed in merged:
            if not spare and not closed and required & leaves.keys() and _agree(known, leaves):
                known.update(leaves)
                required.intersection_update(leaves)
                found.extend(members)
                break
        else:
            merged.append((list(members), leaves, set(leaves), spare))
    return [(members, _written_kind(known, required)) for members, known, required, _ in merged]


def _agree(known: Mapping[str, Move], leaves: Mapping[str, Move]) -> bool:
    together = {**known, **leaves}
    targets = {move.new for move in together.values()}
    return len(targets) == len(together) and all(known[leaf] == leaves[leaf] for leaf in known.keys() & leaves.keys())


def _written_kind(known: Mapping[str, Move], required: set[str]) -> tuple[tuple[str, str, str], ...]:
    return tuple((leaf if leaf in required else f"{leaf}?", move.new, move.ops) for leaf, move in known.items())


def _kind_name(one: _One, taken: set[str]) -> str:
    roles = one.old.leaves
    shape = roles["kernel"].shape if "kernel" in roles else ()
    name = "norm" if one.old.is_norm else "conv" if len(shape) > 2 else "dense" if len(shape) == 2 else "layer"
    if any(ops for _, _, ops in one.leaves.moves):
        name += "_reshaped"
    at = 2
    unique = name
    while unique in taken:
        unique = f"{name}_{at}"
        at += 1
    return unique


def _layer_rules(
    ones: Sequence[_One],
    layered: Sequence[int],
    kind_of: Sequence[str],
    scopes: Sequence[str],
    *,
    narrow: bool,
    literal: bool,
) -> list[DraftedRule]:
    by_kind: dict[str, list[int]] = defaultdict(list)
    for at in layered:
        by_kind[kind_of[at]].append(at)
    found: list[DraftedRule] = []
    for kind, members in by_kind.items():
        named = [Named(ones[at].old.scope, ones[at].new.scope, at) for at in members]
        mine = {one.old for one in named}
        others = [scope for scope in scopes if scope not in mine]
        rules = _compressed(named, others, narrow=narrow, literal=literal)
        found += [_drafted(rule, kind, "", ones) for rule in rules]
    return found


def _variable_rules(
    ones: Sequence[_One], single: Sequence[int], matched: Matched, *, narrow: bool, literal: bool
) -> list[DraftedRule]:
    """Rules for pairs whose variables do not lie in one scope: one for each variable."""
    by_manner: dict[_Manner, list[Named]] = defaultdict(list)
    for at in single:
        for one, other, ops in ones[at].leaves.moves:
            manner = _Manner(ops, _counted(one), _words(one), _words(other))
            by_manner[manner].append(
                Named(one.name.removesuffix(f"{PART}0") if one.parts else one.name, other.name, at)
            )
    names = [name for layer in matched.old for name in layer.variables]
    found = []
    for manner, named in by_manner.items():
        unique = [Named(one.old, one.new, place) for place, one in enumerate(named)]
        mine = {one.old for one in named}
        for rule in _compressed(unique, [name for name in names if name not in mine], narrow=narrow, literal=literal):
            members = tuple(named[place].number for place in rule.members)
            where = {**rule.where, COPY: _COUNTS[manner.counted]} if manner.counted else rule.where
            drafted = _drafted(Drafted(rule.old + manner.counted, rule.new, where, members), "", manner.ops, ones)
            found.append(replace(drafted, olds=_others(rule.old, manner.old), news=_others(rule.new, manner.new)))
    return found


_COUNTS = {f"{{{COPY}}}": "auto", f"{PART}{{{COPY}}}": "int"}
"""What stands behind the names of variables that are numbered, and what that is."""


@dataclass(frozen=True, slots=True)
class _Manner:
    """How one move is made: its operations, what counts its old variables, and the words that list its variables."""

    ops: str
    counted: str
    old: tuple[str, ...]
    new: tuple[str, ...]


def _counted(item: Item) -> str:
    if not item.parts or _words(item):
        return ""
    return f"{PART}{{{COPY}}}" if item.pieces else f"{{{COPY}}}"


def _words(item: Item) -> tuple[str, ...]:
    """The words in which the names of several variables differ that are not numbered; none for others."""
    names = [name.split("/") for name in item.parts]
    if not item.pieces or any(len(name) != len(names[0]) for name in names) or PART[1:] in names[0][-1]:
        return ()
    differing = [at for at in range(len(names[0])) if len({name[at] for name in names}) > 1]
    return tuple(name[differing[0]] for name in names) if len(differing) == 1 else ()


def _others(pattern: str, words: Sequence[str]) -> tuple[str, ...]:
    """The pattern once for each word, in the place of the first."""
    parts = pattern.split("/")
    at = next((place for place in reversed(range(len(parts))) if words and parts[place] == words[0]), None)
    return tuple("/".join([*parts[:at], word, *parts[at + 1 :]]) for word in words) if at is not None else ()


def _compressed(named: Sequence[Named], others: Sequence[str], *, narrow: bool, literal: bool) -> list[Drafted]:
    if literal:
        return [Drafted(one.old, one.new, {}, (one.number,)) for one in named]
    return compress(named, narrow=narrow, taken=others)


def _drafted(rule: Drafted, kind: str, ops: str, ones: Sequence[_One]) -> DraftedRule:
    pairs = [ones[at].pair for at in rule.members]
    first = min(natural(ones[at].old.scope) for at in rule.members)
    doubts = tuple(pair for pair in pairs if not pair.sure)
    answered = sum(pair.why == ANSWERED for pair in pairs)
    proofs = Counter(pair.why for pair in pairs if pair.why in PROOFS)
    return DraftedRule(rule, kind, ops, first, doubts, len(pairs), answered, proofs=proofs)


def _drops(matched: Matched, ones: Sequence[_One], bookkeeping: Mapping[str, str], how: _How) -> tuple[Left, ...]:
    left = [name for at in matched.left_old for name in matched.old[at].variables]
    kept = [name for one in ones for item, _, _ in one.leaves.moves for name in (item.parts or (item.name,))]
    spare = [name for one in ones for item in one.leaves.spare_old for name in (item.parts or (item.name,))]
    found = [Left(Drafted(name, name, {}, ()), reason, False) for name, reason in bookkeeping.items()]
    groups = {
        "left over: no new layer is like it": [name for name in left if name not in matched.idle],
        _IDLE: [name for name in (*left, *spare) if name in matched.idle],
        "the new layer has no such variable": [name for name in spare if name not in matched.idle],
    }
    for reason, names in groups.items():
        others = [*kept, *bookkeeping, *(name for group in groups.values() if group is not names for name in group)]
        rules = grouped(names, others, narrow=how.narrow, literal=how.literal)
        found += [Left(rule, reason, reason != _IDLE) for rule in rules]
    return tuple(found)


def _inits(matched: Matched, ones: Sequence[_One], how: _How) -> tuple[Left, ...]:
    left = [name for at in matched.left_new for name in matched.new[at].variables]
    kept = [name for one in ones for _, item, _ in one.leaves.moves for name in (item.parts or (item.name,))]
    spare: dict[str, str] = {}
    for one in ones:
        spare |= {
            name: neutral(role)
            for role, item in one.new.leaves.items()
            if item in one.leaves.spare_new
            for name in (item.parts or (item.name,))
        }
    idle = [name for name in left if name in matched.idle]
    needed = [name for name in left if name not in matched.idle]
    found = []
    for names, rest, reason in ((needed, idle, "left over: no old layer is like it"), (idle, needed, _IDLE)):
        rules = grouped(names, [*kept, *spare, *rest], narrow=how.narrow, literal=how.literal)
        found += [Left(rule, reason, reason != _IDLE, "initializer") for rule in rules]
    for value in sorted(set(spare.values())):
        names = [name for name, own in spare.items() if own == value]
        others = [*kept, *left, *(name for name, own in spare.items() if own != value)]
        reason = "the old layer has none" + (f"; {value} change nothing" if value != "initializer" else "")
        found += [
            Left(rule, reason, value == "initializer", value)
            for rule in grouped(names, others, narrow=how.narrow, literal=how.literal)
        ]
    return tuple(found)


def neutral(role: str) -> str:
    """The value with which a leaf changes nothing; the target's own where there is none."""
    return {"bias": "zeros", "beta": "zeros", "gamma": "ones"}.get(role, "initializer")
