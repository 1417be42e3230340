"""Stores behind URLs, written to: an object appears whole or not at all, and none is ever renamed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

from ckptmap.basics.errors import CkptmapError, OutputError
from ckptmap.checkpoint.names import shortened
from ckptmap.checkpoint.remote import facts_of, is_remote, listed, opened_system, patient, read_range
from ckptmap.checkpoint.staging import write_whole

_READ_ONLY = ("http://", "https://")
_AT_ONCE = 1 << 25
"""Bytes of an object that is sent in one request; larger ones the drivers send in parts, which they take back when one
of them fails."""
_BLOCK = 1 << 24


@dataclass(frozen=True)
class StorePath:
    """A place in a store by its URL, with the few ways of a ``pathlib.Path`` that an output needs."""

    url: str

    def __truediv__(self, name: str) -> StorePath:
        return StorePath(f"{self.url.rstrip('/')}/{name}")

    def __str__(self) -> str:
        return self.url

    def as_posix(self) -> str:
        """The URL."""
        return self.url

    @property
    def name(self) -> str:
        """What stands behind the last slash."""
        return self.url.rstrip("/").rpartition("/")[2]

    @property
    def parent(self) -> StorePath:
        """The folder that it lies in."""
        return StorePath(self.url.rstrip("/").rpartition("/")[0])

    @property
    def suffix(self) -> str:
        """The ending of the name, with its dot."""
        return Path(self.name).suffix

    def same(self, other: object) -> bool:
        """Whether ``other`` is another way to write this URL."""
        if not isinstance(other, StorePath):
            return False
        if self.url.rstrip("/") == other.url.rstrip("/"):
            return True
        with suppress(CkptmapError):
            return self.key == other.key
        return False

    @cached_property
    def system(self) -> Any:
        """The file system of fsspec that the store is reached by.

        Raises:
            OutputError: it is not installed, or cannot be written to.
        """
        if self.url.startswith(_READ_ONLY):
            raise OutputError("a web server cannot be written to", where=shortened(self.url))
        return opened_system(self.url, OutputError, "written")

    @property
    def key(self) -> tuple[type, str]:
        """The same for all ways to write a URL."""
        return type(self.system), str(self.system._strip_protocol(self.url)).rstrip("/")

    def names(self) -> set[str]:
        """The names in this folder, of folders too.

        Raises:
            OutputError: the store does not answer.
        """
        with store_errors(self):
            self.system.invalidate_cache(self.url)
            found = listed(self.system, self.url)
        return {one.rpartition("/")[2] for one in found if one != self.key[1]}

    def size(self) -> int | None:
        """Bytes of the object; None where there is none. Raises as ``names``."""
        facts = self._facts()
        return None if facts is None else int(facts["size"])

    def age(self) -> float:
        """Seconds since the object was written; 0 where the store does not tell."""
        from datetime import datetime

        try:
            written = self.system.modified(self.url)
            return float((datetime.now(written.tzinfo) - written).total_seconds())
        except Exception:  # noqa: BLE001  (it is a matter of cleaning up)
            return 0.0

    def read(self) -> bytes:
        """The whole of a small object. Raises as ``names``."""
        size = self.size() or 0
        with store_errors(self):
            return patient(lambda: read_range(self.system, self.url, 0, size)) if size else b""

    def send(self, content: bytes, *, create: bool) -> bool:
        """Writes a small object; whether it was written.

        Args:
            content: all of it.
            create: not where there is one already: then it returns False. Amazon S3, Google Cloud Storage and fsspec's
                memory see to that themselves; elsewhere it is looked for before.

        Raises:
            OutputError: the store does not take it.
        """
        return self._sent(lambda mode: self.system.pipe_file(self.url, content, **mode), create=create)

    def upload(self, file: Path, *, create: bool) -> bool:
        """``send`` for a file, which may be large. Raises as that does."""
        if file.stat().st_size <= _AT_ONCE:
            return self.send(file.read_bytes(), create=create)
        return self._sent(lambda mode: self.system.put_file(str(file), self.url, **mode), create=create)

    def copy_from(self, source: StorePath) -> None:
        """The store copies an object over this one; its bytes do not come to this machine.

        Raises:
            OutputError: it does not.
        """
        with store_errors(self, "written"):
            patient(lambda: self.system.cp_file(source.url, self.url))
            self.system.invalidate_cache(self.url)

    def holds(self, file: Path) -> bool:
        """Whether the object has the bytes of ``file``. Raises as ``names``."""
        size = file.stat().st_size
        if self.size() != size:
            return False
        with file.open("rb") as handle:
            return all(self._block(start, size) == handle.read(_BLOCK) for start in range(0, size, _BLOCK))

    def equals(self, other: StorePath) -> bool:
        """Whether both objects have the same bytes: by the store's own checksums, or else they are read."""
        one, two = self._facts(), other._facts()
        if one is None or two is None or one["size"] != two["size"]:
            return False
        for name in ("ETag", "md5Hash", "crc32c", "etag"):
            if one.get(name) is not None and one.get(name) == two.get(name):
                return True
        size = int(one["size"])
        blocks = range(0, size, _BLOCK)
        return all(self._block(start, size) == other._block(start, size) for start in blocks)

    def remove(self) -> None:
        """Removes the object, where that is possible."""
        with suppress(Exception):
            self.system.rm_file(self.url)

    def _facts(self) -> dict[str, Any] | None:
        """What the store tells of the object; None where there is none."""
        with store_errors(self):
            self.system.invalidate_cache(self.url)
            found = facts_of(self.system, self.url)
        return None if found is None or found.get("type") == "directory" else found

    def _block(self, start: int, size: int) -> bytes:
        with store_errors(self):
            return patient(lambda: read_range(self.system, self.url, start, min(start + _BLOCK, size)))

    def _sent(self, request: Any, *, create: bool) -> bool:
        mode = {"mode": "create"} if create else {}
        with store_errors(self, "written"):
            if create and not self._has_preconditions and self.size() is not None:
                return False
            try:
                patient(lambda: request(mode if self._has_preconditions else {}))
            except FileExistsError:
                return False
            finally:
                self.system.invalidate_cache(self.url)
        return True

    @property
    def _has_preconditions(self) -> bool:
        found = self.system.protocol
        return not {"s3", "gs", "memory"}.isdisjoint((found,) if isinstance(found, str) else found)


Place: TypeAlias = "Path | StorePath"
"""Where an output goes: on this machine, or in a store."""


def place_of(path: str | os.PathLike[str] | StorePath) -> Place:
    """The place that ``path`` names; a URL is one in a store."""
    if isinstance(path, StorePath):
        return path
    text = os.fspath(path)
    return StorePath(text) if is_remote(text) else Path(text)


def write_place(place: Place, content: bytes) -> None:
    """One file or object that appears whole or not at all, over what is there.

    Raises:
        OutputError: it cannot be written; what was there is still there.
    """
    if isinstance(place, StorePath):
        place.send(content, create=False)
    else:
        write_whole(place, content)


@contextmanager
def store_errors(place: StorePath, verb: str = "read") -> Iterator[None]:
    """Turns what a store's driver raises, each its own kinds, into an error that names the URL."""
    try:
        yield
    except CkptmapError:
        raise
    except Exception as error:
        raise OutputError(f"cannot be {verb}: {error or type(error).__name__}", where=shortened(place.url)) from error
