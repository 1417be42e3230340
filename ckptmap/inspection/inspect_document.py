"""An inspection as plain JSON values; its schema is ``inspect.schema.json`` of the reports."""

from __future__ import annotations

from dataclasses import asdict

from ckptmap.checkpoint.inventory import Variable
from ckptmap.families.family import Beside
from ckptmap.inspection.inspector import Inspection
from ckptmap.inspection.training import Training
from ckptmap.report.conversion_document import Document
from ckptmap.version import __version__

SCHEMA = "ckptmap.inspect/1"


def document(found: Inspection, match: tuple[str, ...] = ()) -> Document:
    """``found`` as JSON values; ``match`` limits the variables that are listed, not the totals."""
    inventory = found.inventory
    return {
        "schema": SCHEMA,
        "generator": f"ckptmap {__version__}",
        "path": inventory.path,
        "kind": inventory.kind.value,
        "object_based": inventory.object_based,
        "written_by": f"TensorFlow {found.written_by}" if found.written_by else None,
        "data_files": [{"path": data.path, "bytes": data.size, "problem": data.problem or None} for data in found.data],
        "notes": list(inventory.notes),
        "total": _total(found),
        "architecture": None if found.architecture is None else found.architecture.document(),
        "training": _training(found.training),
        "config": _config(found.config),
        "convert": {"command": found.advice.command or None, "note": found.advice.note or None},
        "variables": [_variable(variable, found) for variable in found.chosen(match)],
    }


def _total(found: Inspection) -> Document:
    variables = found.inventory.variables
    weights = [variable for name, variable in variables.items() if name not in found.roles]
    return {
        "variables": len(variables),
        "bytes": sum(variable.nbytes for variable in variables.values()),
        "weights": len(weights),
        "parameters": sum(variable.elements for variable in weights),
    }


def _training(training: Training) -> Document:
    return {**asdict(training), "step_from": training.step_from or None, "optimizers": list(training.optimizers)}


def _config(config: Beside | None) -> Document | None:
    if config is None:
        return None
    compared = config.differences is not None
    return {
        "path": config.path,
        "type": config.says or None,
        "agrees": not config.differences if compared else None,
        "differences": [asdict(difference) for difference in config.differences or ()],
        "note": config.note or None,
    }


def _variable(variable: Variable, found: Inspection) -> Document:
    slot = found.roles.get(variable.name)
    return {
        "name": variable.name,
        "dtype": variable.dtype.label,
        "shape": list(variable.shape),
        "bytes": variable.nbytes,
        "slices": len(variable.slices),
        "role": slot.kind if slot else "weight",
        "owner": slot.owner if slot else None,
        "readable_name": found.names.get(variable.name),
    }
