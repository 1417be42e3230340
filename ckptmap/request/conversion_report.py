"""The report of a conversion, read as untrusted: what it made of which TF1 variables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod
from typing import Any

from ckptmap.basics.documents import following
from ckptmap.basics.errors import CkptmapError
from ckptmap.checkpoint.dtypes import DType, dtype_from_label
from ckptmap.checkpoint.inventory import Inventory, Variable
from ckptmap.mapping.op import LARGEST, MOST_DIMENSIONS, MOST_ELEMENTS, Op
from ckptmap.mapping.ops_json import op_from_json
from ckptmap.planning.returning import Forward, Was

_SCHEMA = "ckptmap.report/1"


def forward_of_report(report: Mapping[str, Any], path: str, old: Inventory | None = None) -> Forward:
    """The conversion that ``report``, read from ``path``, tells of; ``old`` is the TF1 checkpoint where there is one.

    Raises:
        CkptmapError: it is not a report of a conversion to TF2, does not follow its schema, holds an operation that
            does not exist, or does not say the shapes of the old variables and ``old`` is None.
    """
    hint = "give the report.json that the conversion to TF2 wrote"
    if report.get("schema") != _SCHEMA:
        raise CkptmapError("is not a report of a conversion", where=path, hint=hint)
    with following(_SCHEMA, path):
        if "command" in report or "form" in report["target"]:
            raise CkptmapError("is not the report of a conversion to TF2", where=path, hint=hint)
        made = tuple(_was(item) for item in report["target_variables"])
        variables = dict(_variables(report["source_variables"], old))
        if unknown := [name for was in made for name in was.sources if name not in variables]:
            hint = "give the old checkpoint to fill from: it has the shapes that reports of older versions lack"
            raise CkptmapError(f"does not say the shape of {unknown[0]}", where=path, hint=hint)
    return Forward(path, made, variables)


def _was(item: Mapping[str, Any]) -> Was:
    counterpart = item.get("counterpart")
    origin = item if counterpart is None else counterpart
    source = origin["source"] or ()
    sources = (source,) if isinstance(source, str) else tuple(map(str, source))
    ops: tuple[Op, ...] = tuple(map(op_from_json, origin["operations"]))
    resized = counterpart is not None or any(op.leaves_open for op in ops[-1:])
    if len(sources) > len(set(sources)) or any(op.leaves_open for op in ops[:-1]):
        raise ValueError("a source twice, or an operation in the wrong place")
    return Was(str(item["key"]), str(item["name"]), sources, ops[:-1] if ops and ops[-1].leaves_open else ops, resized)


def _variables(items: list[Mapping[str, Any]], old: Inventory | None) -> Iterator[tuple[str, Variable]]:
    held = old.variables if old is not None else {}
    for item in items:
        name = str(item["name"])
        if name in held:
            yield name, held[name]
        elif "shape" in item:
            yield name, Variable(name, _dtype(item["dtype"]), _shape(item["shape"]), 0)


def _dtype(label: object) -> DType:
    dtype = dtype_from_label(str(label))
    if dtype is None:
        raise ValueError(f"no type is called {label}")
    return dtype


def _shape(value: list[object]) -> tuple[int, ...]:
    lengths = [one for one in value if isinstance(one, int) and not isinstance(one, bool) and 0 <= one <= LARGEST]
    if (
        len(lengths) != len(value)
        or len(lengths) > MOST_DIMENSIONS
        or prod(one or 1 for one in lengths) > MOST_ELEMENTS
    ):
        raise ValueError(f"{value} is not a shape")
    return tuple(lengths)
