"""The inference graph cut out of a GraphDef: from the outputs back to the inputs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ckptmap.basics.errors import CheckpointError
from ckptmap.basics.nearest import Names
from ckptmap.checkpoint.names import shortened
from ckptmap.tf.environment import import_quietly
from ckptmap.tf.inference.flags import Settings, settings
from ckptmap.tf.inference.folding import fold_switches
from ckptmap.tf.inference.functional import inline_conditions
from ckptmap.tf.inference.nodes import base, data_inputs, is_pipeline, kind_of, place
from ckptmap.tf.inference.norms import batch_statistics
from ckptmap.tf.inference.outputs import guess_outputs
from ckptmap.tf.inference.placeholders import placeholder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_IN_LOOPS = frozenset({"Identity", "Switch", "Merge", "Enter", "RefEnter", "LoopCond", "NextIteration", "RefSwitch"})
"""What a control edge inside a loop or a condition starts at: it says which frame or branch a constant is of."""


@dataclass(frozen=True, slots=True)
class Input:
    """A placeholder of the cut graph: its name, NumPy's name of its dtype, and the node that it stands for.

    ``shape`` has None for unknown lengths, and is None where the rank is unknown. ``replaced`` is empty where the
    graph had the placeholder itself.
    """

    name: str
    dtype: str
    shape: tuple[int | None, ...] | None
    replaced: str = ""


@dataclass(frozen=True, slots=True)
class Removed:
    """How many nodes of a kind were cut, and one of them."""

    kind: str
    count: int
    example: str


@dataclass(frozen=True, slots=True)
class Cut:
    """The inference graph: a GraphDef, its inputs and outputs (tensor names), and what became of the rest.

    ``settings``: by placeholder of training, the value that stands in its place now. ``notes`` say all of it in words.
    """

    graph: Any
    inputs: tuple[Input, ...]
    outputs: tuple[str, ...]
    removed: tuple[Removed, ...]
    settings: Mapping[str, str]
    notes: tuple[str, ...]


def cut(graph: Any, outputs: Sequence[str] = ()) -> Cut:
    """The inference graph of ``graph`` (a GraphDef, which is not changed); ``outputs`` are guessed where none is named.

    Operations of an input pipeline become placeholders, flags of training become constants (``is_training`` False,
    keep probability 1), conditions on them are decided, dropout is off, and attributes that today's TensorFlow does not
    know go away.

    Raises CheckpointError: no such output, with the nearest names; none can be guessed; the outputs need an operation
    that this TensorFlow has not.
    """
    wanted = tuple(_tensor(graph, name) for name in outputs) or tuple(f"{one}:0" for one in guess_outputs(graph))
    kept = _Kept({node.name: node for node in graph.node}, wanted)
    made = type(graph)()
    made.versions.CopyFrom(graph.versions)
    made.node.extend(kept.nodes.values())
    decided = settings(made)
    inline_conditions(made, graph.library, decided.values)
    fold_switches(made, decided.values)
    reached = _Kept({node.name: node for node in made.node}, wanted)
    made = type(graph)()
    made.versions.CopyFrom(graph.versions)
    made.node.extend(_cleaned(node, graph.library) for node in reached.nodes.values())
    _keep_functions(graph.library, made)
    removed = _removed(graph.node, {kept.replaced.get(name, name) for name in reached.nodes})
    inputs = tuple(_input(node, kept.replaced) for node in made.node if node.op == "Placeholder")
    notes = (*_notes(len(graph.node), removed, inputs, decided), *batch_statistics(made))
    return Cut(made, inputs, wanted, removed, decided.said, notes)


class _Kept:
    """The nodes that the outputs need, pipelines as placeholders."""

    def __init__(self, by_name: Mapping[str, Any], outputs: Iterable[str]) -> None:
        self._by_name = by_name
        self.nodes: dict[str, Any] = {}
        self.replaced: dict[str, str] = {}
        waiting = [(base(name), place(name)) for name in outputs]
        while waiting:
            name, at = waiting.pop()
            if name not in by_name:
                raise CheckpointError(f"the graph lacks the node {shortened(name)}, which another one reads")
            if is_pipeline(by_name[name].op):
                self._replace(name, at)
            elif name not in self.nodes:
                waiting += self._take(name)
        self.nodes = {name: self.nodes[name] for name in by_name if name in self.nodes} | self.nodes

    def _take(self, name: str) -> list[tuple[str, int]]:
        """Keep a node; what it reads."""
        node = type(self._by_name[name])()
        node.CopyFrom(self._by_name[name])
        controls = [one for one in node.input if one.startswith("^") and self._is_of_loop(base(one))]
        inputs = list(data_inputs(node))
        del node.input[:]
        node.input.extend([*(self._read(one) for one in inputs), *controls])
        self.nodes[name] = node
        return [(base(one), place(one)) for one in (*inputs, *controls)]

    def _is_of_loop(self, name: str) -> bool:
        node = self._by_name.get(name)
        return node is not None and node.op in _IN_LOOPS

    def _read(self, name: str) -> str:
        source = self._by_name.get(base(name))
        return _stand_in(base(name), place(name)) if source is not None and is_pipeline(source.op) else name

    def _replace(self, name: str, at: int) -> None:
        stand_in = _stand_in(name, at)
        self.nodes[stand_in] = placeholder(self._by_name, name, at, stand_in)
        self.replaced[stand_in] = name


def _stand_in(name: str, at: int) -> str:
    return f"{name}/replaced_{at}"


def _tensor(graph: Any, name: str) -> str:
    """The tensor that an output's name means."""
    names = [node.name for node in graph.node]
    if base(name) in set(names):
        return f"{base(name)}:{place(name)}"
    near = Names(names).nearest(base(name), 3, 0.5)
    hint = "; ".join(filter(None, (f"did you mean {', '.join(near)}?" if near else "", _likely(graph))))
    raise CheckpointError(f"the graph has no output {shortened(name)}", hint=hint)


def _likely(graph: Any) -> str:
    """What the outputs seem to be, for a hint."""
    try:
        return f"its last results seem to be {', '.join(guess_outputs(graph)[:3])}"
    except CheckpointError:
        return ""


def _cleaned(node: Any, library: Any) -> Any:
    """The node without device, colocation, and attributes that this TensorFlow does not know."""
    known = import_quietly("tensorflow.python.framework.op_def_registry").get(node.op)
    if known is None and node.op not in {one.signature.name for one in library.function}:
        hint = "choose outputs before it, or run a frozen graph that was exported for inference"
        raise CheckpointError(f"TensorFlow has no operation {shortened(node.op)} ({shortened(node.name)})", hint=hint)
    node.device = ""
    allowed = {one.name for one in known.attr} if known is not None else set(node.attr)
    for name in list(node.attr):
        if name.startswith("_") or name not in allowed:
            del node.attr[name]
    return node


def _keep_functions(library: Any, made: Any) -> None:
    """The functions that the kept nodes call, and those that these call."""
    by_name = {function.signature.name: function for function in library.function}
    waiting = [name for node in made.node for name in _called(node)]
    kept: dict[str, Any] = {}
    while waiting:
        name = waiting.pop()
        if name in by_name and name not in kept:
            kept[name] = by_name[name]
            waiting += [one for node in by_name[name].node_def for one in _called(node)]
    made.library.function.extend(kept.values())
    made.library.gradient.extend(one for one in library.gradient if one.function_name in kept)


def _called(node: Any) -> list[str]:
    names = [node.op]
    for value in node.attr.values():
        names += [value.func.name, *(one.name for one in value.list.func)]
    return [name for name in names if name]


def _removed(nodes: Iterable[Any], kept: set[str]) -> tuple[Removed, ...]:
    gone = [(kind_of(node), node.name) for node in nodes if node.name not in kept]
    examples: dict[str, str] = {}
    for kind, name in gone:
        examples.setdefault(kind, name)
    return tuple(Removed(kind, count, examples[kind]) for kind, count in Counter(k for k, _ in gone).most_common())


def _input(node: Any, replaced: Mapping[str, str]) -> Input:
    dtypes = import_quietly("tensorflow.python.framework.dtypes")
    shape = node.attr["shape"].shape
    unknown = shape.unknown_rank or ("shape" not in node.attr)
    lengths = None if unknown else tuple(None if one.size < 0 else int(one.size) for one in shape.dim)
    return Input(node.name, dtypes.as_dtype(node.attr["dtype"].type).name, lengths, replaced.get(node.name, ""))


def _notes(total: int, removed: Sequence[Removed], inputs: Sequence[Input], decided: Settings) -> tuple[str, ...]:
    notes = []
    if removed:
        parts = ", ".join(f"{one.count:,} {one.kind}" for one in removed)
        notes.append(f"{sum(one.count for one in removed):,} of {total:,} nodes were cut: {parts}")
    pipelines = dict.fromkeys(one.replaced for one in inputs if one.replaced)
    notes += [f"{shortened(one)} reads files or a queue: placeholders stand in its place" for one in pipelines]
    notes += [f"{shortened(name)} is set to {value}" for name, value in decided.said.items()]
    return (*notes, *decided.notes)
