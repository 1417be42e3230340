"""What a checkpoint is, as plain JSON values and as text, from its inventory alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ckptmap.checkpoint.inventory import Inventory, Variable
from ckptmap.globs import first_match
from ckptmap.report.fold import fold
from ckptmap.report.text import byte_count, plural, printable

SCHEMA = "ckptmap.inspect/1"


def inspect_inventory(inventory: Inventory, *, match: tuple[str, ...] = ()) -> dict[str, Any]:
    """The inventory as JSON values; ``match`` limits the variables listed, not the totals."""
    variables = list(inventory.variables.values())
    return {
        "schema": SCHEMA,
        "path": inventory.path,
        "kind": inventory.kind.value,
        "object_based": inventory.object_based,
        "data_files": list(inventory.data_files),
        "notes": list(inventory.notes),
        "total": {"variables": len(variables), "bytes": sum(variable.nbytes for variable in variables)},
        "variables": [_variable(variable) for variable in variables if not match or first_match(variable.name, match)],
    }


def _variable(variable: Variable) -> dict[str, Any]:
    return {
        "name": variable.name,
        "dtype": variable.dtype.label,
        "shape": list(variable.shape),
        "bytes": variable.nbytes,
        "slices": len(variable.slices),
    }


def text_lines(report: dict[str, Any]) -> Iterator[str]:
    """The report of :func:`inspect_inventory` for a person: facts first, then the variables, folded."""
    naming = "object paths" if report["object_based"] else "names"
    total = report["total"]
    yield f"{printable(report['path'])}: {report['kind']}, variables by {naming}"
    yield f"{plural(total['variables'], 'variable')}, {byte_count(total['bytes'])} in {plural(len(report['data_files']), 'data file')}"
    for note in report["notes"]:
        yield printable(f"note: {note}")
    yield ""
    by_name = {variable["name"]: variable for variable in report["variables"]}
    for group in fold(by_name):
        yield _group_line(group.label, [by_name[name] for name in group.names])


def _group_line(label: str, variables: list[dict[str, Any]]) -> str:
    types = {(variable["dtype"], tuple(variable["shape"])) for variable in variables}
    if len(types) == 1:
        dtype, shape = next(iter(types))
        described = f"{dtype} [{', '.join(map(str, shape))}]"
    else:
        described = f"{'/'.join(sorted({dtype for dtype, _ in types}))}, {len(types)} shapes"
    count = f"  x {len(variables)}" if len(variables) > 1 else ""
    return f"{printable(label)}  {described}{count}"
