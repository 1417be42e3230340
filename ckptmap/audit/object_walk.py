"""How tf.train.Checkpoint finds a variable in a checkpoint: from the root along child names."""

from __future__ import annotations

from collections.abc import Callable

from ckptmap.checkpoint.inventory import Inventory, Variable
from ckptmap.checkpoint.object_graph import VALUE_SUFFIX, VARIABLE_VALUE, ObjectGraph, unescape_name

Find = Callable[[str], Variable | None]
"""The variable at an object path (parts escaped as in a key), None where there is none."""


def finder(inventory: Inventory, graph: ObjectGraph | None) -> Find:
    """How paths are found; without a graph (its data file is not there) by keys, which are paths too."""
    if graph is None:
        return lambda path: inventory.variables.get(path + VALUE_SUFFIX)
    children = [{child.name: child.node for child in node.children} for node in graph.nodes]

    def find(path: str) -> Variable | None:
        node: int | None = 0
        for part in path.split("/"):
            node = children[node].get(unescape_name(part)) if node is not None else None
        if node is None:
            return None
        keys = [tensor.key for tensor in graph.nodes[node].tensors if tensor.name == VARIABLE_VALUE]
        return inventory.variables.get(keys[0]) if keys else None

    return find


def root_names(inventory: Inventory, graph: ObjectGraph | None) -> tuple[str, ...]:
    """The names of the objects that the checkpoint was made of."""
    if graph is not None:
        return graph.root_names
    names = (name.partition("/")[0] for name in inventory.variables if name.endswith(VALUE_SUFFIX))
    return tuple(dict.fromkeys(names))
