"""What TensorFlow restores from the folders that killed conversions leave: old values or new ones, or nothing."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from tests.faults.conftest import Workshop, contents, spread, workshop
from tests.tf.test_codec import read_by_tensorflow, tf

__all__ = ["workshop"]

Values = dict[str, bytes]


def restored(folder: Path) -> Values | None:
    """Every value under the only name that there can be; None where TensorFlow finds no checkpoint."""
    try:
        found = read_by_tensorflow(folder / "ckpt-0")
    except tf.errors.NotFoundError:
        return None
    return {name: np.asarray(value).tobytes() for name, value in found.items() if not name.startswith("_")}


def distinct(folders: list[Path]) -> list[Path]:
    """Of folders with the same files one each."""
    found = {}
    for folder in folders:
        key = hashlib.sha256(repr(sorted(contents(folder).items())).encode()).digest()
        found.setdefault(key, folder)
    return list(found.values())


@pytest.mark.parametrize("wanted", [10, pytest.param(None, marks=pytest.mark.slow)])
def test_tensorflow_never_restores_a_mixture(workshop: Workshop, wanted: int | None) -> None:
    whole = workshop.whole_run()
    count = len(whole.operations)
    old, new = restored(workshop.folder / "new"), restored(Path(whole.folder) / "new")
    assert new is not None
    assert new != old
    killed = workshop.run(range(count) if wanted is None else spread(count, wanted), "kill")
    states = distinct([Path(outcome.folder) / "new" for outcome in killed])
    found = [restored(state) for state in states]
    assert all(values in (old, new) for values in found)
    assert new in found
    assert old in found
