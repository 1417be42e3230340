"""The layers of two graphs, paired along the variables that the conversion pairs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

from ckptmap.tf.verify.layers.anatomy import LOOPS, Anatomy, Site, base
from ckptmap.tf.verify.layers.branches import MERGES, SWITCHES

if TYPE_CHECKING:
    from ckptmap.tf.verify.layers.anatomy import Unit

_PASSED = frozenset(
    {
        "Identity", "Pad", "PadV2", "MirrorPad", "SpaceToBatchND", "Transpose", "ExpandDims", "Squeeze", "StopGradient",
        "Snapshot", "PreventGradient", "EnsureShape", "CheckNumerics", "OneHot", *SWITCHES,
    }
)  # fmt: skip
_UNPACKED = {"TensorArrayScatterV3": 2, "TensorArrayScatter": 2, "TensorListFromTensor": 0}
"""What makes the rows of a tensor the steps of a loop, and which input is the tensor."""
_NORMS = frozenset(
    {
        "Mul", "Sub", "Add", "AddV2", "Rsqrt", "RealDiv", "SquaredDifference", "Square", "Sqrt", "Mean", "Cast",
        "StopGradient", "Identity", "Reshape", "Squeeze", "ExpandDims", "Neg", "Reciprocal", "FusedBatchNormV3",
        "Maximum",
    }
)  # fmt: skip
"""What the normalization of a layer's own statistics is made of."""
_ELEMENTWISE = frozenset({"Mul", "Add", "AddV2", "Sub", "RealDiv"})
_UNNAMED = re.compile(r"Const(_\d+)?")
"""What TensorFlow calls a constant that nobody named."""
_FUSED = ("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3")
SUMS = frozenset({"Add", "AddV2", "Sub"})


@dataclass(frozen=True, slots=True)
class Pair:
    """Old variables that became new ones, by the names that the sides call them; mostly one and one."""

    old: tuple[str, ...]
    new: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a layer in one graph: the sites, the tensors that enter, and the tensor that comes out."""

    layer: int
    number: int
    sites: tuple[Site, ...]
    entering: tuple[str, ...]
    result: str

    @property
    def place(self) -> int:
        """Where in the order of its graph it ends."""
        return self.sites[-1].place

    @property
    def main(self) -> Unit:
        """What the layer is: the operation that reads most of its variables."""
        return max(self.sites, key=lambda site: (len(site.variables), -site.place)).unit

    @property
    def key(self) -> tuple[int, int]:
        """Alike on both sides."""
        return self.layer, self.number


@dataclass(frozen=True, slots=True)
class Layer:
    """Variables that work together on both sides, such as the four of a batch norm."""

    name: str
    pairs: tuple[Pair, ...]

    @property
    def is_split(self) -> bool:
        """Whether a variable became several, or several one: what such layers give has other sizes."""
        return any(len(pair.old) != len(pair.new) for pair in self.pairs)

    @property
    def old(self) -> tuple[str, ...]:
        """The names of its old variables."""
        return tuple(name for pair in self.pairs for name in pair.old)

    @property
    def new(self) -> tuple[str, ...]:
        """The names of its new variables."""
        return tuple(name for pair in self.pairs for name in pair.new)


def find_layers(old: Anatomy, new: Anatomy, pairs: Sequence[Pair]) -> tuple[Layer, ...]:
    """The layers: pairs whose variables meet in one operation of either graph belong together."""
    parent = list(range(len(pairs)))

    def root(at: int) -> int:
        while parent[at] != at:
            parent[at] = parent[parent[at]]
            at = parent[at]
        return at

    for anatomy, numbers in ((old, _numbers(pairs, "old")), (new, _numbers(pairs, "new"))):
        for met in (*_met(anatomy, numbers), *_scaled_and_shifted(anatomy, numbers)):
            for other in met[1:]:
                parent[root(other)] = root(met[0])
    groups: dict[int, list[Pair]] = {}
    for at, pair in enumerate(pairs):
        groups.setdefault(root(at), []).append(pair)
    return tuple(
        Layer(_scope([name for pair in group for name in pair.old]), tuple(group)) for group in groups.values()
    )


def _met(anatomy: Anatomy, numbers: Mapping[str, int]) -> Iterator[list[int]]:
    """The pairs whose variables meet in one operation."""
    return ([numbers[name] for name in site.variables if name in numbers] for site in anatomy.sites)


def _scaled_and_shifted(anatomy: Anatomy, numbers: Mapping[str, int]) -> Iterator[list[int]]:
    """The pairs whose variables scale and shift value by value under one scope, as those of a layer norm do."""
    others: set[str] = set()
    found: dict[str, dict[str, None]] = {}
    for site in anatomy.sites:
        if site.unit.op not in _ELEMENTWISE:
            others |= site.variables
        for name in site.variables:
            found.setdefault(name.rpartition("/")[0], {})[name] = None
    for scope, names in found.items():
        if scope:
            yield [numbers[name] for name in names if name in numbers and name not in others]


def _numbers(pairs: Sequence[Pair], end: str) -> dict[str, int]:
    return {name: at for at, pair in enumerate(pairs) for name in getattr(pair, end)}


def _scope(names: Iterable[str]) -> str:
    """What the names have in common, by whole parts; of one name all but the last part.

    A constant that nobody named, as the scale of a batch norm without one, says nothing: its scope may be another.
    """
    every = list(dict.fromkeys(names))
    parts = [name.split("/") for name in every if not _UNNAMED.fullmatch(name.rpartition("/")[2])]
    parts = parts or [name.split("/") for name in every]
    if len(parts) == 1:
        return "/".join(parts[0][:-1]) or parts[0][0]
    shared = [part[0] for part in takewhile(lambda part: len(set(part)) == 1, zip(*parts, strict=False))]
    return "/".join(shared) or " + ".join("/".join(part) for part in parts[:2])


class Uses:
    """The uses of layers in one graph."""

    def __init__(self, anatomy: Anatomy, numbers: Mapping[str, int]) -> None:
        self.anatomy = anatomy
        self._layer_of = {site.unit.name: layer for site in anatomy.sites for layer in _layers_of(site, numbers)}
        self._use_of: dict[str, Use] = {}
        self.uses = {use.key: use for use in self._found(numbers)}
        for use in self.uses.values():
            self._use_of |= {site.unit.name: use for site in use.sites}

    def before(self, tensors: Iterable[str], without: Use | None = None) -> list[Use]:
        """The uses whose results reach ``tensors`` with no other use between, in the order of the graph."""
        found: dict[tuple[int, int], Use] = {}
        for name in self._upstream(tensors, set(self._use_of) - self._own(without)):
            use = self._use_of.get(name)
            if use is not None and use is not without:
                found[use.key] = use
        return sorted(found.values(), key=lambda use: use.place)

    def is_first(self, tensors: Iterable[str]) -> bool:
        """Whether nothing that reads a variable lies before ``tensors``, paired or not."""
        reading = {site.unit.name for site in self.anatomy.sites}
        return reading.isdisjoint(self._upstream(tensors, set()))

    def _own(self, use: Use | None) -> set[str]:
        return {site.unit.name for site in use.sites} if use is not None else set()

    def _upstream(self, tensors: Iterable[str], stops: set[str]) -> Iterator[str]:
        """The units of data that lead to ``tensors``; not beyond ``stops``."""
        seen: set[str] = set()
        waiting = [self.anatomy.unit_of(one) for one in tensors]
        while waiting:
            name = waiting.pop()
            if name in seen or name not in self.anatomy.data:
                continue
            seen.add(name)
            yield name
            if name not in stops:
                waiting += [self.anatomy.unit_of(one) for one in self.anatomy.units[name].inputs]

    def _found(self, numbers: Mapping[str, int]) -> Iterator[Use]:
        groups: dict[int, list[list[Site]]] = {}
        for site in self.anatomy.sites:
            for layer in _layers_of(site, numbers):
                chain = next((one for one in groups.get(layer, []) if self._follows(site, one)), None)
                if chain is None:
                    groups.setdefault(layer, []).append([site])
                else:
                    chain.append(site)
        for layer, chains in groups.items():
            for number, chain in enumerate(chains):
                yield Use(layer, number, tuple(chain), self._entering(chain), self._result(chain))

    def _follows(self, site: Site, chain: Sequence[Site]) -> bool:
        """Whether a site takes what a chain of sites gives, with no other layer between, or the same as it."""
        members = {one.unit.name for one in chain}
        if site.unit.op not in LOOPS and any(set(one.data) & set(site.data) for one in chain):
            return all(one.variables.isdisjoint(site.variables) for one in chain)
        stops = set(self._layer_of)
        return not members.isdisjoint(self._upstream(site.data, stops))

    def _entering(self, chain: Sequence[Site]) -> tuple[str, ...]:
        members = {one.unit.name for one in chain}
        first = chain[0]
        statistics = self._normalized(chain)
        if statistics:
            return (statistics,)
        tensors = [one for one in first.data if self.anatomy.unit_of(one) not in members]
        found = dict.fromkeys(self._source(one) for one in tensors)
        return tuple(one for one in found if self.anatomy.is_data(one) and base(one) in self.anatomy.units)

    def _source(self, tensor: str) -> str:
        """What a tensor is but for padding, another order and the like; of rows that are looked up, their numbers."""
        unit = self.anatomy.units.get(self.anatomy.unit_of(tensor))
        while unit is not None and (unit.op in _PASSED or unit.op in _UNPACKED or _is_of_one_branch(unit)):
            tensor = unit.inputs[_UNPACKED.get(unit.op, 0)]
            unit = self.anatomy.units.get(self.anatomy.unit_of(tensor))
        return tensor

    def _normalized(self, chain: Sequence[Site]) -> str:
        """What enters a normalization by its own statistics, whatever way these are computed; empty for others."""
        if any(site.unit.op not in _NORMS or site.unit.op in _FUSED for site in chain):
            return ""
        members = {site.unit.name for site in chain}
        means: list[Unit] = []
        ops: set[str] = set()
        seen: set[str] = set()
        waiting = [name for site in chain for name in map(self.anatomy.unit_of, site.data)]
        while waiting:
            name = waiting.pop()
            unit = self.anatomy.units[name]
            inside = unit.op in _NORMS and (name in members or name not in self._layer_of)
            if name in seen or name not in self.anatomy.data or not inside:
                continue
            seen.add(name)
            ops.add(unit.op)
            if unit.op in ("Mean", *_FUSED):
                means.append(unit)
            waiting += [self.anatomy.unit_of(one) for one in unit.inputs]
        if not means or not ops & {"Rsqrt", "Sqrt", *_FUSED}:
            return ""
        return self._unshaped(min(means, key=lambda unit: self.anatomy.places[unit.name]).inputs[0])

    def _unshaped(self, tensor: str) -> str:
        unit = self.anatomy.units[self.anatomy.unit_of(tensor)]
        while unit.op in ("Reshape", "Cast", "Identity"):
            tensor = unit.inputs[0]
            unit = self.anatomy.units[self.anatomy.unit_of(tensor)]
        return tensor

    def _result(self, chain: Sequence[Site]) -> str:
        """What comes out: of a normalization that is written as sums, the last sum."""
        last = chain[-1].unit
        members = {one.unit.name for one in chain}
        takers = self.anatomy.consumers.get(last.name, [])
        if last.op in SUMS and len(takers) == 1:
            taker = self.anatomy.units[takers[0]]
            others = [self.anatomy.units[self.anatomy.unit_of(one)] for one in taker.inputs]
            if taker.op in SUMS and any(
                other.name != last.name and any(self.anatomy.unit_of(one) in members for one in other.inputs)
                for other in others
            ):
                return taker.result
        if len(takers) == 1 and self.anatomy.units[takers[0]].op == "BatchToSpaceND":
            return self.anatomy.units[takers[0]].result
        return "" if last.op in LOOPS else last.result


def _is_of_one_branch(unit: Unit) -> bool:
    """Whether it hands on what the only branch gives that is taken."""
    return unit.op in MERGES and len(unit.inputs) == 1


def _layers_of(site: Site, numbers: Mapping[str, int]) -> set[int]:
    return {numbers[name] for name in site.variables if name in numbers}
