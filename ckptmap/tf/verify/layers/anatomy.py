"""The anatomy of a graph: what is data, what are parameters, and the sites where a parameter meets data.

Loops of TF1 (frames of Enter and Exit) count as one operation, as the loops of TF2 are one. Of a condition the branch
that is taken counts, when it is known which.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ckptmap.tf.verify.layers.branches import MERGES, SWITCHES, is_dead

if TYPE_CHECKING:
    from ckptmap.tf.verify.general.side import Node, Side

_SHAPES = frozenset({"Shape", "ShapeN", "Size", "Rank", "ZerosLike", "OnesLike", "TensorListElementShape"})
"""What says no more of data than its shape."""
_ENTER, _EXIT = frozenset({"Enter", "RefEnter"}), frozenset({"Exit", "RefExit"})
LOOP = "Loop"
LOOPS = frozenset({LOOP, "While", "StatelessWhile"})


@dataclass(frozen=True, slots=True)
class Unit:
    """An operation, or a loop of them: what it is, and the tensors that it takes (without control edges).

    ``choice`` is the tensor that chooses a branch, empty of what does not branch.
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    choice: str = ""

    @property
    def result(self) -> str:
        """Its first output."""
        return f"{self.name}:0"


@dataclass(frozen=True, slots=True)
class Site:
    """A unit in which parameters meet data: the variables behind these parameters, and the tensors of data."""

    unit: Unit
    variables: frozenset[str]
    data: tuple[str, ...]
    place: int


class Anatomy:
    """A side's graph, indexed. ``dead``: what has no value (see ``find_dead``), which is left out."""

    def __init__(self, side: Side, dead: Collection[str] = ()) -> None:
        self.side = side
        nodes = {node.name: node for node in _alive(side.nodes, dead)}
        self._loop_of = loops(nodes)
        self.units = {unit.name: unit for unit in _units(nodes, self._loop_of)}
        self.places = {name: at for at, name in enumerate(self.units)}
        self._holders = _holders(side)
        self._inputs = {base(one.tensor) for one in side.inputs}
        self.data: set[str] = set()
        self.variables: dict[str, frozenset[str]] = {}
        for unit in self.units.values():
            self._classify(unit)

    @cached_property
    def consumers(self) -> dict[str, list[str]]:
        """For each unit, those that take its results, in order."""
        found: dict[str, list[str]] = {}
        for unit in self.units.values():
            for source in dict.fromkeys(self.unit_of(one) for one in unit.inputs):
                found.setdefault(source, []).append(unit.name)
        return found

    @cached_property
    def live(self) -> set[str]:
        """The units whose values reach an output; what only writes, such as moving statistics, is none of them."""
        found: set[str] = set()
        waiting = [self.unit_of(one.tensor) for one in self.side.outputs]
        while waiting:
            name = waiting.pop()
            if name not in found and name in self.units:
                found.add(name)
                unit = self.units[name]
                waiting += [self.unit_of(one) for one in (*unit.inputs, unit.choice) if one]
        return found

    @cached_property
    def sites(self) -> tuple[Site, ...]:
        """Where parameters meet data, in the order of the computation."""
        return tuple(self._sites())

    def unit_of(self, tensor: str) -> str:
        """The unit that gives a tensor."""
        name = base(tensor)
        return self._loop_of.get(name, name)

    def is_data(self, tensor: str) -> bool:
        """Whether a tensor depends on what is fed."""
        return self.unit_of(tensor) in self.data

    def _classify(self, unit: Unit) -> None:
        sources = [self.unit_of(one) for one in unit.inputs]
        if unit.name in self._holders:
            self.variables[unit.name] = frozenset((self._holders[unit.name],))
            return
        if unit.op in _SHAPES:
            return
        if unit.name in self._inputs or any(one in self.data for one in sources):
            self.data.add(unit.name)
            return
        found = frozenset[str]().union(*(self.variables.get(one, frozenset()) for one in sources))
        if found:
            self.variables[unit.name] = found

    def _sites(self) -> Iterator[Site]:
        for place, unit in enumerate(self.units.values()):
            if unit.name not in self.data or unit.name not in self.live:
                continue
            read = frozenset[str]().union(*(self.variables.get(self.unit_of(one), frozenset()) for one in unit.inputs))
            data = tuple(one for one in unit.inputs if self.is_data(one))
            if read and data:
                yield Site(unit, read, data, place)


def base(tensor: str) -> str:
    """The node of a tensor (``scope/op:1``)."""
    return tensor.removeprefix("^").partition(":")[0]


def _holders(side: Side) -> dict[str, str]:
    """By node, the variable that it holds or reads."""
    found = {}
    for variable in side.variables:
        for node in (variable.node, *map(base, variable.reads)):
            found[node] = variable.name
    return found


def _alive(nodes: Iterable[Node], dead: Collection[str]) -> Iterator[Node]:
    """The nodes that have a value; what merges branches takes those that have one."""
    for node in nodes:
        if node.name in dead:
            continue
        if node.op in MERGES and dead:
            yield replace(node, inputs=tuple(one for one in node.inputs if not is_dead(one, dead)))
        else:
            yield node


def loops(nodes: Mapping[str, Node]) -> dict[str, str]:
    """For each node inside a loop, the name of the outermost loop."""
    takers: dict[str, list[str]] = {}
    for node in nodes.values():
        for one in node.inputs:
            takers.setdefault(base(one), []).append(node.name)
    seen: dict[str, str] = {}
    for node in nodes.values():
        if node.op not in _ENTER or node.name in seen:
            continue
        loop = f"loop {node.attributes.get('frame_name', node.name)}"
        waiting = [node.name]
        while waiting:
            name = waiting.pop()
            if name in seen or nodes[name].op in _EXIT:
                continue
            seen[name] = loop
            waiting += takers.get(name, ())
    return seen


def _units(nodes: Mapping[str, Node], loop_of: Mapping[str, str]) -> Iterator[Unit]:
    """The units, each behind those that it takes results of. A loop stands at its first exit."""
    inside: dict[str, list[str]] = {}
    for name, loop in loop_of.items():
        inside.setdefault(loop, []).extend(one for one in _tensors(nodes[name]) if loop_of.get(base(one)) != loop)
    made: dict[str, Unit] = {}
    for node in nodes.values():
        if node.name not in loop_of:
            taken = tuple(_tensors(node))
            kept, choice = (taken[:1], taken[1]) if node.op in SWITCHES else (taken, "")
            made[node.name] = Unit(node.name, node.op, kept, node.attributes, choice)
    for loop, outside in inside.items():
        made[loop] = Unit(loop, LOOP, tuple(dict.fromkeys(outside)))
    yield from _ordered(made, loop_of)


def _tensors(node: Node) -> Iterator[str]:
    """What a node takes, by the names that tensors are fetched by."""
    for one in node.inputs:
        if not one.startswith("^"):
            yield one if ":" in one else f"{one}:0"


def _ordered(units: Mapping[str, Unit], loop_of: Mapping[str, str]) -> Iterator[Unit]:
    done: set[str] = set()
    for start in units:
        stack = [(start, False)]
        while stack:
            name, ready = stack.pop()
            if ready:
                yield units[name]
            elif name in units and name not in done:
                done.add(name)
                stack.append((name, True))
                sources = [one for one in (*units[name].inputs, units[name].choice) if one]
                stack += [(loop_of.get(base(one), base(one)), False) for one in reversed(sources)]
