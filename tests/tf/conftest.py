"""TF1 results shared by the whole session: TensorFlow's import and a graph's construction take seconds each."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from tests.tf.rows import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

    from tests.tf.harness import Ran

if find_spec("tensorflow"):
    from ckptmap.tf.environment import prepare, same_kernels

    same_kernels()
    prepare()  # before any test module imports TensorFlow or protobuf


@pytest.fixture(scope="session")
def tf1(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Row], Ran]]:
    """Gives a row's TF1 results. The first call starts all rows of the session's tests, in their order."""
    from tests.tf.harness import run_ahead

    futures: dict[str, Future[dict[str, Ran]]] = {}
    with ThreadPoolExecutor(max_workers=1) as pool:

        def result(row: Row) -> Ran:
            if row.name not in futures:
                rows = {**_rows(request.session.items), row.name: row}
                new = [one for name, one in rows.items() if name not in futures]
                futures.update(run_ahead(new, tmp_path_factory.mktemp("tf1"), pool))
            return futures[row.name].result()[row.name]

        yield result
        pool.shutdown(cancel_futures=True)


def _rows(items: Iterable[pytest.Item]) -> dict[str, Row]:
    """The rows that are parameters of the tests."""
    specs = [getattr(item, "callspec", None) for item in items]
    rows = [row for spec in specs if spec for row in spec.params.values() if isinstance(row, Row)]
    found = {row.name: row for row in rows}
    assert [row.name for row in rows if row != found[row.name]] == [], "two rows have the same name"
    return found
