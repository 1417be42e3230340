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
            "mine.py",
            "import tensorflow as tf\n\n\ndef build():\n    return tf.keras.Sequential()\n",
            "it looks like Python code: give the checkpoint that the model has saved",
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


def test_a_list_is_no_checkpoint_and_a_table_is_no_list(run: Run, tmp_path: Path) -> None:
    listed, table = tmp_path / "list.txt", tmp_path / "fleet.csv"
    listed.write_text("# mine\nmodels/a\nmodels/b/model.ckpt\n")
    result = run("convert", listed, "-o", tmp_path / "new")
    assert result.code == 2
    assert "it looks like a list of checkpoints: ckptmap convert and ckptmap fleet inspect take one with --batch" in (
        result.err
    )
    table.write_text("path,kind,classes\nmodels/a,V2 bundle,3\n")
    result = run("convert", "--batch", table, "-o", tmp_path / "new")
    assert (result.code, "fleet.csv: is a table, not a list of checkpoints (write one path a line" in result.err) == (
        2,
        True,
    )


def test_a_pattern_that_the_shell_did_not_replace(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.index").write_bytes(b"")
    result = run("inspect", tmp_path / "b*")
    assert result.code == 2
    assert (
        "no such file (nothing matches it; or it was in quotes, and so the shell did not replace the *)" in result.err
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("audit", "a", "--min-restored", "95%"), "'95%' is not a number."),
        (("convert", "a", "--jobs", "many"), "'many' is not a whole number."),
        (("audit", "a", "--to", "b", "--fail-on", "foo"), "'foo' is not one of missing, unused, reinitialized, none"),
        (("audit", "a"), "error: say what is restored into: --to NAME"),
    ],
)
def test_a_wrong_value_is_told_in_plain_words(run: Run, arguments: tuple[str, ...], told: str) -> None:
    result = run(*arguments)
    assert (result.code, told in result.err) == (2, True)


def test_other_files_in_place_of_a_report_and_a_config(run: Run, tmp_path: Path) -> None:
    (tmp_path / "audit.xml").write_text("<testsuites/>")
    (tmp_path / "report.json").write_text("{}")
    result = run("report", tmp_path / "audit.xml")
    assert (result.code, "(give the report in JSON, such as report.json:" in result.err) == (2, True)
    result = run("config", "migrate", tmp_path / "report.json", "-o", tmp_path / "new.config")
    assert (result.code, "this is JSON, not the text of a protobuf" in result.err) == (2, True)


def test_several_again_are_told_of_resume(run: Run, tmp_path: Path) -> None:
    old = Path(__file__).parents[2] / "fixtures"
    convert = ("convert", old / "ssd_mobilenet_v2_tiny", old / "ssd_mobilenet_v2_depthwise", "-o", tmp_path / "new")
    assert run(*convert).code == 0
    result = run(*convert)
    assert (result.code, result.out.count("add --resume to keep what has not changed, or --force")) == (2, 2)
    assert run(*convert, "--resume").code == 0


def test_what_an_error_names_is_not_listed_again(run: Run, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "m.index").write_bytes(b"damaged")
    for command in (("fleet", "inspect", tmp_path), ("convert", tmp_path, "-o", tmp_path / "new")):
        shown = run(*command).out
        assert [line.split()[0] for line in shown.splitlines() if str(tmp_path / "a") in line] == ["error"]


def test_the_help_calls_a_number_a_number(run: Run) -> None:
    shown = run("help", "convert").out
    assert "--jobs <number>" in shown
    assert "range>" not in shown


def test_an_audit_that_restores_everything_is_not_told_to_lack_something(run: Run, tmp_path: Path) -> None:
    old = Path(__file__).parents[2] / "fixtures" / "ssd_mobilenet_v2_tiny" / "model.ckpt"
    convert = ("convert", old, "--to", "ssd_mobilenet_v2", "--no-pipeline", "-o", tmp_path / "new")
    assert run(*convert).code == 0
    result = run("audit", tmp_path / "new", "--to", "ssd_mobilenet_v2", "--allow", "nothing*")
    assert (result.code, result.out.splitlines()[-1]) == (1, "324 of 324 variables restored, but there are findings")
    again = run(
        "convert", old, "--to", "ssd_mobilenet_v2", "--no-pipeline", "-o", tmp_path / "new", "--if-exists", "skip"
    )
    assert (again.code, "holds a whole checkpoint: nothing is written" in again.err) == (0, True)


def test_for_a_table_no_other_file_is_proposed(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("old_model.py").touch()
    assert run("rules", "check", "my_model.yaml").err == "error: there is no table at my_model.yaml\n"
    Path("my_modle.yaml").touch()
    near = "error: there is no table at my_model.yaml (did you mean my_modle.yaml?)\n"
    assert run("rules", "check", "my_model.yaml").err == near
