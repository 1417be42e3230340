"""Files behind a URL, through fsspec (an extra): sizes, listings, and only the byte ranges that are asked for."""

from __future__ import annotations

import time
from bisect import bisect_right
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from ckptmap.basics.errors import CheckpointError, CkptmapError
from ckptmap.checkpoint.names import shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

# asking a web server for a listing would fetch the file itself
_WITHOUT_FOLDERS = ("http://", "https://")
_PARTS = "and gcsfs for gs://, s3fs for s3://, aiohttp for https://"
_PAUSES = (0.2, 1.0, 4.0)
"""Seconds before a request that failed is made again."""
_LONGEST_SECONDS = 120
"""For one request of a range: 140 kB a second for the largest."""
_GAP = 1 << 20
"""Bytes that nobody wants, rather than one request more."""
_RANGE = 1 << 24
"""Bytes of one request."""
_AT_A_TIME = 8
_LEAST_AHEAD, _MOST_AHEAD = 1 << 16, 1 << 22
_FILES_AHEAD = 8
"""Files of which something is kept that nobody has asked for yet."""
_FINAL = (
    FileNotFoundError, FileExistsError, PermissionError, NotADirectoryError, IsADirectoryError, NotImplementedError,
    ImportError, TypeError, ValueError, CkptmapError,
)  # fmt: skip
"""What a second try would not change."""
_Result = TypeVar("_Result")


def is_remote(path: str) -> bool:
    """Whether ``path`` is a URL such as ``gs://bucket/model.ckpt``."""
    scheme, found, _ = path.partition("://")
    return bool(found) and scheme.isidentifier()


def patient(request: Callable[[], _Result]) -> _Result:
    """The answer to a request of a store; where the store is busy or the line was cut, it is asked again, three times.

    A driver may try again itself before that.
    """
    for pause in _PAUSES:
        try:
            return request()
        except _FINAL:  # noqa: PERF203  (a request takes longer than a try)
            raise
        except Exception:  # noqa: BLE001  (each driver has kinds of its own)
            time.sleep(pause)
    return request()


def facts_of(system: Any, path: str) -> dict[str, Any] | None:
    """What the store tells of a file or folder; None where there is none."""
    try:
        found: dict[str, Any] = patient(lambda: system.info(path))
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    return found


def listed(system: Any, folder: str) -> list[str]:
    """The paths of what is in ``folder``; empty where there is no such folder."""
    try:
        return [str(one).rstrip("/") for one in patient(lambda: system.ls(folder, detail=False))]
    except (FileNotFoundError, NotADirectoryError):
        return []


def opened_system(url: str, error: type[CkptmapError] = CheckpointError, verb: str = "read") -> Any:
    """The file system of fsspec for ``url``.

    Raises:
        CkptmapError: an ``error``; fsspec, or its part for this kind of URL, is not installed.
    """
    try:
        import fsspec

        return fsspec.core.url_to_fs(url, **_making_folders(url, verb))[0]
    except ImportError as missing:
        from ckptmap.basics.extras import install

        hint = f"{install('remote')}, {_PARTS}"
        raise error(f"cannot be {verb}: {missing}", where=shortened(url), hint=hint) from missing
    except ValueError as unknown:
        raise error(f"unknown kind of URL: {unknown}", where=shortened(url)) from unknown


def _making_folders(url: str, verb: str) -> dict[str, bool]:
    """Stores have no folders; on the disk of this machine the driver makes those that a new file needs."""
    return {"auto_mkdir": True} if verb == "written" and url.startswith(("file://", "local://")) else {}


class _Range(NamedTuple):
    path: str
    start: int
    end: int


class RemoteFiles:
    """A store that fsspec knows; paths are full URLs.

    Raises:
        CheckpointError: fsspec, or its part for this kind of URL, is not installed.
    """

    def __init__(self, url: str) -> None:
        self._folders = not url.startswith(_WITHOUT_FOLDERS)
        self._sizes: dict[str, int | None] = {}
        self._system: Any = opened_system(url)
        self._fetched: _Fetched | None = None
        self._ahead = _Ahead(self._ask)

    def size(self, path: str) -> int | None:
        """The size in bytes; None where there is no such file. Asked for once."""
        if path not in self._sizes:
            self._sizes[path] = self._ask_size(path)
        return self._sizes[path]

    def is_folder(self, path: str) -> bool:
        """Whether ``path`` is a folder; a web server has none."""
        if not self._folders:
            return False
        with remote_errors(path):
            return bool(patient(lambda: self._system.isdir(path)))

    def names(self, folder: str) -> list[str]:
        """The names in ``folder``, sorted; empty where it cannot be listed."""
        if not self._folders:
            return []
        with remote_errors(folder):
            return sorted(path.rsplit("/", 1)[-1] for path in listed(self._system, folder))

    def modified(self, path: str) -> float:
        """When the file was last written, in seconds since 1970; 0 where the store does not tell."""
        self._system.invalidate_cache(path)
        try:
            return float(self._system.modified(path).timestamp())
        except (NotImplementedError, KeyError, AttributeError):
            return 0.0

    def read(self, path: str, offset: int, length: int) -> bytes:
        """``length`` bytes from ``offset``; fewer where the file ends before."""
        length = min(length, (self.size(path) or 0) - offset)
        if length <= 0:
            return b""
        wanted = _Range(path, offset, offset + length)
        here = self._fetched.read(path, offset, length) if self._fetched is not None else None
        return self._ahead.read(wanted, self.size(path) or 0) if here is None else here

    def fetch(self, wanted: Iterable[tuple[str, int, int]]) -> None:
        """Brings parts of files (path, offset, length) to this machine, in large ranges and several at a time.

        ``read`` finds them here from then on, until ``close``. They lie in a file without a name.

        Raises:
            CheckpointError: a range cannot be read.
        """
        ranges = list(_joined(wanted))
        if len(ranges) == 0:
            return
        self._fetched = self._fetched or _Fetched()
        keep = self._fetched.keep
        # what this and files aside need takes longer to import than a small conversion has
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(_AT_A_TIME) as threads:
            for _ in threads.map(lambda one: keep(one, self._ask(one)), ranges):
                pass

    def join(self, folder: str, name: str) -> str:
        """The URL of ``name`` in ``folder``."""
        return name if is_remote(name) else f"{folder.rstrip('/')}/{name.lstrip('/')}"

    def split(self, path: str) -> tuple[str, str]:
        """The folder that holds ``path``, and its last name."""
        folder, _, name = path.rstrip("/").rpartition("/")
        return folder, name

    def close(self) -> None:
        """Lets go of what was fetched."""
        if self._fetched is not None:
            self._fetched.close()
            self._fetched = None

    def _ask(self, wanted: _Range) -> bytes:
        with remote_errors(wanted.path):
            return patient(lambda: read_range(self._system, *wanted))

    def _ask_size(self, path: str) -> int | None:
        with remote_errors(path):
            facts = facts_of(self._system, path)
        if facts is None or facts.get("type") == "directory":
            return None
        size = facts.get("size")
        if size is None:
            raise CheckpointError("the server does not say the size of this file", where=shortened(path))
        return int(size)


class _Ahead:
    """Reads of one part after the other: each request brings twice as much as the one before, for the next reads."""

    def __init__(self, ask: Callable[[_Range], bytes]) -> None:
        self._ask = ask
        self._last: dict[str, tuple[_Range, bytes]] = {}

    def read(self, wanted: _Range, size: int) -> bytes:
        """The bytes of a range in a file of ``size`` bytes; the first of a file brings these alone."""
        last, content = self._last.get(wanted.path, (None, b""))
        if last is not None and last.start <= wanted.start and wanted.end <= last.end:
            return content[wanted.start - last.start : wanted.end - last.start]
        if last is not None and last.start <= wanted.start <= last.end + _GAP:
            ahead = min(max(2 * (last.end - last.start), _LEAST_AHEAD), _MOST_AHEAD)
            asked = wanted._replace(end=max(wanted.end, min(wanted.start + ahead, size)))
        else:
            asked = wanted
        content = self._ask(asked)
        if len(self._last) == _FILES_AHEAD:
            self._last.clear()
        self._last[wanted.path] = asked, content
        return content[: wanted.end - wanted.start]


class _Fetched:
    """Ranges of remote files, kept in one file of this machine."""

    def __init__(self) -> None:
        import tempfile

        self._file = tempfile.TemporaryFile()  # noqa: SIM115  (closed by close)
        self._places: dict[str, list[tuple[int, int, int]]] = {}
        self._lock = Lock()

    def keep(self, one: _Range, content: bytes) -> None:
        """Takes the bytes of a range."""
        with self._lock:
            place = self._file.seek(0, 2)
            self._file.write(content)
            known = self._places.setdefault(one.path, [])
            known.insert(bisect_right(known, (one.start,)), (one.start, one.end, place))

    def read(self, path: str, offset: int, length: int) -> bytes | None:
        """The bytes, which may lie in ranges that touch; None where not all of them are here."""
        found = bytearray()
        known = self._places.get(path, ())
        at = bisect_right(known, (offset, float("inf"))) - 1
        while len(found) < length and 0 <= at < len(known):
            start, end, place = known[at]
            here, last = offset + len(found), min(end, offset + length)
            if not start <= here < end:
                return None
            with self._lock:
                self._file.seek(place + here - start)
                found += self._file.read(last - here)
            at += 1
        return bytes(found) if len(found) == length else None

    def close(self) -> None:
        """Forgets all."""
        self._file.close()


def _joined(wanted: Iterable[tuple[str, int, int]]) -> Iterator[_Range]:
    """The parts as ranges worth a request: near ones become one, long ones several."""
    whole: list[_Range] = []
    for path, offset, length in sorted(wanted):
        last = whole[-1] if whole else None
        if last is not None and last.path == path and offset - last.end <= _GAP:
            whole[-1] = last._replace(end=max(last.end, offset + length))
        elif length:
            whole.append(_Range(path, offset, offset + length))
    for one in whole:
        for start in range(one.start, one.end, _RANGE):
            yield one._replace(start=start, end=min(start + _RANGE, one.end))


def read_range(system: Any, path: str, start: int, end: int) -> bytes:
    """The bytes of one range. Raises ConnectionError where the line was cut, TimeoutError where nothing comes."""
    if getattr(system, "async_impl", False) and not system.asynchronous:
        from fsspec.asyn import sync

        own = system._strip_protocol(path)
        answer = sync(system.loop, system._cat_file, own, start=start, end=end, timeout=_LONGEST_SECONDS)
    else:
        answer = system.cat_file(path, start=start, end=end)
    content = bytes(answer)
    if len(content) != end - start:
        raise ConnectionError(f"{len(content)} bytes came of {end - start}")
    return content


@contextmanager
def remote_errors(path: str) -> Iterator[None]:
    """Turns what a store's driver raises, each its own kinds, into an error that names the URL."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, CheckpointError):
        raise
    except Exception as error:
        raise CheckpointError(f"cannot be read: {error or type(error).__name__}", where=shortened(path)) from error
