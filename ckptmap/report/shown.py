"""What the library's verbs return, as a notebook shows it and as other programs take it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    import pandas as pd

    from ckptmap.report.sheet import Sheet


class Shown:
    """A result that has a report: a short table in a notebook, whole as JSON, HTML or a DataFrame."""

    __slots__ = ()

    document_maker: ClassVar[str] = ""
    """``module:function`` of what makes its report, by name: that module imports the one of the result."""

    def to_document(self) -> dict[str, Any]:
        """The report as plain JSON values; its ``schema`` names one of ``ckptmap/report/schemas``."""
        module, _, function = self.document_maker.partition(":")
        made: dict[str, Any] = getattr(import_module(module), function)(self)
        return made

    def to_json(self) -> str:
        """The report as JSON, as ``--json`` prints it."""
        from ckptmap.report.json_format import to_json

        return to_json(self.to_document())

    def to_html(self) -> str:
        """The report as one self-contained HTML page."""
        from ckptmap.report.html import to_html

        return to_html(self._sheet())

    def to_frame(self) -> pd.DataFrame:
        """One row a variable, the columns of the CSV report; needs the ``pandas`` extra.

        Raises:
            CkptmapError: pandas is not installed.
        """
        from ckptmap.report.frame import to_frame

        return to_frame(self._sheet())

    def _sheet(self) -> Sheet:
        from ckptmap.report.sheets import sheet_of

        return sheet_of(self.to_document())

    def _repr_html_(self) -> str:
        """What a notebook shows: counts, the verdict, and what needs a look."""
        from ckptmap.report.notebook import sheet_card

        return sheet_card(self._sheet())

    def __repr__(self) -> str:
        from ckptmap.report.notebook import one_line

        return one_line(self._sheet())


class Report(Shown, dict[str, Any]):
    """A report of what was written, or would be: a dict of plain JSON values with the same ways out."""

    __slots__ = ()

    def to_document(self) -> dict[str, Any]:
        """The report itself, as a plain dict."""
        return dict(self)
