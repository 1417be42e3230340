"""The variables of a pair that did not get their right partner, each with the kind of its miss."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ckptmap.suggest.numbering import numbers, template

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from benchmarks.suggest.pairs import TruePair

LEFT = "no partner: its own layer went elsewhere"
NUMBER = "the neighbor in a numbered run: only a number of the old name differs"
SIBLING = "a parallel branch: a layer of the same shape in the same scope"
REPEAT = "the same layer of another repeat: the old names differ in numbers of several scopes"
OTHER = "a layer of the same shape elsewhere"
_NAMED = 4
"""Pairs that a row names."""


Given = tuple[tuple[str, ...], str]
WHY = """\
Names and the order of creation say in which run a layer is, and not always where the run begins. GPT-2's two norms of a
block and its last one have one shape, so that all of them move by one if a single one does. The nets of an EfficientDet
for classes and for boxes have the same shapes, and so have many nodes of its BiFPN, and the separable convolutions in
the cells of NASNet and PNASNet. Branches of Inception begin with convolutions of one shape on the same input, and Keras
makes them in another order than TF1. Of the pairs whose graphs are both known, hardly a variable is missed."""


@dataclass(frozen=True)
class Miss:
    """A new variable, the old one that it comes from, the one that it was given (empty for none), and the cause."""

    new: str
    wanted: str
    given: str
    cause: str
    why: str
    """What the draft says of the pair."""


def misses(pair: TruePair, original: TruePair, found: Mapping[str, Given]) -> Iterator[Miss]:
    """Those of ``pair``; ``original``, the pair before it was scrambled, has the names that tell the kind of a miss.

    ``found`` has for each new variable the old ones that it was given, and why its pair is doubtful.
    """
    plain = {one: other for (one, _), (other, _) in zip(pair.old, original.old, strict=True)}
    readable = {key: name for key, name, _ in pair.new}
    for key, sources in pair.truth.items():
        given, why = found.get(key, ((), "it is left over"))
        if given != sources:
            wanted, got = plain[sources[0]], plain[given[0]] if given else ""
            yield Miss(readable[key], wanted, got, _cause(wanted, got), why)


def _cause(wanted: str, given: str) -> str:
    if not given:
        return LEFT
    one, other = wanted.rpartition("/")[0], given.rpartition("/")[0]
    if template(one) == template(other):
        changed = sum(a != b for a, b in zip(numbers(one), numbers(other), strict=True))
        return NUMBER if changed == 1 else REPEAT
    return SIBLING if _together(one.split("/"), other.split("/")) else OTHER


def _together(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether two layers lie below one scope, each at most two scopes deeper."""
    shared = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return shared > 0 and max(len(one), len(other)) - shared <= 3


def rows(variant: str, missed: Mapping[str, Iterable[Miss]]) -> Iterator[str]:
    """A line of the table for each cause, the most frequent first; ``missed`` is by pair."""
    by_cause: dict[str, dict[str, list[Miss]]] = defaultdict(lambda: defaultdict(list))
    for name, found in missed.items():
        for one in found:
            by_cause[one.cause][name].append(one)
    for cause, pairs in sorted(by_cause.items(), key=lambda item: -sum(map(len, item[1].values()))):
        most = sorted(pairs, key=lambda name: (-len(pairs[name]), name))
        named = ", ".join(f"{name} {len(pairs[name])}" for name in most[:_NAMED])
        more = f" and {len(most) - _NAMED} more" if len(most) > _NAMED else ""
        first = pairs[most[0]][0]
        instance = f"`{first.new}` comes from `{first.wanted}`" + (f", got `{first.given}`" if first.given else "")
        (why, _), *_ = Counter(one.why for found in pairs.values() for one in found).most_common(1)
        yield f"| {variant} | {sum(map(len, pairs.values())):,} | {cause} | {why} | {named}{more} | {instance} |"
