"""Object graphs read: every object of a serialized TrackableObjectGraph, or the names of its variables alone."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from ckptmap.checkpoint.object_graph import (
    HOLDS_VALUES,
    Child,
    Node,
    ObjectGraph,
    SavedNames,
    SavedTensor,
    SlotReference,
    names_of,
)
from ckptmap.checkpoint.wire import (
    FEW_BYTES,
    MAX_ITEMS,
    Bytes,
    FormatError,
    as_bytes,
    as_int,
    as_text,
    bounded,
    few_bytes,
    read_fields,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_GRAPH_BYTES = (1 << 31) - 1
"""What a protobuf message can have; the graph of the largest detector has 2 MB, that of 100,000 variables 13 MB."""
_MAX_REFERENCES = 4 * MAX_ITEMS
"""Children, tensors and slots of all objects; honest objects have three each at most."""
_LONE_VARIABLE = re.compile(
    rb"\x12(?P<size>%b)(?P<at>)\x0a\x0eVARIABLE_VALUE\x12(?P<named>%b)(?P<name>[^\x1a]*)"
    rb"\x1a(?P<keyed>%b)(?P<key>.*/\.ATTRIBUTES/VARIABLE_VALUE)(?:\*\x02\x08\x01)?" % ((FEW_BYTES,) * 3),
    re.DOTALL,
)
_NODE = re.compile(rb"\x0a(%b)" % FEW_BYTES)
_CHILD = re.compile(rb"\x0a(?P<size>[\x00-\x7f])\x08(?P<number>%b)\x12(?P<length>[\x00-\x7f])" % FEW_BYTES)


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
        if rest == HOLDS_VALUES:
            continue
        node = _parse_node(rest, left)
        left -= len(node.tensors) + len(node.slots)
        full_names.update((tensor.key, tensor.full_name) for tensor in node.tensors)
        slots.update(slot.slot_node for slot in node.slots)
        highest = max(highest, _highest(node))
    _check_numbers(count, highest)
    slot_keys = names_of(parse_object_graph(data).nodes).slot_keys if slots else frozenset[str]()
    return SavedNames(full_names, slot_keys)


def _messages(data: Bytes) -> Iterator[bytes]:
    """The nodes as they are stored."""
    if len(data) > MAX_GRAPH_BYTES:
        raise FormatError(f"the object graph is larger than {MAX_GRAPH_BYTES} bytes")
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
