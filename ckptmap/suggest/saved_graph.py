"""The data flow of a TF2 SavedModel: the function that its signature runs, and which variables that reads.

Read from SavedModel, MetaGraphDef and SavedObjectGraph (tensorflow/core/protobuf/saved_model.proto, meta_graph.proto,
saved_object_graph.proto), without TensorFlow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ckptmap.checkpoint.wire import Bytes, as_bytes, as_int, as_text, bounded, packed_varints, read_fields
from ckptmap.suggest.functions import functions, inlined
from ckptmap.suggest.graphs import Flow, flow
from ckptmap.suggest.nodes import Node

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ckptmap.suggest.layer_values import Layer

_META_GRAPH, _GRAPH, _LIBRARY, _OBJECTS = 2, 2, 2, 7
_OBJECT, _CONCRETE = 1, 2
_CHILD, _VARIABLE, _VARIABLE_NAME = 1, 7, 6
_CHILD_NODE, _CHILD_NAME = 1, 2
_KEY, _VALUE, _BOUND = 1, 2, 2
_NOT_RUN = ("traced_save", "traced_restore")
_SIGNATURE = "signature_wrapper"


@dataclass(frozen=True, slots=True)
class SavedGraph:
    """The nodes of what a SavedModel computes, and for each node that is a variable the names that it has."""

    nodes: tuple[Node, ...]
    variables: dict[str, frozenset[str]]
    """By node: the readable name, and the paths among the objects."""


def parse_saved_model(data: Bytes) -> SavedGraph | None:
    """The graph of a serialized SavedModel of TF2; None where it has no function that reads variables.

    Raises FormatError for a malformed message.
    """
    metas = [as_bytes(value) for number, value in read_fields(data) if number == _META_GRAPH]
    for meta in metas:
        fields = dict(read_fields(meta))
        if _OBJECTS in fields and _GRAPH in fields:
            return _graph(as_bytes(fields[_GRAPH]), as_bytes(fields[_OBJECTS]))
    return None


def _graph(graph: Bytes, objects: Bytes) -> SavedGraph | None:
    library = functions(as_bytes(dict(read_fields(graph)).get(_LIBRARY, b"")))
    named = _variables(objects)
    bound = dict(_concrete(objects))
    runnable = {
        name: nodes
        for name, nodes in bound.items()
        if name in library and not any(word in name for word in _NOT_RUN) and set(nodes) & named.keys()
    }
    if not runnable:
        return None
    name = max(runnable, key=lambda one: (len(set(runnable[one]) & named.keys()), _SIGNATURE in one, one))
    function = library[name]
    captured = function.arguments[len(function.arguments) - len(runnable[name]) :]
    holders = {argument: named[node] for argument, node in zip(captured, runnable[name], strict=False) if node in named}
    arguments = [Node(one, "VarHandleOp" if one in holders else "Placeholder", ()) for one in function.arguments]
    return SavedGraph((*arguments, *inlined(function.nodes, library)), holders)


def _concrete(objects: Bytes) -> Iterator[tuple[str, list[int]]]:
    """The functions by name, with the numbers of the objects that each captured."""
    for number, value in read_fields(objects):
        if number == _CONCRETE:
            entry = dict(read_fields(as_bytes(value)))
            bound: list[int] = []
            for field, inner in read_fields(as_bytes(entry.get(_VALUE, b""))):
                if field == _BOUND:
                    bound += [as_int(inner)] if isinstance(inner, int) else packed_varints(inner)
            yield as_text(entry.get(_KEY, b"")), bound


def _variables(objects: Bytes) -> dict[int, frozenset[str]]:
    """The variables by number: their readable names, and their shortest paths from the root."""
    children: dict[int, list[tuple[str, int]]] = {}
    names: dict[int, str] = {}
    saved = (as_bytes(value) for number, value in read_fields(objects) if number == _OBJECT)
    for at, data in enumerate(bounded(saved, "objects")):
        for number, value in read_fields(data):
            if number == _CHILD:
                child = dict(read_fields(as_bytes(value)))
                place = as_int(child.get(_CHILD_NODE, 0))
                children.setdefault(at, []).append((as_text(child.get(_CHILD_NAME, b"")), place))
            elif number == _VARIABLE:
                names[at] = as_text(dict(read_fields(as_bytes(value))).get(_VARIABLE_NAME, b"")).partition(":")[0]
    paths: dict[int, str] = {0: ""}
    waiting = [0]
    for at in waiting:  # grows: breadth first
        for name, inner in children.get(at, ()):
            if inner not in paths:
                paths[inner] = f"{paths[at]}/{name}".lstrip("/")
                waiting.append(inner)
    return {at: frozenset(filter(None, (name, paths.get(at, "")))) for at, name in names.items()}


def saved_flow(graph: SavedGraph, layers: Sequence[Layer]) -> Flow | None:
    """Which of ``layers`` lie before which; None where the graph has fewer than half of them."""
    known: dict[str, int] = {}
    for at, layer in enumerate(layers):
        for name in _names(layer):
            known[name] = at
    layer_of: dict[str, int] = {}
    for node, names in graph.variables.items():
        places = {known[name] for name in map(_plain, names) if name in known}
        if len(places) == 1:
            layer_of[node] = places.pop()
    if 2 * len(set(layer_of.values())) < len(layers):
        return None
    found = flow(graph.nodes, layer_of)
    if found is None:
        return None
    rest = (0,) * (len(layers) - len(found.before))
    return Flow((*found.before, *rest), (*found.direct, *rest))


def _names(layer: Layer) -> set[str]:
    return {_plain(text) for one in layer.items for text in (one.name, one.key)}


def _plain(name: str) -> str:
    return name.removeprefix("model/").removesuffix("/_value")
