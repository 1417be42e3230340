"""Outputs in a store: whole or not at all, whoever dies, whoever else writes, whatever the line does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ckptmap
from ckptmap.basics.errors import BusyError, CheckpointError, OutputError
from ckptmap.checkpoint import remote
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.reader import open_checkpoint
from ckptmap.cli import main
from tests.checkpoint.strategies import Value
from tests.checkpoint.test_writer import save

pytest.importorskip("fsspec", reason="needs the [remote] extra")

from tests.stores import Store, emptied, moved

FIXTURE = Path(__file__).parents[2] / "fixtures" / "ssd_mobilenet_v2_tiny"
OLD, NEW = "store://bucket/old", "store://bucket/new"
VALUES = {
    "net/a": Value(DType.FLOAT32, np.arange(6, dtype=np.float32).reshape(2, 3)),
    "net/b": Value(DType.UINT8, np.full(300_000, 7, np.uint8)),
    "net/c": Value(DType.INT64, np.arange(5)),
}
DATA = "model.ckpt.data-00000-of-00001"


class Killed(BaseException):
    """The process dies here."""


@pytest.fixture(autouse=True)
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Store]]:
    monkeypatch.setattr(remote, "_PAUSES", (0, 0, 0))
    with emptied() as found:
        yield found


def put(folder: Path, url: str) -> None:
    system = Store()
    for path in folder.iterdir():
        system.pipe_file(f"{url}/{path.name}", path.read_bytes())
    Store.requests.clear()


@pytest.fixture
def old(tmp_path: Path) -> str:
    """A checkpoint of three values in the store."""
    (tmp_path / "old").mkdir()
    save(tmp_path / "old", VALUES)
    put(tmp_path / "old", OLD)
    return f"{OLD}/m"


def values(path: str) -> dict[str, Any]:
    with open_checkpoint(path) as checkpoint:
        return {name: checkpoint.read(name).tolist() for name in checkpoint}


def expected(scope: str = "") -> dict[str, Any]:
    return {f"{scope}{name}": one.array.tolist() for name, one in VALUES.items()}


def names(url: str) -> list[str]:
    return sorted(name.rpartition("/")[2] for name in Store().ls(url, detail=False))


def seen(url: str) -> dict[str, Any] | None:
    """What a reader finds: all values, or no checkpoint."""
    before, Store.before, after, Store.after = Store.before, None, Store.after, None
    try:
        return values(url)
    except CheckpointError as error:
        if "index" not in str(error) and "no such" not in str(error):
            raise
        return None
    finally:
        Store.before, Store.after = before, after


def test_the_index_comes_last_and_no_reader_sees_less_than_all(tmp_path: Path) -> None:
    save(tmp_path, VALUES)
    found = []
    Store.after = lambda kind, name: found.append((kind, name, seen(f"{NEW}/model.ckpt") is not None))
    report = ckptmap.edit(tmp_path / "m", output=NEW, scope="top")
    assert found == [
        ("write", DATA, False),
        ("write", "checkpoint", False),
        ("write", "report.json", False),
        ("write", "model.ckpt.index", True),
    ]
    assert values(NEW) == expected("top/")
    assert report["output"]["checkpoint"] == f"{NEW}/model.ckpt"
    assert json.loads(Store().cat_file(f"{NEW}/report.json")) == dict(report)


def test_a_detector_in_a_store_is_the_one_on_disk(tmp_path: Path) -> None:
    put(FIXTURE, OLD)
    ckptmap.convert(FIXTURE, output=tmp_path / "here", data="copy")
    ckptmap.convert(FIXTURE, output=NEW)
    for path in (tmp_path / "here").iterdir():
        if path.name not in ("report.json", "pipeline.config", ".ckptmap-lock"):
            assert Store().cat_file(f"{NEW}/{path.name}") == path.read_bytes(), path.name
    assert 'fine_tune_checkpoint: "store://bucket/new/ckpt-0"' in Store().cat_file(f"{NEW}/pipeline.config").decode()


def test_unchanged_data_stays_in_the_store(old: str) -> None:
    report = ckptmap.edit(old, output=NEW, scope="top")
    assert moved("copy") == {DATA: 300_064}
    assert DATA not in moved("read")
    assert sum(moved("read").values()) + sum(moved("write").values()) < 10_000
    assert (report["output"]["data"], report["output"]["kept"]) == ("store", 3)
    assert values(NEW) == expected("top/")


def test_a_copy_in_the_store_is_read_where_it_is_asked_for(old: str) -> None:
    report = ckptmap.edit(old, output=NEW, scope="top", verify_data=True)
    assert moved("read")["m.data-00000-of-00001"] == 300_064
    assert report["output"]["verified"] == 3
    system = Store()
    raw = bytearray(system.cat_file(f"{OLD}/m.data-00000-of-00001"))
    raw[40] ^= 1
    system.pipe_file(f"{OLD}/m.data-00000-of-00001", bytes(raw))
    with pytest.raises(CheckpointError, match="checksum"):
        ckptmap.edit(old, output="store://bucket/third", scope="top", verify_data=True)


def test_only_what_is_wanted_comes_through_here_where_copies_are(old: str) -> None:
    report = ckptmap.edit(old, output=NEW, drop=["net/b"], data="copy")
    assert moved("read")["m.data-00000-of-00001"] == 300_064  # one request: the hole is smaller than another is worth
    assert moved("write")[DATA] == 64
    assert report["output"]["data"] == "copy"
    assert [kind for kind, name, _ in Store.requests if name == "m.data-00000-of-00001"] == ["read"]


def test_a_detector_comes_from_a_store_in_one_request(tmp_path: Path) -> None:
    put(FIXTURE, OLD)
    ckptmap.convert(OLD, output=tmp_path / "new")
    requests = [name for kind, name, _ in Store.requests if kind == "read"]
    assert requests.count("model.ckpt.data-00000-of-00001") <= 2  # the step, and all values
    ckptmap.convert(FIXTURE, output=tmp_path / "again", no_pipeline=True)
    assert values(str(tmp_path / "new")) == values(str(tmp_path / "again"))


@pytest.mark.parametrize("data", ["auto", "copy"])
def test_a_busy_store_and_a_bad_line_are_borne(old: str, data: Any) -> None:
    failed: set[tuple[str, str]] = set()

    def once(kind: str, name: str) -> None:
        if (kind, name) not in failed:
            failed.add((kind, name))
            raise OSError("503 Slow Down") if len(failed) % 2 else ConnectionResetError("cut")

    Store.before, Store.cut = once, 2
    ckptmap.edit(old, output=NEW, scope="top", data=data)
    Store.before = None
    assert len(failed) >= 6
    assert values(NEW) == expected("top/")


def test_a_store_that_stays_busy_is_an_error_that_names_the_object(old: str) -> None:
    def busy(kind: str, name: str) -> None:
        if kind == "write":
            raise OSError("503 Slow Down")

    Store.before = busy
    with pytest.raises(OutputError, match=rf"{NEW}/{DATA}: cannot be written: 503 Slow Down"):
        ckptmap.edit(old, output=NEW, scope="top")


def requests_of(old: str, **how: Any) -> int:
    """How many requests change the store in an edit."""
    Store.requests.clear()
    ckptmap.edit(old, output=NEW, **how)
    return sum(kind != "read" for kind, _, _ in Store.requests)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("data", ["auto", "copy"])
def test_killed_at_any_request_it_leaves_no_checkpoint_and_the_next_run_ends_it(old: str, data: Any, when: str) -> None:
    points = requests_of(old, scope="top", data=data)
    assert points == {"auto": 5, "copy": 4}[data]
    for point in range(points):
        Store().rm(NEW, recursive=True)
        left = [point]

        def die(kind: str, name: str, left: list[int] = left) -> None:
            if kind != "read":
                if not left[0]:
                    raise Killed
                left[0] -= 1

        setattr(Store, when, die)
        with pytest.raises(Killed):
            ckptmap.edit(old, output=NEW, scope="top", data=data)
        done = seen(f"{NEW}/model.ckpt")
        assert done in (None, expected("top/"))
        assert (done is not None) == (point == points - 1 and when == "after")
        Store.before = Store.after = None
        ckptmap.edit(old, output=NEW, scope="top", data=data, if_exists="skip")
        assert values(NEW) == expected("top/")


@pytest.mark.parametrize("data", ["auto", "copy"])
def test_killed_while_it_replaces_it_leaves_the_old_or_the_new(old: str, data: Any) -> None:
    ckptmap.edit(old, output=NEW, scope="one", data=data)
    points = requests_of(old, scope="two", data=data, force=True)
    assert points == {"auto": 7, "copy": 6}[data]
    found = []
    for point in range(points):
        Store().rm(NEW, recursive=True)
        ckptmap.edit(old, output=NEW, scope="one", data=data)
        left = [point]

        def die(kind: str, name: str, left: list[int] = left) -> None:
            if kind != "read":
                left[0] -= 1
                if left[0] < 0:
                    raise Killed

        Store.after = die
        with pytest.raises(Killed):
            ckptmap.edit(old, output=NEW, scope="two", data=data, force=True)
        Store.after = None
        assert values(NEW) in (expected("one/"), expected("two/"))
        found.append(values(NEW) == expected("two/"))
        ckptmap.edit(old, output=NEW, scope="last", data=data, force=True)
        assert values(NEW) == expected("last/")
    assert found == [False] * (points - 2) + [True, True]  # the index, and the removal of the old data


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("data", ["auto", "copy"])
def test_two_workers_at_the_same_work_make_it_once(old: str, data: Any, force: bool) -> None:
    if force:
        ckptmap.edit(old, output=NEW, scope="one", data=data)
    for kind, name in [("write", ""), ("copy", ""), ("write", "checkpoint"), ("write", "model.ckpt.index")]:
        if not force:
            Store().rm("store://bucket/new", recursive=True) if Store().exists(NEW) else None
        began = []

        def other(did: str, what: str, kind: str = kind, name: str = name, began: list[int] = began) -> None:
            if not began and did == kind and (not name or what == name):
                began.append(1)
                ckptmap.edit(old, output=NEW, scope="top", data=data, force=force)

        Store.before = other
        ckptmap.edit(old, output=NEW, scope="top", data=data, force=force)
        Store.before = None
        assert values(NEW) == expected("top/")


@pytest.mark.parametrize("data", ["auto", "copy"])
def test_two_workers_at_other_work_never_make_a_mixture(old: str, data: Any) -> None:
    for kind, name in [("write", DATA), ("write", "checkpoint"), ("write", "model.ckpt.index")]:
        if Store().exists(NEW):
            Store().rm("store://bucket/new", recursive=True)
        began = []

        def other(did: str, what: str, kind: str = kind, name: str = name, began: list[int] = began) -> None:
            if not began and did == kind and what == name:
                began.append(1)
                ckptmap.edit(old, output=NEW, scope="other", drop=["net/a"], data=data)

        Store.before = other
        with pytest.raises(BusyError, match="something other than what this run makes"):
            ckptmap.edit(old, output=NEW, scope="top", data=data)
        Store.before = None
        whole = {key: value for key, value in expected("other/").items() if key != "other/net/a"}
        assert seen(NEW) in (whole, expected("top/"), None)


def test_what_a_dead_run_of_other_work_left_is_no_output_of_this_one(old: str) -> None:
    Store().pipe_file(f"{NEW}/{DATA}", b"half of something")
    with pytest.raises(BusyError, match=r"add force=True"):
        ckptmap.edit(old, output=NEW, scope="top", data="copy")
    ckptmap.edit(old, output=NEW, scope="top", data="copy", force=True)
    assert values(NEW) == expected("top/")


def test_a_store_without_preconditions_is_asked_before(old: str) -> None:
    ckptmap.edit(old, output="plain://bucket/new", scope="top")
    Store().rm_file(f"{NEW}/model.ckpt.index")
    Store().pipe_file(f"{NEW}/report.json", b"{}")
    with pytest.raises(BusyError, match="something other than what this run makes"):
        ckptmap.edit(old, output="plain://bucket/new", scope="top")
    assert Store().cat_file(f"{NEW}/report.json") == b"{}"


def test_what_becomes_of_a_checkpoint_that_is_there(old: str) -> None:
    ckptmap.edit(old, output=NEW, scope="one")
    with pytest.raises(OutputError, match="is not empty"):
        ckptmap.edit(old, output=NEW, scope="two")
    Store.requests.clear()
    report = ckptmap.edit(old, output=NEW, scope="two", if_exists="skip")
    assert moved("write") == moved("copy") == {}
    assert report["output"]["checkpoint"] == f"{NEW}/model.ckpt"
    assert values(NEW) == expected("one/")
    ckptmap.edit(old, output=NEW, scope="two", if_exists="replace")
    assert values(NEW) == expected("two/")
    assert names(NEW) == ["checkpoint", "model.ckpt.data-00000-of-00002", "model.ckpt.data-00001-of-00002",
                          "model.ckpt.index", "report.json"]  # fmt: skip


def test_what_is_there_may_stay_on_disk_too(tmp_path: Path) -> None:
    save(tmp_path, VALUES)
    ckptmap.edit(tmp_path / "m", output=tmp_path / "new", scope="one")
    ckptmap.edit(tmp_path / "m", output=tmp_path / "new", scope="two", if_exists="skip")
    assert values(str(tmp_path / "new")) == expected("one/")
    ckptmap.edit(tmp_path / "m", output=tmp_path / "new", scope="two", if_exists="replace")
    assert values(str(tmp_path / "new")) == expected("two/")


def test_no_input_is_written_over(old: str) -> None:
    for output in (OLD, f"{OLD}/"):
        with pytest.raises(OutputError, match="holds the source checkpoint"):
            ckptmap.edit(old, output=output, scope="top", force=True)
    with pytest.raises(OutputError, match="is in a folder that this run writes"):
        ckptmap.convert_many([old, "store://bucket/other/m"], output="store://bucket", force=True)


def test_credentials_are_in_no_message_and_no_report(tmp_path: Path) -> None:
    save(tmp_path, VALUES)
    put(tmp_path, "store://me:secret@host/old")
    url = "store://me:secret@host/new"
    report = ckptmap.edit("store://me:secret@host/old/m", output=url, scope="top")
    said = [json.dumps(dict(report)), Store().cat_file(f"{url}/report.json").decode()]
    with pytest.raises(OutputError) as caught:
        ckptmap.edit("store://me:secret@host/old/m", output=url, scope="top")
    said.append(str(caught.value))
    with pytest.raises(CheckpointError) as missing:
        ckptmap.inspect("store://me:secret@host/none?token=abcdef")
    said.append(str(missing.value))
    assert "store://***@host/new" in said[2]
    assert not [text for text in said if "secret" in text or "abcdef" in text]


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    save(tmp_path, VALUES)
    with pytest.raises(OutputError, match="a web server cannot be written to"):
        ckptmap.edit(tmp_path / "m", output="https://example.org/new", scope="top")
    with pytest.raises(OutputError, match="unknown kind of URL"):
        ckptmap.edit(tmp_path / "m", output="nosuchscheme://new", scope="top")


def test_what_cannot_be_read_is_not_called_written(old: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: Any, **__: Any) -> Any:
        raise PermissionError("403 Forbidden")

    monkeypatch.setattr(Store, "ls", denied)
    with pytest.raises(OutputError, match=f"{NEW}: cannot be read: 403 Forbidden"):
        ckptmap.edit(old, output=NEW, scope="top")
    monkeypatch.setattr(Store, "glob", denied)
    with pytest.raises(CheckpointError, match=r"cannot be read: 403 Forbidden"):
        ckptmap.catalogue([f"{OLD}/*"])
    with pytest.raises(CheckpointError, match="unknown kind of URL"):
        ckptmap.catalogue(["nosuchscheme://bucket/*"])


def test_many_go_to_a_store_and_a_second_run_writes_their_report_alone(tmp_path: Path) -> None:
    put(FIXTURE, f"{OLD}/a")
    put(FIXTURE, f"{OLD}/b")
    sources = [f"{OLD}/a", f"{OLD}/b"]
    report = ckptmap.convert_many(sources, output=NEW, jobs=2)
    assert [one["fate"] for one in report["conversions"]] == ["converted", "converted"]
    assert report["conversions"][0]["report"] == f"{NEW}/a/report.json"
    Store.requests.clear()
    report = ckptmap.convert_many(sources, output=NEW, resume=True)
    assert [one["fate"] for one in report["conversions"]] == ["kept", "kept"]
    assert set(moved("write")) == {"batch.json"}
    assert moved("copy") == {}
    Store().pipe_file(f"{NEW}/batch.json", b"{}")
    with pytest.raises(OutputError, match="is not a report of ckptmap"):
        ckptmap.convert_many(sources, output=NEW, resume=True)


def test_a_url_with_a_star_stands_for_what_it_fits() -> None:
    for name in ("a", "b"):
        put(FIXTURE, f"{OLD}/{name}")
    for pattern in (f"{OLD}/*/model.ckpt*", f"{OLD}/*/model.ckpt.index"):
        report = ckptmap.catalogue([pattern])
        assert [one["path"] for one in report["checkpoints"]] == [f"{OLD}/a/model.ckpt", f"{OLD}/b/model.ckpt"]
    assert [one["problems"] for one in ckptmap.catalogue([f"{OLD}/*"])["checkpoints"]] == [[], []]
    with pytest.raises(CheckpointError, match="does not exist"):
        ckptmap.catalogue([f"{OLD}/c*"])


def test_the_mean_goes_to_a_store(old: str) -> None:
    Store().cp_file(f"{OLD}/m.index", f"{OLD}/n.index")
    Store().cp_file(f"{OLD}/m.data-00000-of-00001", f"{OLD}/n.data-00000-of-00001")
    ckptmap.average([old, f"{OLD}/n"], output=NEW)
    assert values(NEW) == expected()


def test_the_command_line_writes_checkpoints_reports_and_configs(capsys: pytest.CaptureFixture[str]) -> None:
    url = "store://bucket/cli"

    def run(*arguments: str) -> int:
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        return int(ended.value.code or 0)

    assert run("convert", str(FIXTURE), "-o", url, "--report", f"{url}/more.html") == 0
    assert names(url) == ["checkpoint", "ckpt-0.data-00000-of-00001", "ckpt-0.index", "more.html", "pipeline.config",
                          "report.json"]  # fmt: skip
    assert run("inspect", url, "-o", f"{url}/seen.json") == 0
    assert json.loads(Store().cat_file(f"{url}/seen.json"))["schema"] == "ckptmap.inspect/1"
    config = str(FIXTURE / "pipeline.config")
    assert run("config", "migrate", config, "-o", f"{url}/pipeline.config") == 2
    assert run("config", "migrate", config, "-o", f"{url}/other.config") == 0
    assert run("convert", str(FIXTURE), "-o", url, "--if-exists", "skip") == 0
    assert run("convert", str(FIXTURE), "-o", url) == 2
    for refused in (f"{url}/ckpt-0.index", f"{url}/report.json"):
        assert run("convert", str(FIXTURE), "-o", url, "--force", "--report", refused, "--format", "json") == 2
    assert "would replace" not in capsys.readouterr().out


def test_a_url_of_this_machine_needs_no_folder_before(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    save(tmp_path / "old", VALUES)
    place = tmp_path / "not" / "there"
    ckptmap.edit(f"file://{tmp_path.as_posix()}/old/m", output=f"file://{place.as_posix()}", scope="top")
    with open_checkpoint(place) as new:
        assert set(new.inventory.variables) == {"top/net/a", "top/net/b", "top/net/c"}
