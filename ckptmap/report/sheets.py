"""From a document to its sheet, by the name of its schema."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from ckptmap.basics.documents import following
from ckptmap.basics.errors import CkptmapError
from ckptmap.report.document import Document
from ckptmap.report.sheet import Sheet

_MAKERS = {
    "ckptmap.report/1": "ckptmap.report.conversion_sheet",
    "ckptmap.diff/1": "ckptmap.report.diff_sheet",
    "ckptmap.audit/1": "ckptmap.report.audit_sheet",
    "ckptmap.verify/1": "ckptmap.report.verify_sheet",
    "ckptmap.batch/1": "ckptmap.report.batch_sheet",
}
_SCHEMAS = Path(__file__).parent / "schemas"


def sheet_of(document: Document) -> Sheet:
    """The sheet of a report of any kind.

    Raises:
        CkptmapError: the document has no schema that ckptmap knows, or does not follow it.
    """
    schema = str(document.get("schema"))
    if schema not in _MAKERS:
        raise CkptmapError(f"the schema {schema} is none of a report", hint=f"known: {', '.join(_MAKERS)}")
    make: Callable[[Document], Sheet] = import_module(_MAKERS[schema]).sheet
    with following(schema):
        return make(document)


def schema_file(schema: str) -> Path:
    """The JSON Schema of the documents with this schema name; shipped with ckptmap."""
    return _SCHEMAS / f"{schema.removeprefix('ckptmap.').partition('/')[0]}.schema.json"
