"""The object paths of a graph as TensorFlow numbers it, in one pass that makes no objects of its objects.

TensorFlow numbers objects breadth first, each where it is first met: the first way to an object is the shortest, and
its parent comes before it. What departs from that, or has optimizers or slots, is for ``object_paths`` to walk.
"""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ckptmap.checkpoint.object_graph import HOLDS_VALUES, SavedNames, escape_name
from ckptmap.checkpoint.object_graph_reading import MAX_GRAPH_BYTES
from ckptmap.checkpoint.object_paths import OF_AN_OPTIMIZER, OPTIMIZERS, ObjectPaths
from ckptmap.checkpoint.wire import FEW_BYTES, MAX_ITEMS, few_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST = 4 * MAX_ITEMS
"""Children and values of all objects: where there are more, the one that walks says so."""
_ENDS = (b"", HOLDS_VALUES)
"""What follows the children or the value of an object: nothing, or that there are values."""
_OBJECT = re.compile(rb"\x0a(%b)(?:\x12(%b)\x0a\x0eVARIABLE_VALUE(?:\x12(%b))?)?" % ((FEW_BYTES,) * 3))
_KEY = re.compile(rb"\x1a(%b)" % FEW_BYTES)
_CHILD = re.compile(rb"\x0a(?P<size>[\x00-\x7f])\x08(?P<number>%b)\x12(?P<length>[\x01-\x7f])" % FEW_BYTES)
_LEFT_ALONE = {name.encode() for name in (*OPTIMIZERS, *OF_AN_OPTIMIZER)}


def usual_paths(data: bytes) -> ObjectPaths | None:
    """``object_paths(parse_object_graph(data))`` where the graph is as usual; None where it is not, or is damaged."""
    if len(data) > MAX_GRAPH_BYTES:
        return None
    walk = _Walk()
    position = number = 0
    while found := _OBJECT.match(data, position):
        raw, value, name = found.groups()
        end = found.end(1) + few_bytes(raw)
        if number == len(walk.paths) or number == MAX_ITEMS or end > len(data):
            return None
        at = found.end()
        if value is None:
            taken = walk.children(data, at, end, number)
        else:
            taken = walk.value(data, at, found.end(2) + few_bytes(value), name, end, number)
        if not taken:
            return None
        position, number = end, number + 1
    return walk.end() if position == len(data) and number == len(walk.paths) else None


@dataclass(slots=True)
class _Walk:
    """What was met so far; ``paths`` and ``above`` have the path and the first parent of each object by its number."""

    paths: list[str] = field(default_factory=lambda: [""])
    above: array[int] = field(default_factory=lambda: array("L", [0]))
    holders: array[int] = field(default_factory=lambda: array("L"))
    """The objects that are variables."""
    full_names: dict[str, str] = field(default_factory=dict)
    by_key: dict[str, str] = field(default_factory=dict)
    further: list[tuple[int, str, int]] = field(default_factory=list)
    """Further ways: the parent, the whole way, the object."""
    parts: dict[bytes, str] = field(default_factory=dict)
    """The names of children as they stand in a path: layers have few."""
    references: int = 0

    def value(self, data: bytes, start: int, value_end: int, name: bytes | None, end: int, number: int) -> bool:
        """Takes an object that is a variable and nothing else; False where it is another.

        Its value ends at ``value_end``; from ``start`` on there is its full name, of the length ``name``, and its key.
        """
        stop = start if name is None else start + few_bytes(name)
        keyed = _KEY.match(data, stop)
        if keyed is None or not number:
            return False
        at = keyed.end()
        last = at + few_bytes(keyed[1])
        if last != value_end or last > end or data[last:end] not in _ENDS:
            return False
        key = data[at:last].decode("utf-8", "surrogateescape")
        path = self.paths[number]
        full_name = data[start:stop].decode("utf-8", "surrogateescape")
        self.full_names[key] = path if full_name == path else full_name  # one text in place of two
        self.by_key[key] = path
        self.holders.append(number)
        self.references += 1
        return self.references <= _MOST

    def children(self, data: bytes, position: int, end: int, number: int) -> bool:
        """Takes an object that has children and nothing else; False where it is another."""
        paths, parts = self.paths, self.parts
        path = paths[number]
        while child := _CHILD.match(data, position):
            size, raw, length = child.groups()
            start = child.end()
            stop = start + length[0]
            name = data[start:stop]
            part = parts.get(name)
            if part is None:
                part = self._part(name)
            node = few_bytes(raw)
            if stop != position + 2 + size[0] or stop > end or not part or node > len(paths):
                return False
            way = f"{path}/{part}" if path else part
            if node == len(paths):
                paths.append(way)
                self.above.append(number)
            else:
                self.further.append((number, way, node))
            position = stop
            self.references += 1
        return data[position:end] in _ENDS and position <= end and self.references <= _MOST

    def _part(self, name: bytes) -> str:
        """A child's name as it stands in a path; empty for what an optimizer is told by."""
        part = "" if name in _LEFT_ALONE else escape_name(name.decode("utf-8", "surrogateescape"))
        self.parts[name] = part
        return part

    def end(self) -> ObjectPaths:
        """The paths, when all objects have come by."""
        links = dict(self._links()) if self.further else {}
        return ObjectPaths(SavedNames(self.full_names, frozenset()), self.by_key, links, frozenset())

    def _links(self) -> Iterator[tuple[str, str]]:
        useful = self._above_values()
        for parent, way, number in self.further:
            if number and parent in useful and number in useful and way != self.paths[number]:
                yield way, self.paths[number]

    def _above_values(self) -> set[int]:
        """The objects from which a variable can be reached, variables included."""
        others: dict[int, list[int]] = {}
        for parent, _, number in self.further:
            others.setdefault(number, []).append(parent)
        waiting = list(self.holders)
        found = set(waiting)
        while waiting:
            at = waiting.pop()
            for parent in (self.above[at], *others.get(at, ())):
                if parent not in found:
                    found.add(parent)
                    waiting.append(parent)
        return found
