"""What the tests of both kinds of object stores put there, and what holds of each of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ckptmap
from ckptmap.basics.errors import OutputError
from ckptmap.checkpoint.dtypes import DType
from tests.checkpoint.strategies import Value
from tests.checkpoint.test_writer import save

FIXTURE = Path(__file__).parents[2] / "fixtures" / "ssd_mobilenet_v2_tiny"
LARGE = {"a": Value(DType.UINT8, np.arange(12 << 20, dtype=np.uint8)), "b": Value(DType.INT64, np.arange(5))}
DATA = "model.ckpt.data-00000-of-00001"


def large(bucket: Any, folder: Path, store: str) -> str:
    """``LARGE`` in the bucket of the ``store`` (``s3``, ``gs``), saved in ``folder`` first if it is not there."""
    if not bucket.exists("bucket/large/m.index"):
        save(folder, LARGE)
        for path in folder.iterdir():
            bucket.put_file(str(path), f"bucket/large/{path.name}")
    return f"{store}://bucket/large/m"


def in_out_and_inside(bucket: Any, folder: Path, store: str) -> None:
    """A detector goes into the bucket, comes out of it, and moves inside."""
    url = f"{store}://bucket"
    ckptmap.convert(FIXTURE, output=f"{url}/in")
    ckptmap.convert(f"{url}/old", output=folder / "out", data="copy")
    inside = ckptmap.convert(f"{url}/old", output=f"{url}/inside")
    assert inside["output"]["data"] == "store"
    for name in ("ckpt-0.index", "ckpt-0.data-00000-of-00001", "checkpoint"):
        assert bucket.cat_file(f"bucket/in/{name}") == (folder / "out" / name).read_bytes()
    assert ckptmap.diff(f"{url}/inside", folder / "out").equal
    assert bucket.cat_file("bucket/inside/ckpt-0.data-00000-of-00002") == bucket.cat_file(f"bucket/old/{DATA}")
    with pytest.raises(OutputError, match=f"{url}/in is not empty"):
        ckptmap.convert(FIXTURE, output=f"{url}/in")
    again = ckptmap.convert(f"{url}/old", output=f"{url}/inside", if_exists="replace")
    assert ckptmap.diff(again["output"]["checkpoint"], folder / "out").equal
    assert ckptmap.convert(FIXTURE, output=f"{url}/in", if_exists="skip")["output"]["verified"] == 325
