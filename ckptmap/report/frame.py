"""A sheet's rows as a pandas DataFrame, and as a Parquet file of it (needs the ``pandas`` extra)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ckptmap.basics.errors import CkptmapError
from ckptmap.basics.escapes import printable
from ckptmap.basics.extras import install
from ckptmap.report.sheet import Cell, Sheet

if TYPE_CHECKING:
    import pandas as pd

WHOLE_NUMBERS = (
    "parameters", "different", "incomparable", "bytes", "slices", "findings",
    "classes", "step", "averages", "variables",
    "restored", "partly restored", "reinitialized", "missing", "mapped", "superseded", "dropped", "unused",
)  # fmt: skip


def to_frame(sheet: Sheet) -> pd.DataFrame:
    """One row a variable, the sheet's columns; whole numbers as nullable Int64.

    Raises:
        CkptmapError: pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise _not_installed("pandas") from error
    columns = {name: [_cell(row.record[name]) for row in sheet.rows] for name in sheet.columns}
    frame = pd.DataFrame(columns, columns=list(sheet.columns))
    return frame.astype({name: "Int64" for name in WHOLE_NUMBERS if name in columns})


def to_parquet(sheet: Sheet) -> bytes:
    """The DataFrame as a Parquet file.

    Raises:
        CkptmapError: pandas or pyarrow is not installed.
    """
    frame = to_frame(sheet)
    try:
        written: bytes = frame.to_parquet(index=False)
    except ImportError as error:
        raise _not_installed("pyarrow") from error
    return written


def _cell(value: Cell) -> Cell:
    return printable(value) if isinstance(value, str) else value


def _not_installed(package: str) -> CkptmapError:
    return CkptmapError(f"{package} is not installed", hint=f"install it with {install('pandas')}")
