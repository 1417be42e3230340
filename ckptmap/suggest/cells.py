"""Recurrent cells: one kernel for input and state in TF1, two in Keras, put together by the shipped kinds/rnn.

The gates and biases of each cell are those of ``mappings/kinds/rnn.yaml``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ckptmap.suggest.layer_values import Cell, Item, Layer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ckptmap.suggest.layer_values import Shape
    from ckptmap.suggest.nodes import Node

KINDS = "kinds/rnn"
"""The shipped table that has these kinds."""
CELL, BIAS = "cell", "cell_bias"
"""The roles of a cell: its kernels as one variable [inputs, units, gates times units], and its biases as one."""
_PASSING = frozenset({"Identity", "Enter", "ReadVariableOp", "Cast", "BiasAdd", "Add", "AddV2", "Switch", "Merge"})
_BLOCKS = frozenset({"LSTMBlockCell", "BlockLSTM", "BlockLSTMV2"})
_HOPS = 8
_GUESSED = "there is no graph that would show it, so the forget bias is a guess: TF1's cells add 1 by default"
_OTHER = "the graph adds {:g} to the forget gate: copy the kind lstm_cell and put that number in place of 1"
_RESTED = "a variable of the old cell has no place in a cell of Keras"


@dataclass(frozen=True, slots=True)
class _Layout:
    """The variables of a kind of cell below its scope; the first kernel is the widest."""

    kind: str
    kernels: tuple[str, ...]
    biases: tuple[str, ...]
    gates: int
    """How many gates the first kernel holds."""
    words: tuple[str, ...] = ()
    """What the names of such cells hold, where the variables do not tell them."""


_GRU = ("gates", "candidate")
_APART = ("gates", "candidate/input_projection", "candidate/hidden_projection")
_LAYOUTS = (
    _Layout("cudnn_gru_cell", tuple(f"{at}/kernel" for at in _APART), tuple(f"{at}/bias" for at in _APART), 2),
    _Layout("gru_cell", tuple(f"{at}/kernel" for at in _GRU), tuple(f"{at}/bias" for at in _GRU), 2),
    _Layout("gru_block_cell", ("w_ru", "w_c"), ("b_ru", "b_c"), 2),
    _Layout("lstm_cell", ("kernel",), ("bias",), 4, ("lstm",)),
    _Layout("rnn_cell", ("kernel",), ("bias",), 1, ("rnn_cell",)),
)


_ALSO = ("lstm_cell", "lstm_cell_without_forget_bias")


def kinds_of(kind: str) -> tuple[str, ...]:
    """The other kinds that a cell of this kind may be where nothing but its outputs tells them apart."""
    return tuple(other for other in _ALSO if other != kind) if kind in _ALSO else ()


def new_cells(layers: Iterable[Layer]) -> tuple[Layer, ...]:
    """The new layers, each with a kernel for its state as a cell."""
    return tuple(_new_cell(layer) or layer for layer in layers)


def _new_cell(layer: Layer) -> Layer | None:
    kernel, recurrent, bias = (layer.leaves.get(role) for role in ("kernel", "recurrent", "bias"))
    if kernel is None or recurrent is None or bias is None or len(layer.leaves) != 3:
        return None
    if len(kernel.shape) != 2 or len(recurrent.shape) != 2 or kernel.shape[1] != recurrent.shape[1]:
        return None
    shape = (kernel.shape[0], recurrent.shape[0], kernel.shape[1])
    whole = replace(kernel, shape=shape, parts=(kernel.name, recurrent.name))
    cell = Cell("", (kernel, recurrent, bias))
    return replace(layer, leaves={CELL: whole, BIAS: bias}, cell=cell)


def old_cells(
    layers: Sequence[Layer], items: Iterable[Item], new: Sequence[Layer], nodes: Sequence[Node]
) -> tuple[Layer, ...]:
    """The old layers, with those put together that a cell among the new ones can be made from.

    A kernel and a bias are a cell where their name says it, or where no other new layer has a kernel of this size.
    """
    shapes = {layer.leaves[CELL].shape for layer in new if layer.cell}
    if not shapes:
        return tuple(layers)
    plain = {item.shape for layer in new if not layer.cell for item in layer.leaves.values()}
    by_name = {item.name: item for item in items}
    chosen: list[Layer] = []
    taken: set[str] = set()
    takers = _takers(nodes)
    for layout in _LAYOUTS:
        for scope in _scopes(layout, by_name):
            cell = _old_cell(layout, scope, by_name)
            told = not layout.words or any(word in scope.lower() for word in layout.words)
            if cell is None or cell.leaves[CELL].shape not in shapes or taken & set(cell.variables):
                continue
            if told or by_name[f"{scope}/{layout.kernels[0]}"].shape not in plain:
                taken |= set(cell.variables)
                chosen.append(_judged(cell, by_name, nodes, takers))
    rest = [layer for layer in layers if not taken & {item.name for item in layer.leaves.values()}]
    return (*rest, *chosen)


def _scopes(layout: _Layout, by_name: Mapping[str, Item]) -> list[str]:
    end = f"/{layout.kernels[0]}"
    return [name.removesuffix(end) for name in by_name if name.endswith(end)]


def _old_cell(layout: _Layout, scope: str, by_name: Mapping[str, Item]) -> Layer | None:
    """The cell below a scope if all its variables are there and fit each other."""
    kernels = [by_name.get(f"{scope}/{leaf}") for leaf in layout.kernels]
    biases = [by_name.get(f"{scope}/{leaf}") for leaf in layout.biases]
    there = [item for item in (*kernels, *biases) if item is not None]
    if len(there) < len(kernels) + len(biases):
        return None
    shape, bias = _whole(layout, [item.shape for item in there[: len(kernels)]])
    if shape is None:
        return None
    cell = Cell(layout.kind, tuple(there))
    whole = Item(there[0].name, there[0].key, shape, there[0].place, tuple(item.name for item in there[: len(kernels)]))
    first = there[len(kernels)]
    offset = Item(first.name, first.key, bias, first.place, tuple(item.name for item in there[len(kernels) :]))
    places = [item.place for item in there if item.place is not None]
    return Layer(scope, scope, {CELL: whole, BIAS: offset}, min(places) if places else None, cell)


def _whole(layout: _Layout, shapes: Sequence[Shape]) -> tuple[Shape | None, Shape]:
    """All kernels as [inputs, units, gates times units], and the shape of all biases; None where they are no cell."""
    first = shapes[0]
    if len(first) != 2 or first[0] is None or first[1] is None or first[1] % layout.gates:
        return None, ()
    inputs, units = first[0], first[1] // layout.gates
    gates = layout.gates + (len(shapes) > 1)
    apart = len(shapes) == 3
    wanted: tuple[Shape, ...] = ((inputs - units, units), (units, units)) if apart else ((inputs, units),)
    if inputs <= units or (len(shapes) > 1 and tuple(shapes[1:]) != wanted):
        return None, ()
    return (inputs - units, units, gates * units), ((2, gates * units) if apart else (gates * units,))


def _judged(
    layer: Layer, by_name: Mapping[str, Item], nodes: Sequence[Node], takers: Mapping[str, Sequence[Node]]
) -> Layer:
    """The cell with its kind as the graph shows it, and what is doubtful of that."""
    cell = layer.cell or Cell("", ())
    own = set(layer.variables)
    if any(name.startswith(f"{layer.scope}/") and name not in own for name in by_name):
        return replace(layer, cell=replace(cell, doubt=_RESTED))
    if cell.kind != "lstm_cell":
        return layer
    added = 0.0 if "cudnn_compatible" in layer.scope.lower() else forget_bias(cell.items[-1].name, nodes, takers)
    if added == 0:
        return replace(layer, cell=replace(cell, kind="lstm_cell_without_forget_bias"))
    doubt = "" if added == 1 else _GUESSED if added is None else _OTHER.format(added)
    return replace(layer, cell=replace(cell, doubt=doubt))


def _takers(nodes: Iterable[Node]) -> dict[str, list[Node]]:
    found: dict[str, list[Node]] = {}
    for node in nodes:
        for source in node.inputs:
            found.setdefault(source, []).append(node)
    return found


def forget_bias(bias: str, nodes: Sequence[Node], takers: Mapping[str, Sequence[Node]]) -> float | None:
    """What the cell with this bias adds to its forget gate; None where the graph does not show it.

    ``LSTMBlockCell`` and its like say it themselves; ``BasicLSTMCell`` and ``LSTMCell`` add a constant to one of the
    four parts that they split the gates into.
    """
    by_name = {node.name: node for node in nodes}
    near, seen = [bias], {bias}
    for _ in range(_HOPS):
        ahead = [node for name in near for node in takers.get(name, ()) if node.name not in seen]
        for node in ahead:
            if node.op in _BLOCKS:
                return 1.0 if node.value is None else node.value
            if node.op in ("Split", "SplitV"):
                return _added(node.name, by_name, takers)
        near = [node.name for node in ahead if node.op in _PASSING]
        seen.update(near)
    return None


def _added(split: str, by_name: Mapping[str, Node], takers: Mapping[str, Sequence[Node]]) -> float | None:
    for node in takers.get(split, ()):
        if node.op in ("Add", "AddV2"):
            for source in node.inputs:
                value = _constant(source, by_name)
                if value is not None:
                    return value
    return None


def _constant(name: str, by_name: Mapping[str, Node]) -> float | None:
    """The number that a node gives, through whatever hands it on."""
    for _ in range(_HOPS):
        node = by_name.get(name)
        if node is None or node.op == "Const" or not node.inputs:
            return node.value if node is not None else None
        if node.op not in _PASSING or len(node.inputs) != 1:
            return None
        name = node.inputs[0]
    return None
