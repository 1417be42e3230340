"""Functions of a TensorFlow graph put in the place of their calls, so that one list of nodes shows the whole data flow.

Loops and branches of TF2 (``While``, ``If``) are calls of their bodies here. Read from FunctionDef
(tensorflow/core/framework/function.proto).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ckptmap.checkpoint.wire import Bytes, as_bytes, as_text, bounded, read_fields
from ckptmap.suggest.nodes import BRANCHES, Node, parse_node

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_FUNCTION = 1
_SIGNATURE, _NODE, _RESULTS = 1, 3, 4
_NAME, _ARGUMENT = 1, 2
_VALUE = 2
_DEEPEST = 50


@dataclass(frozen=True, slots=True)
class Function:
    """Names of what it takes, its nodes, and the nodes whose results it gives."""

    arguments: tuple[str, ...]
    nodes: tuple[Node, ...]
    results: tuple[str, ...]


def functions(library: Bytes) -> dict[str, Function]:
    """The functions of a serialized FunctionDefLibrary; raises FormatError for a malformed message."""
    found = (_function(as_bytes(value)) for number, value in read_fields(library) if number == _FUNCTION)
    return dict(bounded(found, "functions"))


def _function(data: Bytes) -> tuple[str, Function]:
    name = ""
    arguments: list[str] = []
    nodes: list[Node] = []
    results: list[str] = []
    for number, value in read_fields(data):
        if number == _SIGNATURE:
            for field, inner in read_fields(as_bytes(value)):
                if field == _NAME:
                    name = as_text(inner)
                elif field == _ARGUMENT:
                    arguments.append(as_text(dict(read_fields(as_bytes(inner))).get(_NAME, b"")))
        elif number == _NODE:
            nodes.append(parse_node(as_bytes(value)))
        elif number == _RESULTS:
            results.append(as_text(dict(read_fields(as_bytes(value))).get(_VALUE, b"")).partition(":")[0])
    return name, Function(tuple(arguments), tuple(nodes), tuple(results))


def inlined(nodes: Sequence[Node], library: Mapping[str, Function]) -> tuple[Node, ...]:
    """The nodes with those of the functions that they call; a call itself hands on what these give.

    Raises FormatError where that makes millions of nodes.
    """
    if not library:
        return tuple(nodes)
    return tuple(bounded(_inlined(nodes, library, "", {}, ()), "nodes"))


def _inlined(
    nodes: Sequence[Node],
    library: Mapping[str, Function],
    scope: str,
    given: Mapping[str, str],
    within: tuple[str, ...],
) -> Iterator[Node]:
    for node in nodes:
        inputs = tuple(given.get(one, f"{scope}{one}") for one in node.inputs)
        called = [name for name in node.calls if name in library and name not in within]
        name = f"{scope}{node.name}"
        if not called or len(within) >= _DEEPEST:
            yield replace(node, name=name, inputs=inputs)
            continue
        passed = inputs[1:] if node.op in BRANCHES else inputs
        results: list[str] = []
        for function_name in called:
            function = library[function_name]
            inner = f"{name}/{function_name}/"
            taken = dict(zip(function.arguments, passed, strict=False))
            results += [taken.get(one, f"{inner}{one}") for one in function.results]
            yield from _inlined(function.nodes, library, inner, taken, (*within, function_name))
        yield Node(name, "Identity", tuple(dict.fromkeys(results)))
