"""What a model is to ``verify``: a graph, its inputs, its outputs, and where in it each variable is read.

A side runs in a process of its own. These values travel out of it, so that the walk through both graphs and the search
for causes import no TensorFlow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

Shape = tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Spec:
    """One input or output.

    ``name`` is what people call it: a placeholder's name, the key of a signature, a Keras input's name. ``tensor`` is
    its tensor in the graph (``scope/op:0``). ``shape`` has None for unknown lengths and is None where the rank is
    unknown. ``dtype`` is NumPy's name, or ``string``.
    """

    name: str
    tensor: str
    shape: Shape | None
    dtype: str


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable by its name in the checkpoint: of TF1 ``conv/kernel``, of TF2 the layers' own ``conv/kernel``.

    ``key``: of TF2, its path in the object graph (``layer_with_weights-0/kernel``), empty of TF1. ``node``: the node
    that holds it (``VariableV2``, ``VarHandleOp``, of a frozen graph ``Const``). ``reads``: the tensors at which its
    value enters the computation, in the graph's order: fetch one to see the value, feed all to try another.
    """

    name: str
    node: str
    reads: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Node:
    """One node of the graph, functions inlined.

    ``inputs`` as in a GraphDef (``scope/op``, ``scope/op:1``, ``^control``). ``attributes`` are Python values: numbers,
    strings, lists of them, shapes as tuples, dtypes by NumPy's name; of a constant of at most ``SMALL`` elements
    ``value`` is an array, of larger ones it is left out.
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)


SMALL = 64


@dataclass(frozen=True, slots=True)
class Side:
    """A model, ready to run.

    ``kind``: how it is run, for people (``frozen graph``, ``Keras 3 model`` …). ``nodes`` stand in the order of the
    computation: each after those that it reads, but in loops. ``notes``: what was done to the graph to run it.
    """

    path: str
    kind: str
    inputs: tuple[Spec, ...]
    outputs: tuple[Spec, ...]
    variables: tuple[Variable, ...]
    nodes: tuple[Node, ...]
    notes: tuple[str, ...] = ()


class Running(Protocol):
    """A side in its process."""

    @property
    def side(self) -> Side:
        """What it is."""
        ...

    def run(self, feeds: Mapping[str, Array], fetches: Sequence[str]) -> dict[str, Array]:
        """Fetch tensors of the graph by name (``scope/op:0``).

        ``feeds`` gives values to tensors by name: the inputs' (``Spec.tensor``), and any other that shall not be
        computed, such as a variable's ``reads``. Raises CkptmapError where TensorFlow cannot run it.
        """
        ...


class Changing(Running, Protocol):
    """A side whose variables can be given other values."""

    def give(self, values: Mapping[str, Array]) -> None:
        """Give variables values, by node (``Variable.node``), for all runs to come; raises CkptmapError."""
        ...
