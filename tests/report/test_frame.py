import builtins
import io
import re
from typing import Any

import pytest

from ckptmap.basics.errors import CkptmapError
from ckptmap.basics.extras import install
from ckptmap.report.frame import to_frame, to_parquet
from ckptmap.report.sheets import sheet_of

pd = pytest.importorskip("pandas", reason="needs the [pandas] extra")


def test_one_row_a_variable(conversion: dict[str, Any]) -> None:
    frame = to_frame(sheet_of(conversion))
    assert list(frame["fate"]) == [
        "restored", "restored", "reinitialized", "missing", "mapped", "mapped", "dropped", "unused",
    ]  # fmt: skip
    assert frame["parameters"].dtype == "Int64"
    assert frame["parameters"].sum() == 24 + 64 + 32 + 5
    assert frame.loc[2, "reason"] == "class head: the source has 90 classes, the target 3"


def test_parquet_gives_the_same_table_back(hostile: dict[str, Any], conversion: dict[str, Any]) -> None:
    pytest.importorskip("pyarrow", reason="needs the [pandas] extra")
    for document in (conversion, hostile):
        sheet = sheet_of(document)
        back = pd.read_parquet(io.BytesIO(to_parquet(sheet)))
        assert list(back.columns) == list(sheet.columns)
        assert list(back["name"]) == list(to_frame(sheet)["name"])


def test_without_pandas_the_error_says_what_to_install(
    conversion: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without_pandas(name: str, *rest: Any, **more: Any) -> Any:
        if name == "pandas":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without_pandas)
    with pytest.raises(CkptmapError, match=re.escape(f"pandas is not installed (install it with {install('pandas')})")):
        to_frame(sheet_of(conversion))
