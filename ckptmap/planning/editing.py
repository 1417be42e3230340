"""Names to names: the plan of an edit, whose target is what its rules make of the source. No I/O.

Everything keeps its name unless a rule says otherwise. Slots and moving averages go where their variable goes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ckptmap.basics.errors import PlanError, Problem
from ckptmap.basics.globs import first_match
from ckptmap.basics.nearest import did_you_mean
from ckptmap.basics.text import plural
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.inventory import OBJECT_GRAPH_KEY, Inventory
from ckptmap.mapping import Assignment, Table
from ckptmap.mapping.ops_numeric import Cast
from ckptmap.mapping.roles import roles
from ckptmap.mapping.rule_ref import RuleRef
from ckptmap.mapping.slots import Slot, averages_of
from ckptmap.mapping.table import Drop
from ckptmap.planning.candidates import Offer, offer
from ckptmap.planning.fitting import asks_target
from ckptmap.planning.ledger import Form, Plan, SourceFate, SourceRecord, TargetFate, TargetRecord
from ckptmap.planning.name_matching import Matching, match
from ckptmap.targets.variables import TargetVariable

NAMES_TARGET = "TF1 names"
"""What a report calls the target of a plan that makes names."""
CASTS = (DType.FLOAT32, DType.HALF, DType.BFLOAT16)
_FLOATS = frozenset((*CASTS, DType.FLOAT64))
_NOBODY = RuleRef("", 0)


@dataclass(frozen=True, slots=True)
class Rename:
    """What is called ``old``, or lies below the scope ``old``, is called, or lies below, ``new``; empty: no scope."""

    old: str
    new: str

    def of(self, name: str) -> str | None:
        """The new name; None where the rename does not speak of ``name``."""
        if self.old and name == self.old:
            return self.new
        if self.old and not name.startswith(f"{self.old}/"):
            return None
        below = name[len(self.old) + 1 :] if self.old else name
        return f"{self.new}/{below}" if self.new else below

    def __str__(self) -> str:
        return f"{self.old}={self.new}"


@dataclass(frozen=True, slots=True)
class Edit:
    """What the user asks of an edit.

    ``renames`` follow the table: for each name the first that matches it counts. ``scope`` comes last, around
    everything but bookkeeping. ``drop`` holds globs of the source's names. With ``ema`` moving averages take the place
    of their variables. ``cast`` is for floating-point variables, bookkeeping aside.
    """

    table: Table | None = None
    renames: Sequence[Rename] = ()
    scope: str = ""
    drop: Sequence[str] = ()
    weights_only: bool = False
    ema: bool = False
    cast: DType | None = None


def plan_edit(inventory: Inventory, edit: Edit) -> Plan:
    """The ledger of editing ``inventory``: what each variable is called then, and what becomes of it.

    A glob, a rename or ``ema`` that chooses nothing is a finding, and so is a variable with an object path that the
    table does not speak of.

    Raises:
        PlanError: two variables would have one name, or the table's rules contradict each other or the variables;
            every contradiction is named, with file and line where a rule is involved.
    """
    sorted_out = _sorted_out(inventory, edit)
    weights = list(_weights(sorted_out))
    renamed = [one._replace(target=_new_name(one, edit, sorted_out)) for one in weights]
    offers, problems = _candidates([*renamed, *_following(renamed, sorted_out)], sorted_out)
    problems = [*_table_problems(sorted_out), *problems, *_unusable(offers), *_collisions(offers)]
    if problems:
        raise PlanError(f"{inventory.path} cannot be edited like this", problems)
    targets = tuple(_target(one, edit, sorted_out) for one in sorted(offers, key=lambda one: one.assignment.target))
    sources = tuple(_sources(sorted_out, offers))
    table = edit.table.name if edit.table else ""
    return Plan(
        source=inventory,
        target=NAMES_TARGET,
        model=table,
        table=table,
        root="",
        targets=targets,
        sources=sources,
        findings=tuple(_findings(sorted_out, [one.target for one in weights], targets, sources)),
        form=Form.NAMES,
    )


@dataclass(frozen=True, slots=True)
class _Sorted:
    """The source's variables, told apart: what is dropped and why, what is a slot, what the table says."""

    inventory: Inventory
    edit: Edit
    slots: Mapping[str, Slot]
    averages: Mapping[str, str]
    """The moving average that takes the place of a variable."""
    dropped: Mapping[str, str]
    """The reason of each variable that the user drops."""
    matching: Matching | None
    drops: Mapping[str, Drop]
    """What the table drops."""
    gone: frozenset[str]
    """What either of them drops."""

    def is_bookkeeping(self, name: str) -> bool:
        return name in self.slots and self.slots[name].kind == "bookkeeping"


def _sorted_out(inventory: Inventory, edit: Edit) -> _Sorted:
    slots = roles(inventory)
    matching = match(inventory, edit.table) if edit.table is not None else None
    drops = {drop.source: drop for drop in matching.mapping.drops} if matching else {}
    chosen = {name: glob for name in inventory.variables if (glob := first_match(name, edit.drop)) is not None}
    found = averages_of(slots) if edit.ema else {}
    averages = {owner: name for owner, name in found.items() if not {owner, name} & (chosen.keys() | drops.keys())}
    dropped = {name: f"chosen by {glob}" for name, glob in chosen.items()}
    gone, settled = {*chosen, *drops}, {*chosen, *drops, *averages.values()}
    named = {name for one in matching.mapping.assignments for name in one.sources} if matching else set()
    for name, slot in slots.items():
        if name not in settled:
            nameless = inventory.object_based and name not in named
            reason = _reason_to_drop(slot, gone, unwanted=nameless or edit.weights_only)
            dropped.update({name: reason} if reason else {})
    return _Sorted(inventory, edit, slots, averages, dropped, matching, drops, frozenset((*dropped, *drops)))


def _reason_to_drop(slot: Slot, gone: Collection[str], *, unwanted: bool) -> str:
    """Why a slot is left behind; empty where it is not."""
    if slot.owner in gone:
        return f"{_label(slot)} of a variable that is dropped"
    return _label(slot) if unwanted and slot.kind in ("slot", "ema", "bookkeeping") else ""


def _label(slot: Slot) -> str:
    if slot.kind == "ema":
        return "moving average"
    return f"optimizer slot ({slot.label})" if slot.kind == "slot" else slot.label


class _Suffix(NamedTuple):
    """What slots of many variables have in common: the slot's kind, its own name, and the scope before the weight's."""

    kind: str
    label: str
    scope: str


def _weights(these: _Sorted) -> Iterator[Assignment]:
    """What each variable that stays becomes by the table; by no rule, itself. Slots come later."""
    gone, slots = these.gone, these.slots
    mapped: set[str] = set()
    for one in these.matching.mapping.assignments if these.matching else ():
        mapped.update(one.sources)
        if not gone.issuperset(one.sources):
            yield one
    if these.inventory.object_based:
        return
    for name in these.inventory.variables:
        owned = name in slots and slots[name].owner is not None
        if name not in mapped and name not in gone and not owned:
            yield Assignment((name,), name, (), _NOBODY)


def _following(weights: Iterable[Assignment], these: _Sorted) -> Iterator[Assignment]:
    """Slots and moving averages where their variables went."""
    kept: dict[str, dict[_Suffix, str]] = {}
    taken = {*these.gone, *these.averages.values()}
    for name, slot in these.slots.items():
        if slot.owner is not None and name not in taken and not (these.edit.ema and slot.kind == "ema"):
            kept.setdefault(slot.owner, {})[_Suffix(slot.kind, slot.label, slot.scope)] = name
    for weight in weights:
        for suffix, name in kept.get(weight.sources[0], {}).items():
            slots = [kept.get(source, {}).get(suffix) for source in weight.sources]
            found = tuple(slot for slot in slots if slot is not None)
            plain = not weight.ops and len(weight.sources) == 1
            if len(found) == len(slots) and (plain or suffix.kind == "ema"):
                target = _in_place(name, weight.sources[0], suffix.scope, weight.target)
                yield weight._replace(sources=found, target=target, per_class=None)


def _in_place(name: str, owner: str, scope: str, new: str) -> str:
    """The name of a slot with another owner: ``training/Adam/net/w/m`` for ``training/Adam/conv/kernel/m``."""
    start = len(scope) + 1 if scope else 0
    return name[:start] + new + name[start + len(owner) :]


def _new_name(move: Assignment, edit: Edit, these: _Sorted) -> str:
    """The target with the first rename that matches it, in the new scope."""
    name = next((new for rename in edit.renames if (new := rename.of(move.target)) is not None), move.target)
    return f"{edit.scope}/{name}" if edit.scope and name and not these.is_bookkeeping(move.sources[0]) else name


def _candidates(moves: Iterable[Assignment], these: _Sorted) -> tuple[list[Offer], list[Problem]]:
    offers, problems = [], []
    for move in moves:
        lost = [name for name in move.sources if name in these.gone]
        if lost:
            problems.append(Problem(f"{move.target} needs {lost[0]}, which is dropped", _rule(move.rule)))
        elif asks_target(move):
            hint = "give the length in the rule; only a conversion to a template can take it from there"
            problems.append(
                Problem(
                    f"{move.target} takes a length from the target, but an edit has no target", _rule(move.rule), hint
                )
            )
        elif isinstance(made := offer(move, these.inventory, these.averages), Problem):
            problems.append(made)
        else:
            offers.append(made)
    return offers, problems


def _table_problems(these: _Sorted) -> Iterator[Problem]:
    if these.matching is not None:
        yield from these.matching.problems
        for rule in these.matching.table.inits:
            hint = "leave the rule out; only a conversion to a template knows the variable's shape"
            yield Problem(
                f"init {rule.pattern}: an edit cannot make a variable without a source", _rule(rule.ref), hint
            )


def _unusable(offers: Iterable[Offer]) -> Iterator[Problem]:
    for one in offers:
        name = one.assignment.target
        if not name or name[0] == "\0" or name == OBJECT_GRAPH_KEY:
            yield Problem(
                f"{one.label} would have the name {name!r}, which no variable can have", _rule(one.assignment.rule)
            )


def _collisions(offers: Iterable[Offer]) -> Iterator[Problem]:
    first: dict[str, Offer] = {}
    for one in offers:
        name = one.assignment.target
        other = first.setdefault(name, one)
        if other is not one:
            hint = "drop one of them, or give it another name"
            yield Problem(f"{other.label} and {one.label} both become {name}", _rule(one.assignment.rule), hint)


def _rule(ref: RuleRef) -> str:
    return str(ref) if ref is not _NOBODY else ""


def _target(made: Offer, edit: Edit, these: _Sorted) -> TargetRecord:
    name, ops, dtype = made.assignment.target, made.assignment.ops, made.dtype
    if edit.cast not in (None, dtype) and dtype in _FLOATS and not these.is_bookkeeping(made.sources[0]):
        ops, dtype = (*ops, Cast(edit.cast)), edit.cast
    reason = "moving average" if made.sources != made.assignment.sources else ""
    variable = TargetVariable(name, name, dtype, made.shape)
    return TargetRecord(variable, TargetFate.RESTORED, made.sources, ops, reason, _rule(made.assignment.rule))


def _sources(these: _Sorted, offers: Iterable[Offer]) -> Iterator[SourceRecord]:
    rules: dict[str, str] = {}
    superseded: dict[str, str] = {}
    for one in offers:
        rule = _rule(one.assignment.rule)
        rules.update(dict.fromkeys(one.sources, rule))
        superseded.update(dict.fromkeys(set(one.assignment.sources) - set(one.sources), rule))
    for name in these.inventory.variables:
        if name in rules:
            yield SourceRecord(name, SourceFate.MAPPED, "", rules[name])
        elif name in superseded:
            yield SourceRecord(name, SourceFate.SUPERSEDED, "its moving average takes its place", superseded[name])
        else:
            yield _left(these, name)


def _left(these: _Sorted, name: str) -> SourceRecord:
    if name in these.drops:
        return SourceRecord(name, SourceFate.DROPPED, these.drops[name].reason, _rule(these.drops[name].rule))
    if name in these.dropped:
        return SourceRecord(name, SourceFate.DROPPED, these.dropped[name])
    slot = these.slots.get(name)
    if slot is None or slot.owner is None:
        return SourceRecord(name, SourceFate.UNUSED)
    if these.edit.ema and slot.kind == "ema":
        return SourceRecord(name, SourceFate.DROPPED, "moving average that replaces no variable")
    return SourceRecord(name, SourceFate.DROPPED, f"{_label(slot)} of a variable that operations change")


def _findings(
    these: _Sorted, before: Sequence[str], targets: Sequence[TargetRecord], sources: Sequence[SourceRecord]
) -> Iterator[Problem]:
    """What the user surely did not mean; ``before`` are the names that the renames are for."""
    names, edit = these.inventory.variables, these.edit
    for glob in edit.drop:
        if not any(first_match(name, (glob,)) for name in names):
            yield Problem("chooses no variable to drop", glob, did_you_mean(glob.rstrip("/*"), _scopes(names)))
    used = {next((at for at, one in enumerate(edit.renames) if one.of(name) is not None), -1) for name in before}
    for number, rename in enumerate(edit.renames):
        if number not in used:
            yield Problem("renames no variable", str(rename), did_you_mean(rename.old, _scopes(before)))
    if edit.ema and not these.averages:
        yield Problem("holds no moving averages", these.inventory.path, "edit it without them")
    unused = [record.name for record in sources if record.fate is SourceFate.UNUSED]
    if unused:
        message = f"{plural(len(unused), 'source variable')} that no rule gives a name"
        yield Problem(message, unused[0], "map or drop them in the table, or drop them by a glob")
    if not targets:
        yield Problem("no variable is left of it", these.inventory.path, "drop less")


def _scopes(names: Iterable[str]) -> list[str]:
    """Every scope that one of the names lies in, and the names."""
    found: dict[str, None] = {}
    for name in names:
        parts = name.split("/")
        found.update(dict.fromkeys("/".join(parts[:end]) for end in range(1, len(parts) + 1)))
    return list(found)
