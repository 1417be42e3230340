"""A real server of S3's protocol on the loopback address: from it, to it, inside it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

moto = pytest.importorskip("moto.server", reason="S3's driver has an environment of its own: see docs/fleets.md")
s3fs = pytest.importorskip("s3fs", reason="S3's driver has an environment of its own: see docs/fleets.md")

import ckptmap  # noqa: E402
from ckptmap.basics.errors import OutputError  # noqa: E402
from ckptmap.checkpoint import remote, store  # noqa: E402
from tests.beam.buckets import DATA, FIXTURE, in_out_and_inside, large  # noqa: E402

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(scope="module")
def bucket() -> Iterator[Any]:
    """The file system of a server that runs as long as the tests of this file."""
    with pytest.MonkeyPatch.context() as environment:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            environment.setenv(name, "secretsecret")
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        environment.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        s3fs.S3FileSystem.clear_instance_cache()
        system = s3fs.S3FileSystem()
        system.mkdir("bucket")
        system.put(f"{FIXTURE}/", "bucket/old", recursive=True)
        yield system
        server.stop()


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, int]]:
    """Each request: what is asked, the object's name, and the bytes that go there."""
    monkeypatch.setattr(remote, "_PAUSES", (0, 0, 0))
    made: list[tuple[str, str, int]] = []
    call = s3fs.S3FileSystem._call_s3

    async def recorded(self: Any, method: str, *args: Any, **more: Any) -> Any:
        made.append((method, more.get("Key", "").rpartition("/")[2], len(more.get("Body", b""))))
        return await call(self, method, *args, **more)

    monkeypatch.setattr(s3fs.S3FileSystem, "_call_s3", recorded)
    return made


def test_a_detector_goes_in_comes_out_and_moves_inside(bucket: Any, tmp_path: Path) -> None:
    in_out_and_inside(bucket, tmp_path, "s3")


def test_a_rename_of_megabytes_moves_kilobytes(bucket: Any, calls: Any, tmp_path: Path) -> None:
    old = large(bucket, tmp_path, "s3")
    calls.clear()
    ckptmap.edit(old, output="s3://bucket/renamed", scope="net")
    assert sum(size for _, _, size in calls) < 10_000
    assert [method for method, name, _ in calls if name == DATA and method == "copy_object"] == ["copy_object"]
    assert bucket.size(f"bucket/renamed/{DATA}") == (12 << 20) + 40
    assert not [name for method, name, _ in calls if method == "get_object" and ".data-" in name]


def test_a_conversion_costs_as_many_requests_as_the_page_says(bucket: Any, calls: Any) -> None:
    page = (Path(__file__).parents[2] / "docs" / "fleets.md").read_text(encoding="utf-8")
    said = re.search(
        r"takes (\d+) requests of the dearer kind \((\d+) PUT, (\d+) COPY, (\d+) LIST\) and (\d+) GET or HEAD", page
    )
    assert said
    dear, puts, copies, lists, cheap = map(int, said.groups())
    s3fs.S3FileSystem.clear_instance_cache()
    calls.clear()
    ckptmap.convert("s3://bucket/old/model.ckpt", output="s3://bucket/counted")
    made = Counter(method for method, _, _ in calls)
    assert (made["put_object"], made["copy_object"]) == (puts, copies)
    assert made["list_objects_v2"] <= lists
    assert made["head_object"] + made["get_object"] <= cheap
    assert dear == puts + copies + lists
    assert set(made) == {"put_object", "copy_object", "list_objects_v2", "head_object", "get_object"}
    assert 200_000 < sum(size for _, _, size in calls) < 320_000  # the report, most of it


def test_an_upload_in_parts_that_dies_leaves_nothing(
    bucket: Any, calls: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_AT_ONCE", 1 << 20)
    monkeypatch.setattr(s3fs.core, "calculate_chunksize", lambda *_, **__: 5 << 20)
    monkeypatch.setattr(bucket, "max_concurrency", 1)
    old = large(bucket, tmp_path, "s3")
    recorded, dies = s3fs.S3FileSystem._call_s3, [True]

    async def dying(self: Any, method: str, *args: Any, **more: Any) -> Any:
        if method == "upload_part" and more["PartNumber"] == 3 and dies[0]:
            raise OSError("503 Slow Down")
        return await recorded(self, method, *args, **more)

    monkeypatch.setattr(s3fs.S3FileSystem, "_call_s3", dying)
    with pytest.raises(OutputError, match=f"s3://bucket/parts/{DATA}: cannot be written: 503 Slow Down"):
        ckptmap.edit(old, output="s3://bucket/parts", scope="net", data="copy")
    assert bucket.list_multipart_uploads("bucket") == []
    assert not bucket.exists("bucket/parts")
    dies[0] = False
    calls.clear()
    ckptmap.edit(old, output="s3://bucket/parts", scope="net", data="copy")
    assert sum(method == "upload_part" for method, _, _ in calls) == 3
    assert ckptmap.diff("s3://bucket/parts", old, read=True).summary["changed"] == 0


def test_a_busy_store_and_cut_lines_are_borne(bucket: Any, calls: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded, failed = s3fs.S3FileSystem._call_s3, set()

    async def once(self: Any, method: str, *args: Any, **more: Any) -> Any:
        asked = (method, more.get("Key"))
        if asked not in failed:
            failed.add(asked)
            raise OSError("503 Slow Down") if len(failed) % 2 else ConnectionResetError("cut")
        return await recorded(self, method, *args, **more)

    monkeypatch.setattr(s3fs.S3FileSystem, "_call_s3", once)
    ckptmap.convert("s3://bucket/old/model.ckpt", output="s3://bucket/borne")
    monkeypatch.setattr(s3fs.S3FileSystem, "_call_s3", recorded)
    assert {method for method, _ in failed} >= {"put_object", "copy_object", "get_object", "head_object"}
    assert ckptmap.diff("s3://bucket/borne", "s3://bucket/inside").equal


def test_two_writers_at_once(bucket: Any) -> None:
    def convert(number: int, output: str) -> str:
        try:
            ckptmap.edit("s3://bucket/old", output=output, scope=f"net{number}", data="copy")
        except OutputError:
            return "refused"
        return "written"

    with ThreadPoolExecutor(2) as threads:
        for turn in range(3):
            output = f"s3://bucket/two{turn}"
            told = list(threads.map(convert, (1, 2), (output, output)))
            assert sorted(told) in (["refused", "refused"], ["refused", "written"])
            if "written" in told:
                winner = told.index("written") + 1
                with ckptmap.open_checkpoint(output) as found:
                    assert {name.partition("/")[0] for name in found} - {"global_step"} == {f"net{winner}"}
                    assert found.read(f"net{winner}/BoxPredictor_0/BoxEncodingPredictor/biases").shape == (12,)


def test_a_pattern_and_a_second_run_of_many(bucket: Any, calls: Any) -> None:
    for name in ("a", "b"):
        bucket.copy("bucket/old", f"bucket/many/{name}", recursive=True)
    for fate in ("converted", "kept"):
        calls.clear()
        report = ckptmap.convert_many(["s3://bucket/many/*/model.ckpt.index"], output="s3://bucket/all", resume=True)
        assert [one["fate"] for one in report["conversions"]] == [fate, fate]
    assert {name for method, name, _ in calls if method == "put_object"} == {"batch.json"}
