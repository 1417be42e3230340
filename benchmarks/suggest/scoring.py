"""A draft held against the truth, and the variants in which a pair is asked."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from benchmarks.suggest.flows import whole_flow
from benchmarks.suggest.misses import Given, Miss, misses
from ckptmap.suggest.certainty import judge
from ckptmap.suggest.keras_graph import keras_flow
from ckptmap.suggest.layer_matching import match
from ckptmap.suggest.layer_values import Item, Layer, Pair
from ckptmap.suggest.leaves import leaves_of
from ckptmap.suggest.suggestion import layers_of_both

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.suggest.pairs import TruePair
    from ckptmap.suggest.graphs import Flow

_WORD = re.compile(r"[A-Za-z]+")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Variant:
    """What is known: the old graph, the old words (``as they are``, ``words``, ``layers``), the readable new names."""

    name: str
    meta: bool = True
    old: str = "as they are"
    readable: bool = True
    graphs: bool = False
    """Whether the new side's graph is known as well; pairs without one are left out."""


VARIANTS = (
    Variant("names as they are, `.meta` at hand"),
    Variant("names as they are, no `.meta`", meta=False),
    Variant("TF1 scope words random, `.meta` at hand", old="words"),
    Variant("every TF1 layer its own random name, `.meta` at hand", old="layers"),
    Variant("TF2 readable names lost, `.meta` at hand", readable=False),
    Variant("names as they are, both graphs", graphs=True),
    Variant("TF1 scope words random, both graphs", old="words", graphs=True),
    Variant("every TF1 layer its own random name, both graphs", old="layers", graphs=True),
    Variant("TF2 readable names lost, both graphs", readable=False, graphs=True),
)


@dataclass(frozen=True)
class Score:
    """Of ``count`` new variables that have a partner: how many got it, how many are flagged; who is wrong and sure."""

    count: int
    correct: int
    flagged: int
    wrong_and_sure: tuple[str, ...]
    missed: tuple[Miss, ...] = ()


def sides(pair: TruePair, variant: Variant) -> tuple[tuple[Layer, ...], tuple[Layer, ...]]:
    """The layers of both sides as the command would see them."""
    old = [
        Item(name, name, shape, at if variant.meta else None)
        for at, (name, shape) in enumerate(pair.old)
        if name != "global_step"
    ]
    names = [name for _, name, _ in pair.new]
    tellable = variant.readable and len(set(names)) == len(names)
    new = [Item(name if tellable else key, key, shape) for key, name, shape in pair.new]
    return layers_of_both(old, new)


def drafted_pairs(pair: TruePair, variant: Variant) -> tuple[tuple[Layer, ...], tuple[Layer, ...], tuple[Pair, ...]]:
    """Both sides and what the draft pairs."""
    old, new = sides(pair, variant)
    layer_of = {name: at for at, layer in enumerate(old) for name in layer.variables}
    flow = whole_flow(pair.flow, pair.old, layer_of) if variant.meta else None
    return old, new, judge(old, new, match(old, new, flow, _new_flow(pair, new) if variant.graphs else None))


def _new_flow(pair: TruePair, layers: Sequence[Layer]) -> Flow | None:
    """The data flow of the Keras model; its layers are called by their readable names."""
    if pair.graph is None:
        return None
    scope = {key: name.rpartition("/")[0] for key, name, _ in pair.new}
    named = [replace(layer, scope=scope[next(iter(layer.leaves.values())).key]) for layer in layers]
    return keras_flow(pair.graph, named)


def score(pair: TruePair, variant: Variant) -> Score:
    """How the draft of a pair does."""
    original, pair = pair, scrambled(pair, variant.old)
    old, new, pairs = drafted_pairs(pair, variant)
    found: dict[str, tuple[tuple[str, ...], bool]] = {}
    given: dict[str, Given] = {}
    for one in pairs:
        moves = leaves_of(old[one.old], new[one.new]).moves
        found |= {other.key: (source.parts or (source.name,), one.sure) for source, other, _ in moves}
        given |= {other.key: (source.parts or (source.name,), one.why) for source, other, _ in moves}
    correct = sum(found.get(key, ((), False))[0] == sources for key, sources in pair.truth.items())
    flagged = sum(not found.get(key, ((), False))[1] for key in pair.truth)
    wrong = [key for key, (names, sure) in found.items() if sure and pair.truth.get(key) != names]
    missed = tuple(misses(pair, original, given))
    return Score(len(pair.truth), correct, flagged, tuple(wrong), missed)


def scrambled(pair: TruePair, how: str, seed: int = 1) -> TruePair:
    """The pair with random words in the old scopes, or with a random name for each old layer."""
    if how == "as they are":
        return pair
    generator = random.Random(seed)
    known: dict[str, str] = {}

    def word(text: str, length: int) -> str:
        return known.setdefault(text, "".join(generator.choice(_LETTERS) for _ in range(length)))

    renamed = {}
    for name, _ in pair.old:
        scope, slash, leaf = name.rpartition("/")
        if how == "words":
            scope = _WORD.sub(lambda match: word(match[0], 6), scope)
        elif scope:
            scope = word(scope, 12)
        renamed[name] = f"{scope}{slash}{leaf}"
    old = tuple((renamed[name], shape) for name, shape in pair.old)
    truth = {key: tuple(renamed[name] for name in names) for key, names in pair.truth.items()}
    return replace(pair, old=old, truth=truth)
