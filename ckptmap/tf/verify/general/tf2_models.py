"""Models of TF2 as graphs in a session: SavedModels, files of Keras, and what the user's code returns.

A model is traced once; what the trace calls is inlined, and in place of each variable that it captured stands one of
the session, with the same value. So every tensor of it has a name, as in TF1.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ckptmap.basics.errors import CheckpointError, CkptmapError
from ckptmap.basics.wording import argument
from ckptmap.checkpoint.reader import open_checkpoint
from ckptmap.tf.environment import import_quietly
from ckptmap.tf.verify.general.arguments import INPUTS
from ckptmap.tf.verify.general.code import build
from ckptmap.tf.verify.general.graphs import Named, Opened, assign, chosen_outputs
from ckptmap.tf.verify.general.hoisting import read_before_loops
from ckptmap.tf.verify.general.inlining import inline
from ckptmap.tf.verify.general.shipped import build_application
from ckptmap.tf.verify.general.source import Kind
from ckptmap.tf.verify.running import session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ckptmap.tf.verify.general.source import Source

_COUNTER = "save_counter"
_RESOURCE = "resource"
_FINALIZE = "your code has to do the same, a checkpoint alone does not make Keras' Normalization use its values"


@dataclass(frozen=True, slots=True)
class Traced:
    """A traced model: its concrete function, and names for what goes in and comes out, in the function's order.

    ``variables``: by identity of the handle, the name, the path among the objects, and the variable.
    """

    kind: str
    function: Any
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    variables: Mapping[int, tuple[str, str, Any]]
    notes: tuple[str, ...] = ()


def open_model(tensorflow: Any, source: Source) -> Opened:
    """The model, ready to run. Raises CkptmapError where it cannot be."""
    with tensorflow.device("/CPU:0"):
        traced = _TRACED[source.kind](tensorflow, source)
    opened = _in_session(tensorflow, source, traced)
    if source.outputs:
        outputs = chosen_outputs(opened.session.graph, source, tuple)
        return replace(opened, outputs=outputs)
    return opened


def _saved_model(tensorflow: Any, source: Source) -> Traced:
    try:
        loaded = tensorflow.saved_model.load(source.path)
    except (OSError, ValueError, TypeError, tensorflow.errors.OpError) as error:
        raise CheckpointError(f"TensorFlow cannot load it: {error}", where=source.path) from error
    signatures = dict(loaded.signatures)
    chosen = signatures.get("serving_default") or next(iter(signatures.values()), None)
    if chosen is None:
        raise CheckpointError("has no signature", where=source.path, hint="save it with one: signatures=…")
    names = list(chosen.structured_input_signature[1])
    inputs = [tensor.op.name for tensor in chosen.inputs[: len(names)]]
    ordered = _in_graph_order(inputs, names)
    outputs = sorted(chosen.structured_outputs)
    return Traced(source.kind.value, chosen, ordered, tuple(outputs), _variables(tensorflow, loaded))


def _in_graph_order(inputs: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    """The signature's keys in the order of the function's inputs, whose placeholders are named by them."""
    found = {key: next((name for name in names if key in (name, f"{name}:0")), key) for key in inputs}
    return tuple(found[key] for key in inputs)


def _keras_file(tensorflow: Any, source: Source) -> Traced:
    try:
        model = tensorflow.keras.models.load_model(source.path, compile=False)
    except Exception as error:  # whatever a layer's class raises
        hint = "custom classes: give the code that builds the model, with the file's weights"
        raise CheckpointError(f"Keras {source.keras} cannot load it: {error}", where=source.path, hint=hint) from error
    return traced_object(tensorflow, source, model, f"Keras {source.keras} model")


def _code(tensorflow: Any, source: Source) -> Traced:
    model = build(source)
    if not callable(model):
        raise CkptmapError(
            f"{source.code} returned {type(model).__name__}, which cannot be called",
            hint="return a model of Keras, or a tf.Module with __call__",
        )
    keras = _keras_version(model)
    if keras and source.path.endswith((".weights.h5", ".safetensors")):
        _load_weights(model, source)
        return traced_object(tensorflow, source, model, f"Keras {keras} model")
    return _restored(tensorflow, source, model, f"Keras {keras} model" if keras else "tf.Module")


def _application(tensorflow: Any, source: Source) -> Traced:
    if source.application is None:
        raise AssertionError
    keras = import_quietly("keras") if source.keras == 3 else tensorflow.keras
    model = build_application(keras, source.application)
    return _restored(tensorflow, source, model, f"Keras {source.keras} {source.kind.value}")


def _restored(tensorflow: Any, source: Source, model: Any, kind: str) -> Traced:
    """A model with a checkpoint's values. A trace comes first: the first call may make variables."""
    traced = traced_object(tensorflow, source, model, kind)
    _restore(tensorflow, source, model)
    names = _finalized(model)
    if not names:
        return traced
    note = f"finalize_state() was called on {', '.join(names)} after the restore: {_FINALIZE}"
    return replace(traced_object(tensorflow, source, model, kind), notes=(note,))


def _finalized(model: Any) -> list[str]:
    """The layers that normalize by statistics that were restored. They compute with a copy, which is made anew here."""
    layers = list(model._flatten_layers()) if hasattr(model, "_flatten_layers") else []  # Keras 2 and 3
    found = [layer for layer in layers if hasattr(layer, "finalize_state") and hasattr(layer, "adapt_mean")]
    for layer in found:
        layer.finalize_state()
    return [layer.name for layer in found]


def _keras_version(model: Any) -> int:
    """The Keras whose model it is; 0 for none."""
    for kind in type(model).__mro__:
        home = kind.__module__
        if home.startswith("keras.src.") and kind.__name__ == "Model":
            return 3 if not home.startswith("keras.src.engine") else 2
        if home.startswith("tf_keras.") and kind.__name__ == "Model":
            return 2
    return 0


def _load_weights(model: Any, source: Source) -> None:
    try:
        model.load_weights(source.path)
    except Exception as error:  # whatever a layer's class raises
        raise CheckpointError(f"Keras cannot load its weights: {error}", where=source.path) from error


def _restore(tensorflow: Any, source: Source, model: Any) -> None:
    """Restore a checkpoint whose root is the model, or has it as a child of whatever name."""
    with open_checkpoint(source.path) as checkpoint:
        graph = checkpoint.object_graph()
    names = [name for name in (graph.root_names if graph is not None else ()) if name not in (_COUNTER, "optimizer")]
    child = names[0] if len(names) == 1 and not hasattr(model, names[0]) else ""
    child = "model" if "model" in names and not hasattr(model, "model") else child
    made = tensorflow.train.Checkpoint(**{child: model}) if child else tensorflow.train.Checkpoint(model)
    try:
        made.read(source.path).assert_existing_objects_matched().expect_partial()
    except (AssertionError, ValueError, tensorflow.errors.OpError) as error:
        said = str(error).strip().splitlines()[0]
        message = f"TensorFlow cannot restore it into the model of {_builder(source)}: {said}"
        raise CheckpointError(message, where=source.path) from error


def _builder(source: Source) -> str:
    return f"keras.applications.{source.application.name}" if source.application else source.code


def traced_object(tensorflow: Any, source: Source, model: Any, kind: str) -> Traced:
    """Trace a call of the model with training off."""
    call, specs = _call(tensorflow, source, model)
    returned: list[Any] = []

    def run(*tensors: Any) -> list[Any]:
        returned[:] = [call(tensors)]
        return [tensorflow.convert_to_tensor(one) for one in tensorflow.nest.flatten(returned[0])]

    try:
        function = tensorflow.function(run, autograph=False).get_concrete_function(*specs)
    except Exception as error:  # whatever the model's code raises
        said = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise CkptmapError(f"the model cannot be called: {said}", where=source.code or source.path) from error
    outputs = _output_names(model, returned[0], len(function.outputs))
    return Traced(kind, function, tuple(spec.name for spec in specs), outputs, _variables(tensorflow, model))


def _call(tensorflow: Any, source: Source, model: Any) -> tuple[Callable[[Any], Any], list[Any]]:
    """How the model is called with a flat list of tensors, and what these are."""
    options = _training_off(model)
    taken = _structure(model)
    if taken is not None:
        specs = _keras_specs(tensorflow, model, taken)
        return lambda tensors: model(tensorflow.nest.pack_sequence_as(taken, tensors), **options), specs
    specs = _signature_specs(tensorflow, model)
    specs = specs or [tensorflow.TensorSpec(shape, dtype, name) for name, dtype, shape in source.inputs]
    if not specs:
        hint = f"say it with {argument(INPUTS, 'NAME=DTYPE[SHAPE]')}"
        raise CkptmapError("the model does not say what it takes", where=source.code or source.path, hint=hint)
    return _caller(model, [spec.name for spec in specs], options), specs


def _caller(model: Any, names: Sequence[str], options: Mapping[str, Any]) -> Callable[[Any], Any]:
    parameters = _parameters(model)
    if names and all(name in parameters for name in names):
        return lambda tensors: model(**dict(zip(names, tensors, strict=True)), **options)
    return lambda tensors: model(*tensors, **options)


def _structure(model: Any) -> Any:
    """What a functional or sequential model of Keras takes, nested as it takes it; None of others."""
    functional = getattr(model, "_functional", None) or model  # Keras 3 keeps a Sequential's there
    nested = getattr(functional, "_inputs_struct", None)
    if nested is not None:
        return nested
    try:
        return model.input if model.inputs else None
    except (AttributeError, ValueError):
        return None


def _keras_specs(tensorflow: Any, model: Any, taken: Any) -> list[Any]:
    flat = tensorflow.nest.flatten(taken)
    names = list(getattr(model, "input_names", ())) or [getattr(one, "name", "") for one in flat]
    if isinstance(taken, dict):
        names = sorted(taken)
    return [
        tensorflow.TensorSpec(tuple(one.shape), one.dtype, _plain(name)) for one, name in zip(flat, names, strict=True)
    ]


def _signature_specs(tensorflow: Any, model: Any) -> list[Any]:
    """What a ``tf.function`` with an input_signature takes."""
    function = type(model).__call__
    signature = getattr(function, "input_signature", None) or ()
    parameters = [name for name in _parameters(model) if name != "self"]
    return [
        tensorflow.TensorSpec(one.shape, one.dtype, one.name or name)
        for one, name in zip(signature, parameters, strict=False)
    ]


def _training_off(model: Any) -> dict[str, bool]:
    return {name: False for name in ("training", "is_training") if name in _parameters(model)}


def _parameters(model: Any) -> Sequence[str]:
    call = model.call if _keras_version(model) else type(model).__call__
    call = getattr(call, "python_function", call)
    try:
        return list(inspect.signature(call).parameters)
    except (TypeError, ValueError):
        return []


def _output_names(model: Any, returned: Any, count: int) -> tuple[str, ...]:
    if isinstance(returned, dict) and (named := _keys(returned)) and len(named) == count:
        return tuple(named)
    names = [_plain(name) for name in getattr(model, "output_names", None) or ()]
    if len(names) == count:
        return tuple(names)
    return tuple(f"output_{place}" for place in range(count)) if count != 1 else ("output",)


def _keys(returned: Any) -> list[str]:
    """The keys on the way to each tensor of dictionaries and lists, in the order in which they are flattened."""
    if isinstance(returned, dict):
        inside = [(str(key), returned[key]) for key in sorted(returned)]
    elif isinstance(returned, (list, tuple)):
        inside = [(str(at), one) for at, one in enumerate(returned)]
    else:
        return [""]
    return [f"{key}/{rest}".rstrip("/") for key, one in inside for rest in _keys(one)]


def _plain(name: str) -> str:
    return name.partition(":")[0]


def _variables(tensorflow: Any, root: Any) -> dict[int, tuple[str, str, Any]]:
    """By identity of its handle, each variable below ``root``: its name and its shortest path."""
    found: dict[int, tuple[str, str, Any]] = {}
    for path, one in _objects(tensorflow, root):
        inner = getattr(one, "_value", None)  # of a variable of Keras 3
        variable = inner if inner is not None and hasattr(inner, "handle") else one
        if hasattr(variable, "handle"):
            name = getattr(one, "path", None) or _plain(str(getattr(one, "name", "") or variable.name))
            found.setdefault(id(variable.handle), (str(name), path, variable))
    return _told_apart(_without_model(found, str(getattr(root, "name", ""))))


def _without_model(found: dict[int, tuple[str, str, Any]], model: str) -> dict[int, tuple[str, str, Any]]:
    """Keras 3 puts a Sequential's own name before those of its variables; checkpoints do not."""
    if not model or not all(name.startswith(f"{model}/") for name, _, _ in found.values()):
        return found
    return {key: (name.removeprefix(f"{model}/"), path, one) for key, (name, path, one) in found.items()}


def _objects(tensorflow: Any, root: Any) -> Iterator[tuple[str, Any]]:
    view = tensorflow.train.TrackableView(root)
    seen, waiting = {id(root)}, [("", root)]
    for path, one in waiting:  # grows: breadth first
        yield path, one
        for name, child in view.children(one).items():
            if id(child) not in seen:
                seen.add(id(child))
                waiting.append((f"{path}/{name}".lstrip("/"), child))


def _told_apart(found: dict[int, tuple[str, str, Any]]) -> dict[int, tuple[str, str, Any]]:
    """Names that several variables have are of no use: their paths then."""
    count: dict[str, int] = {}
    for name, _, _ in found.values():
        count[name] = count.get(name, 0) + 1
    return {key: (name if count[name] == 1 else path, path, one) for key, (name, path, one) in found.items()}


def _in_session(tensorflow: Any, source: Source, traced: Traced) -> Opened:
    """The trace as a graph of a session, its variables given their values."""
    v1 = tensorflow.compat.v1
    function = traced.function
    definition, notes = _inlined(v1, function)
    captured = dict(captured_by(function))
    known = {
        place: traced.variables[id(value)]
        for place, value in captured.items()
        if value.dtype == tensorflow.resource and id(value) in traced.variables
    }
    others = {place: value for place, value in captured.items() if place not in known}
    _refuse_resources(tensorflow, source, others)
    held = {place: one for place, (_, _, one) in known.items()}
    read_before_loops(definition, {place: one.dtype.base_dtype.as_datatype_enum for place, one in held.items()})
    _put_variables(definition, held)
    graph = v1.Graph()
    running = session(v1, graph)
    with graph.as_default():
        v1.import_graph_def(definition, name="")
    # the values are there twice then, and one of them three times
    variables = [graph.get_operation_by_name(place) for place in known]
    assign(v1, running, variables, lambda operation: known[operation.name][2].numpy())
    given = function.inputs[: len(traced.inputs)]
    return Opened(
        source.path,
        traced.kind,
        v1,
        running,
        tuple(Named(name, graph.get_tensor_by_name(one.name)) for name, one in zip(traced.inputs, given, strict=True)),
        tuple(
            Named(name, graph.get_tensor_by_name(one.name))
            for name, one in zip(traced.outputs, function.outputs, strict=True)
        ),
        {place: (name, path) for place, (name, path, _) in known.items()},
        (*traced.notes, *notes),
        {f"{place}:0": np.asarray(value) for place, value in others.items()},
    )


def captured_by(function: Any) -> Iterator[tuple[str, Any]]:
    """The placeholder and the value of each tensor that the function captured."""
    inner = function.inputs[len(function.inputs) - len(function.captured_inputs) :]
    for place, value in zip(inner, function.captured_inputs, strict=True):
        yield place.op.name, value


def _refuse_resources(tensorflow: Any, source: Source, others: Mapping[str, Any]) -> None:
    bad = [place for place, value in others.items() if value.dtype in (tensorflow.resource, tensorflow.variant)]
    if bad:
        message = f"the model reads a table or another resource that is not a variable: {', '.join(bad[:3])}"
        raise CkptmapError(message, where=source.path, hint="give the part of the model behind it")


def _inlined(v1: Any, function: Any) -> tuple[Any, tuple[str, ...]]:
    """The function's graph with what it calls in place of the calls."""
    definition = function.graph.as_graph_def()
    if not definition.library.function:
        return definition, ()
    return inline(v1, function.graph, definition, (tensor.name for tensor in (*function.inputs, *function.outputs)))


def _put_variables(definition: Any, variables: Mapping[str, Any]) -> None:
    """In place of the placeholders of captured variables, variables of the session."""
    for node in definition.node:
        if node.name in variables:
            variable = variables[node.name]
            node.op = "VarHandleOp"
            node.attr.clear()
            node.attr["dtype"].type = variable.dtype.as_datatype_enum
            node.attr["shape"].shape.CopyFrom(variable.shape.as_proto())
            node.attr["shared_name"].s = node.name.encode()
            node.attr["container"].s = b""


_TRACED = {
    Kind.SAVED_MODEL_2: _saved_model,
    Kind.KERAS_FILE: _keras_file,
    Kind.OBJECT_CODE: _code,
    Kind.APPLICATION: _application,
}
