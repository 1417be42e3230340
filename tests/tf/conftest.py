"""TF1 results shared by the whole session: TensorFlow's import and a graph's construction take seconds each."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from tests.tf.rows import Row

if TYPE_CHECKING:
    from collections.abc import Callable

if find_spec("tensorflow"):
    from ckptmap.tf.environment import prepare

    prepare()  # before any test module imports TensorFlow or protobuf


@pytest.fixture(scope="session")
def tf1(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Row], object]:
    """Gives a row's TF1 results. The first call runs all rows of the session's tests, in one process."""
    from tests.tf.harness import run_rows

    specs = [getattr(item, "callspec", None) for item in request.session.items]
    found = {row.name: row for spec in specs if spec for row in spec.params.values() if isinstance(row, Row)}
    results = {}

    def result(row: Row) -> object:
        if row.name not in results:
            results.update(run_rows({**found, row.name: row}.values(), tmp_path_factory.mktemp("tf1")))
        return results[row.name]

    return result
