import json
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import Project, Run
from tests.convert.conftest import tf1_values, values, write_template, write_tf1
from tests.convert.test_plan import label_maps


def test_convert_reports_what_it_wrote(run: Run, project: Project) -> None:
    result = run("convert", *project.arguments, "-o", project.folder / "new")
    assert (result.code, result.err) == (0, "")
    assert "6 restored       0 reinitialized       0 missing   of 6 target variables" in result.out
    assert "6 mapped       0 superseded       1 dropped       0 unused   of 7 source variables" in result.out
    assert "dropped           1  bookkeeping: global_step" in result.out
    assert result.out.endswith(
        "next    checkpoint = tf.train.Checkpoint(model=your_model)\n"
        f'        checkpoint.restore("{project.folder}/new/ckpt-0").assert_consumed()\n'
    )


@pytest.mark.parametrize("name", ["model.ckpt", "model.ckpt.index", "model.ckpt.data-00000-of-00001", ""])
def test_any_file_of_the_checkpoint_names_it(run: Run, project: Project, name: str) -> None:
    (project.source.parent / "checkpoint").write_text('model_checkpoint_path: "/somebody/elses/model.ckpt"\n')
    result = run("convert", project.source.parent / name, *project.arguments[1:], "--dry-run", "--json")
    assert result.code == 0
    assert json.loads(result.out)["source"]["path"] == str(project.source)


def test_dry_run_writes_nothing(run: Run, project: Project) -> None:
    before = sorted(project.folder.rglob("*"))
    result = run("convert", *project.arguments, "--dry-run", "-o", project.folder / "new")
    assert result.code == 0
    assert "dry run: nothing was written" in result.out
    assert sorted(project.folder.rglob("*")) == before


def test_json_is_one_document(run: Run, project: Project) -> None:
    result = run("convert", *project.arguments, "-o", project.folder / "new", "--json")
    report = json.loads(result.out)
    assert report == json.loads((project.folder / "new" / "report.json").read_text())
    assert report["schema"] == "ckptmap.report/1"
    assert report["target_variables"][0] == {
        "key": "model/backbone/layer-0/kernel",
        "name": "Conv1/kernel",
        "part": "backbone",
        "fate": "restored",
        "source": "net/conv/weights",
        "operations": [],
        "reason": None,
        "rule": f"{project.table}:5",
        "shape": [1, 1, 3, 8],
        "dtype": "float32",
        "fill": None,
    }


def test_findings_exit_with_1_and_write_nothing(run: Run, project: Project) -> None:
    write_tf1(project.source, {**tf1_values(), "other/scale": values((2,))})
    result = run("convert", *project.arguments, "-o", project.folder / "new")
    assert result.code == 1
    assert "accept with --allow-unused other/scale" in result.out
    assert "nothing was written" in result.out
    assert not (project.folder / "new").exists()
    accepted = run("convert", *project.arguments, "-o", project.folder / "new", "--allow-unused", "other/scale")
    assert accepted.code == 0


def test_another_class_count_is_restored_in_full(run: Run, project: Project) -> None:
    write_template(project.template, classes=3)
    result = run("convert", *project.arguments, "-o", project.folder / "new", "--num-classes", "2")
    assert (
        "reinitialized     2  class head: the target has another class count; the template's value: Head/ClassPredictor"
        in result.out
    )
    assert ".assert_consumed()" in result.out


def failure(run: Run, project: Project, *arguments: object) -> str:
    """The message of a conversion that fails with exit code 2, without a traceback, and leaves nothing behind."""
    result = run("convert", *(arguments or project.arguments), "-o", project.folder / "new")
    assert result.code == 2
    assert "Traceback" not in result.err
    assert result.out == ""
    assert not (project.folder / "new").exists()
    return result.err


def test_no_such_file(run: Run, project: Project) -> None:
    message = failure(run, project, project.source.with_name("modle.ckpt"), *project.arguments[1:])
    assert "modle.ckpt" in message
    assert "model.ckpt" in message.replace("modle.ckpt", "")


@pytest.mark.parametrize("suffix", [".index", ".data-00000-of-00001"])
def test_a_git_lfs_pointer(run: Run, project: Project, suffix: str) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 9876\n"
    project.source.with_name("model.ckpt" + suffix).write_text(pointer)
    message = failure(run, project)
    assert "git lfs pull" in message
    assert f"model.ckpt{suffix}" in message


def test_a_truncated_index(run: Run, project: Project) -> None:
    index = project.source.with_name("model.ckpt.index")
    index.write_bytes(index.read_bytes()[:-20])
    assert "model.ckpt.index" in failure(run, project)


def test_a_flipped_bit_in_the_index(run: Run, project: Project) -> None:
    index = project.source.with_name("model.ckpt.index")
    content = bytearray(index.read_bytes())
    content[30] ^= 4
    index.write_bytes(content)
    assert "checksum" in failure(run, project)


def test_a_flipped_bit_in_the_data(run: Run, project: Project) -> None:
    data = project.source.with_name("model.ckpt.data-00000-of-00001")
    content = bytearray(data.read_bytes())
    content[100] ^= 4
    data.write_bytes(content)
    message = failure(run, project)
    assert "checksum" in message
    assert "net/conv" in message


def test_a_truncated_data_file(run: Run, project: Project) -> None:
    data = project.source.with_name("model.ckpt.data-00000-of-00001")
    data.write_bytes(data.read_bytes()[:-8])
    assert "model.ckpt.data-00000-of-00001" in failure(run, project)


def test_a_missing_shard(run: Run, project: Project) -> None:
    project.source.with_name("model.ckpt.data-00000-of-00001").unlink()
    assert "model.ckpt.data-00000-of-00001" in failure(run, project)


def test_an_object_based_checkpoint_as_the_source(run: Run, project: Project) -> None:
    other = write_template(project.folder / "other" / "ckpt-0")
    message = failure(run, project, other, "--to", "ssd_mobilenet_v2")
    assert "is a TF2 checkpoint already" in message


def test_a_tf1_checkpoint_as_the_target(run: Run, project: Project) -> None:
    message = failure(run, project, project.source, "--table", project.table, "--to", project.source)
    assert "a TF1 checkpoint cannot be the target" in message


def test_an_unknown_target(run: Run, project: Project) -> None:
    message = failure(run, project, project.source, "--to", "ssd_mobilenet_v22")
    assert "ssd_mobilenet_v2" in message.replace("ssd_mobilenet_v22", "")


def test_a_yaml_mistake(run: Run, project: Project) -> None:
    project.table.write_text("layers:\n  - {from: a, to: b\n")
    message = failure(run, project)
    assert "my_model.yaml:" in message


def test_an_output_directory_that_is_not_empty(run: Run, project: Project) -> None:
    (project.folder / "new").mkdir()
    (project.folder / "new" / "old.txt").write_text("old")
    result = run("convert", *project.arguments, "-o", project.folder / "new")
    assert (result.code, result.out) == (2, "")
    assert "--force" in result.err
    assert [path.name for path in (project.folder / "new").iterdir()] == ["old.txt"]


def test_no_output_directory(run: Run, project: Project) -> None:
    result = run("convert", *project.arguments)
    assert result.code == 2
    assert "-o DIRECTORY" in result.err


def test_a_malformed_setting(run: Run, project: Project) -> None:
    result = run("convert", *project.arguments, "--dry-run", "--set", "use_dropout")
    assert result.code == 2
    assert "NAME=VALUE" in result.err


def test_control_characters_in_names_are_escaped(run: Run, project: Project, tmp_path: Path) -> None:
    write_tf1(project.source, {**tf1_values(), "evil\x1b]0;title\x07": values((2,))})
    result = run("convert", *project.arguments, "--dry-run")
    assert result.code == 1
    assert "\x1b" not in result.out + result.err
    assert "\x07" not in result.out + result.err
    assert r"evil\x1b]0;title\x07" in result.out


def test_the_step_is_carried_over_and_the_ranges_are_kept(run: Run, project: Project) -> None:
    ranges = {"net/conv/weights_quant/min": np.array(-1, np.float32)}
    write_tf1(project.source, {**tf1_values(), **ranges})
    result = run("convert", *project.arguments, "-o", project.folder / "new", "--step", "--ranges", "--json")
    assert result.code == 0
    report = json.loads(result.out)
    assert report["target_variables"][-1]["key"] == "step"
    assert report["quantization_ranges"] == {"net/conv/weights_quant/min": -1.0}


def test_label_maps_say_which_classes_are_carried_over(run: Run, project: Project) -> None:
    maps = label_maps(project.folder, "cat dog cow", "horse cat owl")
    result = run("convert", *project.arguments, "--label-map", *maps, "--dry-run")
    assert result.code == 0
    assert "  classes       1 of 3 carried over: cat; new: horse, owl; dropped: dog, cow\n" in result.out
