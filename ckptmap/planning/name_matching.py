"""What a table says of a checkpoint: the first step of a plan, and what tells whether the table is its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ckptmap.basics.errors import Problem
from ckptmap.checkpoint.inventory import Inventory
from ckptmap.mapping import Table, apply_table, unused_rules
from ckptmap.mapping.roles import roles
from ckptmap.mapping.slots import Slot
from ckptmap.mapping.table import Drop, DropRule, MappingResult
from ckptmap.planning.spoken_names import as_listed, spoken_names
from ckptmap.targets.layout import Layout
from ckptmap.targets.target import Target


@dataclass(frozen=True, slots=True)
class Matching:
    """The variables of ``inventory`` that are no weights, and what ``table`` makes of the others."""

    inventory: Inventory
    table: Table
    slots: Mapping[str, Slot]
    mapping: MappingResult
    spoken: Mapping[str, str]
    """What the table is applied to: the weights, and bookkeeping, by their names here; each as the table calls it."""

    @property
    def problems(self) -> list[Problem]:
        """Where the table and the names contradict each other, with the nearest names to what nothing matches."""
        if not self.mapping.unused:
            return list(self.mapping.problems)
        from ckptmap.mapping.tables import shipped_kinds

        known = {**self.table.kinds, **shipped_kinds()}
        return [*self.mapping.problems, *unused_rules(self.mapping.unused, list(self.spoken.values()), known)]

    @property
    def likeness(self) -> float:
        """The share of the weights, slots and bookkeeping aside, that the table maps or drops: between 0 and 1."""
        weights = len(self.inventory.variables) - len(self.slots)
        known = {name for assignment in self.mapping.assignments for name in assignment.sources}
        known.update(drop.source for drop in self.mapping.drops)
        return len(known - self.slots.keys()) / weights if weights else 0.0


def match(inventory: Inventory, table: Table) -> Matching:
    """Tell weights from slots by their names, and apply the table to the weights and to bookkeeping. Reads nothing."""
    slots = roles(inventory)
    spoken = spoken_names(table, inventory, _mapped_names(inventory, slots))
    mapping = as_listed(apply_table(table, spoken.values()), spoken)
    return Matching(inventory, table, slots, _with_dropped_slots(table, mapping, inventory, slots), spoken)


def resolved(
    mapping: MappingResult, target: Target, given: Mapping[str, object] | None = None
) -> tuple[MappingResult, Layout]:
    """The layout of the target that fits the mapping best, and the mapping as far as that layout goes.

    Of several names for a variable the one that it has is taken. What it lacks, and its rule says may be lacking, is
    dropped. ``given`` are settings as ``Target.layout`` takes them.
    """
    layout = target.layout({name for one in mapping.assignments for name in (one.target, *one.others)}, given)
    named = [
        one._replace(target=layout.meant((one.target, *one.others))) if one.others else one
        for one in mapping.assignments
    ]
    left = [one for one in named if one.or_drop and layout.lacks(one.target)]
    if left:
        kept = {source for one in named if one not in left for source in one.sources}
        drops = {source: Drop(source, one.or_drop, one.rule) for one in left for source in one.sources}
        gone = tuple(drop for source, drop in drops.items() if source not in kept)
        mapping = replace(mapping, drops=mapping.drops + gone)
    return replace(mapping, assignments=tuple(one for one in named if one not in left)), layout


def _with_dropped_slots(
    table: Table, mapping: MappingResult, inventory: Inventory, slots: Mapping[str, Slot]
) -> MappingResult:
    """A table need not speak of slots; a rule that drops them matches them all the same, and gives its reason."""
    names = [name for name, slot in slots.items() if slot.kind in ("slot", "quantization")]
    only = replace(table, rules=tuple(rule for rule in table.rules if isinstance(rule, DropRule)))
    spoken = spoken_names(only, inventory, names if only.rules else ())
    drops = as_listed(apply_table(only, spoken.values()), spoken).drops if spoken else ()
    used = {drop.rule for drop in drops}
    unused = tuple(rule for rule in mapping.unused if rule.ref not in used)
    return replace(mapping, drops=mapping.drops + drops, unused=unused) if drops else mapping


def _mapped_names(inventory: Inventory, slots: Mapping[str, Slot]) -> list[str]:
    return [name for name in inventory.variables if name not in slots or slots[name].kind == "bookkeeping"]
