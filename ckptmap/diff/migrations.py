"""What a migration says of every variable: from the mapping table of a target, or from the report of a conversion."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ckptmap.basics.documents import MisstatedError, following, read_document
from ckptmap.basics.errors import CkptmapError, PlanError, Problem
from ckptmap.checkpoint.inventory import Inventory
from ckptmap.checkpoint.object_graph import variable_key
from ckptmap.checkpoint.reader import Checkpoint
from ckptmap.diff.pairing import Link, Migration
from ckptmap.mapping import Assignment, MappingResult, apply_table, load_table
from ckptmap.mapping.ops_json import op_from_json
from ckptmap.mapping.roles import roles
from ckptmap.mapping.slots import Slot, averages_of
from ckptmap.planning.fitting import asks_target, fitted
from ckptmap.planning.ledger import Form
from ckptmap.planning.name_matching import resolved
from ckptmap.targets import Layout, Target
from ckptmap.targets.load import load_target

_REPORT = "ckptmap.report/"
_FROM_SOURCES = ("restored", "partly restored")
_AVERAGE = "moving average"
"""As the ledger of a conversion says it."""


def find_migration(a: Checkpoint, b: Checkpoint, mapping: str) -> Migration:
    """The migration that ``mapping`` names: a report.json, a mapping table, or a target that has a table.

    Raises:
        CkptmapError: it is none of them, or it does not lead from ``a`` to ``b``.
    """
    if a.inventory.object_based and not b.inventory.object_based:
        hint = f"give {b.inventory.path} first"
        raise CkptmapError("a migration leads from TF1 to TF2, this is TF2", where=a.inventory.path, hint=hint)
    if mapping.endswith(".json"):
        return migration_of_report(read_document(Path(mapping)), mapping)
    return migration_of_table(a.inventory, load_target(b.inventory.path), mapping)


def migration_of_table(a: Inventory, target: Target, table: str) -> Migration:
    """What ``table`` makes of the variables of ``a`` in the model ``target``; shapes are left to the comparison.

    Raises:
        PlanError: a rule's target is no variable of ``target``.
    """
    slots = roles(a)
    weights = [name for name in a.variables if name not in slots or slots[name].kind == "bookkeeping"]
    mapped = apply_table(load_table(table), weights)
    averages = averages_of(slots)
    mapped, layout = resolved(mapped, target)
    problems: list[Problem] = []
    placed = dict(_placed(mapped.assignments, layout, problems))
    links = tuple(_links(placed, layout, a, target.root or "", averages, problems))
    if problems:
        raise PlanError(f"table {table} does not lead to {target.name}", problems)
    return Migration(table, links, dict(_left(mapped, slots, averages)))


def _placed(
    assignments: Iterable[Assignment], layout: Layout, problems: list[Problem]
) -> Iterator[tuple[str, Assignment]]:
    for assignment in assignments:
        found = layout.find(assignment.target)
        if isinstance(found, Problem):
            problems.append(Problem(f"{assignment.sources[0]}: {found.message}", str(assignment.rule), found.hint))
        else:
            yield found.key, assignment


def _links(
    placed: Mapping[str, Assignment],
    layout: Layout,
    a: Inventory,
    root: str,
    averages: Mapping[str, str],
    problems: list[Problem],
) -> Iterator[Link]:
    asking = {key: one for key, one in placed.items() if asks_target(one)}
    lengths = {one.key: one.concrete({}) for one in layout.variables if one.key in asking}
    for key, one in {**placed, **dict(fitted(asking, lengths, a))}.items():
        if isinstance(one, Problem):
            problems.append(one)
        else:
            sources = tuple(averages.get(name, name) for name in one.sources)
            note = _AVERAGE if sources != tuple(one.sources) else ""
            yield Link(_full_key(root, key), sources, one.ops, note=note)


def _left(mapped: MappingResult, slots: Mapping[str, Slot], averages: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, slot in slots.items():
        if slot.kind != "ema":
            yield name, f"optimizer slot ({slot.label})" if slot.kind == "slot" else slot.label
    for owner in averages:
        yield owner, "its moving average is restored"
    for drop in mapped.drops:
        yield drop.source, drop.reason


def migration_of_report(report: Mapping[str, Any], path: str) -> Migration:
    """The migration that a conversion's report records.

    Raises:
        CkptmapError: it is none, does not follow its schema, or holds an operation that does not exist.
    """
    schema = str(report.get("schema"))
    if not schema.startswith(_REPORT):
        raise CkptmapError("is not a report of a conversion", where=path, hint=f"its schema should be {_REPORT}1")
    with following(schema, path):
        named = report["target"].get("form") == Form.NAMES.value
        links = tuple(_recorded_link(item, named=named) for item in report["target_variables"])
        left = {
            str(item["name"]): str(item["reason"] or "accepted as unused")
            for item in report["source_variables"]
            if item["fate"] != "mapped"
        }
    return Migration(path, links, left)


def _recorded_link(item: Mapping[str, Any], *, named: bool) -> Link:
    sources = item["source"] or ()
    names = (sources,) if isinstance(sources, str) else tuple(map(str, sources))
    ops = tuple(map(op_from_json, item["operations"]))
    if len(names) > len(set(names)):
        raise MisstatedError(f"{item['key']} has a source twice")
    if any(op.leaves_open for op in ops[:-1]):
        raise MisstatedError(f"{item['key']}: what the target fills comes last")
    made = item["fate"] in _FROM_SOURCES
    reason = "" if made else f"{item['fate']}: {item['reason'] or 'filled by its initializer'}"
    note = str(item["reason"] or "") if made else ""
    key = str(item["key"])
    return Link(key if named else variable_key(key), names, ops, reason, note)


def _full_key(root: str, key: str) -> str:
    return variable_key(f"{root}/{key}" if root else key)
