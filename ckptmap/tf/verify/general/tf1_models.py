"""Models of TF1 in a session: frozen graphs, SavedModels, ``.meta`` with a checkpoint, code that builds a graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ckptmap.basics.errors import CheckpointError, CkptmapError
from ckptmap.basics.regular import read_regular
from ckptmap.tf.environment import import_quietly
from ckptmap.tf.inference import cut, guess_outputs
from ckptmap.tf.verify.general.code import build
from ckptmap.tf.verify.general.filling import fill
from ckptmap.tf.verify.general.graphs import Named, Opened, ancestors, chosen_outputs, ends, placeholders
from ckptmap.tf.verify.general.inlining import without_calls
from ckptmap.tf.verify.general.slim_nets import build_slim_net
from ckptmap.tf.verify.general.source import Kind
from ckptmap.tf.verify.running import session

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ckptmap.tf.verify.general.source import Source


def open_graph(tensorflow: Any, source: Source) -> Opened:
    """The model, ready to run. Raises CkptmapError where it cannot be."""
    v1 = tensorflow.compat.v1
    graph = v1.Graph()
    running = session(v1, graph)
    with graph.as_default():
        try:
            return without_calls(v1, _OPEN[source.kind](v1, running, source))
        except (ValueError, TypeError, RuntimeError, v1.errors.OpError) as error:
            raise CheckpointError(f"TensorFlow cannot load it: {error}", where=source.path) from error


def _frozen(v1: Any, running: Any, source: Source) -> Opened:
    definition = v1.GraphDef()
    _parse(definition, source.path)
    v1.import_graph_def(definition, name="")
    outputs = chosen_outputs(running.graph, source, lambda: ends(running.graph))
    return _opened(v1, running, source, outputs)


def _parse(message: Any, path: str) -> None:
    """Raises CheckpointError."""
    try:
        message.ParseFromString(read_regular(path))
    except CkptmapError:
        raise
    except Exception as error:  # DecodeError is of whichever implementation of protobuf there is
        raise CheckpointError(f"is not a graph: {error}", where=path) from error


def _saved_model(v1: Any, running: Any, source: Source) -> Opened:
    loaded = v1.saved_model.loader.load(running, [v1.saved_model.tag_constants.SERVING], source.path)
    signature = _signature(loaded.signature_def)
    if source.outputs or signature is None:
        outputs = chosen_outputs(running.graph, source, lambda: guess_outputs(loaded.graph_def))
        return _opened(v1, running, source, outputs)
    inputs, outputs = (_tensors(running.graph, infos) for infos in (signature.inputs, signature.outputs))
    return _opened(v1, running, source, outputs, inputs)


def _signature(signatures: Mapping[str, Any]) -> Any:
    """``serving_default``, or else the only one that computes something."""
    known = {name: one for name, one in signatures.items() if one.outputs and not name.startswith("__")}
    return known.get("serving_default") or next(iter(known.values()), None)


def _tensors(graph: Any, infos: Mapping[str, Any]) -> tuple[Named, ...]:
    return tuple(Named(name, graph.get_tensor_by_name(infos[name].name)) for name in sorted(infos) if infos[name].name)


def _meta(v1: Any, running: Any, source: Source) -> Opened:
    """The inference graph of the ``.meta``, its variables by their names in the checkpoint."""
    meta = import_quietly("tensorflow.core.protobuf.meta_graph_pb2").MetaGraphDef()
    _parse(meta, f"{source.path}.meta")
    found = cut(meta.graph_def, [_whole_name(meta.graph_def, name) for name in source.outputs])
    v1.import_graph_def(found.graph, name="")
    outputs = tuple(Named(name.removesuffix(":0"), running.graph.get_tensor_by_name(name)) for name in found.outputs)
    fill(v1, running, source.path, running.graph.get_operations())
    return _opened(v1, running, source, outputs, notes=found.notes)


def _whole_name(graph: Any, name: str) -> str:
    """An output may be called by the end of its name, as everywhere."""
    plain, _, number = name.partition(":")
    ends = [node.name for node in graph.node if node.name == plain or node.name.endswith(f"/{plain}")]
    found = ends[0] if len(ends) == 1 else plain
    return f"{found}:{number}" if number else found


def _code(v1: Any, running: Any, source: Source) -> Opened:
    returned = build(source)
    if source.outputs or returned is None:
        outputs = chosen_outputs(running.graph, source, lambda: guess_outputs(running.graph.as_graph_def()))
    else:
        outputs = _returned(v1, source, running.graph, returned)
    needed = ancestors(running.graph, [one.tensor.op for one in outputs])
    fill(v1, running, source.path, needed)
    return _opened(v1, running, source, outputs)


def _slim(v1: Any, running: Any, source: Source) -> Opened:
    """A classifier of slim, built by slim's own code."""
    if source.slim is None:
        raise AssertionError
    logits = Named("logits", build_slim_net(import_quietly("tensorflow"), source.slim))
    outputs = chosen_outputs(running.graph, source, tuple) if source.outputs else (logits,)
    fill(v1, running, source.path, ancestors(running.graph, [one.tensor.op for one in outputs]))
    return _opened(v1, running, source, outputs)


def _returned(v1: Any, source: Source, graph: Any, returned: Any) -> tuple[Named, ...]:
    """What the function returned as outputs: a tensor, several, or tensors by name."""
    pairs = returned.items() if isinstance(returned, dict) else ((None, one) for one in _several(returned))
    found = [Named(name or one.op.name, one) for name, one in pairs if isinstance(one, v1.Tensor)]
    if not found or any(one.tensor.graph is not graph for one in found):
        hint = "return a tensor of the default graph, several, or a dictionary of them by name"
        raise CkptmapError(f"{source.code} returned no tensor of this graph: {type(returned).__name__}", hint=hint)
    return tuple(found)


def _several(returned: Any) -> Iterable[Any]:
    return returned if isinstance(returned, (list, tuple)) else (returned,)


def _opened(
    v1: Any,
    running: Any,
    source: Source,
    outputs: tuple[Named, ...],
    inputs: tuple[Named, ...] = (),
    notes: tuple[str, ...] = (),
) -> Opened:
    known = {one.tensor.name for one in inputs}
    others = tuple(one for one in placeholders(running.graph) if one.tensor.name not in known)
    return Opened(source.path, source.kind.value, v1, running, (*inputs, *others), outputs, notes=notes)


_OPEN = {
    Kind.FROZEN: _frozen,
    Kind.SAVED_MODEL_1: _saved_model,
    Kind.META: _meta,
    Kind.GRAPH_CODE: _code,
    Kind.SLIM: _slim,
}
