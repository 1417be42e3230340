"""Recurrent cells of TF1, told by their leaves and shapes, and the table that brings them to layers of Keras.

Sources of the names: tensorflow/python/ops/rnn_cell_impl.py, contrib/rnn/python/ops/lstm_ops.py and gru_ops.py,
contrib/cudnn_rnn/python/ops/cudnn_rnn_ops.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ckptmap.families.family import Family
from ckptmap.families.known import Known

if TYPE_CHECKING:
    from ckptmap.families.family import Shapes
    from ckptmap.families.verdict import Verdict

NAME = "recurrent"
OPAQUE = "opaque_kernel"
_OPAQUE = (
    "one opaque buffer of cuDNN holds all its weights, and its length does not show the sizes of the layers; with the "
    "sizes a table can cut it (docs/tables.md, recurrent cells)"
)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of cell: its kind in ``kinds/rnn``, Keras' layer, its leaves, and how many gates its kernel holds."""

    name: str
    layer: str
    leaves: frozenset[str]
    gates: int
    options: str = ""


_GRU = frozenset({"gates/kernel", "gates/bias", "candidate/kernel", "candidate/bias"})
_PLAIN = frozenset({"kernel", "bias"})
_CUDNN = frozenset(
    f"{leaf}/{part}"
    for leaf in ("gates", "candidate/input_projection", "candidate/hidden_projection")
    for part in ("kernel", "bias")
)
LSTM = Kind("lstm_cell", "lstm", _PLAIN, 4)
CUDNN_LSTM = Kind("lstm_cell_without_forget_bias", "lstm", _PLAIN, 4)
GRU = Kind("gru_cell", "gru", _GRU, 2, "reset_after=False")
BLOCK_GRU = Kind("gru_block_cell", "gru", frozenset({"w_ru", "w_c", "b_ru", "b_c"}), 2, "reset_after=False")
CUDNN_GRU = Kind("cudnn_gru_cell", "gru", _CUDNN, 2, "reset_after=True")
RNN = Kind("rnn_cell", "simple_rnn", _PLAIN, 1)
_BY_LEAVES = {kind.leaves: kind for kind in (GRU, BLOCK_GRU, CUDNN_GRU)}
_FIRST_KERNEL = {
    kind.name: next(one for one in ("kernel", "gates/kernel", "w_ru") if one in kind.leaves)
    for kind in (LSTM, CUDNN_LSTM, GRU, BLOCK_GRU, CUDNN_GRU, RNN)
}
_BY_NAME = {
    "cudnn_compatible_lstm_cell": CUDNN_LSTM,
    **dict.fromkeys(("basic_lstm_cell", "lstm_cell", "lstm_block_cell", "lstm_fused_cell"), LSTM),
    "basic_rnn_cell": RNN,
}
"""Cells that a kernel and a bias alone do not tell."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell in a checkpoint: its scope, its kind, and how wide its input and its state are."""

    scope: str
    kind: Kind
    inputs: int
    units: int


def cells(shapes: Shapes) -> tuple[Cell, ...]:
    """The cells that are there, in the order of their names."""
    below: dict[str, set[str]] = {}
    for name in shapes:
        parts = name.split("/")
        for at in range(1, min(len(parts), 4)):
            below.setdefault("/".join(parts[:-at]), set()).add("/".join(parts[-at:]))
    found = (_cell(scope, frozenset(leaves), shapes) for scope, leaves in sorted(below.items()))
    return tuple(cell for cell in found if cell is not None)


def _cell(scope: str, leaves: frozenset[str], shapes: Shapes) -> Cell | None:
    kind = _BY_LEAVES.get(leaves) or (_by_name(scope) if leaves == _PLAIN else None)
    kernel = shapes[f"{scope}/{_FIRST_KERNEL[kind.name]}"] if kind else ()
    if kind is None or len(kernel) != 2 or kernel[1] % kind.gates:
        return None
    units = kernel[1] // kind.gates
    return Cell(scope, kind, kernel[0] - units, units) if kernel[0] > units else None


def _by_name(scope: str) -> Kind | None:
    return _BY_NAME.get(re.sub(r"_\d+$", "", scope.rpartition("/")[2]))


def recognize(shapes: Shapes) -> Known | None:
    """The recurrent cells with these variables of TF1; None where there are none."""
    if any(name.rpartition("/")[2] == OPAQUE for name in shapes):
        return Known("cudnn_rnn", NAME, "a recurrent net of cuDNN", homeless=_OPAQUE)
    found = cells(shapes)
    if not found:
        return None
    known = {f"{cell.scope}/{leaf}" for cell in found for leaf in cell.kind.leaves}
    others = len(shapes) - len(known)
    return Known(
        "_".join(sorted({cell.kind.layer for cell in found})),
        NAME,
        "; ".join([*_traits(found), *([f"{others} other variables"] if others else [])]),
        {"cells": len(found), "units": max(cell.units for cell in found)},
        remark=_remark(found, others),
    )


def _traits(found: tuple[Cell, ...]) -> Iterator[str]:
    for cell in found:
        yield f"{cell.scope}: {cell.kind.name} of {cell.units} units on {cell.inputs}"


def _remark(found: tuple[Cell, ...], others: int) -> str:
    makes = ", ".join(dict.fromkeys(filter(None, (_options(cell) for cell in found))))
    told = [
        "my_model.yaml, with the names of your model's cells after 'to' (recurrent cells in docs/tables.md):",
        "include: [{table: kinds/rnn}, {table: kinds/bookkeeping}]",
        "layers:",
        *(f"  - {{from: {cell.scope}, to: {name}, as: {cell.kind.name}}}" for cell, name in _named(found)),
        *([f"in Keras it is {makes}"] if makes else []),
    ]
    if any(cell.kind is LSTM for cell in found):
        told.append(
            "lstm_cell adds the forget_bias of 1 that TF1 adds as it runs; made with forget_bias=0: "
            "lstm_cell_without_forget_bias"
        )
    if others:
        told.append("the other variables need rules of their own")
    return "\n".join(told)


def _options(cell: Cell) -> str:
    return f"{cell.kind.layer.upper()}({cell.units}, {cell.kind.options})" if cell.kind.options else ""


def _named(found: tuple[Cell, ...]) -> Iterator[tuple[Cell, str]]:
    """Each cell, and what Keras calls it in a model that makes its layers in this order, and no others of the kind."""
    layers: dict[str, tuple[int, int]] = {}
    for cell in found:
        side = _side(cell.scope)
        of_both = cell.scope.replace(f"/{side}/", "/?/") if side else cell.scope
        alike = sum(one.rpartition(" ")[2] == cell.kind.layer for one in layers)
        pairs = sum(one.startswith("both") for one in layers)
        layer = f"{'both' if side else 'one'} {of_both} {cell.kind.layer}"
        number, pair = layers.setdefault(layer, (alike, pairs))
        own = f"{cell.kind.layer}{_suffix(number)}"
        if side:
            own = f"bidirectional{_suffix(pair)}/{'forward' if side == 'fw' else 'backward'}_{own}"
        yield cell, f"{own}/{cell.kind.layer}_cell"


def _suffix(number: int) -> str:
    return f"_{number}" if number else ""


def _side(scope: str) -> str:
    return next((side for side in ("fw", "bw") if f"/{side}/" in scope), "")


def _recognize(shapes: Shapes, object_based: bool) -> Known | None:
    return None if object_based else recognize(shapes)


def _verdict(_target: str, _settings: Mapping[str, object], _lengths: Mapping[str, int]) -> Verdict | None:
    return None


RECURRENT = Family(NAME, _recognize, _verdict)
