"""The object graph of a tf.train.Checkpoint (tensorflow/core/protobuf/trackable_object_graph.proto).

TensorFlow restores by walking the graph from its root along child names. One path to each variable is enough for a
model as a whole; who restores a part of it may come by another path. In a checkpoint key the names on the path are
joined by ``/``; a ``/`` inside a name is written ``.S`` and a ``.`` as ``..`` (tensorflow/python/trackable/
trackable_utils.py).
"""

from __future__ import annotations

import re
import sys
from collections import deque
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from ckptmap.checkpoint.wire import (
    FEW_BYTES,
    MAX_ITEMS,
    Bytes,
    FormatError,
    as_bytes,
    as_int,
    as_text,
    bounded,
    bytes_field,
    few_bytes,
    number_field,
    read_fields,
    text_field,
)

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping

VARIABLE_VALUE = "VARIABLE_VALUE"
VALUE_SUFFIX = f"/.ATTRIBUTES/{VARIABLE_VALUE}"
SAVE_COUNTER = "save_counter"
OPTIMIZER_SLOT = ".OPTIMIZER_SLOT"
"""What stands between a variable's path and those of an optimizer and its slot, in the key of that slot."""
_MAX_BYTES = (1 << 31) - 1
"""What a protobuf message can have; the graph of the largest detector has 2 MB, that of 100,000 variables 13 MB."""
_MAX_REFERENCES = 4 * MAX_ITEMS
"""Children, tensors and slots of all objects; honest objects have three each at most."""
_LONE_VARIABLE = re.compile(
    rb"\x12(?P<size>%b)(?P<at>)\x0a\x0eVARIABLE_VALUE\x12(?P<named>%b)(?P<name>[^\x1a]*)"
    rb"\x1a(?P<keyed>%b)(?P<key>.*/\.ATTRIBUTES/VARIABLE_VALUE)(?:\*\x02\x08\x01)?" % ((FEW_BYTES,) * 3),
    re.DOTALL,
)
_HOLDS_VALUES = b"\x2a\x02\x08\x01"
"""What ends a node that has a value, or an object below it has."""
_VARIABLE_NAME = text_field(1, VARIABLE_VALUE)
_NODE = re.compile(rb"\x0a(%b)" % FEW_BYTES)
_CHILD = re.compile(rb"\x0a(?P<size>[\x00-\x7f])\x08(?P<number>%b)\x12(?P<length>[\x00-\x7f])" % FEW_BYTES)


class SavedTensor(NamedTuple):
    """A value of a node: ``name`` is ``VARIABLE_VALUE`` for variables, ``key`` the checkpoint key, and ``full_name``
    the variable's readable name when it was saved (empty for what is no variable)."""

    name: str
    full_name: str
    key: str


class Child(NamedTuple):
    """An edge: the attribute ``name`` of an object holds the object ``node``."""

    name: str
    node: int


class SlotReference(NamedTuple):
    """An optimizer's slot variable: ``slot_node`` holds the slot ``name`` of the variable ``variable_node``."""

    variable_node: int
    name: str
    slot_node: int


class Node(NamedTuple):
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
    full_names: dict[str, str] = {}
    slots: set[int] = set()
    count, highest, left = 0, -1, _MAX_REFERENCES
    for message in _messages(data):
        count += 1
        variable = _lone_variable(message)
        if variable is not None:
            full_names[variable[0]] = variable[1]
            continue
        child, position = _usual_children(message, None)
        highest = max(highest, child)
        rest = message[position:]
        if rest == _HOLDS_VALUES:
            continue
        node = _parse_node(rest, left)
        left -= len(node.tensors) + len(node.slots)
        full_names.update((tensor.key, tensor.full_name) for tensor in node.tensors)
        slots.update(slot.slot_node for slot in node.slots)
        highest = max(highest, _highest(node))
    _check_numbers(count, highest)
    slot_keys = _names(parse_object_graph(data).nodes).slot_keys if slots else frozenset[str]()
    return SavedNames(full_names, slot_keys)


def _names(nodes: Iterable[Node]) -> SavedNames:
    full_names: dict[str, str] = {}
    keys: list[tuple[str, ...]] = []
    slots: set[int] = set()
    for node in nodes:
        full_names.update((tensor.key, tensor.full_name) for tensor in node.tensors)
        keys.append(tuple(tensor.key for tensor in node.tensors))
        slots.update(slot.slot_node for slot in node.slots)
    return SavedNames(full_names, frozenset(key for node in slots for key in keys[node]))


def _messages(data: Bytes) -> Iterator[bytes]:
    """The nodes as they are stored."""
    if len(data) > _MAX_BYTES:
        raise FormatError(f"the object graph is larger than {_MAX_BYTES} bytes")
    return bounded(_pieces(data), "objects")


def _pieces(data: Bytes) -> Iterator[bytes]:
    position = 0
    while found := _NODE.match(data, position):
        start = found.end()
        end = start + few_bytes(found[1])
        if end > len(data):
            break
        yield bytes(data[start:end])
        position = end
    yield from (bytes(as_bytes(value)) for number, value in read_fields(data[position:]) if number == 1)


def _parsed_nodes(data: Bytes) -> Iterator[Node]:
    """The nodes; the errors of the graph as a whole are raised behind the last."""
    count, highest = 0, -1
    left = _MAX_REFERENCES
    for message in _messages(data):
        node = _parse_node(message, left)
        left -= len(node.children) + len(node.tensors) + len(node.slots)
        yield node
        count += 1
        highest = max(highest, _highest(node))
    _check_numbers(count, highest)


def _highest(node: Node) -> int:
    """The highest number of an object that the node names; -1 where it names none."""
    highest = -1
    for child in node.children:
        highest = max(highest, child.node)
    for slot in node.slots:
        highest = max(highest, slot.variable_node, slot.slot_node)
    return highest


def _check_numbers(count: int, highest: int) -> None:
    if not count:
        raise FormatError("the object graph is empty")
    if highest >= count:
        raise FormatError("the object graph names an object that it does not hold")


def _lone_variable(message: bytes) -> tuple[str, str] | None:
    """Key and readable name, where a node is a variable as TensorFlow writes it and nothing else."""
    found = _LONE_VARIABLE.fullmatch(message)
    if found is None:
        return None
    size, _, named, name, keyed, key = found.groups()
    at = found.start("at")
    if few_bytes(named) != len(name) or few_bytes(keyed) != len(key) or few_bytes(size) != found.end("key") - at:
        return None
    return key.decode("utf-8", "surrogateescape"), name.decode("utf-8", "surrogateescape")


def _usual_children(message: bytes, children: list[Child] | None, most: int = 0) -> tuple[int, int]:
    """Walks the children that a node begins with: the highest number among them, and where the rest of it begins.

    They go into ``children`` where that is a list, until there are more than ``most``.
    """
    highest, position = -1, 0
    while (children is None or len(children) <= most) and (found := _CHILD.match(message, position)):
        size, number, length = found.groups()
        start = found.end()
        end = start + length[0]
        if end != position + 2 + size[0] or end > len(message):
            break
        node = few_bytes(number)
        highest = max(highest, node)
        if children is not None:  # layers have few attributes: equal names are kept once
            children.append(Child(sys.intern(message[start:end].decode("utf-8", "surrogateescape")), node))
        position = end
    return highest, position


def _parse_node(message: bytes, most: int) -> Node:
    """A node of at most so many children, tensors and slots."""
    children: list[Child] = []
    tensors: list[SavedTensor] = []
    slots: list[SlotReference] = []
    position = _usual_children(message, children, most)[1]
    for number, value in read_fields(message[position:]):
        if len(children) + len(tensors) + len(slots) > most:
            break
        if number == 1:
            node, name = _pair(as_bytes(value))
            children.append(Child(sys.intern(name), node))
        elif number == 2:
            texts = {number: as_text(text) for number, text in read_fields(as_bytes(value)) if number <= 3}
            tensors.append(SavedTensor(sys.intern(texts.get(1, "")), texts.get(2, ""), texts.get(3, "")))
        elif number == 3:
            slots.append(_parse_slot(as_bytes(value)))
    if len(children) + len(tensors) + len(slots) > most:
        raise FormatError(f"the objects claim more than {_MAX_REFERENCES} children and values")
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


class _Branch:
    """An object on the way to variables; ``path`` is that of the variable where it is one, ``number`` its place.

    Of its children, one that is a variable and nothing else is the path alone.
    """

    __slots__ = ("children", "number", "path")

    def __init__(self, path: str = "", number: int = -1) -> None:
        self.children: dict[str, _Branch | str] = {}
        self.path = path
        self.number = number


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
    root = _Branch(number=0)
    for path in variables:
        _enter(root, path)
    for path, other in links.items():
        parent, _, name = path.rpartition("/")
        above = _branch(root, parent) if parent else root
        above.children[unescape_name(name)] = _branch(root, other)
    for children, path in _numbered(root):
        edges = [bytes_field(1, number_field(1, number) + text_field(2, name)) for name, number in children]
        tensor = _variable_field(variables[path], path) if path else b""
        yield bytes_field(1, b"".join((*edges, tensor, _HOLDS_VALUES)))


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


def _enter(root: _Branch, path: str) -> None:
    """Makes the object at a path a variable."""
    above, slash, last = path.rpartition("/")
    parent = _branch(root, above) if slash else root
    name = _name(last, path)
    if name in parent.children:
        _branch(parent, last).path = path
    else:
        parent.children[name] = path


def _name(part: str, path: str) -> str:
    if not part:
        raise ValueError(f"empty name in the object path {path!r}")
    return sys.intern(unescape_name(part))


def _branch(root: _Branch, path: str) -> _Branch:
    """The branch at a path, made where it is not there yet."""
    branch = root
    for part in path.split("/"):
        name = _name(part, path)
        child = branch.children.get(name)
        if not isinstance(child, _Branch):
            child = branch.children[name] = _Branch(child or "")
        branch = child
    return branch


def _numbered(root: _Branch) -> Iterator[tuple[list[tuple[str, int]], str]]:
    """The children of each object, each with its number, and its own path where it is a variable.

    In breadth-first order, as TensorFlow numbers them: each where it is first met. Takes the branches apart.
    """
    waiting: deque[_Branch | str] = deque([root])
    count = 1
    while waiting:
        branch = waiting.popleft()
        if isinstance(branch, str):
            yield [], branch
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
        branch.children = {}
        yield children, branch.path


def without_values(graph: ObjectGraph, keys: Container[str]) -> ObjectGraph:
    """The graph without the values of these checkpoint keys, and without slots that have none any more."""
    kept = [tuple(tensor for tensor in node.tensors if tensor.key not in keys) for node in graph.nodes]
    nodes = (
        Node(node.children, tensors, tuple(slot for slot in node.slots if kept[slot.slot_node]))
        for node, tensors in zip(graph.nodes, kept, strict=True)
    )
    return ObjectGraph(tuple(nodes))


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
    return bytes_field(2, _VARIABLE_NAME + text_field(2, full_name) + text_field(3, variable_key(path)))


def _format_tensor(tensor: SavedTensor) -> bytes:
    return text_field(1, tensor.name) + text_field(2, tensor.full_name) + text_field(3, tensor.key)


def _format_slot(slot: SlotReference) -> bytes:
    return number_field(1, slot.variable_node) + text_field(2, slot.name) + number_field(3, slot.slot_node)
