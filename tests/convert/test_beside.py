"""The pipeline.config beside a checkpoint, and targets that nobody named."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

import ckptmap
from ckptmap.basics.errors import CkptmapError, TargetError
from ckptmap.families.detection.pipeline import textproto
from ckptmap.verbs.batch import convert_many
from tests.convert.conftest import tf1_values, write_tf1

FIXTURES = Path(__file__).parents[2] / "fixtures"
TINY = FIXTURES / "ssd_mobilenet_v2_tiny"
DEPTHWISE = FIXTURES / "ssd_mobilenet_v2_depthwise"
USED = "is used: it lies beside the checkpoint and agrees with it (no_pipeline=True leaves it out)"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return Path(shutil.copytree(TINY, tmp_path / "old"))


def edit(folder: Path, before: str, after: str) -> Path:
    path = folder / "pipeline.config"
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))
    return path


def test_the_source_alone_is_enough(old: Path, tmp_path: Path) -> None:
    report = ckptmap.convert(old, output=tmp_path / "new")
    assert report["target"]["name"] == "ssd_mobilenet_v2"
    assert report["source"]["notes"] == [f"{old / 'pipeline.config'} {USED}"]
    assert (report["verdict"]["kind"], report["verdict"]["presumed"]) == ("equal", False)
    assert (tmp_path / "new" / "pipeline.config").is_file()
    named = ckptmap.convert(old, pipeline=old / "pipeline.config", output=tmp_path / "named")
    assert named["source"]["notes"] == []
    changed = {**report["config"]["edits"][1], "new": named["config"]["edits"][1]["new"]}
    assert [report["config"]["edits"][0], changed] == named["config"]["edits"][:2]


def test_without_a_config_the_verdict_of_a_detector_is_presumed(old: Path, tmp_path: Path) -> None:
    report = ckptmap.convert(old, output=tmp_path / "new", no_pipeline=True)
    assert (report["verdict"]["kind"], report["verdict"]["presumed"]) == ("equal with the slim-exact extractor", True)


def test_a_target_that_is_named_is_the_config_s_or_the_config_is_not_used(old: Path) -> None:
    assert ckptmap.plan(old, to="ssd_mobilenet_v2").notes == (f"{old / 'pipeline.config'} {USED}",)
    path = edit(old, "ssd_mobilenet_v2", "ssd_mobilenet_v1")
    assert ckptmap.plan(old, to="ssd_mobilenet_v2").notes == (
        f"{path} is not used: its feature_extractor type is ssd_mobilenet_v1, the checkpoint's ssd_mobilenet_v2",
    )


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ("num_classes: 3", "num_classes: 5", "its num_classes is 5, the checkpoint's 3"),
        ("num_classes: 3", "num_classes: -5", "num_classes lies between 1 and 100000, not -5"),
        ("type: 'ssd_mobilenet_v2'", "type: 'ssd_mobilenet_v2_keras'", "already a TF2 config: ssd_mobilenet_v2_keras"),
        ("depth_multiplier: 0.1", "depth_multiplier: 1.0", "its depth_multiplier is 1, the checkpoint's 0.1"),
        ("num_layers: 6", "num_layers: 6 oops", "expected ':' or '{' after oops"),
        ("use_dropout: false", "use_dropout: false use_dropuot: true", "has no field use_dropuot"),
    ],
)
def test_a_config_that_disagrees_is_not_used_and_the_reason_is_said(
    old: Path, tmp_path: Path, before: str, after: str, reason: str
) -> None:
    path = edit(old, before, after)
    report = ckptmap.convert(old, output=tmp_path / "new")
    (note,) = report["source"]["notes"]
    assert note.startswith(f"{path} is not used: ")
    assert reason in note
    assert (report["summary"]["restored"], report["config"]) == (324, None)
    assert not (tmp_path / "new" / "pipeline.config").exists()


def test_what_only_the_plan_shows_to_disagree_is_not_used_either(old: Path) -> None:
    path = edit(old, "num_layers_before_predictor: 0", "num_layers_before_predictor: 2")
    text = path.read_text().replace("max_depth: 0", "max_depth: 64", 1)
    path.write_text(text)
    made = ckptmap.plan(old)
    assert made.findings == ()
    assert made.summary["restored"] == 324
    assert made.notes[0].startswith(f"{path} is not used: ")


def test_it_can_be_left_out(old: Path) -> None:
    made = ckptmap.plan(old, no_pipeline=True)
    assert (made.target, made.notes) == ("ssd_mobilenet_v2", ())
    with pytest.raises(CkptmapError, match="is named, but none may be used"):
        ckptmap.plan(old, pipeline=old / "pipeline.config", no_pipeline=True)


def test_a_template_says_its_model_itself(old: Path, tmp_path: Path) -> None:
    ckptmap.convert(old, output=tmp_path / "zoo")
    made = ckptmap.plan(old, to=tmp_path / "zoo" / "ckpt-0")
    assert "is not used: the argument to is a TF2 checkpoint" in made.notes[0]
    assert made.summary["restored"] == 324


def test_no_target_and_no_model_that_is_known(tmp_path: Path) -> None:
    source = write_tf1(tmp_path / "old" / "model.ckpt", tf1_values())
    with pytest.raises(TargetError, match="nothing says what to convert to, and ckptmap does not know") as told:
        ckptmap.plan(source)
    assert "give a target with the argument to" in told.value.problem.hint


def test_a_model_with_a_shipped_table_asks_for_a_checkpoint_of_it_alone(tmp_path: Path) -> None:
    values = {"dnn/logits/kernel": np.zeros((4, 3), np.float32), "dnn/logits/bias": np.zeros(3, np.float32)}
    values |= {"dnn/hiddenlayer_0/kernel": np.zeros((5, 4), np.float32)}
    values["dnn/hiddenlayer_0/bias"] = np.zeros(4, np.float32)
    source = write_tf1(tmp_path / "old" / "model.ckpt", values)
    with pytest.raises(TargetError, match="no target is shipped for the dnn") as told:
        ckptmap.plan(source)
    assert told.value.problem.hint == (
        "give a TF2 checkpoint of your model with the argument to; ckptmap inspect says how to make one"
    )


def test_a_pipe_beside_a_checkpoint_is_no_config(old: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no named pipes")
    (old / "pipeline.config").unlink()
    os.mkfifo(old / "pipeline.config")
    assert ckptmap.plan(old).notes == ()


def test_a_batch_uses_what_lies_beside_each(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        shutil.copytree(TINY, tmp_path / "zoo" / name)
    shutil.copytree(DEPTHWISE, tmp_path / "zoo" / "d")
    edit(tmp_path / "zoo" / "c", "num_classes: 3", "num_classes: 7")
    report = convert_many(sorted((tmp_path / "zoo").iterdir()), output=tmp_path / "new")
    assert [one["fate"] for one in report["conversions"]] == ["converted"] * 4
    notes = [one["notes"][0] for one in report["conversions"]]
    assert notes[:2] == [f"{tmp_path / 'zoo' / name / 'pipeline.config'} {USED}" for name in "ab"]
    assert notes[2].endswith("is not used: its num_classes is 7, the checkpoint's 3")
    written = {name: (tmp_path / "new" / name / "pipeline.config").exists() for name in "abc"}
    assert written == {"a": True, "b": True, "c": False}
    named = textproto.read(tmp_path / "new" / "b" / "pipeline.config").text
    assert (tmp_path / "new" / "b" / "ckpt-0").as_posix() in named
    assert report["plans"] == 3


def _edits(report: Mapping[str, object]) -> object:
    return report["config"]


@pytest.mark.parametrize("named", [True, False])
def test_a_dry_run_lists_the_edits_of_the_real_run(old: Path, tmp_path: Path, named: bool) -> None:
    how = {"pipeline": old / "pipeline.config"} if named else {}
    dry = ckptmap.convert(old, output=tmp_path / "new", dry_run=True, num_classes=5, **how)  # type: ignore[arg-type]
    assert not (tmp_path / "new").exists()
    real = ckptmap.convert(old, output=tmp_path / "new", num_classes=5, **how)  # type: ignore[arg-type]
    assert _edits(dry) == _edits(real)
    assert {**real, "output": None} == dry
    paths = [edit["path"] for edit in real["config"]["edits"]]
    assert "train_config.fine_tune_checkpoint" in paths


def test_a_config_is_read_once(old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And of the rest only what the edits touch, whatever the length of the file."""
    path = old / "pipeline.config"
    path.write_text(path.read_text() + "train_config { fine_tune_checkpoint: " + '"a" ' * 450_000 + "}\n")
    read: list[int] = []
    scan = textproto._Parser._scan

    def counting(self: textproto._Parser, text: str, start: int, end: int) -> object:
        read.append(end - start)
        return scan(self, text, start, end)

    monkeypatch.setattr(textproto._Parser, "_scan", counting)
    report = ckptmap.convert(old, pipeline=path, output=tmp_path / "new")
    assert report["summary"]["restored"] == 324
    assert read[0] == len(path.read_text())
    assert len(read) > 4
    assert sum(read[1:]) < 10_000


@pytest.mark.parametrize("given", ["a.pbtxt", ("a.pbtxt",), ("a.pbtxt", "b.pbtxt", "c.pbtxt")])
def test_label_maps_are_two(old: Path, given: object) -> None:
    with pytest.raises(CkptmapError, match="label maps are two files"):
        ckptmap.plan(old, label_maps=given)  # type: ignore[arg-type]


@pytest.mark.parametrize("count", [0, -1, 100_001])
def test_a_class_count_of_the_library_is_bounded_too(old: Path, count: int) -> None:
    with pytest.raises(CkptmapError, match=f"num_classes lies between 1 and 100000, not {count}"):
        ckptmap.plan(old, num_classes=count)


def test_a_batch_of_several_models_names_their_targets(tmp_path: Path) -> None:
    shutil.copytree(TINY, tmp_path / "zoo" / "a")
    write_tf1(tmp_path / "zoo" / "b" / "model.ckpt", tf1_values())
    report = convert_many(sorted((tmp_path / "zoo").iterdir()), output=None)
    assert (report["target"], report["table"], report["exit_code"]) == ("ssd_mobilenet_v2", "ssd_mobilenet_v2", 2)
    assert "does not know the model in the checkpoint" in report["conversions"][1]["error"]["message"]
