"""The paths by which a model's own objects reach its variables: what names a variable where a key does not.

TensorFlow saves a variable once, under the shortest path that leads to it, and that can go through an optimizer: Keras
3 keeps the model's variables in ``optimizer/_trainable_variables``. Layers that share a variable reach it by several
paths.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ckptmap.checkpoint.object_graph import VARIABLE_VALUE, Node, ObjectGraph, SavedNames, escape_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

OPTIMIZERS = ("optimizer", "_optimizer")
OF_AN_OPTIMIZER = {"_iterations", "_variables"}
"""What every optimizer of Keras holds, of 2.11 and later."""


@dataclass(frozen=True, slots=True)
class ObjectPaths:
    """What an object graph says of the variables that are reached without an optimizer.

    ``paths`` holds the shortest such path by checkpoint key, parts escaped; ``links`` every further way to an object
    above a variable or to the variable itself: a path that ends there, with the shortest one. ``beside`` are the keys
    of what only an optimizer holds.
    """

    names: SavedNames
    paths: Mapping[str, str]
    links: Mapping[str, str]
    beside: frozenset[str]


def object_paths(graph: ObjectGraph) -> ObjectPaths:
    """The paths of ``graph``; takes time linear in its edges."""
    shortest = _shortest(graph, _children)
    paths = dict(_values(graph, shortest))
    reached = {key for key, _ in _values(graph, _shortest(graph, _all_children))}
    links = dict(_further(graph, shortest, _above_values(graph, shortest)))
    return ObjectPaths(graph.names, paths, links, frozenset(reached - paths.keys()))


def _children(graph: ObjectGraph, node: Node) -> Iterator[tuple[str, int]]:
    """The children of a node that are no optimizers: name and number."""
    for child in node.children:
        if child.name not in OPTIMIZERS and not _is_optimizer(graph.nodes[child.node]):
            yield child.name, child.node


def _all_children(_graph: ObjectGraph, node: Node) -> Iterator[tuple[str, int]]:
    return ((child.name, child.node) for child in node.children)


def _is_optimizer(node: Node) -> bool:
    return len(node.children) > 1 and {child.name for child in node.children} >= OF_AN_OPTIMIZER


def _shortest(graph: ObjectGraph, children: Callable[[ObjectGraph, Node], Iterable[tuple[str, int]]]) -> dict[int, str]:
    """The shortest path to each node by these ``children``, breadth first as TensorFlow walks."""
    found, waiting = {0: ""}, deque([0])
    while waiting:
        at = waiting.popleft()
        for name, number in children(graph, graph.nodes[at]):
            if number not in found:
                found[number] = _below(found[at], name)
                waiting.append(number)
    return found


def _below(path: str, name: str) -> str:
    return f"{path}/{escape_name(name)}" if path else escape_name(name)


def _values(graph: ObjectGraph, shortest: Mapping[int, str]) -> Iterator[tuple[str, str]]:
    for number, path in shortest.items():
        for tensor in graph.nodes[number].tensors:
            if path and tensor.name == VARIABLE_VALUE:  # the root itself is no variable
                yield tensor.key, path


def _above_values(graph: ObjectGraph, shortest: Mapping[int, str]) -> set[int]:
    """The nodes from which a variable can be reached, variables included."""
    parents: dict[int, list[int]] = {}
    for number in shortest:
        for _, child in _children(graph, graph.nodes[number]):
            parents.setdefault(child, []).append(number)
    waiting = [n for n in shortest if any(tensor.name == VARIABLE_VALUE for tensor in graph.nodes[n].tensors)]
    found = set(waiting)
    while waiting:
        for parent in parents.get(waiting.pop(), ()):
            if parent not in found:
                found.add(parent)
                waiting.append(parent)
    return found


def _further(graph: ObjectGraph, shortest: Mapping[int, str], useful: set[int]) -> Iterator[tuple[str, str]]:
    for number, path in shortest.items():
        for name, child in _children(graph, graph.nodes[number]) if number in useful else ():
            way = _below(path, name)
            if child in useful and child and way != shortest[child]:
                yield way, shortest[child]
