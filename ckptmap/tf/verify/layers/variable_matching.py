"""Which variables of two models belong together: as a conversion says, by name, by value, by their order."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ckptmap.tf.verify.layers.anatomy import Anatomy
from ckptmap.tf.verify.layers.pairing import Pair

if TYPE_CHECKING:
    import numpy as np

    from ckptmap.tf.verify.general.side import Running, Side, Variable

    Array = np.ndarray[Any, Any]

_LEAVES = {
    "weights": "kernel", "weight": "kernel", "w": "kernel", "biases": "bias", "b": "bias", "scale": "gamma",
    "offset": "beta", "depthwise_weights": "depthwise_kernel", "running_mean": "moving_mean",
    "running_var": "moving_variance",
}  # fmt: skip
"""What the last part of a name is called in Keras."""
_VALUE = ".ATTRIBUTES/VARIABLE_VALUE"


@dataclass(frozen=True, slots=True)
class Matching:
    """The pairs, and the variables of either side that are in none."""

    pairs: tuple[Pair, ...]
    only_old: tuple[str, ...]
    only_new: tuple[str, ...]


def match_variables(old: Running, new: Running, report: Mapping[str, Any] | None = None) -> Matching:
    """Pair the variables of both sides.

    ``report`` is the document of the conversion (``report.json``), where there is one: its pairs come first. Then those
    of one name (``weights`` is ``kernel``), of one value that no other variable has, and, where as many of one kind and
    shape are left on both sides, those of one place in the order of the computation.
    """
    match = _Match(old.side, new.side)
    if report is not None:
        match.said(report)
    match.alone(lambda variable: _plain(variable.name), lambda variable: _plain(variable.name))
    match.alone(_by_value(old, match.rest(0)), _by_value(new, match.rest(1)))
    match.in_order()
    return match.found()


class _Match:
    """Pairs as they are found, and what is left."""

    def __init__(self, old: Side, new: Side) -> None:
        self._sides = old, new
        self._pairs: list[Pair] = []
        self._left = {one.name: one for one in old.variables}, {one.name: one for one in new.variables}

    def rest(self, side: int) -> list[Variable]:
        """What is in no pair."""
        return list(self._left[side].values())

    def found(self) -> Matching:
        """The result."""
        return Matching(tuple(self._pairs), tuple(self._left[0]), tuple(self._left[1]))

    def said(self, report: Mapping[str, Any]) -> None:
        """The pairs of a conversion's report; new variables of one source belong to one pair."""
        find = new_variables(self._sides[1])
        groups: dict[tuple[str, ...], list[str]] = {}
        for record in report.get("target_variables", ()):
            sources, name = sources_of(record), find(record)
            if name in self._left[1] and sources and all(one in self._left[0] for one in sources):
                groups.setdefault(sources, []).append(name)
        for sources, names in groups.items():
            if all(one in self._left[0] for one in sources):
                self._take(sources, names)

    def alone(self, one: Callable[[Variable], Hashable], other: Callable[[Variable], Hashable]) -> None:
        """Those that alone on their side have a mark, and the same on both."""
        left, right = _single(self.rest(0), one), _single(self.rest(1), other)
        for mark, variable in left.items():
            if mark in right and _length(variable) == _length(right[mark]):
                self._take((variable.name,), (right[mark].name,))

    def in_order(self) -> None:
        """As many of one kind and shape on both sides, as they come in the computation."""
        kinds = [_kinds(self.rest(at), Anatomy(self._sides[at])) for at in (0, 1)]
        for kind, left in kinds[0].items():
            right = kinds[1].get(kind, [])
            if len(left) == len(right):
                for one, other in zip(left, right, strict=True):
                    self._take((one,), (other,))

    def _take(self, old: Sequence[str], new: Sequence[str]) -> None:
        self._pairs.append(Pair(tuple(old), tuple(new)))
        for at, names in enumerate((old, new)):
            for name in names:
                self._left[at].pop(name, None)


def new_variables(side: Side) -> Callable[[Mapping[str, Any]], str]:
    """Finds the variable of ``side`` that a record of a conversion's report tells of; empty where there is none."""
    by_key = {_key(one.key or one.name): one.name for one in side.variables}
    names = {one.name for one in side.variables}

    def find(record: Mapping[str, Any]) -> str:
        name = str(record.get("name"))
        return by_key.get(_key(str(record.get("key"))), name if name in names else "")

    return find


def sources_of(record: Mapping[str, Any]) -> tuple[str, ...]:
    """The old weights that a new variable was made of, or of whose moving averages."""
    return _owners(_many(record.get("source")))


def _key(path: str) -> str:
    """A variable's path among the objects, without the name of the root and what the format adds."""
    return path.removesuffix(f"/{_VALUE}").removeprefix("model/").removesuffix("/_value")


def _many(source: object) -> tuple[str, ...]:
    if isinstance(source, str):
        return (source,)
    return tuple(str(one) for one in source) if isinstance(source, (list, tuple)) else ()


def _owners(names: Sequence[str]) -> tuple[str, ...]:
    """The weights that the names are, or are moving averages of."""
    return tuple(dict.fromkeys(name.removesuffix("/ExponentialMovingAverage") for name in names))


def _single(variables: Iterable[Variable], mark: Callable[[Variable], Hashable]) -> dict[Hashable, Variable]:
    found: dict[Hashable, list[Variable]] = {}
    for variable in variables:
        found.setdefault(mark(variable), []).append(variable)
    return {key: group[0] for key, group in found.items() if key and len(group) == 1}


def _length(variable: Variable) -> int:
    length = 1
    for size in variable.shape:
        length *= size
    return length


def _plain(name: str) -> str:
    *scopes, leaf = name.lower().split("/")
    return "/".join((*scopes, _LEAVES.get(leaf, leaf)))


def _by_value(running: Running, variables: Sequence[Variable]) -> Callable[[Variable], Hashable]:
    """A fingerprint of what a variable holds; empty of constants, which are everybody's."""
    reads = {one.name: one.reads[0] for one in variables}
    values = running.run({}, list(reads.values())) if reads else {}
    marks = {name: _fingerprint(values[read]) for name, read in reads.items()}
    return lambda variable: marks.get(variable.name, "")


def _fingerprint(value: Array) -> str:
    if not value.size or (value == value.flat[0]).all():
        return ""
    return hashlib.sha256(repr(value.shape).encode() + value.tobytes()).hexdigest()


def _kinds(variables: Iterable[Variable], anatomy: Anatomy) -> dict[tuple[object, ...], list[str]]:
    """Names by kind and shape, in the order in which they are read."""
    places: dict[str, int] = {}
    for site in anatomy.sites:
        for name in site.variables:
            places.setdefault(name, site.place)
    found: dict[tuple[object, ...], list[str]] = {}
    for one in sorted((one for one in variables if one.name in places), key=lambda one: places[one.name]):
        leaf = _plain(one.name).rpartition("/")[2]
        found.setdefault((leaf, one.shape), []).append(one.name)
    return found
