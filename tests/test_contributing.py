"""docs/contributing.md names files and values that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs/contributing.md").read_text("utf-8")
PATHS = sorted(
    {one for one in re.findall(r"`([\w./]+)`", PAGE) if re.match(r"(ckptmap|mappings|tests|docs)/|README", one)}
)
BEGINNINGS = sorted(set(re.findall(r"`((?:ckptmap|mappings|tests)/[\w./]*)<", PAGE)))
WORDS = {
    "EXTRACTORS": "ckptmap/families/detection/pipeline/models.py",
    "SLIM": "ckptmap/families/detection/recognition/backbones.py",
    "Family": "ckptmap/families/family.py",
    "Model": "ckptmap/families/family.py",
    "families": "ckptmap/families/registry.py",
    "Contribution": "ckptmap/basics/contributions.py",
    "CORE": "ckptmap/families/detection/core.py",
    "Op": "ckptmap/mapping/op.py",
    "Example": "tests/mapping/test_operations.py",
    "LOSSY": "tests/mapping/test_operations.py",
    "Reorder": "ckptmap/mapping/ops.py",
    "Classifier": "ckptmap/families/classification/models.py",
    "Language": "ckptmap/families/language/models.py",
    "_PLACES": "ckptmap/families/language/recognition.py",
    "_TABLES": "ckptmap/families/estimators/family.py",
    "Kind": "ckptmap/families/recurrent/family.py",
    "ENTRIES": "ckptmap/cli/commands.py",
    "Shown": "ckptmap/report/shown.py",
    "Sheet": "ckptmap/report/sheet.py",
    "Format": "ckptmap/report/formats.py",
}


def test_the_page_names_files() -> None:
    assert len(PATHS) > 25
    assert len(BEGINNINGS) > 5


@pytest.mark.parametrize("path", PATHS)
def test_a_file_is_there(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_the_folder_of_a_new_file_is_there(beginning: str) -> None:
    assert (ROOT / beginning.rpartition("/")[0]).is_dir()


@pytest.mark.parametrize(("word", "path"), WORDS.items())
def test_a_value_is_where_the_page_says(word: str, path: str) -> None:
    assert f"`{word}`" in PAGE
    assert re.search(rf"^(?:class |def )?{word}\b", (ROOT / path).read_text("utf-8"), re.MULTILINE)
