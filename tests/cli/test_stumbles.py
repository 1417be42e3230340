"""What a first user types wrong: each mistake says what to type instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run

CONFIG = "# from the zoo\nmodel {\n  ssd {\n    num_classes: 3\n  }\n}\n"
TABLE = "include: [{table: kinds/slim}]\nlayers: []\n"


@pytest.mark.parametrize("options", [["--to", "ssd_mobilenet_v2"], [], ["-o", "new", "--pipeline", "pipeline.config"]])
def test_convert_without_a_checkpoint_asks_for_one(run: Run, options: list[str]) -> None:
    result = run("convert", *options)
    assert result.code == 2
    assert "CHECKPOINT: name a checkpoint, or a list of them with --batch" in result.err


@pytest.mark.parametrize(
    ("name", "text", "advice"),
    [
        (
            "pipeline.config",
            CONFIG,
            "it looks like a pipeline.config: give its checkpoint here, and the config with --pipeline",
        ),
        (
            "label_map.pbtxt",
            "item {\n  id: 1\n  name: 'cat'\n}\n",
            "it looks like a label map: give the checkpoint here, and the label maps with --label-map OLD NEW",
        ),
        (
            "mine.yaml",
            TABLE,
            "it looks like a mapping table: give the checkpoint here, and the table with --table",
        ),
        (
            "report.json",
            '{"schema": "ckptmap.report/1"}\n',
            "it is a report of ckptmap: give the checkpoint that lies beside it, or read it with ckptmap report",
        ),
    ],
)
@pytest.mark.parametrize("verb", ["convert", "inspect"])
def test_another_file_in_place_of_the_checkpoint(
    run: Run, tmp_path: Path, verb: str, name: str, text: str, advice: str
) -> None:
    (tmp_path / name).write_text(text)
    result = run(verb, tmp_path / name, *(["-o", tmp_path / "new"] if verb == "convert" else []))
    assert (result.code, result.out) == (2, "")
    assert f"({advice})" in result.err


def test_a_misspelt_file_has_the_nearest_name_of_its_folder(run: Run, tmp_path: Path) -> None:
    for name in ("old.config", "report.json", "list.txt", "mine.yaml"):
        (tmp_path / name).write_text("")
    cases = {
        "old.config": ("config", "migrate", tmp_path / "odl.config", "-o", tmp_path / "new.config"),
        "report.json": ("report", tmp_path / "rport.json"),
        "list.txt": ("convert", "--batch", tmp_path / "lst.txt", "-o", tmp_path / "new"),
        "mine.yaml": ("rules", "check", tmp_path / "mien.yaml"),
    }
    for name, arguments in cases.items():
        result = run(*arguments)
        assert result.code == 2
        assert f"(did you mean {tmp_path / name}?)" in result.err
