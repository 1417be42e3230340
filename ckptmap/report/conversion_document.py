"""The one model of a report: a plan, and what was written of it, as plain JSON values.

Every format renders this document, so that none says more than another. Its schema is ``report.schema.json``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from ckptmap.checkpoint.object_graph import VALUE_SUFFIX, object_path
from ckptmap.mapping.locate import shipped_tables, table_file
from ckptmap.planning.ledger import Form
from ckptmap.report.source import described
from ckptmap.targets import list_targets
from ckptmap.version import __version__

if TYPE_CHECKING:
    from ckptmap.basics.errors import Problem
    from ckptmap.checkpoint.inventory import Variable
    from ckptmap.families.detection.pipeline.migrate import Migration
    from ckptmap.families.verdict import Verdict
    from ckptmap.mapping.ops import Op
    from ckptmap.planning.ledger import Counterpart, Plan, SourceRecord, TargetRecord

SCHEMA = "ckptmap.report/1"
CONVERT = "convert"

Document = dict[str, Any]
_Shapes = dict[tuple[int, ...], list[int]]


@dataclass(frozen=True, slots=True)
class Output:
    """What a conversion left on disk: the checkpoint's prefix, and the size of its values in bytes.

    ``verified`` values were read back and their checksums compared; ``kept`` ones lie untouched in a linked or cloned
    data file, or in one that the ``store`` has copied, as ``data`` says, and have the checksum that the old index
    states. ``checksums`` are the SHA-256 of the files that decide the ``source``, the ``table`` and the ``output``, by
    their names.
    """

    checkpoint: str
    nbytes: int
    verified: int
    notes: tuple[str, ...] = ()
    data: str = "copy"
    kept: int = 0
    checksums: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def document(
    plan: Plan,
    migration: Migration | None = None,
    written: Output | None = None,
    *,
    ranges: Mapping[str, float] | None = None,
    command: str = CONVERT,
) -> Document:
    """The report of ``plan``; ``migration`` is that of its pipeline.config, ``written`` is None for a dry run.

    ``ranges`` of quantization-aware training are kept where they are given. ``command`` is what was run, where it is
    another than ``convert``.
    """
    shapes: _Shapes = {}
    kept = {} if ranges is None else {"quantization_ranges": dict(ranges)}
    return {
        "schema": SCHEMA,
        "generator": f"ckptmap {__version__}",
        **({} if command == CONVERT else {"command": command}),
        "source": _source(plan),
        "target": _target(plan),
        "table": plan.table,
        "classes": _classes(plan),
        "summary": plan.summary,
        "findings": [_finding(finding) for finding in plan.findings],
        "verdict": _verdict(plan, migration),
        "config": config_document(migration) if migration else None,
        "output": _output(written),
        "target_variables": [_target_record(record, plan.root, shapes) for record in plan.targets],
        "source_variables": [
            _source_record(record, plan.source.variables.get(record.name), shapes) for record in plan.sources
        ],
        **_optimizer(plan),
        **kept,
    }


def _optimizer(plan: Plan) -> Document:
    """The optimizer whose state is carried over, where one is."""
    made = plan.optimizer
    if made is None:
        return {}
    return {
        "optimizer": {
            "source": made.source,
            "kind": made.kind,
            "layout": made.layout,
            "path": made.path,
            "step": made.iterations,
            "learning_rate": made.learning_rate,
            "carried": made.carried,
            "fresh": made.fresh,
            "remarks": list(made.remarks),
        }
    }


def _source(plan: Plan) -> Document:
    source = described(plan.source)
    return {**source, "notes": [*source["notes"], *plan.notes]}


def _target(plan: Plan) -> Document:
    return {
        "name": plan.target,
        "root": plan.root,
        "variables": len(plan.targets),
        "settings": dict(plan.settings),
        "assumed": [
            {"setting": assumed.setting, "value": assumed.value, "hint": assumed.hint} for assumed in plan.assumptions
        ],
        "dimensions": dict(plan.unknowns),
        **({"form": plan.form.value} if plan.form is Form.NAMES else {}),
        **_optimized(plan),
    }


def _optimized(plan: Plan) -> Document:
    """The objects of the template whose optimizer was left out, where there are any."""
    if plan.template is None or plan.optimizer is not None or not plan.template.optimized:
        return {}
    return {"optimized": list(plan.template.optimized)}


def _classes(plan: Plan) -> Document | None:
    """The classes by their names for people, as two label maps have them; None where none were given."""
    if plan.classes is None:
        return None
    return {
        "carried": [new.shown for _, new in plan.classes.pairs],
        "new": [label.shown for label in plan.classes.new],
        "dropped": [label.shown for label in plan.classes.dropped],
    }


def _verdict(plan: Plan, migration: Migration | None) -> Document | None:
    """Whether TF2 computes what TF1 did: of the user's config, or presumed for the model's official configuration."""
    if migration is not None:
        return _judged(migration.verdict, presumed=False)
    if plan.model not in shipped_tables() and not _is_shipped(plan):
        return None
    from ckptmap.families.registry import verdict_on

    if plan.model in shipped_tables():
        verdict = verdict_on(plan.model, plan.settings, plan.unknowns)
        return _judged(verdict, presumed=not verdict.unconfigured) if verdict is not None else None
    found = (verdict_on(name, plan.settings, plan.unknowns) for name in (plan.target, plan.model))
    sure = next((verdict for verdict in found if verdict is not None and verdict.unconfigured), None)
    return _judged(sure, presumed=False) if sure is not None else None


def _is_shipped(plan: Plan) -> bool:
    """Whether a family may know more of the plan's target: all that understands them takes time to import."""
    return plan.target in list_targets() or table_file(plan.model).is_file()


def _judged(verdict: Verdict, *, presumed: bool) -> Document:
    return {
        "kind": verdict.kind.value,
        "equal": verdict.equal,
        "presumed": presumed,
        "extractor_type": verdict.extractor_type,
        "differences": [
            {"outputs": one.outputs, "reason": one.reason, "remains": one.remains} for one in verdict.reasons
        ],
        "advice": verdict.advice,
    }


def config_document(migration: Migration) -> Document:
    """The edits and notes of a migrated pipeline.config."""
    return {
        "edits": [asdict(edit) for edit in migration.edits],
        "notes": [asdict(note) for note in migration.notes],
    }


def _finding(finding: Problem) -> Document:
    return {"message": finding.message, "where": finding.where or None, "hint": finding.hint or None}


def _output(written: Output | None) -> Document | None:
    if written is None:
        return None
    return {
        "checkpoint": written.checkpoint,
        "bytes": written.nbytes,
        "verified": written.verified,
        "data": written.data,
        "kept": written.kept,
        "notes": list(written.notes),
        "checksums": {side: dict(files) for side, files in written.checksums.items()},
    }


def _listed(shape: tuple[int, ...], known: _Shapes) -> list[int]:
    """A shape as JSON has it: one list for all variables of that shape."""
    found = known.get(shape)
    if found is None:
        found = known[shape] = list(shape)
    return found


def _target_record(record: TargetRecord, root: str, shapes: _Shapes) -> Document:
    variable = record.variable
    return {
        "key": object_path(root, variable.key).removesuffix(VALUE_SUFFIX),
        "name": variable.name,
        "part": variable.part,
        "fate": record.fate.value,
        "source": _one_or_many(record.sources),
        "operations": _operations(record.ops),
        "reason": record.explained or None,
        "rule": record.rule or None,
        "fill": record.fill.value if record.fill else None,
        "shape": _listed(variable.shape, shapes),
        "dtype": variable.dtype.label,
        **({} if record.counterpart is None else _counterpart(record.counterpart)),
    }


def _operations(ops: Sequence[Op]) -> list[Any]:
    if not ops:
        return []
    from ckptmap.mapping.ops_json import op_to_json

    return [op_to_json(op) for op in ops]


def _counterpart(counterpart: Counterpart) -> Document:
    operations = _operations(counterpart.ops)
    return {"counterpart": {"source": _one_or_many(counterpart.sources), "operations": operations}}


def _source_record(record: SourceRecord, variable: Variable | None, shapes: _Shapes) -> Document:
    held = {} if variable is None else {"shape": _listed(variable.shape, shapes), "dtype": variable.dtype.label}
    return {
        "name": record.name,
        "fate": record.fate.value,
        "reason": record.reason or None,
        "rule": record.rule or None,
        **held,
    }


def _one_or_many(names: Sequence[str]) -> str | list[str] | None:
    """A variable's source: a name, None, or the list of names where several variables are joined."""
    if not names:
        return None
    return names[0] if len(names) == 1 else list(names)
