"""The functions of a graph in place of their calls: conditions and loops of TF2 then are nodes of the graph itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ckptmap.tf.environment import import_quietly
from ckptmap.tf.verify.general.graphs import VARIABLES, Named, Opened, ancestors, assign
from ckptmap.tf.verify.general.hoisting import read_before_loops
from ckptmap.tf.verify.running import session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_CONDITIONS = frozenset({"If", "StatelessIf", "While", "StatelessWhile", "Case", "StatelessCase"})
_CALLS = _CONDITIONS | {"PartitionedCall", "StatefulPartitionedCall"}
_LOWERED = "_lower_using_switch_merge"
"""Of a condition or loop: it may become Switch, Merge, Enter and Exit."""
_HANDLE = "VarHandleOp"


def inline(v1: Any, graph: Any, definition: Any, ends: Iterable[str]) -> tuple[Any, tuple[str, ...]]:
    """``definition``, a GraphDef of ``graph``, without calls; the nodes of the tensors ``ends`` stay.

    With a note where that cannot be done.
    """
    _let_all_be_lowered(definition)
    meta = v1.train.export_meta_graph(graph_def=definition, graph=graph)
    meta.collection_def.clear()
    meta.collection_def["train_op"].node_list.value.extend(ends)
    config = v1.ConfigProto()
    options = config.graph_options.rewrite_options
    options.min_graph_nodes = -1
    options.optimizers.append("function")
    optimizer = import_quietly("tensorflow.python.grappler.tf_optimizer")
    try:
        return optimizer.OptimizeGraph(config, meta), ()
    except (ValueError, RuntimeError, v1.errors.OpError) as error:
        return definition, (f"functions that the model calls could not be inlined: {error}",)


def _let_all_be_lowered(definition: Any) -> None:
    for nodes in (definition.node, *(function.node_def for function in definition.library.function)):
        for node in nodes:
            if node.op in _CONDITIONS:
                node.attr[_LOWERED].b = True


def without_calls(v1: Any, opened: Opened) -> Opened:
    """A model of TF1 whose conditions and loops are functions, in a graph without calls; others as they are."""
    running = opened.session
    operations = ancestors(running.graph, [one.tensor.op for one in opened.outputs])
    if not any(one.type in _CALLS for one in operations) or any(map(_is_other_resource, operations)):
        return opened
    given = [one.tensor.op for one in opened.inputs if one.tensor.op in operations]
    names = [one.name for one in (*given, *(named.tensor.op for named in opened.outputs))]
    whole = v1.graph_util.extract_sub_graph(running.graph.as_graph_def(), names)
    definition, notes = inline(v1, running.graph, whole, [f"{name}:0" for name in names])
    variables = [one for one in operations if one.type in VARIABLES]
    kinds = {one.name: one.get_attr("dtype").as_datatype_enum for one in variables if one.type == _HANDLE}
    read_before_loops(definition, kinds)
    graph = v1.Graph()
    made = session(v1, graph)
    with graph.as_default():
        v1.import_graph_def(definition, name="")
    ours = [graph.get_operation_by_name(one.name) for one in variables]
    assign(v1, made, ours, _values(v1, running, variables))
    running.close()
    inputs, outputs = (
        tuple(Named(one.name, graph.get_tensor_by_name(one.tensor.name)) for one in ends)
        for ends in ([one for one in opened.inputs if one.tensor.op in given], opened.outputs)
    )
    return Opened(opened.path, opened.kind, v1, made, inputs, outputs, notes=(*opened.notes, *notes))


def _is_other_resource(operation: Any) -> bool:
    """A table and the like, whose content would stay behind."""
    return (
        operation.type != _HANDLE
        and not operation.inputs
        and any(one.dtype.name == "resource" for one in operation.outputs)
    )


def _values(v1: Any, running: Any, variables: Iterable[Any]) -> Callable[[Any], Any]:
    """The value in the session of the variable that an operation of the same name holds."""
    tensors = {one.name: _read(v1, running, one) for one in variables}
    return lambda operation: running.run(tensors[operation.name])


def _read(v1: Any, running: Any, variable: Any) -> Any:
    if variable.type != _HANDLE:
        return variable.outputs[0]
    with running.graph.as_default():
        return v1.raw_ops.ReadVariableOp(resource=variable.outputs[0], dtype=variable.get_attr("dtype"))
