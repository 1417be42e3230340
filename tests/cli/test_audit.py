import json
from pathlib import Path

import pytest

from tests.cli.conftest import Project, Run

FIXTURES = Path(__file__).parents[2] / "fixtures"
TINY = FIXTURES / "ssd_mobilenet_v2_tiny"


@pytest.fixture
def new(run: Run, tmp_path: Path) -> Path:
    """The tiny SSD MobileNet V2 converted, with its migrated config."""
    assert run("convert", TINY, "--pipeline", TINY / "pipeline.config", "-o", tmp_path / "new").code == 0
    return tmp_path / "new"


def test_a_converted_checkpoint_restores_by_its_own_config(run: Run, new: Path) -> None:
    result = run("audit", new, "--pipeline", new / "pipeline.config")
    assert result.code == 0
    assert "324 restored       0 reinitialized       0 missing" in result.out
    assert 'TF2 Object Detection API, fine_tune_checkpoint_type "full"' in result.out
    assert result.out.splitlines()[-1] == "324 of 324 variables restored"


def test_a_restore_that_fails_exits_with_1(run: Run, new: Path) -> None:
    result = run("audit", TINY, "--pipeline", new / "pipeline.config")
    assert result.code == 1
    told = [line for line in result.out.splitlines() if "IOError" in line]
    assert len(told) == 1
    assert told[0].startswith("error ")
    assert "IOError: Checkpoint is expected to be an object-based checkpoint. (TF2 reads nothing of a TF1" in told[0]
    assert result.out.splitlines()[-1] == "the restore fails"
    assert run("audit", TINY, "--pipeline", new / "pipeline.config", "--exit-zero").code == 0


def test_thresholds_decide_the_exit_code(run: Run, new: Path) -> None:
    detection = ("audit", new, "--to", "ssd_mobilenet_v2", "--type", "detection")
    assert run(*detection).code == 0
    assert run(*detection, "--min-restored", "0.95").code == 1
    assert run(*detection, "--fail-on", "missing,reinitialized").code == 1
    assert run(*detection, "--fail-on", "missing,reinitialized", "--allow", "BoxPredictor").code == 0
    assert run(*detection, "--require", "**/FeatureMaps/**").code == 0
    assert run(*detection, "--require", "BoxPredictor").code == 1


def test_json_and_reports(run: Run, new: Path, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a.html", "a.md", "a.xml", "a.csv")]
    arguments = [item for file in files for item in ("-o", file)]
    document = json.loads(run("audit", new, "--like", new, *arguments, "--json").out)
    assert (document["schema"], document["passed"], document["restored_share"]) == ("ckptmap.audit/1", True, 1.0)
    assert document["target_variables"][0] == {
        "key": "_feature_extractor/classification_backbone/layer_with_weights-0/kernel",
        "name": "Conv1/kernel",
        "part": "backbone",
        "fate": "restored",
        "source": "model/_feature_extractor/classification_backbone/layer_with_weights-0/kernel"
        "/.ATTRIBUTES/VARIABLE_VALUE",
        "reason": None,
        "shape": [3, 3, 3, 8],
        "dtype": "float32",
    }
    assert [file.stat().st_size > 500 for file in files] == [True] * 4


def test_github_annotations_stand_on_the_lines_of_the_config(
    run: Run, new: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_WORKSPACE", str(new))
    config = new / "pipeline.config"
    text = config.read_text().replace("train_config {", 'train_config {\n  freeze_vars: "x"', 1)
    config.write_text(text)
    line = text[: text.index("freeze_vars")].count("\n") + 1
    lines = run("audit", new, "--pipeline", config, "--format", "github").out.splitlines()
    expected = "TrainConfig has no field freeze_vars (did you mean freeze_variables)"
    assert any(
        annotation.startswith(f"::error file=pipeline.config,line={line},title=ckptmap audit::{expected}")
        for annotation in lines
    )


def test_one_switch_for_what_is_not_on_this_machine(run: Run, new: Path) -> None:
    config = new / "pipeline.config"
    text = config.read_text()
    config.write_text(text + 'train_input_reader { label_map_path: "/nowhere/map.pbtxt" }\n')
    said = run("audit", new, "--pipeline", config).out
    assert "label_map_path /nowhere/map.pbtxt is not on this machine" in said
    quiet = run("audit", new, "--pipeline", config, "--elsewhere")
    assert (quiet.code, "not on this machine" in quiet.out) == (0, False)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--to", "ssd_mobilenet_v2", "--elsewhere"),
        ("--to", "ssd_mobilenet_v2", "--like", TINY),
        ("--pipeline", TINY / "pipeline.config", "--type", "full"),
        ("--pipeline", TINY / "pipeline.config", "--num-classes", "3"),
        ("--to", "ssd_mobilenet_v2", "--fail-on", "lost"),
        ("--to", "ssd_mobilenet_v2", "--fail-on", ""),
        ("--to", "ssd_mobilenet_v2", "--fail-on", ","),
    ],
)
def test_contradicting_options_are_refused(run: Run, arguments: tuple[object, ...]) -> None:
    assert run("audit", TINY, *arguments).code == 2


def test_what_is_not_there_is_an_error_of_one_line(run: Run, tmp_path: Path) -> None:
    result = run("audit", TINY, "--pipeline", tmp_path / "nothing.config")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("error: ")
    assert run("audit", TINY, "--to", "ssd_mobilenet_v22").code == 2


def test_what_fails_stands_before_the_lists_and_a_list_of_all_is_one_line(run: Run) -> None:
    result = run("audit", FIXTURES / "ssd_mobilenet_v2_training", "--to", "ssd_mobilenet_v2")
    lines = [line for line in result.out.splitlines() if line]
    assert result.code == 1
    assert [line.split()[0] for line in lines[4:]] == ["error", "unused", "the"]
    assert lines[5].split()[1:] == [
        "937",
        "all",
        "of",
        "them",
        "(--all",
        "lists",
        "them,",
        "--json",
        "has",
        "every",
        "one)",
    ]
    assert "FeatureExtractor/MobilenetV2/Conv" in run("audit", TINY, "--to", "ssd_mobilenet_v2", "--all").out


@pytest.mark.parametrize(
    "target",
    ["ssd_resnet50_v1_fpn", "faster_rcnn_resnet50", "mask_rcnn_resnet50", "ssd_mobilenet_v1", "keras_mobilenet"],
)
def test_a_checkpoint_of_another_model_is_a_finding_that_names_it(run: Run, new: Path, target: str) -> None:
    result = run("audit", new, "--to", target)
    assert (result.code, result.err) == (1, "")
    assert f"the checkpoint holds another model: it looks like ssd_mobilenet_v2, not {target}" in result.out
    assert "--to ssd_mobilenet_v2 audits this one" in result.out
    errors = [line.removeprefix("error").split()[0] for line in result.out.splitlines() if line.startswith("error")]
    assert errors[0] == "the"  # checkpoint holds another model, told before what TensorFlow raises
    assert errors[1] in ("AssertionError:", "ValueError:")
    assert "0 missing" not in result.out


def test_a_checkpoint_that_nobody_knows_is_a_finding_too(run: Run, project: Project) -> None:
    result = run("audit", project.template, "--to", "ssd_resnet50_v1_fpn")
    assert (result.code, result.err) == (1, "")
    assert "the checkpoint holds none of the variables of ssd_resnet50_v1_fpn" in result.out


def test_a_config_of_another_model_is_told_too(run: Run) -> None:
    result = run("audit", TINY, "--pipeline", FIXTURES / "ssd_mobilenet_v2_depthwise" / "pipeline.config")
    assert "another model" not in result.out  # the same network, another predictor


@pytest.mark.parametrize("to", [("--to", "ssd_mobilenet_v2"), ("--pipeline", TINY / "pipeline.config")])
def test_a_file_of_others_is_called_what_it_is(run: Run, tmp_path: Path, to: tuple[object, ...]) -> None:
    run("convert", TINY, "--write", "safetensors", "-o", tmp_path / "new")
    result = run("audit", tmp_path / "new" / "model.safetensors", *to)
    assert (result.code, "TF1 checkpoint" in result.out) == (1, False)
    assert "DataLossError: a safetensors file is not a checkpoint: TensorFlow restores nothing from it" in result.out


def test_an_index_without_its_data_names_the_option_that_does_without(run: Run, new: Path) -> None:
    (new / "ckpt-0.data-00000-of-00001").unlink()
    arguments = ("audit", new / "ckpt-0.index", "--to", "ssd_mobilenet_v2")
    refused = run(*arguments)
    assert refused.code == 2
    assert "this data file is missing (copy it there, it belongs beside the index; --index-only looks at" in refused.err
    assert run(*arguments, "--index-only").code == 0
