"""What to do where two checkpoints have nothing in common by name: compare them across the migration."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from ckptmap.basics.documents import REPORT_NAME, read_document
from ckptmap.basics.errors import CkptmapError
from ckptmap.checkpoint.inventory import OBJECT_GRAPH_KEY, Inventory
from ckptmap.families.registry import recognize
from ckptmap.mapping.roles import roles
from ckptmap.targets import list_targets

_REPORT = "ckptmap.report/"


def nothing_in_common(a: Inventory, b: Inventory) -> bool:
    """Whether one has the names of TF1, the other object paths, and no variable is in both."""
    common = (a.variables.keys() & b.variables.keys()) - {OBJECT_GRAPH_KEY}
    return a.object_based != b.object_based and not common


def map_advice(a: Inventory, b: Inventory) -> Iterator[str]:
    """The command that compares them all the same; nothing where names are in common."""
    if nothing_in_common(a, b):
        old, new = (b, a) if a.object_based else (a, b)
        way = _report_beside(new) or _target(old)
        told = shlex.quote(way) if way else "TARGET_OR_TABLE"
        yield f"ckptmap diff {shlex.quote(old.path)} {shlex.quote(new.path)} --map {told}"


def _report_beside(new: Inventory) -> str:
    """The report of the conversion that wrote ``new``; empty where there is none."""
    path = Path(new.path).with_name(REPORT_NAME)
    try:
        known = "://" not in new.path and path.is_file() and str(read_document(path)["schema"]).startswith(_REPORT)
    except (CkptmapError, OSError):
        return ""
    return str(path) if known else ""


def _target(old: Inventory) -> str:
    """The shipped target of this model; empty where it is not known, or none is shipped."""
    found = recognize(old, roles(old))
    return next((name for name in found.targets if name in list_targets()), "") if found else ""
