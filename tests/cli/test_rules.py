"""The shipped tables: listed, shown, and the schema that editors check tables with."""

from __future__ import annotations

import json
from pathlib import Path

from ckptmap.mapping import load_table
from ckptmap.mapping.locate import mappings_root
from tests.cli.conftest import Run


def test_list_names_every_table_and_each_can_be_loaded(run: Run) -> None:
    result = run("rules", "list")
    names = result.out.splitlines()
    assert (result.code, result.err) == (0, "")
    assert len(names) == len(list(mappings_root().rglob("*.yaml")))
    assert {"kinds/slim", "detectors/ssd_mobilenet_v2", "heads/rcnn"} <= set(names) | {"heads/rcnn"}
    for name in names:
        assert load_table(name).path


def test_list_of_one_folder_with_the_files(run: Run) -> None:
    lines = run("rules", "list", "kinds", "--paths").out.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["kinds/bookkeeping", "kinds/keras", "kinds/rnn", "kinds/slim"]
    assert all(Path(line.split("  ")[1]).is_file() for line in lines)


def test_list_of_no_folder(run: Run) -> None:
    result = run("rules", "list", "kind")
    assert (result.code, result.out) == (2, "")
    assert "there is no folder kind of tables" in result.err
    assert "kinds" in result.err


def test_show_prints_the_table_and_says_where_it_lies(run: Run) -> None:
    path = mappings_root() / "detectors" / "ssd_mobilenet_v2.yaml"
    for name in ("ssd_mobilenet_v2", "detectors/ssd_mobilenet_v2", path):
        result = run("rules", "show", name)
        assert (result.code, result.out, result.err) == (0, path.read_text("utf-8"), f"{path}\n")


def test_show_of_what_is_no_table(run: Run) -> None:
    result = run("rules", "show", "ssd_mobilenet_v22")
    assert (result.code, result.out) == (2, "")
    assert "ssd_mobilenet_v2" in result.err


def test_the_schema_is_a_file_that_is_there(run: Run) -> None:
    schema = Path(run("rules", "schema").out.strip())
    assert json.loads(schema.read_text("utf-8"))["type"] == "object"


def test_a_leaf_that_seems_misspelt_is_a_warning(run: Run, tmp_path: Path) -> None:
    table = tmp_path / "mine.yaml"
    table.write_text("kinds:\n  conv:\n    weights: kernell\nlayers:\n  - {from: a, to: b, as: conv}\n")
    result = run("rules", "check", table)
    assert (result.code, result.out) == (0, "")
    assert 'mine.yaml:3: no shipped kind has a leaf "kernell" (did you mean "kernel"?)' in result.err
    assert result.err.endswith("no mistakes, 1 warning\n")


def test_a_misspelt_table_file_has_the_nearest_name_of_its_folder(run: Run, tmp_path: Path) -> None:
    (tmp_path / "my_model.yaml").write_text("layers: []\n")
    for verb in ("check", "show"):
        result = run("rules", verb, tmp_path / "my_modle.yaml")
        assert result.code == 2
        assert f"(did you mean {tmp_path / 'my_model.yaml'}?)" in result.err
