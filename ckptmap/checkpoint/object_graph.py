"""The object graph of a tf.train.Checkpoint (tensorflow/core/protobuf/trackable_object_graph.proto).

TensorFlow restores by walking the graph from its root along child names. One path to each variable is enough for a
model as a whole; who restores a part of it may come by another path. In a checkpoint key the names on the path are
joined by ``/``; a ``/`` inside a name is written ``.S`` and a ``.`` as ``..`` (tensorflow/python/trackable/
trackable_utils.py).
"""

from __future__ import annotations

import sys
from collections import deque
from dataclasses import dataclass, field
from io import BytesIO
from types import MappingProxyType
from typing import TYPE_CHECKING

from ckptmap.checkpoint.wire import (
    Bytes,
    FormatError,
    as_bytes,
    as_int,
    as_text,
    bounded,
    bytes_field,
    number_field,
    read_fields,
    text_field,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

VARIABLE_VALUE = "VARIABLE_VALUE"
VALUE_SUFFIX = f"/.ATTRIBUTES/{VARIABLE_VALUE}"
SAVE_COUNTER = "save_counter"
_MAX_BYTES = 1 << 24
"""The graph of the largest detector has 2 MB."""


@dataclass(frozen=True, slots=True)
class SavedTensor:
    """A value of a node: ``name`` is ``VARIABLE_VALUE`` for variables, ``key`` the checkpoint key, and ``full_name``
    the variable's readable name when it was saved (empty for what is no variable)."""

    name: str
    full_name: str
    key: str


@dataclass(frozen=True, slots=True)
class Child:
    """An edge: the attribute ``name`` of an object holds the object ``node``."""

    name: str
    node: int


@dataclass(frozen=True, slots=True)
class SlotReference:
    """An optimizer's slot variable: ``slot_node`` holds the slot ``name`` of the variable ``variable_node``."""

    variable_node: int
    name: str
    slot_node: int


@dataclass(frozen=True, slots=True)
class Node:
    """One object."""

    children: tuple[Child, ...] = ()
    tensors: tuple[SavedTensor, ...] = ()
    slots: tuple[SlotReference, ...] = ()


@dataclass(frozen=True, slots=True)
class SavedNames:
    """What an object graph says of the variables alone.

    ``full_names`` holds the readable name of each by its checkpoint key, ``slot_keys`` the keys of optimizer slots.
    """

    full_names: Mapping[str, str]
    slot_keys: frozenset[str]


@dataclass(frozen=True, slots=True)
class ObjectGraph:
    """All objects of a checkpoint; node 0 is the root, the tf.train.Checkpoint itself."""

    nodes: tuple[Node, ...]

    @property
    def names(self) -> SavedNames:
        """The names of its variables."""
        return _names(self.nodes)

    @property
    def root_names(self) -> tuple[str, ...]:
        """What the tf.train.Checkpoint was made of: ``model``, ``optimizer``, ``save_counter`` …"""
        return tuple(child.name for child in self.nodes[0].children)

    def key(self, path: str) -> str | None:
        """The checkpoint key of the variable at an object path (its parts escaped), None where there is no variable.

        TensorFlow finds a variable so; the key itself can be another path to it.
        """
        node = self.nodes[0]
        for name in map(unescape_name, path.split("/")):
            places = [child.node for child in node.children if child.name == name]
            if not places:
                return None
            node = self.nodes[places[0]]
        return next((tensor.key for tensor in node.tensors if tensor.name == VARIABLE_VALUE), None)


def escape_name(name: str) -> str:
    """A child's name as it stands in a checkpoint key."""
    return name.replace(".", "..").replace("/", ".S")


def unescape_name(part: str) -> str:
    """The child's name behind one part of a checkpoint key."""
    return "".join(_unescaped(part)) if "." in part else part


def _unescaped(part: str) -> Iterator[str]:
    chars = iter(part)
    for char in chars:
        if char != ".":
            yield char
            continue
        following = next(chars, "")
        yield {"S": "/", ".": "."}.get(following, char + following)


def variable_key(path: str) -> str:
    """The checkpoint key of the variable at the object path ``path`` (its parts escaped, joined by ``/``)."""
    return path + VALUE_SUFFIX


def parse_object_graph(data: Bytes) -> ObjectGraph:
    """The graph in a serialized TrackableObjectGraph.

    Raises:
        FormatError: a malformed message, no node, an edge to a node that is not there, or a graph beyond all bounds.
    """
    return ObjectGraph(tuple(_parsed_nodes(data)))


def parse_saved_names(data: Bytes) -> SavedNames:
    """``parse_object_graph(data).names``, without holding the objects, which take more than the names do.

    Raises:
        FormatError: as ``parse_object_graph``.
    """
    return _names(_parsed_nodes(data))


def _names(nodes: Iterable[Node]) -> SavedNames:
    full_names: dict[str, str] = {}
    keys: list[tuple[str, ...]] = []
    slots: set[int] = set()
    for node in nodes:
        full_names.update((tensor.key, tensor.full_name) for tensor in node.tensors)
        keys.append(tuple(tensor.key for tensor in node.tensors))
        slots.update(slot.slot_node for slot in node.slots)
    return SavedNames(full_names, frozenset(key for node in slots for key in keys[node]))


def _parsed_nodes(data: Bytes) -> Iterator[Node]:
    """The nodes; the errors of the graph as a whole are raised behind the last."""
    if len(data) > _MAX_BYTES:
        raise FormatError(f"the object graph is larger than {_MAX_BYTES} bytes")
    count, highest = 0, -1
    for message in bounded((as_bytes(value) for number, value in read_fields(data) if number == 1), "objects"):
        node = _parse_node(message)
        yield node
        count += 1
        for child in node.children:
            highest = max(highest, child.node)
        for slot in node.slots:
            highest = max(highest, slot.variable_node, slot.slot_node)
    if not count:
        raise FormatError("the object graph is empty")
    if highest >= count:
        raise FormatError("the object graph names an object that it does not hold")


def _parse_node(data: Bytes) -> Node:
    children, tensors, slots = [], [], []
    for number, value in read_fields(data):
        if number == 1:
            node, name = _pair(as_bytes(value))
            children.append(Child(sys.intern(name), node))  # layers have few attributes: equal names are kept once
        elif number == 2:
            texts = {number: as_text(text) for number, text in read_fields(as_bytes(value)) if number <= 3}
            tensors.append(SavedTensor(sys.intern(texts.get(1, "")), texts.get(2, ""), texts.get(3, "")))
        elif number == 3:
            slots.append(_parse_slot(as_bytes(value)))
    return Node(tuple(children), tuple(tensors), tuple(slots))


def _pair(data: Bytes) -> tuple[int, str]:
    node, name = 0, ""
    for number, value in read_fields(data):
        if number == 1:
            node = as_int(value)
        elif number == 2:
            name = as_text(value)
    return node, name


def _parse_slot(data: Bytes) -> SlotReference:
    variable, name, slot = 0, "", 0
    for number, value in read_fields(data):
        if number == 1:
            variable = as_int(value)
        elif number == 2:
            name = as_text(value)
        elif number == 3:
            slot = as_int(value)
    return SlotReference(variable, name, slot)


@dataclass(slots=True)
class _Branch:
    """An object on the way to variables; ``path`` is that of the variable where it is one, ``number`` its place."""

    children: dict[str, _Branch] = field(default_factory=dict)
    path: str = ""
    number: int = -1


def object_path(root: str, path: str) -> str:
    """The path from the checkpoint itself to what is at ``path`` below ``root``.

    A path that starts with ``/`` does not lie below the root: it is counted from the checkpoint already.
    """
    if path.startswith("/"):
        return path[1:]
    return f"{root}/{path}" if root else path


def build_object_graph(variables: Mapping[str, str], links: Mapping[str, str] = MappingProxyType({})) -> ObjectGraph:
    """The smallest graph that leads to each variable, by the links too.

    Args:
        variables: the readable name of each variable by its object path below the root, such as
            ``model/_feature_extractor/conv/kernel`` (parts escaped as in a key).
        links: further paths to objects, each with the path above that leads there or through there.

    Raises:
        ValueError: an empty part in a path.
    """
    return ObjectGraph(tuple(smallest_nodes(variables, links)))


def smallest_nodes(variables: Mapping[str, str], links: Mapping[str, str] = MappingProxyType({})) -> Iterator[Node]:
    """The nodes of ``build_object_graph``, one by one: those of many variables take much memory."""
    root = _Branch(number=0)
    for path in variables:
        _branch(root, path).path = path
    for path, other in links.items():
        parent, _, name = path.rpartition("/")
        _branch(root, parent).children[unescape_name(name)] = _branch(root, other)
    return _numbered(root, variables)


def _branch(root: _Branch, path: str) -> _Branch:
    """The branch at a path, made where it is not there yet."""
    branch = root
    for part in path.split("/"):
        if not part:
            raise ValueError(f"empty name in the object path {path!r}")
        name = unescape_name(part)
        if name not in branch.children:
            branch.children[name] = _Branch()
        branch = branch.children[name]
    return branch


def _numbered(root: _Branch, full_names: Mapping[str, str]) -> Iterator[Node]:
    """The nodes in breadth-first order, as TensorFlow numbers them: each where it is first met."""
    waiting, count = deque([root]), 1
    while waiting:
        branch = waiting.popleft()
        for child in branch.children.values():
            if child.number < 0:
                child.number, count = count, count + 1
                waiting.append(child)
        children = tuple(Child(name, child.number) for name, child in branch.children.items())
        path = branch.path
        yield Node(children, (SavedTensor(VARIABLE_VALUE, full_names[path], variable_key(path)),) if path else ())


def format_object_graph(graph: ObjectGraph) -> bytes:
    """The serialized TrackableObjectGraph."""
    return _joined(zip(graph.nodes, _holds_values(graph), strict=True))


def format_nodes(nodes: Iterable[Node]) -> bytes:
    """The serialized TrackableObjectGraph of nodes that all lead to a value, as ``smallest_nodes`` does."""
    return _joined((node, True) for node in nodes)


def _joined(nodes: Iterable[tuple[Node, bool]]) -> bytes:
    """The messages of the nodes, each with whether it or anything below it has a value."""
    out = BytesIO()
    for node, holds_values in nodes:
        out.write(bytes_field(1, _format_node(node, holds_values)))
    return out.getvalue()


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


def _format_tensor(tensor: SavedTensor) -> bytes:
    return text_field(1, tensor.name) + text_field(2, tensor.full_name) + text_field(3, tensor.key)


def _format_slot(slot: SlotReference) -> bytes:
    return number_field(1, slot.variable_node) + text_field(2, slot.name) + number_field(3, slot.slot_node)
