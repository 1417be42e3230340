"""The object graph of a tf.train.Checkpoint (tensorflow/core/protobuf/trackable_object_graph.proto).

TensorFlow restores by walking the graph from its root along child names. One path to each variable is enough for a
model as a whole; who restores a part of it may come by another path. In a checkpoint key the names on the path are
joined by ``/``; a ``/`` inside a name is written ``.S`` and a ``.`` as ``..`` (tensorflow/python/trackable/
trackable_utils.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping

VARIABLE_VALUE = "VARIABLE_VALUE"
VALUE_SUFFIX = f"/.ATTRIBUTES/{VARIABLE_VALUE}"
SAVE_COUNTER = "save_counter"
OPTIMIZER_SLOT = ".OPTIMIZER_SLOT"
"""What stands between a variable's path and those of an optimizer and its slot, in the key of that slot."""
HOLDS_VALUES = b"\x2a\x02\x08\x01"
"""What ends a node that has a value, or an object below it has."""


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
        return names_of(self.nodes)

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


def names_of(nodes: Iterable[Node]) -> SavedNames:
    """What these objects say of the variables alone."""
    full_names: dict[str, str] = {}
    keys: list[tuple[str, ...]] = []
    slots: set[int] = set()
    for node in nodes:
        full_names.update((tensor.key, tensor.full_name) for tensor in node.tensors)
        keys.append(tuple(tensor.key for tensor in node.tensors))
        slots.update(slot.slot_node for slot in node.slots)
    return SavedNames(full_names, frozenset(key for node in slots for key in keys[node]))


def object_path(root: str, path: str) -> str:
    """The path from the checkpoint itself to what is at ``path`` below ``root``.

    A path that starts with ``/`` does not lie below the root: it is counted from the checkpoint already.
    """
    if path.startswith("/"):
        return path[1:]
    return f"{root}/{path}" if root else path


def without_values(graph: ObjectGraph, keys: Container[str]) -> ObjectGraph:
    """The graph without the values of these checkpoint keys, and without slots that have none any more."""
    kept = [tuple(tensor for tensor in node.tensors if tensor.key not in keys) for node in graph.nodes]
    nodes = (
        Node(node.children, tensors, tuple(slot for slot in node.slots if kept[slot.slot_node]))
        for node, tensors in zip(graph.nodes, kept, strict=True)
    )
    return ObjectGraph(tuple(nodes))
