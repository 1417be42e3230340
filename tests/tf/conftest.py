"""TF1 results shared by the whole session: TensorFlow's import and a graph's construction take seconds each."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from tests.tf.rows import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tests.tf.harness import Ran

if find_spec("tensorflow"):
    from ckptmap.tf.environment import prepare, same_kernels

    same_kernels()
    prepare()  # before any test module imports TensorFlow or protobuf


@pytest.fixture(scope="session")
def tf1(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Row], Ran]]:
    """Gives a row's TF1 results. All rows of the session's tests are started at once, in the order of the tests."""
    from tests.tf.harness import run_ahead

    rows = _rows(request.session.items)
    with ThreadPoolExecutor(max_workers=1) as pool:
        futures = run_ahead(list(rows.values()), tmp_path_factory.mktemp("tf1"), pool)

        def result(row: Row) -> Ran:
            assert row.name in futures, f"{row}: make the row a parameter of the test, or of its fixture"
            return futures[row.name].result()[row.name]

        yield result
        pool.shutdown(cancel_futures=True)


@pytest.fixture(scope="session", autouse=True)
def ahead(request: pytest.FixtureRequest) -> None:
    """TF1 runs beside the first of these tests, so that those that need it find its results made."""
    if find_spec("tensorflow") and _rows(request.session.items):
        request.getfixturevalue("tf1")


def _rows(items: Iterable[pytest.Item]) -> dict[str, Row]:
    """The rows that are parameters of the tests with TF1 results, or of their fixtures."""
    asking = [item for item in items if "tf1" in getattr(item, "fixturenames", ())]
    specs = [getattr(item, "callspec", None) for item in asking]
    rows = [row for spec in specs if spec for row in spec.params.values() if isinstance(row, Row)]
    found = {row.name: row for row in rows}
    assert [row.name for row in rows if row != found[row.name]] == [], "two rows have the same name"
    return found
