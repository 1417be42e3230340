"""``ckptmap doctor``: what is installed, what works, and what to install."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ckptmap.basics.extras import install
from ckptmap.verbs import doctor as module
from ckptmap.verbs.doctor import EXTRAS, NEEDED, Ability, doctor
from ckptmap.version import __version__
from tests.cli.conftest import Run

PROBE = """
import sys
from ckptmap.cli.app import main
try:
    main(["doctor"])
finally:
    heavy = {"tensorflow", "numpy", "h5py", "pandas", "fsspec", "keras"}
    sys.stderr.write(repr(sorted(heavy & set(sys.modules))))
"""
ALL = {name: "1.2.3" for packages in EXTRAS.values() for name in packages} | dict.fromkeys(NEEDED, "2.0")


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The packages that are there, by name; a test may change them."""
    there = dict(ALL)
    monkeypatch.setattr(module, "_version", there.get)
    return there


def ability(name: str, **how: bool) -> Ability:
    return next(one for one in doctor(**how).abilities if one.name.startswith(name))


def test_all_is_there(installed: dict[str, str]) -> None:
    found = doctor()
    assert found.healthy
    assert {one.name for one in found.abilities if one.works is False} <= {"files are cloned (convert --data reflink)"}
    assert found.packages["numpy"] == "2.0"


@pytest.mark.parametrize(
    ("package", "name", "extra"),
    [
        ("h5py", "files of Keras", "keras"),
        ("fsspec", "checkpoints behind URLs", "remote"),
        ("pyarrow", "DataFrames", "pandas"),
        ("apache-beam", "fleets on Apache Beam", "beam"),
        ("tensorflow", "run frozen graphs", "tf"),
        ("tf-keras", "legacy Keras", "tf"),
        ("tf-models-research-object-detection", "run and export detectors", "tf"),
    ],
)
def test_an_extra_that_is_not_there_says_how_it_is_installed(
    installed: dict[str, str], package: str, name: str, extra: str
) -> None:
    assert ability(name).works
    del installed[package]
    found = ability(name)
    assert (found.works, found.broken, doctor().healthy) == (False, False, True)
    assert package in found.note
    assert found.hint.endswith(install(extra))


def test_the_core_without_a_package_is_broken(installed: dict[str, str], run: Run) -> None:
    del installed["cramjam"]
    result = run("doctor")
    assert result.code == 1
    assert "BROKEN  inspect, convert" in result.out
    assert "pip install cramjam" in result.out


def test_tensorflow_of_another_version_than_its_keras_is_broken(installed: dict[str, str], run: Run) -> None:
    installed["tf-keras"] = "2.19.0"
    installed["tensorflow"] = "2.20.1"
    assert run("doctor", "-q").code == 1
    found = ability("TensorFlow and legacy Keras fit")
    assert (found.broken, found.hint) == (True, "pip install 'tf-keras~=2.20.0'")


def test_what_urls_need_is_told(installed: dict[str, str]) -> None:
    installed |= {"aiohttp": "3"}
    found = ability("checkpoints behind URLs")
    assert (found.note, found.hint) == ("fsspec 1.2.3, https://", "gcsfs for gs://, s3fs for s3://")


def test_whether_files_are_cloned_is_tried_where_it_is_asked(tmp_path: Path) -> None:
    tried = next(one for one in doctor(folder=tmp_path).abilities if one.name.startswith("files are cloned"))
    assert tried.works in (True, False)
    assert str(tmp_path) in tried.note
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["no", "file", "n" * 300])
def test_a_folder_that_is_none_is_an_error(run: Run, tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    result = run("doctor", "--folder", tmp_path / name, "--json")
    assert (result.code, result.out) == (2, "")
    assert result.err == f"error: {tmp_path / name}: is no folder (name one that is there)\n"


def test_deep_is_not_tried_without_the_packages(installed: dict[str, str]) -> None:
    del installed["tf-slim"]
    assert ability("TensorFlow, legacy Keras and the API", deep=True).works is None


def test_deep_tells_what_the_import_raises(installed: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PROBE", "raise ImportError('no such symbol')")
    found = ability("TensorFlow, legacy Keras and the API", deep=True)
    assert (found.works, found.broken, found.note) == (False, True, "ImportError: no such symbol")
    monkeypatch.setattr(module, "_PROBE", "print('noise')\nprint('2.20.0', '2.20.1')")
    assert ability("TensorFlow, legacy Keras and the API", deep=True).note == "TensorFlow 2.20.0, tf-keras 2.20.1"


def test_it_says_what_it_is(run: Run) -> None:
    result = run("doctor")
    first, second, *_ = result.out.splitlines()
    assert first.startswith(f"ckptmap {__version__}, from ")
    assert second.startswith("Python 3.")
    assert result.out.splitlines()[-1].startswith("packages  cramjam ")


def test_json(run: Run) -> None:
    document = json.loads(run("doctor", "--json").out)
    assert document["schema"] == "ckptmap.doctor/1"
    assert document["ckptmap"] == __version__
    assert {"name", "works", "note", "hint", "broken"} == set(document["abilities"][0])


def test_it_imports_nothing_heavy() -> None:
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True)
    assert done.stderr == "[]"


def test_the_extras_are_those_of_the_package() -> None:
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8")
    for extra, packages in EXTRAS.items():
        section = re.search(rf"^{extra} = \[(.*?)\](?:$| +#)", text, re.MULTILINE | re.DOTALL)
        assert section is not None
        known = {name.lower() for name in re.findall(r'"([A-Za-z0-9_-]+)', section[1])}
        assert set(packages) <= known


@pytest.mark.slow
def test_deep_imports_all_of_it() -> None:
    pytest.importorskip("object_detection", reason="needs the [tf] extra")
    found = ability("TensorFlow, legacy Keras and the API", deep=True)
    assert found.works is True
    assert found.note.startswith("TensorFlow 2.")
