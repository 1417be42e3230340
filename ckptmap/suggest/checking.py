"""What runs of both models say of a draft: which pairs are proven by equal outputs, and what could not be decided.

The runs themselves are ``ckptmap.tf.checking``'s: nothing here needs TensorFlow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ckptmap.suggest.layer_values import Pair

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ckptmap.suggest.layer_values import Layer, Matched

PROVEN = "proven: the outputs of both models agree, and do not with the runner-up in its place"
"""Why a pair is sure whose exchange changes the outputs."""
NEEDED = "proven: the outputs of both models agree, and do not with other values in it"
"""Why a pair is sure that has no runner-up, and whose values the outputs depend on."""
EITHER = "equal either way: the outputs of both models agree, and so they do with the runner-up in its place"
"""Why a pair is settled although nothing tells it from its runner-up."""
PROOFS = (PROVEN, NEEDED, EITHER)


@dataclass(frozen=True, slots=True)
class Checked:
    """What the runs found.

    ``proofs``: for each old layer that is settled, by number, its new layer and why. ``partners``: the new layer of
    every old one that has a partner, after the runs. ``idle``: names of variables of either side that no output depends
    on. ``told``: what to know of the runs, a line each. ``layers``: old layers that are of another kind than drafted,
    ``new_layers``: new ones that are cut out of one variable in another order.
    """

    partners: Mapping[int, int]
    proofs: Mapping[int, tuple[int, str]]
    idle: frozenset[str]
    told: tuple[str, ...]
    layers: Mapping[int, Layer]
    new_layers: Mapping[int, Layer] = field(default_factory=dict)


Check = Callable[[str, str, "Matched"], Checked]
"""Runs both models: the old one's path, the new one's, and the draft."""


def with_proofs(matched: Matched, checked: Checked) -> Matched:
    """The draft with what the runs found: other partners, and proven pairs as sure ones."""
    before = {pair.old: pair for pair in matched.pairs}
    pairs = tuple(_pair(one, other, before.get(one), checked) for one, other in sorted(checked.partners.items()))
    old = tuple(checked.layers.get(at, layer) for at, layer in enumerate(matched.old))
    new = tuple(checked.new_layers.get(at, layer) for at, layer in enumerate(matched.new))
    return replace(matched, old=old, new=new, pairs=pairs, idle=checked.idle, told=checked.told)


def again_with_proofs(matched: Matched, checked: Checked) -> Matched:
    """A draft that was paired anew, with the proofs that still hold in it."""
    now = {pair.old: pair.new for pair in matched.pairs}
    return with_proofs(matched, replace(checked, partners=now))


def _pair(one: int, other: int, before: Pair | None, checked: Checked) -> Pair:
    target, why = checked.proofs.get(one, (-1, ""))
    if target == other:
        return Pair(one, other, sure=True, why=why)
    if before is not None and before.new == other:
        return before
    return Pair(one, other, why="runs of both models support it, but do not prove it")
