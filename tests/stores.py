"""A store in memory that counts what moves, and fails where a test says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import fsspec
from fsspec.implementations.memory import MemoryFileSystem

Fault = Callable[[str, str], object]
"""Called before each request with its kind and the object's name; what it raises is what the request raises."""


class Store(MemoryFileSystem):
    """``store://``, and ``plain://``, which has no preconditions."""

    protocol = ("store", "memory")
    store: dict[str, Any] = {}  # noqa: RUF012  (of the class, as in fsspec)
    pseudo_dirs = [""]  # noqa: RUF012
    requests: list[tuple[str, str, int]] = []  # noqa: RUF012
    before: Fault | None = None
    after: Fault | None = None
    cut = 0

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return super()._strip_protocol(path.partition("://")[2] if "://" in path else path)

    def _asked(self, kind: str, path: str) -> None:
        if Store.before is not None:
            Store.before(kind, path.rpartition("/")[2])

    def _did(self, kind: str, path: str, size: int) -> None:
        name = path.rpartition("/")[2]
        Store.requests.append((kind, name, size))
        if Store.after is not None:
            Store.after(kind, name)

    def cat_file(self, path, start=None, end=None, **more):
        self._asked("read", path)
        content = super().cat_file(path, start=start, end=end, **more)
        if Store.cut:
            Store.cut -= 1
            content = content[: len(content) // 2]
        self._did("read", path, len(content))
        return content

    def pipe_file(self, path, value, mode="overwrite", **more):
        self._asked("write", path)
        super().pipe_file(path, value, mode=mode, **more)
        self._did("write", path, len(value))

    def put_file(self, lpath, rpath, **more):
        self._asked("write", rpath)
        super().put_file(lpath, rpath, **more)
        self._did("write", rpath, self.size(rpath))

    def cp_file(self, path1, path2, **more):
        self._asked("copy", path2)
        super().cp_file(path1, path2, **more)
        self._did("copy", path2, self.size(path2))

    def rm_file(self, path):
        self._asked("remove", path)
        super().rm_file(path)
        self._did("remove", path, 0)


class Plain(Store):
    """The same without preconditions: a driver that takes any mode, and overwrites."""

    protocol = "plain"

    def pipe_file(self, path, value, mode="overwrite", **more):
        assert mode == "overwrite"
        super().pipe_file(path, value, **more)


fsspec.register_implementation("store", Store, clobber=True)
fsspec.register_implementation("plain", Plain, clobber=True)


@contextmanager
def emptied() -> Iterator[type[Store]]:
    """The store, empty and without faults, before and after."""
    for _ in (0, 1):
        Store.store.clear()
        Store.pseudo_dirs[:] = [""]
        Store.requests.clear()
        Store.before = Store.after = None
        Store.cut = 0
        if _ == 0:
            yield Store


def moved(kind: str) -> dict[str, int]:
    """Bytes of each object by requests of a kind."""
    found: dict[str, int] = {}
    for one, name, size in Store.requests:
        if one == kind:
            found[name] = found.get(name, 0) + size
    return found
