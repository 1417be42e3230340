"""Conditions of TF2's control flow that are decided: the function of the branch that is taken, in place of the call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ckptmap.tf.environment import import_quietly
from ckptmap.tf.inference.folding import become_identity, decided
from ckptmap.tf.inference.nodes import base, data_inputs, in_order, place

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_CONDITIONS = frozenset({"If", "StatelessIf"})
_BRANCHES = {True: "then_branch", False: "else_branch"}


def inline_conditions(graph: Any, library: Any, flags: Mapping[str, bool | float]) -> None:
    """Put the branch that ``flags`` choose in place of each ``If`` on them, in ``graph`` itself; so inside branches.

    ``library`` has the functions. An ``If`` on anything else stays, and one whose branch calls a function as if it were
    an operation.
    """
    functions = {function.signature.name: function for function in library.function}
    left: set[str] = set()
    while True:
        known = decided(in_order(graph.node), flags)
        found = [
            node
            for node in graph.node
            if node.op in _CONDITIONS and node.name not in left and base(node.input[0]) in known
        ]
        if not found:
            return
        results: dict[tuple[str, int], str] = {}
        for node in found:
            left.add(node.name)
            results |= _inline(graph, node, functions.get(node.attr[_BRANCHES[known[base(node.input[0])]]].func.name))
        _rewire(graph.node, results)


def _inline(graph: Any, node: Any, function: Any) -> dict[tuple[str, int], str]:
    """Add the function's nodes; by output of ``node``, the tensor that has its value. Empty where it has to stay."""
    flat = _flat_names(function) if function is not None else None
    if flat is None:
        return {}
    scope = _free_scope(graph, f"{node.name}/{_taken(node, function)}")
    given = list(data_inputs(node))[1:]
    named = {inner.name: f"{scope}/{inner.name}" for inner in function.node_def}
    tensors = {arg.name: one for arg, one in zip(function.signature.input_arg, given, strict=True)}
    tensors |= {nested: f"{named[base(one)]}:{place(one)}" for nested, one in flat.items()}
    for inner in function.node_def:
        made = graph.node.add()
        made.CopyFrom(inner)
        made.name = named[inner.name]
        del made.input[:]
        made.input.extend(tensors[one] for one in data_inputs(inner))
    outputs = [tensors[function.ret[one.name]] for one in function.signature.output_arg]
    if len(outputs) == 1:
        node.attr["T"].type = node.attr["Tout"].list.type[0]
        become_identity(node, outputs[0])
    else:
        _become_identities(node, outputs)
    return {(node.name, at): one for at, one in enumerate(outputs)}


def _taken(node: Any, function: Any) -> str:
    return next(name for name in _BRANCHES.values() if node.attr[name].func.name == function.signature.name)


def _flat_names(function: Any) -> dict[str, str] | None:
    """By ``node:argument:number``, as functions name tensors, the name that graphs have; None where one is unknown."""
    registry = import_quietly("tensorflow.python.framework.op_def_registry")
    found = {}
    for node in function.node_def:
        known = registry.get(node.op)
        if known is None:
            return None
        at = 0
        for argument in known.output_arg:
            for number in range(_count(argument, node)):
                found[f"{node.name}:{argument.name}:{number}"] = f"{node.name}:{at}"
                at += 1
    return found


def _count(argument: Any, node: Any) -> int:
    """How many tensors an output is (core/framework/node_def_util.cc, ComputeArgRange)."""
    if argument.number_attr:
        return int(node.attr[argument.number_attr].i)
    return len(node.attr[argument.type_list_attr].list.type) if argument.type_list_attr else 1


def _free_scope(graph: Any, wanted: str) -> str:
    names = {node.name for node in graph.node}
    while any(name.startswith(f"{wanted}/") for name in names):
        wanted += "_"
    return wanted


def _become_identities(node: Any, outputs: list[str]) -> None:
    """Let ``node`` hand ``outputs`` on."""
    types = list(node.attr["Tout"].list.type)
    node.op = "IdentityN"
    node.attr.clear()
    node.attr["T"].list.type.extend(types)
    del node.input[:]
    node.input.extend(outputs)


def _rewire(nodes: Iterable[Any], results: Mapping[tuple[str, int], str]) -> None:
    """Let what reads a condition read the branch's results."""
    for node in nodes:
        for at, name in enumerate(node.input):
            if not name.startswith("^"):
                node.input[at] = _followed(name, results)


def _followed(name: str, results: Mapping[tuple[str, int], str]) -> str:
    """A branch's result may be what another condition gave."""
    while (base(name), place(name)) in results:
        name = results[base(name), place(name)]
    return name
