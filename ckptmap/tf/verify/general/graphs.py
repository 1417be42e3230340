"""A graph with its session, described as plain values and run by names of tensors. For a side's own process."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ckptmap.basics.errors import CheckpointError, CkptmapError
from ckptmap.basics.nearest import did_you_mean
from ckptmap.basics.wording import argument
from ckptmap.tf.environment import import_quietly
from ckptmap.tf.verify.general.arguments import OUTPUTS
from ckptmap.tf.verify.general.side import SMALL, Node, Shape, Side, Spec, Variable
from ckptmap.tf.verify.nodes import WEIGHTS_AT

if TYPE_CHECKING:
    from ckptmap.tf.verify.general.source import Source

Array = np.ndarray[Any, Any]

PLACEHOLDERS = ("Placeholder", "PlaceholderWithDefault")
VARIABLES = ("VariableV2", "Variable", "VarHandleOp")
_READ = "ckptmap_read/"
_MOST_ENDS = 8
_NUMBERS = ("float32", "float64", "float16", "bfloat16", "int32", "int64", "bool")
_HANDED_ON = ("Identity", "ReadVariableOp", "Enter")
_IDENTITY, _ENTERING = frozenset({"Identity"}), frozenset({"Switch", "Enter"})


@dataclass(frozen=True, slots=True)
class Named:
    """A name of an input or output and its tensor."""

    name: str
    tensor: Any


@dataclass
class Opened:
    """A graph that can run. ``names``: by node, a variable's name and key. ``constant``: feeds that every run needs."""

    path: str
    kind: str
    v1: Any
    session: Any
    inputs: tuple[Named, ...]
    outputs: tuple[Named, ...]
    names: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    constant: Mapping[str, Array] = field(default_factory=dict)
    _setters: dict[str, tuple[Any, Any]] = field(default_factory=dict, repr=False)
    """By node, what gives a variable a value: the placeholder and the operation."""

    @cached_property
    def side(self) -> Side:
        """What it is, as plain values."""
        operations = ancestors(self.session.graph, [one.tensor.op for one in self.outputs])
        reached = {operation.name for operation in operations}
        return Side(
            self.path,
            self.kind,
            tuple(_spec(one) for one in self.inputs if one.tensor.op.name in reached),
            tuple(_spec(one) for one in self.outputs),
            tuple(self._variables(operations)),
            tuple(_node(operation) for operation in operations),
            self.notes,
        )

    def run(self, feeds: Mapping[str, Array], fetches: Sequence[str]) -> dict[str, Array]:
        """Fetch tensors by name (see ``Running.run``)."""
        graph = self.session.graph
        given = {graph.get_tensor_by_name(name): value for name, value in {**self.constant, **feeds}.items()}
        try:
            tensors = {name: graph.get_tensor_by_name(name) for name in fetches}
            found: dict[str, Array] = self.session.run(tensors, given)
        except (self.v1.errors.OpError, ValueError, TypeError, KeyError) as error:
            raise CkptmapError(f"TensorFlow cannot run it: {_first_line(error)}", where=self.path) from error
        return {name: np.asarray(value) for name, value in found.items()}

    def give(self, values: Mapping[str, Array]) -> None:
        """Give variables other values, by node (``Variable.node``), for all runs to come.

        Raises CkptmapError where TensorFlow cannot.
        """
        try:
            for name in values:
                if name not in self._setters:
                    variable = self.session.graph.get_operation_by_name(name)
                    self._setters[name] = _setter(self.v1, self.session, variable)
            feeds = {self._setters[name][0]: value for name, value in values.items()}
            self.session.run([self._setters[name][1] for name in values], feeds)
        except (self.v1.errors.OpError, ValueError, TypeError, KeyError) as error:
            raise CkptmapError(f"TensorFlow cannot run it: {_first_line(error)}", where=self.path) from error

    def _variables(self, operations: Sequence[Any]) -> Iterator[Variable]:
        inside = {operation.name for operation in operations}
        for operation in operations:
            if operation.type in VARIABLES:
                yield self._variable(operation, inside)
            elif operation.type == "Const" and _is_weight(operation, inside):
                tensor = operation.outputs[0]
                yield Variable(operation.name, operation.name, (tensor.name,), _known(tensor.shape), _dtype(tensor))

    def _variable(self, operation: Any, inside: set[str]) -> Variable:
        name, key = self.names.get(operation.name, (operation.name, ""))
        if operation.type == "VarHandleOp":
            kind, shape = operation.get_attr("dtype"), operation.get_attr("shape")
            dims = tuple(int(one.size) for one in shape.dim)
        else:
            kind, dims = operation.outputs[0].dtype.base_dtype, _known(operation.outputs[0].shape)
        return Variable(name, operation.name, self._reads(operation, inside), dims, _numpy_name(kind), key)

    def _reads(self, operation: Any, inside: set[str]) -> tuple[str, ...]:
        reference = operation.type != "VarHandleOp"
        readers = [
            one for one in _readers(operation.outputs[0], through=() if reference else _IDENTITY) if one.name in inside
        ]
        found = [one.outputs[0].name for one in readers if one.type in ("Identity", "ReadVariableOp")]
        if reference and any(one.type not in _HANDED_ON for one in readers):
            found.append(operation.outputs[0].name)
        return tuple(found) or (self._reader(operation),)

    def _reader(self, operation: Any) -> str:
        """Of a table that is looked up in place, a reader of its own."""
        if operation.type != "VarHandleOp":
            return str(operation.outputs[0].name)
        with self.session.graph.as_default():
            kind = operation.get_attr("dtype")
            read = self.v1.raw_ops.ReadVariableOp(
                resource=operation.outputs[0], dtype=kind, name=f"{_READ}{operation.name}"
            )
        return str(read.name)


def assign(v1: Any, running: Any, variables: Sequence[Any], value: Callable[[Any], Array]) -> None:
    """Give each of the operations ``variables`` what ``value`` says, one at a time, in the session."""
    # all before the first run: TensorFlow prepares a graph anew after each change
    setters = [_setter(v1, running, variable) for variable in variables]
    for variable, (given, assigned) in zip(variables, setters, strict=True):
        running.run(assigned, {given: value(variable)})


def _setter(v1: Any, running: Any, variable: Any) -> tuple[Any, Any]:
    """A placeholder of any shape, and the operation that gives its value to the variable."""
    tensor = variable.outputs[0]
    with running.graph.as_default():
        if variable.type == "VarHandleOp":
            given = v1.placeholder(variable.get_attr("dtype"))
            assigned = v1.raw_ops.AssignVariableOp(resource=tensor, value=given)
        else:
            given = v1.placeholder(tensor.dtype.base_dtype)
            assigned = v1.assign(tensor, given, validate_shape=False).op
    return given, assigned


def ancestors(graph: Any, ends: Iterable[Any]) -> list[Any]:
    """The operations that ``ends`` depend on, and these, in the order of the computation."""
    seen: set[str] = set()
    waiting = list(ends)
    while waiting:
        operation = waiting.pop()
        if operation.name not in seen:
            seen.add(operation.name)
            waiting += [tensor.op for tensor in operation.inputs]
            waiting += operation.control_inputs
    return [operation for operation in graph.get_operations() if operation.name in seen]


def placeholders(graph: Any) -> tuple[Named, ...]:
    """What a graph takes."""
    found = [one for one in graph.get_operations() if one.type in PLACEHOLDERS]
    return tuple(Named(one.name, one.outputs[0]) for one in found if _dtype(one.outputs[0]) != "resource")


def chosen_outputs(graph: Any, source: Source, guess: Callable[[], Sequence[str]]) -> tuple[Named, ...]:
    """The tensors that ``source`` names, or else those that ``guess`` does; a name is a node's or a part of it.

    Raises CheckpointError with the nearest names.
    """
    try:
        names = source.outputs or tuple(guess())
    except CheckpointError as error:
        hint = f"name the tensors to compare: {argument(OUTPUTS[source.end], 'NAME')}"
        raise CheckpointError(error.problem.message, where=source.path, hint=hint) from error
    return tuple(_named(graph, name, source.path) for name in names)


def ends(graph: Any) -> tuple[str, ...]:
    """The tensors that nothing reads and that depend on an input: the outputs of a frozen graph.

    Raises CheckpointError where there are none, or so many that some of them will be no outputs.
    """
    fed: set[str] = set()
    found = []
    for operation in graph.get_operations():  # each stands after those that it reads, but in loops
        if operation.type in PLACEHOLDERS:
            fed.add(operation.name)
        elif any(tensor.op.name in fed for tensor in operation.inputs):
            fed.add(operation.name)
            if operation.outputs and not any(tensor.consumers() for tensor in operation.outputs):
                found += [operation.name] if operation.outputs[0].dtype.name in _NUMBERS else []
    if not 0 < len(found) <= _MOST_ENDS:
        said = f"{len(found)} tensors that nothing reads" if found else "nothing that depends on an input"
        raise CheckpointError(f"the graph has {said}: which are its outputs?")
    return tuple(found)


def _named(graph: Any, name: str, path: str) -> Named:
    plain, _, number = name.partition(":")
    known = {operation.name: operation for operation in graph.get_operations() if operation.outputs}
    found = [known[plain]] if plain in known else [one for key, one in known.items() if key.endswith(f"/{plain}")]
    if len(found) != 1 or int(number or 0) >= len(found[0].outputs):
        hint = did_you_mean(plain, known) or f"its last ones: {', '.join(_computed(known)[-5:])}"
        count = "no" if not found else "more than one" if len(found) > 1 else "no such"
        raise CheckpointError(f"the graph has {count} tensor {name}", where=path, hint=hint)
    return Named(name, found[0].outputs[int(number or 0)])


def _computed(operations: Mapping[str, Any]) -> list[str]:
    """The names of those that are computed, which weights and what hands them on are not."""
    found = [name for name, one in operations.items() if any(tensor.op.inputs for tensor in one.inputs)]
    return found or list(operations)


def _readers(tensor: Any, *, through: Collection[str]) -> Iterator[Any]:
    """The operations that read a tensor; ``through`` those that only hand it on, as inlined functions do."""
    for operation in tensor.consumers():
        if operation.type in through:
            for handed_on in operation.outputs:
                yield from _readers(handed_on, through=through)
        else:
            yield operation


def _is_weight(operation: Any, inside: set[str]) -> bool:
    """Whether a constant was a variable before the graph was frozen, by who reads it."""
    tensor = operation.outputs[0]
    if not tensor.dtype.is_floating or not tensor.shape.rank:
        return False
    readers = [one for one in _readers(tensor, through=_ENTERING) if one.name in inside]
    return any(one.type == "Identity" or _hands_round(one) for one in readers) or any(
        one.type in WEIGHTS_AT and len(one.inputs) > WEIGHTS_AT[one.type] and tensor is not one.inputs[0]
        for one in readers
    )


def _hands_round(operation: Any) -> bool:
    """Whether it is the head of a loop that leaves its value as it came."""
    if operation.type != "Merge" or len(operation.inputs) < 2:
        return False
    source = operation.inputs[1].op
    while source.type in ("NextIteration", "Identity"):
        source = source.inputs[0].op
    return bool(source.type == "Switch" and source.inputs[0].op is operation)


def _spec(one: Named) -> Spec:
    shape = one.tensor.shape
    dims = None if shape.rank is None else tuple(shape.as_list())
    return Spec(one.name, one.tensor.name, dims, _dtype(one.tensor))


def _dtype(tensor: Any) -> str:
    return _numpy_name(tensor.dtype.base_dtype)


def _numpy_name(kind: Any) -> str:
    return str(kind.name)


def _known(shape: Any) -> tuple[int, ...]:
    return tuple(int(length) for length in shape.as_list()) if shape.is_fully_defined() else ()


def _node(operation: Any) -> Node:
    inputs = [_input(tensor) for tensor in operation.inputs]
    inputs += [f"^{one.name}" for one in operation.control_inputs]
    return Node(operation.name, operation.type, tuple(inputs), dict(_attributes(operation)))


def _input(tensor: Any) -> str:
    return str(tensor.op.name if tensor.value_index == 0 else tensor.name)


def _attributes(operation: Any) -> Iterator[tuple[str, Any]]:
    large = operation.type == "Const" and (operation.outputs[0].shape.num_elements() or 0) > SMALL
    names = ("dtype",) if large else [name for name in operation.node_def.attr if not name.startswith("_")]
    for name in names:
        yield name, _value(operation.get_attr(name))


def _value(value: Any) -> Any:
    """An attribute's value as Python has it."""
    if isinstance(value, (list, tuple)):
        return tuple(_value(one) for one in value)
    if isinstance(value, (bool, int, float, str)):
        return value
    plain = _PLAIN.get(type(value).__name__, str)
    return plain(value)


def _array(value: Any) -> Array:
    found: Array = import_quietly("tensorflow").make_ndarray(value)
    return found


def _dims(value: Any) -> Shape | None:
    return None if value.unknown_rank else tuple(None if one.size < 0 else int(one.size) for one in value.dim)


_PLAIN: dict[str, Callable[[Any], Any]] = {
    "bytes": lambda value: value.decode(errors="replace"),
    "TensorProto": _array,
    "TensorShapeProto": _dims,
    "DType": lambda value: str(value.name),
    "NameAttrList": lambda value: str(value.name),
}


def _first_line(error: Exception) -> str:
    text = str(getattr(error, "message", error)).strip()
    return text.splitlines()[0] if text else type(error).__name__
