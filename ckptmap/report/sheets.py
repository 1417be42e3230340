"""From a document to its sheet, by the name of its schema."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from importlib import import_module
from pathlib import Path

from ckptmap.basics.documents import following
from ckptmap.basics.errors import CkptmapError
from ckptmap.report.conversion_document import Document
from ckptmap.report.frame import WHOLE_NUMBERS
from ckptmap.report.sheet import Cell, Sheet

_MAKERS = {
    "ckptmap.report/1": "ckptmap.report.conversion_sheet",
    "ckptmap.diff/1": "ckptmap.report.diff_sheet",
    "ckptmap.audit/1": "ckptmap.report.audit_sheet",
    "ckptmap.verify/1": "ckptmap.report.verify_sheet",
    "ckptmap.verify_models/1": "ckptmap.report.verify_models_sheet",
    "ckptmap.batch/1": "ckptmap.report.batch_sheet",
    "ckptmap.catalogue/1": "ckptmap.report.catalogue_sheet",
    "ckptmap.inspect/1": "ckptmap.report.inspect_sheet",
    "ckptmap.freeze/1": "ckptmap.report.freeze_sheet",
    "ckptmap.targets/1": "ckptmap.report.targets_sheet",
    "ckptmap.suggest/1": "ckptmap.report.suggest_sheet",
}
_WHOLE = "a whole number"
_LARGEST = 1 << 63
"""Whole numbers are below this in every format."""
_SCHEMAS = Path(__file__).parent / "schemas"


def sheet_of(document: Document) -> Sheet:
    """The sheet of a report of any kind. Of one that was read, :func:`check_read` comes first.

    Raises:
        CkptmapError: the document has no schema that ckptmap knows.
    """
    schema = str(document.get("schema"))
    if schema not in _MAKERS:
        raise CkptmapError(f"the schema {schema} is not one of a report", hint=f"known: {', '.join(_MAKERS)}")
    make: Callable[[Document], Sheet] = import_module(_MAKERS[schema]).sheet
    return make(document)


def check_read(document: Document, where: str) -> None:
    """Refuse a document that was read from ``where`` and that some format cannot render.

    Raises:
        CkptmapError: it has no schema that ckptmap knows, or does not follow it.
    """
    with following(str(document.get("schema")), where):
        sheet = sheet_of(document)
        _check_values(sheet)
        for column in sheet.columns:
            _check_column(column, [row.record[column] for row in sheet.rows])


def _check_values(value: object) -> None:
    """Refuse what is no text, number or nothing where a value is shown."""
    if is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            _check_values(getattr(value, field.name))
    elif isinstance(value, tuple):
        for item in value:
            _check_values(item)
    elif isinstance(value, Mapping) and all(map(_is_cell, value.values())):
        return
    elif not _is_cell(value):
        raise TypeError(f"{reprlib.repr(value)} in place of one value")


def _is_cell(value: object) -> bool:
    if isinstance(value, int):
        return abs(value) < _LARGEST
    return value is None or isinstance(value, str | float)


def _check_column(name: str, values: Iterable[Cell]) -> None:
    """Refuse texts among numbers, and fractions among whole numbers: tables have a type a column."""
    kinds = {_kind(value, whole=name in WHOLE_NUMBERS) for value in values if value is not None}
    if len(kinds) > 1 or (name in WHOLE_NUMBERS and not kinds <= {_WHOLE}):
        raise TypeError(f"{name} is {' and '.join(sorted(kinds))}")


def _kind(value: Cell, *, whole: bool) -> str:
    if isinstance(value, str):
        return "text"
    if isinstance(value, bool):
        return "true or false"
    return _WHOLE if whole and isinstance(value, int) else "a number"


def schema_file(schema: str) -> Path:
    """The JSON Schema of the documents with this schema name; shipped with ckptmap."""
    return _SCHEMAS / f"{schema.removeprefix('ckptmap.').partition('/')[0]}.schema.json"
