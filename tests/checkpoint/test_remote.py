from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from ckptmap.basics.errors import CheckpointError
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.inventory import Kind
from ckptmap.checkpoint.reader import open_checkpoint
from ckptmap.checkpoint.remote import is_remote
from tests.checkpoint.strategies import Value
from tests.checkpoint.test_frozen import GRAPH
from tests.checkpoint.test_v1 import TENSORFLOW_FILE
from tests.checkpoint.test_writer import save

fsspec = pytest.importorskip("fsspec", reason="needs the [remote] extra")

BUNDLE = {
    "a": Value(DType.UINT8, np.full(300_000, 7, np.uint8)),
    "b": Value(DType.FLOAT32, np.arange(4, dtype=np.float32)),
    "c": Value(DType.UINT8, np.full(500_000, 9, np.uint8)),
}


@pytest.mark.parametrize(
    ("path", "remote"),
    [
        ("gs://b/m", True),
        ("memory://m", True),
        ("/a/b", False),
        ("C:\\a", False),
        ("m.ckpt", False),
        ("a b://c", False),
    ],
)
def test_what_is_remote(path: str, remote: bool) -> None:
    assert is_remote(path) == remote


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, int]]]:
    """A bundle in fsspec's memory file system, and the (name, bytes) of every read from it."""
    system = fsspec.filesystem("memory")
    save(tmp_path, BUNDLE)
    for path in tmp_path.iterdir():
        system.pipe_file(f"/bucket/{path.name}", path.read_bytes())
    moved: list[tuple[str, int]] = []
    fetch = type(system).cat_file

    def counted(self, path, start=None, end=None, **more):
        data = fetch(self, path, start=start, end=end, **more)
        moved.append((path.rsplit("/", 1)[-1], len(data)))
        return data

    monkeypatch.setattr(type(system), "cat_file", counted)
    yield moved
    system.rm("/", recursive=True)


def test_only_the_index_and_the_needed_range_move(tmp_path: Path, memory: list[tuple[str, int]]) -> None:
    index = (tmp_path / "m.index").stat().st_size
    with open_checkpoint("memory://bucket/m") as checkpoint:
        assert list(checkpoint.inventory.variables) == ["a", "b", "c"]
        assert memory == [("m.index", index)]
        assert checkpoint.read("b").tolist() == [0, 1, 2, 3]
        assert memory[1:] == [("m.data-00000-of-00001", 16)]
        assert [len(piece) for piece in checkpoint.chunks("c", 200_000)] == [200_000, 200_000, 100_000]
        assert sum(count for _, count in memory[2:]) == 500_000


@pytest.mark.parametrize(
    "path", ["memory://bucket", "memory://bucket/m.index", "memory://bucket/m.data-00000-of-00001"]
)
def test_other_ways_to_name_it(memory: list[tuple[str, int]], path: str) -> None:
    with open_checkpoint(path) as checkpoint:
        assert checkpoint.inventory.path == "memory://bucket/m"
        assert checkpoint.inventory.data_files == ("memory://bucket/m.data-00000-of-00001",)


def test_a_state_file_in_a_store(memory: list[tuple[str, int]]) -> None:
    fsspec.filesystem("memory").pipe_file("/bucket/checkpoint", b'model_checkpoint_path: "gs://old/train/m"\n')
    with open_checkpoint("memory://bucket") as checkpoint:
        assert checkpoint.inventory.path == "memory://bucket/m"


def test_other_formats_in_a_store(memory: list[tuple[str, int]]) -> None:
    system = fsspec.filesystem("memory")
    system.pipe_file("/old/model.ckpt", TENSORFLOW_FILE)
    system.pipe_file("/old/graph.pb", GRAPH)
    with open_checkpoint("memory://old/model.ckpt") as checkpoint:
        assert checkpoint.inventory.kind is Kind.V1
        assert checkpoint.read("neg32").tolist() == [-1, 5]
    with open_checkpoint("memory://old/graph.pb") as checkpoint:
        assert checkpoint.read("conv").tolist() == [[1.0, 2.0]]


def test_errors_name_the_url(memory: list[tuple[str, int]]) -> None:
    with pytest.raises(CheckpointError) as caught:
        open_checkpoint("memory://bucket/n")
    assert str(caught.value) == ("memory://bucket/n: no such file (the folder holds m.data-00000-of-00001, m.index)")
    with pytest.raises(CheckpointError, match="nosuchscheme://x: unknown kind of URL"):
        open_checkpoint("nosuchscheme://x")


@pytest.mark.skipif(find_spec("gcsfs") is not None, reason="the driver for gs:// is installed")
def test_a_driver_that_is_missing() -> None:
    with pytest.raises(CheckpointError, match=r"gs://bucket/m: cannot be read: .*gcsfs.* for gs://"):
        open_checkpoint("gs://bucket/m")


class Server(BaseHTTPRequestHandler):
    """Serves a folder with ranges, as object stores do, and counts the bytes of its answers."""

    folder: Path
    moved: list[tuple[str, int]]

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def answer(self, *, body: bool) -> None:
        path = self.folder / self.path.lstrip("/")
        if not path.is_file():
            self.send_error(404)
            return
        data = path.read_bytes()
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        piece = data[int(asked[1]) : int(asked[2]) + 1] if asked else data
        self.send_response(206 if asked else 200)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(piece)))
        if asked:
            self.send_header("Content-Range", f"bytes {asked[1]}-{asked[2]}/{len(data)}")
        self.end_headers()
        if body:
            self.moved.append((path.name, len(piece)))
            self.wfile.write(piece)

    def log_message(self, *_: object) -> None:
        """Keeps the test's output clean."""


@contextmanager
def serving(folder: Path) -> Iterator[tuple[str, list[tuple[str, int]]]]:
    moved: list[tuple[str, int]] = []
    handler = type("Handler", (Server,), {"folder": folder, "moved": moved})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", moved
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_web_server_sends_only_the_index_and_the_needed_range(tmp_path: Path) -> None:
    pytest.importorskip("aiohttp", reason="needs the [remote] extra")
    save(tmp_path, BUNDLE)
    index = (tmp_path / "m.index").stat().st_size
    with serving(tmp_path) as (url, moved):
        with open_checkpoint(f"{url}/m") as checkpoint:
            assert checkpoint.inventory.data_files == (f"{url}/m.data-00000-of-00001",)
            assert checkpoint.read("b").tolist() == [0, 1, 2, 3]
        assert moved == [("m.index", index), ("m.data-00000-of-00001", 16)]
        with pytest.raises(CheckpointError, match=f"{url}/nothing: no such file"):
            open_checkpoint(f"{url}/nothing")
