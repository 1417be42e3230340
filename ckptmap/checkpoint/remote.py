"""Files behind a URL, through fsspec (an extra): sizes, listings, and only the byte ranges that are asked for."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ckptmap.basics.errors import CheckpointError
from ckptmap.checkpoint.names import shortened

if TYPE_CHECKING:
    from collections.abc import Iterator

# asking a web server for a listing would fetch the file itself
_WITHOUT_FOLDERS = ("http://", "https://")
_PARTS = "and gcsfs for gs://, s3fs for s3://, aiohttp for https://"


def is_remote(path: str) -> bool:
    """Whether ``path`` is a URL such as ``gs://bucket/model.ckpt``."""
    scheme, found, _ = path.partition("://")
    return bool(found) and scheme.isidentifier()


class RemoteFiles:
    """A store that fsspec knows; paths are full URLs.

    Raises:
        CheckpointError: fsspec, or its part for this kind of URL, is not installed.
    """

    def __init__(self, url: str) -> None:
        self._folders = not url.startswith(_WITHOUT_FOLDERS)
        self._sizes: dict[str, int | None] = {}
        try:
            import fsspec

            self._system: Any = fsspec.core.url_to_fs(url)[0]
        except ImportError as error:
            from ckptmap.basics.extras import install

            hint = f"{install('remote')}, {_PARTS}"
            raise CheckpointError(f"cannot be read: {error}", where=shortened(url), hint=hint) from error
        except ValueError as error:
            raise CheckpointError(f"no such kind of URL: {error}", where=shortened(url)) from error

    def size(self, path: str) -> int | None:
        """The size in bytes; None where there is no such file. Asked for once."""
        if path not in self._sizes:
            self._sizes[path] = self._ask_size(path)
        return self._sizes[path]

    def is_folder(self, path: str) -> bool:
        """Whether ``path`` is a folder; a web server has none."""
        if not self._folders:
            return False
        with _remote_errors(path):
            return bool(self._system.isdir(path))

    def names(self, folder: str) -> list[str]:
        """The names in ``folder``, sorted; empty where it cannot be listed."""
        if not self._folders:
            return []
        with _remote_errors(folder):
            try:
                found = self._system.ls(folder, detail=False)
            except (FileNotFoundError, NotADirectoryError):
                return []
        return sorted(name.rstrip("/").rsplit("/", 1)[-1] for name in found)

    def modified(self, path: str) -> float:
        """When the file was last written, in seconds since 1970; 0 where the store does not tell."""
        try:
            return float(self._system.modified(path).timestamp())
        except (NotImplementedError, KeyError, AttributeError):
            return 0.0

    def read(self, path: str, offset: int, length: int) -> bytes:
        """``length`` bytes from ``offset``; fewer where the file ends before."""
        length = min(length, (self.size(path) or 0) - offset)
        if length <= 0:
            return b""
        with _remote_errors(path):
            return bytes(self._system.cat_file(path, start=offset, end=offset + length))

    def join(self, folder: str, name: str) -> str:
        """The URL of ``name`` in ``folder``."""
        return name if is_remote(name) else f"{folder.rstrip('/')}/{name.lstrip('/')}"

    def split(self, path: str) -> tuple[str, str]:
        """The folder that holds ``path``, and its last name."""
        folder, _, name = path.rstrip("/").rpartition("/")
        return folder, name

    def close(self) -> None:
        """Nothing stays open between reads."""

    def _ask_size(self, path: str) -> int | None:
        with _remote_errors(path):
            try:
                facts = self._system.info(path)
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                return None
        size = facts.get("size")
        if facts.get("type") == "directory":
            return None
        if size is None:
            raise CheckpointError("the server does not tell the size of this file", where=shortened(path))
        return int(size)


@contextmanager
def _remote_errors(path: str) -> Iterator[None]:
    """Turns what a store's driver raises, each its own kinds, into an error that names the URL."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, CheckpointError):
        raise
    except Exception as error:
        raise CheckpointError(f"cannot be read: {error or type(error).__name__}", where=shortened(path)) from error
