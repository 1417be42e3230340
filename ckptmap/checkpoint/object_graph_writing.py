"""Object graphs written: the smallest that leads to given variables, and any graph serialized."""

from __future__ import annotations

import sys
from collections import deque
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from ckptmap.checkpoint.object_graph import (
    HOLDS_VALUES,
    OPTIMIZER_SLOT,
    VARIABLE_VALUE,
    Node,
    ObjectGraph,
    SavedTensor,
    SlotReference,
    unescape_name,
    variable_key,
)
from ckptmap.checkpoint.object_graph_reading import parse_object_graph
from ckptmap.checkpoint.wire import bytes_field, number_field, text_field

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_VARIABLE_NAME = text_field(1, VARIABLE_VALUE)
_KEY_ENDS = variable_key("").encode()


_TAKEN: dict[str, _Branch | str] = {}
"""The children of all objects whose own were taken: one dict for them."""


class _Branch:
    """An object on the way to variables; ``path`` is that of the variable where it is one, ``number`` its place.

    Of its children, one that is a variable and nothing else is the path alone.
    """

    __slots__ = ("children", "number", "path")

    def __init__(self, path: str = "", number: int = -1) -> None:
        self.children: dict[str, _Branch | str] = {}
        self.path = path
        self.number = number


def build_object_graph(variables: Mapping[str, str], links: Mapping[str, str] = MappingProxyType({})) -> ObjectGraph:
    """The smallest graph that leads to each variable, by the links too.

    Args:
        variables: the readable name of each variable by its object path below the root, such as
            ``model/_feature_extractor/conv/kernel`` (parts escaped as in a key).
        links: further paths to objects, each with the path above that leads there or through there.

    Raises:
        ValueError: an empty part in a path, or a slot of a variable or an optimizer that is not there.
    """
    return parse_object_graph(b"".join(smallest_graph(variables, links)))


def smallest_graph(variables: Mapping[str, str], links: Mapping[str, str] = MappingProxyType({})) -> Iterator[bytes]:
    """``build_object_graph``, serialized, piece by piece: the objects of many variables take much memory."""
    slots = [path for path in variables if f"/{OPTIMIZER_SLOT}/" in path]
    if slots:
        weights = {path: name for path, name in variables.items() if f"/{OPTIMIZER_SLOT}/" not in path}
        graph = build_object_graph(weights, links)
        yield format_object_graph(_with_slots(graph, {path: variables[path] for path in slots}))
        return
    root = _entered(variables)
    for path, other in links.items():
        parent, _, name = path.rpartition("/")
        above = _branch(root, parent) if parent else root
        above.children[unescape_name(name)] = _branch(root, other)
    for children, path in _numbered(root):
        tensor = _variable_field(variables[path], path) if path else b""
        if children:
            edges = [bytes_field(1, number_field(1, number) + _name_field(name)) for name, number in children]
            yield bytes_field(1, b"".join(edges) + tensor + HOLDS_VALUES)
        else:
            yield bytes_field(1, tensor + HOLDS_VALUES)


def _with_slots(graph: ObjectGraph, slots: Mapping[str, str]) -> ObjectGraph:
    """The graph with a node for each slot, and the optimizers' references to them.

    ``slots`` holds the readable names by path: ``<variable>/.OPTIMIZER_SLOT/<optimizer>/<slot>``.
    """
    places = {tensor.key: number for number, node in enumerate(graph.nodes) for tensor in node.tensors}
    nodes = list(graph.nodes)
    kept: dict[int, list[SlotReference]] = {}
    for path, full_name in slots.items():
        weight, _, below = path.partition(f"/{OPTIMIZER_SLOT}/")
        optimizer, _, name = below.rpartition("/")
        owner, holder = places.get(variable_key(weight)), _node(graph, optimizer)
        if owner is None or holder is None:
            raise ValueError(f"no variable and optimizer for the slot {path!r}")
        kept.setdefault(holder, []).append(SlotReference(owner, unescape_name(name), len(nodes)))
        nodes.append(Node(tensors=(SavedTensor(VARIABLE_VALUE, full_name, variable_key(path)),)))
    for holder, references in kept.items():
        nodes[holder] = nodes[holder]._replace(slots=tuple(references))
    return ObjectGraph(tuple(nodes))


def _node(graph: ObjectGraph, path: str) -> int | None:
    """The number of the object at a path; None where there is none."""
    at = 0
    for name in map(unescape_name, path.split("/")):
        found = next((child.node for child in graph.nodes[at].children if child.name == name), None)
        if found is None:
            return None
        at = found
    return at


@lru_cache(maxsize=4096)
def _name_field(name: str) -> bytes:
    """The name of a child as an edge has it: layers have few."""
    return text_field(2, name)


def _entered(paths: Iterable[str]) -> _Branch:
    """The root of the objects at all ``paths``, each of which becomes a variable."""
    root = _Branch(number=0)
    near, branch = "", root
    for path in paths:
        above, slash, last = path.rpartition("/")
        scope, _, layer = above.rpartition("/")
        if scope != near:  # most layers stand beside the one before
            near, branch = scope, _branch(root, scope) if scope else root
        parent = _branch(branch, layer) if slash else root
        name = _name(last, path)
        if name in parent.children:
            _branch(parent, last).path = path
        else:
            parent.children[name] = path
    return root


def _name(part: str, path: str) -> str:
    if not part:
        raise ValueError(f"empty name in the object path {path!r}")
    return sys.intern(unescape_name(part))


def _branch(root: _Branch, path: str) -> _Branch:
    """The branch at a path, made where it is not there yet."""
    branch = root
    for part in path.split("/"):
        branch = _step(branch, _name(part, path))
    return branch


def _step(branch: _Branch, name: str) -> _Branch:
    """The branch of this name below, made where it is not there yet."""
    child = branch.children.get(name)
    if not isinstance(child, _Branch):
        child = branch.children[name] = _Branch(child or "")
    return child


def _numbered(root: _Branch) -> Iterator[tuple[Sequence[tuple[str, int]], str]]:
    """The children of each object, each with its number, and its own path where it is a variable.

    In breadth-first order, as TensorFlow numbers them: each where it is first met. Takes the branches apart.
    """
    waiting: deque[_Branch | str] = deque([root])
    count = 1
    while waiting:
        branch = waiting.popleft()
        if isinstance(branch, str):
            yield (), branch
            continue
        children = []
        for name, child in branch.children.items():
            if isinstance(child, str) or child.number < 0:
                number, count = count, count + 1
                waiting.append(child)
                if not isinstance(child, str):
                    child.number = number
            else:
                number = child.number
            children.append((name, number))
        branch.children = _TAKEN
        yield children, branch.path


def format_object_graph(graph: ObjectGraph) -> bytes:
    """The serialized TrackableObjectGraph."""
    nodes = zip(graph.nodes, _holds_values(graph), strict=True)
    return b"".join(bytes_field(1, _format_node(node, holds_values)) for node, holds_values in nodes)


def _holds_values(graph: ObjectGraph) -> list[bool]:
    """For each node whether it or anything below it has a value: TensorFlow saves that with the node."""
    parents: list[list[int]] = [[] for _ in graph.nodes]
    for number, node in enumerate(graph.nodes):
        for child in node.children:
            parents[child.node].append(number)
    holds = [bool(node.tensors) for node in graph.nodes]
    waiting = [number for number, has in enumerate(holds) if has]
    while waiting:
        for parent in parents[waiting.pop()]:
            if not holds[parent]:
                holds[parent] = True
                waiting.append(parent)
    return holds


def _format_node(node: Node, holds_values: bool) -> bytes:
    parts = [bytes_field(1, number_field(1, child.node) + text_field(2, child.name)) for child in node.children]
    parts += [bytes_field(2, _format_tensor(tensor)) for tensor in node.tensors]
    parts += [bytes_field(3, _format_slot(slot)) for slot in node.slots]
    return b"".join([*parts, bytes_field(5, number_field(1, int(holds_values)))])


def _variable_field(full_name: str, path: str) -> bytes:
    place = path.encode("utf-8", "surrogateescape")
    name = place if full_name == path else full_name.encode("utf-8", "surrogateescape")
    named = bytes_field(2, name) if name else b""
    return bytes_field(2, _VARIABLE_NAME + named + bytes_field(3, place + _KEY_ENDS))


def _format_tensor(tensor: SavedTensor) -> bytes:
    return text_field(1, tensor.name) + text_field(2, tensor.full_name) + text_field(3, tensor.key)


def _format_slot(slot: SlotReference) -> bytes:
    return number_field(1, slot.variable_node) + text_field(2, slot.name) + number_field(3, slot.slot_node)
