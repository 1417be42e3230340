"""The search: what a run shows to be wrong is put right where it first shows, until the outputs agree.

The input of a layer says which old layer it is, wherever inputs differ: the first layer in the order of the computation
whose input is not that of its partner gets the old layer whose input it is. Layers that share their input, such as
parallel branches, are told apart behind them only: for those the orders are tried, and one is kept that makes more
layers agree.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import permutations
from typing import TYPE_CHECKING

from ckptmap.suggest.cells import kinds_of
from ckptmap.suggest.checking import EITHER, NEEDED, PROVEN
from ckptmap.suggest.fusing import other_orders
from ckptmap.suggest.shapes import layers_fit
from ckptmap.tf.checking.probes import same
from ckptmap.tf.checking.trial import holder_of, permuted, swapped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ckptmap.suggest.layer_values import Layer, Matched, Pair
    from ckptmap.tf.checking.probes import Print
    from ckptmap.tf.checking.trial import Trials

    Owner = dict[int, int]

_REPAIRS = 40
"""Repairs one after the other, before the outputs have to speak."""


@dataclass(frozen=True, slots=True)
class State:
    """An assignment (new layer to old one), whether the outputs agree, and which layers' inputs do."""

    owner: Owner
    agrees: bool
    prints: Mapping[int, Print]
    matching: tuple[tuple[int, bool], ...]

    @property
    def merit(self) -> tuple[bool, int]:
        """More is better."""
        return self.agrees, sum(good for _, good in self.matching)


class Search:
    """Settles the doubtful pairs of a draft, within the runs that ``trials`` allow."""

    def __init__(self, matched: Matched, trials: Trials) -> None:
        self._matched, self._trials = matched, trials
        self._doubtful = {pair.new: pair for pair in matched.pairs if not pair.sure}
        taken = {pair.old for pair in matched.pairs}
        self._open = {pair.old for pair in self._doubtful.values()} | set(range(len(matched.old))) - taken

    def found(self) -> State:
        """The best assignment that was found."""
        owner = {pair.new: pair.old for pair in self._matched.pairs}
        if self._trials.agrees(owner):
            return State(owner, agrees=True, prints={}, matching=())
        self._choose_orders(owner)
        best = self._repaired(owner)
        better: State | None = best
        while better is not None and not better.agrees:
            best = better
            better = self._improved(best)
        best = better or best
        return best if best.agrees else self._with_other_kinds(best)

    def _state(self, owner: Owner) -> State:
        agrees = self._trials.agrees(owner)
        if agrees:
            return State(owner, agrees, {}, ())
        prints = self._trials.prints(owner)
        return State(owner, agrees, prints, tuple(self._trials.matching(owner, prints)))

    def _repaired(self, owner: Owner) -> State:
        """The assignment after all that one run after the other shows to be wrong is put right."""
        state = self._state(owner)
        seen: set[tuple[int, int]] = set()
        for _ in range(_REPAIRS):
            step = None if state.agrees or self._spent() else self._repair(state, seen)
            if step is None:
                return state
            seen.add(step)
            state = self._state(swapped(state.owner, *step))
        return state

    def _repair(self, state: State, seen: set[tuple[int, int]]) -> tuple[int, int] | None:
        """The first doubtful layer with a wrong input, and the old layer whose input that is."""
        for new, good in state.matching:
            if good or new not in self._doubtful:
                continue
            for old in self._rivals(new, state.owner):
                if (new, old) not in seen and self._same(old, state.prints[new]):
                    return new, old
        return None

    def _rivals(self, new: int, owner: Mapping[int, int]) -> Iterator[int]:
        """The old layers that could be the new one instead."""
        layer = self._matched.new[new]
        for old in sorted(self._open):
            if old != owner.get(new) and layers_fit(self._matched.old[old], layer) > 0:
                yield old

    def _same(self, old: int, entering: Print) -> bool:
        known = self._trials.old_prints.get(old)
        return known is not None and same(known, entering)

    def _improved(self, state: State) -> State | None:
        """A better assignment, by another order of layers that share their input; those before a fault come first."""
        for places in self._siblings(state):
            for order in _orders(len(places)):
                if self._spent():
                    return None
                found = self._repaired(permuted(state.owner, places, order))
                if found.merit > state.merit:
                    return found
        return None

    def _siblings(self, state: State) -> list[list[int]]:
        """Doubtful layers of one shape that share their input; nearest before the first fault first."""
        groups: list[list[int]] = []
        for new in sorted(self._doubtful, key=self._place):
            old = state.owner[new]
            for group in groups:
                if self._could_exchange(group[0], new, state) and self._alike(state.owner[group[0]], old):
                    group.append(new)
                    break
            else:
                groups.append([new])
        fault = next((self._place(new) for new, good in state.matching if not good), 0)
        several = [group for group in groups if len(group) > 1]
        return sorted(several, key=lambda group: (self._place(group[0]) > fault, abs(fault - self._place(group[0]))))

    def _place(self, new: int) -> int:
        return self._trials.probes.place.get(new, 0)

    def _could_exchange(self, one: int, other: int, state: State) -> bool:
        new, old = self._matched.new, self._matched.old
        return layers_fit(old[state.owner[one]], new[other]) > 0 and layers_fit(old[state.owner[other]], new[one]) > 0

    def _alike(self, one: int, other: int) -> bool:
        prints = self._trials.old_prints
        return one not in prints or other not in prints or same(prints[one], prints[other])

    def _choose_orders(self, owner: Owner) -> None:
        """Keep the order of query, key and value in one variable that most layers agree with, the same everywhere."""
        trials = self._trials
        old = {at: other_orders(self._matched.old[at], new=False) for at in owner.values()}
        new = {at: other_orders(self._matched.new[at], new=True) for at in owner}
        if not any((*old.values(), *new.values())):
            return
        best: tuple[dict[int, Layer], ...] = ({}, {})
        merit = self._state(owner).merit
        for at in range(max(map(len, (*old.values(), *new.values())))):
            if self._spent() or merit[0]:
                break
            tried = tuple({one: orders[at] for one, orders in side.items() if at < len(orders)} for side in (old, new))
            trials.kinds, trials.orders = dict(tried[0]), dict(tried[1])
            found = self._state(owner).merit
            if found > merit:
                best, merit = tried, found
        trials.kinds, trials.orders = dict(best[0]), dict(best[1])

    def _with_other_kinds(self, best: State) -> State:
        """Cells whose kind is a guess as the other kinds that they may be."""
        for new, pair in self._doubtful.items():
            old = best.owner[new]
            cell = self._matched.old[old].cell
            if cell is None or not cell.doubt or pair.old != old:
                continue
            for kind in kinds_of(cell.kind):
                if self._spent():
                    return best
                layer = self._matched.old[old]
                self._trials.kinds[old] = replace(layer, cell=replace(cell, kind=kind))
                found = self._state(best.owner)
                if found.merit > best.merit:
                    best = found
                    break
                del self._trials.kinds[old]
        return best

    def proofs(self, state: State) -> tuple[dict[int, tuple[int, str]], list[int], int]:
        """For each old layer whose pair the runs settle, its new layer and why; those undecided; how many not tried.

        An exchange that the outputs do not show is one of layers that are equal, or that no output depends on: which of
        the two, another run with other values says.
        """
        settled: dict[int, tuple[int, str]] = {}
        undecided: list[int] = []
        waiting = sorted(self._doubtful, key=self._place)
        for count, new in enumerate(waiting):
            old = state.owner[new]
            if not self._trials.reached(new):
                undecided.append(new)
                continue
            if self._spent():
                return settled, undecided, len(waiting) - count
            why = self._proof(new, state.owner, self._doubtful[new])
            if why:
                settled[old] = new, why
            else:
                undecided.append(new)
        return settled, undecided, 0

    def _proof(self, new: int, owner: Owner, pair: Pair) -> str:
        rival = self._rival(new, owner, pair)
        if rival >= 0 and not self._trials.agrees(swapped(owner, new, rival)):
            return PROVEN
        if self._trials.agrees(owner, new):
            return ""
        return EITHER if rival >= 0 else NEEDED

    def _rival(self, new: int, owner: Owner, pair: Pair) -> int:
        """The runner-up: the draft's where it is one still, else the first that could be; -1 for none."""
        rivals = [old for old in self._rivals(new, owner) if self._exchangeable(new, old, owner)]
        named = [pair.rival_old, pair.old, owner.get(pair.rival_new, -1)]
        return next((old for old in (*named, *rivals) if old in rivals), -1)

    def _exchangeable(self, new: int, old: int, owner: Owner) -> bool:
        holder = holder_of(owner, old)
        return holder is None or layers_fit(self._matched.old[owner[new]], self._matched.new[holder]) > 0

    def _spent(self) -> bool:
        return self._trials.left <= 0


def _orders(count: int) -> Iterator[tuple[int, ...]]:
    """All orders of a few but the one that there is, exchanges first; of many only exchanges."""
    straight = tuple(range(count))
    exchanges = [
        tuple(second if at == first else first if at == second else at for at in straight)
        for first in straight
        for second in straight[first + 1 :]
    ]
    yield from exchanges
    if count <= 4:
        yield from (order for order in permutations(straight) if order != straight and order not in exchanges)
