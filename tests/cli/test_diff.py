import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from ckptmap.checkpoint.dtypes import DType
from tests.checkpoint.strategies import Value
from tests.checkpoint.test_writer import save
from tests.cli.conftest import Project, Run
from tests.convert.conftest import tf1_values, values, write_template, write_tf1

COMMANDS = ["::add-mask::x", " ::error::y", "##[error]z", "##vso[a b=c]y/::error::w"]


@pytest.fixture
def other(tmp_path: Path) -> Path:
    changed = {"net/conv/weights": values((1, 1, 3, 8), 12), "head/ClassPredictor/biases": values((9,))}
    return write_tf1(tmp_path / "other" / "model.ckpt", {**tf1_values(), **changed})


def test_equal_checkpoints_exit_with_0(run: Run, project: Project) -> None:
    result = run("diff", project.source, project.source.parent)
    assert (result.code, result.err) == (0, "")
    assert result.out.splitlines()[-1] == "equal: 7 variables compared"


def test_different_checkpoints_exit_with_1(run: Run, project: Project, other: Path) -> None:
    result = run("diff", project.source, other)
    assert result.code == 1
    assert "1 shape       0 dtype       1 changed       0 within tolerance       0 expected       5 equal" in result.out
    assert "head/ClassPredictor/biases  [4] → [9]" in result.out
    assert "net/conv/weights  max |Δ| 2, RMS 2, cosine 0.99969" in result.out
    assert result.out.splitlines()[-1] == "different: 2 of 7 variables"


def test_names_only(run: Run, project: Project, other: Path) -> None:
    result = run("diff", project.source, other, "--names-only")
    assert (result.code, result.out) == (1, "head/ClassPredictor/biases\nnet/conv/weights\n")


def test_stat_is_a_line_a_module(run: Run, project: Project, other: Path) -> None:
    result = run("diff", project.source, other, "--stat")
    assert result.out.splitlines() == [
        " head/ClassPredictor | 1 shape, 1 equal  [4] → [9]",
        " net/conv            | 1 changed  max |Δ| 2, RMS 2, cosine 0.99969",
        "different: 2 of 7 variables",
    ]


def test_all_lists_what_is_equal(run: Run, project: Project) -> None:
    assert "net/conv/BatchNorm" not in run("diff", project.source, project.source).out
    assert "net/conv/BatchNorm" in run("diff", project.source, project.source, "--all").out


def test_all_lists_every_group_and_says_what_is_left_out_without_it(run: Run, project: Project, tmp_path: Path) -> None:
    """20 modules that do not fold: 12 lines of what differs, and 20; none of what is equal, and 20."""
    names = [f"net/{letter}/weights" for letter in "abcdefghijklmnopqrst"]
    one, other, third = (
        write_tf1(tmp_path / side / "model.ckpt", {name: values((3,), start) for name in names})
        for side, start in (("one", 0), ("other", 1), ("third", 0))
    )
    few, every = (run("diff", one, other, *options).out.splitlines() for options in ((), ("--all",)))
    assert [sum("net/" in line for line in lines) for lines in (few, every)] == [12, 20]
    assert [sum("8 more groups" in line for line in lines) for lines in (few, every)] == [1, 0]
    assert len(every) == len(few) + 20 - 13
    few, every = (run("diff", one, third, *options).out.splitlines() for options in ((), ("--all",)))
    assert len(every) == len(few) + 21  # the fate, and its modules


def test_tolerance_and_match(run: Run, project: Project, other: Path) -> None:
    assert run("diff", project.source, other, "--match", "net/**", "--tolerance", "2").code == 0
    assert run("diff", project.source, other, "--match", "net/**", "--tolerance", "1.9").code == 1


def test_a_conversion_is_compared_across_the_migration(run: Run, project: Project) -> None:
    new = project.folder / "new"
    assert run("convert", *project.arguments, "-o", new).code == 0
    by_report = run("diff", project.source, new, "--map", new / "report.json")
    assert (by_report.code, by_report.out.splitlines()[-1]) == (0, "equal: 8 variables compared (2 expected)")
    by_table = run("diff", project.source, new, "--map", project.table, "--read")
    assert (by_table.code, by_table.out.splitlines()[-1]) == (0, "equal: 8 variables compared (2 expected)")


def test_across_a_migration_the_old_names_are_shown(run: Run, project: Project, other: Path) -> None:
    assert run("convert", *project.arguments, "-o", project.folder / "new").code == 0
    result = run("diff", other, project.folder / "new", "--map", project.table, "--names-only")
    assert (result.code, result.out) == (1, "head/ClassPredictor/biases\nnet/conv/weights\n")


def test_object_paths_are_shown_without_their_ending(run: Run, project: Project) -> None:
    result = run("diff", project.template, project.template, "--all")
    assert "1  save_counter\n" in result.out
    assert ".ATTRIBUTES" not in result.out


def test_json_is_one_document(run: Run, project: Project, other: Path) -> None:
    document = json.loads(run("diff", project.source, other, "--json").out)
    assert (document["schema"], document["equal"]) == ("ckptmap.diff/1", False)
    assert document["variables"][0] == {
        "name": "head/ClassPredictor/biases",
        "fate": "shape",
        "sources": [],
        "operations": [],
        "a": {"dtype": "float32", "shape": [4]},
        "b": {"dtype": "float32", "shape": [9]},
        "different": None,
        "max_delta": None,
        "rms": None,
        "cosine": None,
        "incomparable": None,
        "reason": None,
        "role": None,
        "owner": None,
    }


def test_reports_go_to_files(run: Run, project: Project, other: Path, tmp_path: Path) -> None:
    result = run("diff", project.source, other, "-o", tmp_path / "d.xml", "--format", "github", "--format", "junit")
    assert result.out.startswith("::error title=ckptmap diff::head/ClassPredictor: 1 variable shape")
    assert (tmp_path / "d.xml").read_text(encoding="utf-8").startswith('<?xml version="1.0" encoding="UTF-8"?>')


def test_what_cannot_be_read_or_written_is_an_error_of_one_line(run: Run, project: Project, tmp_path: Path) -> None:
    missing = run("diff", project.source, tmp_path / "nothing")
    assert (missing.code, missing.out) == (2, "")
    assert missing.err.startswith("error: ")
    unwritable = run("diff", project.source, project.source, "-o", tmp_path / "no" / "d.html")
    assert unwritable.code == 2
    assert f"d.html: there is no folder {tmp_path / 'no'} (make the folder first" in unwritable.err


def test_contradicting_options_are_refused(run: Run, project: Project) -> None:
    assert run("diff", project.source, project.source, "--stat", "--names-only").code == 2
    assert run("diff", project.source, project.source, "--json", "--format", "csv").code == 2


@pytest.mark.parametrize(
    "form",
    [
        ["--names-only"],
        ["--stat"],
        [],
        ["--format", "csv"],
        ["--format", "json"],
        ["--format", "markdown"],
        ["--format", "junit"],
    ],
)
def test_no_name_is_a_command_of_a_ci(run: Run, tmp_path: Path, form: list[str]) -> None:
    one, other = (
        save(tmp_path / side, {name: Value(DType.FLOAT32, np.array([at], np.float32)) for name in COMMANDS})
        for at, side in enumerate("ab")
    )
    result = run("diff", one, other, *form)
    assert result.code == 1
    assert not re.search(r"(?m)^\s*::|##\w*\[", result.out)


@pytest.mark.parametrize("pattern", ["Conv1/kernel", "model/backbone/layer-0/kernel"])
def test_match_takes_readable_names_and_object_paths(run: Run, tmp_path: Path, pattern: str) -> None:
    one, other = write_template(tmp_path / "a" / "ckpt-0"), write_template(tmp_path / "b" / "ckpt-0")
    result = run("diff", one, other, "--match", pattern)
    assert (result.code, result.out.splitlines()[-1]) == (0, "equal: 1 variable compared")
    assert run("diff", one, other, "--match", "Conv1/*").out.splitlines()[-1] == "equal: 1 variable compared"
    nothing = run("diff", one, other, "--match", pattern, "--match", "Conv2/kernel")
    assert nothing.code == 2
    assert 'no variable matches --match Conv2/kernel (nearest: "Conv1/kernel")' in nothing.err


def test_a_pattern_that_chooses_nothing_is_an_error(run: Run, project: Project, tmp_path: Path) -> None:
    arguments = ("diff", project.source, project.source)
    result = run(*arguments, "--match", "*weights", "--match", "net/**", "-o", tmp_path / "d.xml")
    assert (result.code, result.out) == (2, "")
    assert "no variable matches --match '*weights' (\"**weights\" matches 2: * and ? stop at /, ** crosses it)" in (
        result.err
    )
    assert not (tmp_path / "d.xml").exists()
    assert "* and ? stop at /, ** crosses it" in " ".join(run("diff", "--help").out.split())
    new = project.folder / "new"
    assert run("convert", *project.arguments, "-o", new).code == 0
    across = ("diff", project.source, new, "--map", new / "report.json")
    assert run(*across, "--match", "nett").code == 2
    assert run(*across, "--match", "net").code == 0
    nothing = run(*across, "--match", "global_step")
    assert (nothing.code, nothing.out.splitlines()[-1]) == (
        1,
        "nothing was compared: 1 variable without a counterpart, as expected",
    )


def test_names_of_tf1_against_object_paths_name_the_map(run: Run, project: Project) -> None:
    new = project.folder / "new with space"
    assert run("convert", *project.arguments, "-o", new).code == 0
    command = f"ckptmap diff {project.source} '{new}/ckpt-0' --map '{new}/report.json'"
    for one, other, said in ((project.source, new, "a has"), (new, project.source, "b has")):
        result = run("diff", one, other)
        assert result.code == 1
        lines = result.out.splitlines()
        assert f"next      {command}" in lines
        assert any(line.startswith(f"note      {said} names of TF1, ") for line in lines)
    assert run(*shlex.split(command)[1:]).code == 0
    (new / "report.json").unlink()
    assert "next      ckptmap diff " in run("diff", project.source, new).out
    assert run("diff", project.source, new).out.splitlines()[-2].endswith("--map TARGET_OR_TABLE")
    tiny = Path(__file__).parents[2] / "fixtures" / "ssd_mobilenet_v2_tiny"
    assert run("diff", tiny, new).out.splitlines()[-2].endswith("--map ssd_mobilenet_v2")
    assert "next " not in run("diff", project.source, project.source).out


def test_the_way_back_is_no_migration(run: Run, project: Project) -> None:
    new = project.folder / "new"
    assert run("convert", *project.arguments, "-o", new).code == 0
    result = run("diff", new, project.source, "--map", new / "report.json")
    assert result.code == 2
    assert f"this is TF2 (give {project.source} first)" in result.err


def test_slots_do_not_stand_as_the_weights_they_belong_to(run: Run, tmp_path: Path) -> None:
    weights = {"net/logits/weights": values((2, 3)), "net/logits/biases": values((3,))}
    slots = {f"{name}/RMSProp{n}": value for name, value in weights.items() for n in ("", "_1")}
    a = write_tf1(tmp_path / "a" / "m", weights)
    b = write_tf1(tmp_path / "b" / "m", {**weights, **slots})
    result = run("diff", a, b, "-o", tmp_path / "d.xml")
    assert result.code == 1
    assert "  only in b            4  optimizer slots\n" in result.out
    assert "2  net/logits/*/RMSProp\n" in result.out
    assert "2  net/logits/*/RMSProp_1\n" in result.out
    assert 'name="net/logits/weights"' not in (tmp_path / "d.xml").read_text(encoding="utf-8")
    assert run("diff", a, b, "--stat").out.splitlines()[:2] == [
        " net/logits/*/RMSProp   | 2 only in b",
        " net/logits/*/RMSProp_1 | 2 only in b",
    ]


L25 = Path(__file__).parents[2].parent / "shared" / "cases" / "models" / "L25"


@pytest.mark.skipif(not L25.is_dir(), reason="the case models/L25 is not on this machine")
def test_the_fine_tuned_slim_model(run: Run) -> None:
    nothing = run("diff", L25 / "a", L25 / "b", "--match", "*weights")
    assert (nothing.code, nothing.out) == (2, "")
    assert '("**weights" matches 6: ' in nothing.err
    result = run("diff", L25 / "a", L25 / "b")
    assert result.code == 1
    assert "only in b            4  optimizer slots\n" in result.out
    assert "2  InceptionResnetV2/Logits/Logits/weights" not in result.out


def test_a_pointer_in_place_of_the_data_is_told(run: Run, tmp_path: Path) -> None:
    prefixes = [write_tf1(tmp_path / side / "m", {"w": values((2, 3))}) for side in "ab"]
    data = tmp_path / "b" / "m.data-00000-of-00001"
    data.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n")
    result = run("diff", *prefixes)
    assert result.code == 0
    assert (
        f"note      {data}: this is a Git-LFS pointer, not the file itself: compared by the index alone\n" in result.out
    )
    assert run("diff", *prefixes, "--read").code == 2
