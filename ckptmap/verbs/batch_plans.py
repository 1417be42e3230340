"""The plans of many checkpoints: one for each layout, and what the plans of all processes say of the whole."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from ckptmap.basics.errors import Problem
from ckptmap.basics.globs import choosing_nothing, nothing_chosen
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.inventory import Inventory
from ckptmap.planning.ledger import Plan
from ckptmap.request.destination import Destination
from ckptmap.request.surroundings import Settled, Wish, choose_destination, config_beside, content
from ckptmap.verbs.conversion import plan_to

if TYPE_CHECKING:
    from ckptmap.planning.choices import Training

Layout = tuple[tuple[str, DType, tuple[int, ...], tuple[str, ...]], ...]
_Key = tuple[Layout, bytes | None, "Training | None"]
"""All that a plan depends on: names, dtypes and shapes, the config beside them, the step."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What the plans that were made for a checkpoint say of the whole: target and table of each, by its digest; the
    patterns that chose something; the names that they choose from, where there are patterns."""

    plans: Mapping[bytes, tuple[str, str]] = field(default_factory=dict)
    chose: frozenset[str] = frozenset()
    kept: frozenset[tuple[str, str]] = frozenset()
    """Target and table of what an earlier run had converted already."""
    names: frozenset[str] = frozenset()


@dataclass(slots=True)
class Plans:
    """Plans by one wish, made once for each layout: for names, dtypes and shapes are all that a plan sees, beside the
    config that lies beside the checkpoint, and the step that a training goes on at."""

    wish: Wish
    known: Destination | None
    _made: dict[_Key, Settled] = field(default_factory=dict)
    _told: set[_Key] = field(default_factory=set)
    _known: dict[bytes, tuple[str, str]] = field(default_factory=dict)
    _kept: set[tuple[str, str]] = field(default_factory=set)
    _chose: set[str] = field(default_factory=set)
    _names: set[str] = field(default_factory=set)
    _lock: Lock = field(default_factory=Lock)

    @property
    def made(self) -> int:
        """How many were made, here or elsewhere."""
        return len(self._known)

    @property
    def targets(self) -> list[str]:
        """The names of the targets that they lead to; the one that the user names comes first."""
        own = [] if self.known is None else [self.known.target.name]
        return [*own, *(target for target, _ in (*self._known.values(), *sorted(self._kept)))]

    @property
    def tables(self) -> list[str]:
        """The names of the tables that they are made by, in the same order."""
        own = [] if self.known is None else [self.known.table.name]
        return [*own, *(table for _, table in (*self._known.values(), *sorted(self._kept)))]

    def keep(self, target: str, table: str) -> None:
        """An earlier run's work stays: where that led to, and by which table."""
        with self._lock:
            self._kept.add((target, table))

    def learned(self) -> Learned:
        """All that is known by now and was not told yet."""
        with self._lock:
            new = {key: settled for key, settled in self._made.items() if key not in self._told}
            self._told.update(new)
            names = {record.name for settled in new.values() for record in settled.plan.sources}
            plans = {_digest(key): _names(settled.destination) for key, settled in new.items()}
            return Learned(
                plans,
                frozenset(self._chose),
                frozenset(self._kept),
                frozenset(names if self.wish.options.allow_unused else ()),
            )

    def learn(self, told: Iterable[Learned]) -> None:
        """What was learned of each checkpoint, in their order, here or elsewhere."""
        for one in told:
            for key, names in one.plans.items():
                self._known.setdefault(key, names)
            self._chose |= one.chose
            self._kept |= one.kept
            self._names |= one.names

    def __call__(self, inventory: Inventory, training: Training | None) -> tuple[Destination, Plan]:
        """Where a checkpoint goes, and the ledger of it."""
        beside = config_beside(inventory, self.wish)
        names = inventory.names
        layout = tuple((v.name, v.dtype, v.shape, names.get(v.name, ())) for v in inventory.variables.values())
        key = (layout, None if beside is None else content(beside), training)
        with self._lock:  # who has the same layout waits for its plan
            if key not in self._made:
                self._made[key] = self._settled(inventory, beside, training)
        destination, plan = self._made[key].told(beside)
        return destination, replace(plan, source=inventory)

    def _settled(self, inventory: Inventory, beside: Path | None, training: Training | None) -> Settled:
        """By the wish without the patterns that choose nothing here: they are for others of the checkpoints."""
        patterns = self.wish.options.allow_unused
        known = set(patterns).difference(choosing_nothing(patterns, inventory.variables))
        self._chose |= known
        kept = tuple(pattern for pattern in patterns if pattern in known)
        wish = replace(self.wish, options=replace(self.wish.options, allow_unused=kept, training=training))
        destination = None if training is not None else self._with(kept)  # what a config says of it depends on the step
        return choose_destination(inventory, wish, beside, plan_to, destination)

    def _with(self, allow_unused: tuple[str, ...]) -> Destination | None:
        if self.known is None:
            return None
        return replace(self.known, options=replace(self.known.options, allow_unused=allow_unused))

    def findings(self) -> Iterator[Problem]:
        """A pattern that chose nothing in any checkpoint that was planned."""
        for pattern in dict.fromkeys(self.wish.options.allow_unused):
            if self._known and pattern not in self._chose:
                yield nothing_chosen("allow_unused", pattern, self._names)


def _digest(key: _Key) -> bytes:
    return hashlib.sha256(repr(key).encode("utf-8", "surrogateescape")).digest()


def _names(destination: Destination) -> tuple[str, str]:
    return destination.target.name, destination.table.name
