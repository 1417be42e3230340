import math
import shutil
from pathlib import Path

import pytest

from ckptmap.audit import Audit, Thresholds, audit
from ckptmap.audit.audit_document import audit_document
from ckptmap.basics.errors import CheckpointError, TargetError
from ckptmap.basics.wording import command_line
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.inventory import OBJECT_GRAPH_KEY
from ckptmap.checkpoint.object_graph import variable_key
from ckptmap.checkpoint.object_graph_writing import build_object_graph, format_object_graph
from ckptmap.checkpoint.object_writer import ObjectValue, write_object_checkpoint
from ckptmap.checkpoint.staging import Staging
from ckptmap.checkpoint.values import join_strings
from ckptmap.checkpoint.writer import BundleWriter
from ckptmap.report.formats import plain_text
from ckptmap.report.sheets import sheet_of
from ckptmap.verbs.conversion import convert

FIXTURES = Path(__file__).parents[2] / "fixtures"
TINY = FIXTURES / "ssd_mobilenet_v2_tiny"


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The tiny SSD MobileNet V2 as a TF2 checkpoint of both roots, with its migrated config."""
    folder = tmp_path_factory.mktemp("converted")
    for root in ("model", "feature_extractor"):
        report = convert(TINY, pipeline=TINY / "pipeline.config", output=folder / root, root=root)
        assert report["findings"] == []
    return {root: folder / root for root in ("model", "feature_extractor")}


def config(converted: dict[str, Path], folder: Path, *lines: str, drop: str = "", **fields: str) -> Path:
    """The migrated config with other fields in train_config."""
    text = (converted["model"] / "pipeline.config").read_text()
    assert drop in text
    kept = [line for line in text.replace(drop, "").splitlines() if "fine_tune_checkpoint" not in line]
    wanted = {"fine_tune_checkpoint_version": "V2", **fields}
    train = "\n".join([*(f"{name}: {value}" for name, value in wanted.items() if value), *lines])
    path = folder / "p.config"
    path.write_text("\n".join(kept) + "\ntrain_config {\n" + train + "\n}\n")
    return path


def summary(found: Audit) -> dict[str, int]:
    return {fate: count for fate, count in found.summary.items() if count}


def by_type(kind: str) -> dict[str, str]:
    return {"fine_tune_checkpoint_type": f'"{kind}"'}


def test_full_restores_all(converted: dict[str, Path], tmp_path: Path) -> None:
    found = audit(converted["model"], pipeline=config(converted, tmp_path, **by_type("full")))
    assert (found.passed, found.restored_share, found.prediction.error) == (True, 1.0, "")
    assert summary(found) == {"restored": 324, "read": 325}


def test_detection_leaves_the_heads(converted: dict[str, Path], tmp_path: Path) -> None:
    found = audit(converted["model"], pipeline=config(converted, tmp_path, **by_type("detection")))
    assert found.passed
    assert summary(found) == {"restored": 300, "reinitialized": 24, "read": 301, "unused": 24}
    reasons = {entry.reason for entry in found.prediction.entries if entry.fate.value == "reinitialized"}
    assert reasons == {"fine_tune_checkpoint_type detection does not load it"}


def test_classification_wants_another_root(converted: dict[str, Path], tmp_path: Path) -> None:
    asked = config(converted, tmp_path, **by_type("classification"))
    good = audit(converted["feature_extractor"], pipeline=asked)
    assert (good.passed, summary(good)) == (True, {"restored": 260, "reinitialized": 64, "read": 261})
    bad = audit(converted["model"], pipeline=asked)
    assert bad.prediction.error == (
        "AssertionError: the checkpoint has no feature_extractor at its root, it has model, save_counter"
    )
    assert bad.prediction.hint == ('a checkpoint of root model is for fine_tune_checkpoint_type "detection" or "full"')
    assert summary(bad) == {"missing": 324, "unused": 325}


def test_the_type_that_is_not_given_is_classification(converted: dict[str, Path], tmp_path: Path) -> None:
    assert audit(converted["model"], pipeline=config(converted, tmp_path)).model.kind == "classification"
    older = config(converted, tmp_path, "from_detection_checkpoint: true")
    found = audit(converted["model"], pipeline=older)
    assert (found.model.kind, found.passed) == ("detection", True)
    notes = [remark.message for remark in found.remarks if remark.level == "note"]
    assert notes == ['from_detection_checkpoint is deprecated; it means fine_tune_checkpoint_type "detection"']


def test_another_class_count_stops_full_and_not_detection(converted: dict[str, Path], tmp_path: Path) -> None:
    def changed(kind: str) -> Path:
        path = config(converted, tmp_path, **by_type(kind))
        text = path.read_text()
        assert "num_classes: 3" in text
        path.write_text(text.replace("num_classes: 3", "num_classes: 11"))
        return path

    full = audit(converted["model"], pipeline=changed("full"))
    assert full.prediction.error.startswith("ValueError: BoxPredictor/ConvolutionalClassHead_0/ClassPredictor/")
    assert full.prediction.hint == (
        "convert the old checkpoint for this number of classes, ckptmap convert … --num-classes 11; or let "
        'fine_tune_checkpoint_type "detection" leave the heads aside'
    )
    assert summary(full) == {"restored": 312, "reinitialized": 12, "read": 325}
    detection = audit(converted["model"], pipeline=changed("detection"))
    assert (detection.passed, summary(detection)["restored"]) == (True, 300)


def test_version_v1_is_refused_whether_written_or_not(converted: dict[str, Path], tmp_path: Path) -> None:
    written = config(converted, tmp_path, fine_tune_checkpoint_version="V1", **by_type("full"))
    assert audit(converted["model"], pipeline=written).prediction.error == "ValueError: Checkpoint version should be V2"
    silent = config(converted, tmp_path, fine_tune_checkpoint_version="", **by_type("full"))
    found = audit(converted["model"], pipeline=silent)
    assert found.prediction.error == (
        "ValueError: Checkpoint version should be V2: V1 is what the API takes where the config says nothing"
    )
    assert found.prediction.hint == "write fine_tune_checkpoint_version: V2"


def test_a_checkpoint_of_names_is_refused_by_tf2(converted: dict[str, Path], tmp_path: Path) -> None:
    found = audit(TINY, pipeline=config(converted, tmp_path, **by_type("full")))
    assert found.prediction.error == "IOError: Checkpoint is expected to be an object-based checkpoint."
    assert found.prediction.hint == "TF2 reads nothing of a TF1 checkpoint: convert it first with ckptmap convert"
    by_target = audit(TINY, to="ssd_mobilenet_v2", given={"num_classes": 3, **anchors()})
    assert by_target.prediction.error == found.prediction.error


def anchors() -> dict[str, int]:
    return {"anchors_0": 3, **{f"anchors_{number}": 6 for number in range(1, 6)}, "predictor_kernel": 1}


def test_load_all_is_refused_by_tf2(converted: dict[str, Path], tmp_path: Path) -> None:
    path = config(converted, tmp_path, "load_all_detection_checkpoint_vars: true", **by_type("full"))
    found = audit(converted["model"], pipeline=path)
    assert found.prediction.error == "ValueError: train_pb2.load_all_detection_checkpoint_vars unsupported in TF2"


def test_a_misspelt_field_is_refused_and_frozen_variables_are_never_read(
    converted: dict[str, Path], tmp_path: Path
) -> None:
    path = config(converted, tmp_path, 'freeze_vars: "x"', 'freeze_variables: "y"', **by_type("full"))
    found = audit(converted["model"], pipeline=path)
    assert found.prediction.error == (
        "ParseError: the API refuses to read the config: TrainConfig has no field freeze_vars"
    )
    assert found.prediction.hint == "did you mean freeze_variables"
    messages = [remark.message for remark in found.remarks]
    assert "freeze_variables is never read by the TF2 training loop: every variable is trained" in messages


def test_paths_that_are_not_here(converted: dict[str, Path], tmp_path: Path) -> None:
    path = config(converted, tmp_path, fine_tune_checkpoint='"/nowhere/ckpt-0"', **by_type("full"))
    found = audit(converted["model"], pipeline=path)
    assert "fine_tune_checkpoint /nowhere/ckpt-0 is not on this machine" in [r.message for r in found.remarks]
    quiet = audit(converted["model"], pipeline=path, elsewhere=True)
    assert not any("not on this machine" in remark.message for remark in quiet.remarks)
    here = config(converted, tmp_path, fine_tune_checkpoint=f'"{converted["model"]}/ckpt-0"', **by_type("full"))
    found = audit(converted["model"], pipeline=here)
    assert not any(remark.message.startswith("fine_tune_checkpoint ") for remark in found.remarks)


def test_by_target_and_by_template(converted: dict[str, Path], tmp_path: Path) -> None:
    by_target = audit(converted["model"], to="ssd_mobilenet_v2")
    assert (by_target.passed, summary(by_target)) == (True, {"restored": 324, "read": 325})
    by_template = audit(converted["model"], like=converted["model"])
    assert summary(by_template) == {"restored": 324, "read": 325}
    detection = audit(converted["model"], like=converted["model"], kind="detection")
    assert summary(detection) == {"restored": 300, "reinitialized": 24, "read": 301, "unused": 24}


def test_an_index_alone_is_enough_where_it_is_asked_for(converted: dict[str, Path], tmp_path: Path) -> None:
    shutil.copy(converted["model"] / "ckpt-0.index", tmp_path / "ckpt-0.index")
    found = audit(tmp_path / "ckpt-0", to="ssd_mobilenet_v2", index_only=True)
    assert summary(found) == {"restored": 324, "read": 325}


def test_tf1_restores_by_name_and_shape(tmp_path: Path) -> None:
    text = (TINY / "pipeline.config").read_text()
    asked = tmp_path / "p.config"
    train = 'fine_tune_checkpoint_type: "detection" load_all_detection_checkpoint_vars: true'
    asked.write_text(text.replace("num_classes: 3", "num_classes: 11") + f"\ntrain_config {{ {train} }}\n")
    found = audit(TINY, pipeline=asked)
    assert (found.model.api, found.passed) == ("tf1", True)
    assert summary(found) == {"restored": 312, "reinitialized": 12, "read": 312, "unused": 13}
    head = next(e for e in found.prediction.entries if e.variable.name == "BoxPredictor_0/ClassPredictor/biases")
    assert head.reason == "another class count: shape [12] in the checkpoint, [36] in the model"
    asked.write_text(text + '\ntrain_config { fine_tune_checkpoint_type: "full" }\n')
    assert audit(TINY, pipeline=asked).prediction.error == "ValueError: Not supported fine_tune_checkpoint_type: full"


def test_tf1_says_nothing_where_no_name_matches_and_audit_does(converted: dict[str, Path], tmp_path: Path) -> None:
    asked = tmp_path / "p.config"
    asked.write_text(
        (TINY / "pipeline.config").read_text() + '\ntrain_config { fine_tune_checkpoint_type: "detection" }\n'
    )
    found = audit(converted["model"], pipeline=asked)
    assert not found.passed
    told = {remark.message: remark.hint for remark in found.remarks}
    assert told["nothing is restored: training would start from scratch, and TensorFlow would raise no error"] == (
        "the config is one of TF1, the checkpoint one of TF2: object paths, no names; for TF2 take the config that "
        f"convert wrote beside the checkpoint; ckptmap config migrate {asked} -o new.config makes one of TF2 of it too"
    )


def test_a_type_that_a_tf1_config_does_not_say_is_named_with_the_way_to_tf2() -> None:
    asked = TINY / "pipeline.config"
    found = audit(TINY, pipeline=asked)
    hint = next(remark.hint for remark in found.remarks if remark.message.startswith("nothing is restored"))
    assert hint == (
        'the config says no fine_tune_checkpoint_type, and the API\'s default is "classification", for a checkpoint of '
        'a classifier: for one of a detector write fine_tune_checkpoint_type: "detection"; for TF2, '
        f"ckptmap convert --pipeline {asked} {TINY / 'model.ckpt'} -o new converts the checkpoint and the config"
    )
    assert not any(remark.hint.startswith("accept with") for remark in found.remarks)
    assert "(the config says none: this is the API's default)" in plain_text(audit_document(found))


def test_a_restore_by_a_tf1_config_is_said_to_be_one_of_tf1(tmp_path: Path) -> None:
    asked = tmp_path / "p.config"
    train = 'train_config { fine_tune_checkpoint_type: "detection" load_all_detection_checkpoint_vars: true }'
    asked.write_text(f"{(TINY / 'pipeline.config').read_text()}\n{train}\n")
    found = audit(TINY, pipeline=asked)
    command = f"ckptmap convert --pipeline {asked} {TINY / 'model.ckpt'} -o new"
    assert [(one.message, one.hint) for one in found.remarks if one.level == "note"] == [
        (
            "the config is one of TF1: this is what the API on TF1 would restore",
            f"for TF2, {command} converts the checkpoint and the config",
        )
    ]
    assert "(the config says none" not in plain_text(audit_document(found))


def test_thresholds(converted: dict[str, Path], tmp_path: Path) -> None:
    asked = config(converted, tmp_path, **by_type("detection"))

    def errors(**demanded: object) -> list[str]:
        found = audit(converted["model"], pipeline=asked, thresholds=Thresholds(**demanded))
        return [remark.message for remark in found.remarks if remark.level == "error"]

    assert errors(min_restored=0.9) == []
    assert errors(min_restored=0.95) == ["92.6% of the model's variables are restored, 95.0% are demanded"]
    assert errors(require=("**/FeatureMaps/**",)) == []
    assert errors(require=("BoxPredictor",)) == [
        "24 of 24 variables that require=['BoxPredictor'] chooses are not restored"
    ]
    path = "model/_box_predictor/_prediction_heads"  # as inspect prints it
    assert errors(require=(path,)) == [f"24 of 24 variables that require=['{path}'] chooses are not restored"]
    assert errors(require=("Nothing/**",)) == ["no variable of the model matches require=['Nothing/**']"]
    assert errors(fail_on=("reinitialized",)) == ["24 reinitialized variables of ssd_mobilenet_v2_keras"]
    assert errors(fail_on=("reinitialized", "unused"), allow=("BoxPredictor", "model/_box_predictor")) == []


def test_a_pattern_that_chooses_nothing_is_an_error_with_what_is_near(
    converted: dict[str, Path], tmp_path: Path
) -> None:
    asked = config(converted, tmp_path, **by_type("detection"))

    def errors(**demanded: object) -> list[tuple[str, str]]:
        found = audit(converted["model"], pipeline=asked, thresholds=Thresholds(**demanded))
        return [(remark.message, remark.hint) for remark in found.remarks if remark.level == "error"]

    assert errors(require=("BoxPredicter",)) == [
        ("no variable of the model matches require=['BoxPredicter']", 'nearest: "BoxPredictor"')
    ]
    assert errors(allow=("*BoxHead*",)) == [
        (
            "no variable matches allow=['*BoxHead*']",
            '"**BoxHead**" matches 12: * and ? stop at /, ** crosses it',
        )
    ]
    assert errors(allow=("**BoxHead**",)) == []


def test_a_part_of_a_detection_model_is_no_question_of_another_model(converted: dict[str, Path]) -> None:
    with pytest.raises(
        TargetError, match="keras_mobilenet_v2 is not a detection model: the type detection means nothing"
    ):
        audit(converted["model"], to="keras_mobilenet_v2", kind="detection")


def test_nothing_names_the_model() -> None:
    with pytest.raises(TargetError, match="nothing says what to restore into"):
        audit(TINY)


def test_a_detection_checkpoint_needs_its_save_counter_and_other_weights_do_not(tmp_path: Path) -> None:
    def saved(name: str, path: str) -> Path:
        with Staging(tmp_path / name) as staging:
            with BundleWriter(staging, "ckpt") as writer:
                writer.add(variable_key(path), DType.FLOAT32, (1,), [bytes(4)])
                graph = format_object_graph(build_object_graph({path: "kernel"}))
                writer.add(OBJECT_GRAPH_KEY, DType.STRING, (), [join_strings([graph])])
                writer.finish()
            staging.commit()
        return tmp_path / name / "ckpt"

    detector = saved("detector", "model/_feature_extractor/kernel")
    assert audit(detector, like=detector).prediction.error == "AssertionError: the checkpoint has no save_counter"
    weights = saved("weights", "layer-1/kernel")
    assert audit(weights, like=weights).passed


def test_of_a_model_without_a_spec_audit_says_what_tf1_looks_at(tmp_path: Path) -> None:
    text = (TINY / "pipeline.config").read_text()
    asked = tmp_path / "p.config"
    train = 'fine_tune_checkpoint_type: "detection"'
    other = text.replace("ssd_mobilenet_v2", "ssd_my_own_net")
    assert other != text
    asked.write_text(f"{other}\ntrain_config {{ {train} }}\n")
    found = audit(TINY, pipeline=asked)
    assert (found.model.variables, found.prediction.entries) == (None, ())
    assert [(remark.message, remark.hint) for remark in found.remarks if remark.level == "error"] == [
        (
            "whether variables are missing cannot be told: the model's variables are not known",
            "demand nothing with fail_on=()",
        )
    ]
    assert not found.passed
    assert audit(TINY, pipeline=asked, thresholds=Thresholds(fail_on=())).passed
    assert [remark.message for remark in found.remarks if remark.level == "note"] == [
        (
            "300 of the checkpoint's 325 variables are in the scope FeatureExtractor, where type detection looks: "
            "TF1 restores those of them that the model has in the same shape"
        )
    ]


def test_a_damaged_object_graph_is_no_missing_one(converted: dict[str, Path], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(converted["model"], tmp_path / "copy"))
    data = next(folder.glob("*.data-*"))
    data.write_bytes(data.read_bytes().replace(b"_feature_extractor", b"_feature_extractos", 1))
    with pytest.raises(CheckpointError, match="_CHECKPOINTABLE_OBJECT_GRAPH"):
        audit(folder, to="ssd_mobilenet_v2")
    data.unlink()
    assert audit(folder, to="ssd_mobilenet_v2", index_only=True).passed


CASES = Path(__file__).resolve().parents[2].parent / "shared" / "cases"
HEAD = "BoxPredictor/ConvolutionalClassHead_0/ClassPredictor/kernel"


@pytest.mark.parametrize("classes", [1, 2, 4, 5, 6, 7, 11])
def test_another_class_count_is_told_by_the_class_head(converted: dict[str, Path], classes: int) -> None:
    """3 anchors at a location of 3 classes make 12 outputs, as 4 would of 2, and 2 of 5: the box head says 3."""
    found = audit(converted["model"], to="ssd_mobilenet_v2", given={"num_classes": classes})
    assert summary(found) == {"restored": 312, "reinitialized": 12, "read": 325}
    width = {entry.variable.name: entry.variable.shape[-1] for entry in found.prediction.entries}[HEAD]
    assert width == 3 * (classes + 1)
    assert found.prediction.error.startswith(f"ValueError: {HEAD}: another class count: shape [1, 1, 96, 12]")
    assert f"ckptmap convert … --num-classes {classes}" in found.prediction.hint


def test_the_class_count_of_a_config_is_held_against_the_heads_too(converted: dict[str, Path], tmp_path: Path) -> None:
    asked = config(converted, tmp_path, **by_type("full"))
    asked.write_text(asked.read_text().replace("num_classes: 3", "num_classes: 2"))
    found = audit(converted["model"], pipeline=asked)
    assert found.prediction.error.startswith(f"ValueError: {HEAD}: another class count")


@pytest.mark.skipif(not CASES.is_dir(), reason="the cases of ../shared are not here")
@pytest.mark.parametrize("classes", [1, 2, 4, 5, 6])
def test_the_case_of_three_classes(classes: int) -> None:
    found = audit(CASES / "models/L35/three_classes/ckpt-0", to="ssd_mobilenet_v2", given={"num_classes": classes})
    assert not found.passed
    assert {e.variable.part for e in found.prediction.entries if e.fate.value != "restored"} == {"class head"}


def test_the_right_class_count_passes(converted: dict[str, Path]) -> None:
    found = audit(converted["model"], to="ssd_mobilenet_v2", given={"num_classes": 3})
    assert (found.passed, summary(found)) == (True, {"restored": 324, "read": 325})


def test_an_absurd_class_count_is_refused(converted: dict[str, Path]) -> None:
    with pytest.raises(TargetError, match="num_classes lies between 1 and 100000, not 2147483647"):
        audit(converted["model"], to="ssd_mobilenet_v2", given={"num_classes": 2147483647})
    with pytest.raises(TargetError, match="anchors_0 lies between 1 and 10000, not 99999999"):
        audit(converted["model"], to="ssd_mobilenet_v2", given={"anchors_0": "99999999"})


@pytest.mark.parametrize("to", ["ssd_mobilenet_v2", "ssdlite_mobilenet_v2", "ssd_mobilenet_v2_keras"])
def test_a_tf1_checkpoint_is_sent_to_convert(to: str) -> None:
    found = audit(TINY, to=to)
    assert found.prediction.error == "IOError: Checkpoint is expected to be an object-based checkpoint."
    assert "convert it first with ckptmap convert" in found.prediction.hint
    assert not found.passed


def test_what_allow_is_said_to_accept_it_accepts(converted: dict[str, Path]) -> None:
    fates = ("unused", "reinitialized")
    with command_line():
        found = audit(converted["model"], to="ssd_mobilenet_v2", kind="detection", thresholds=Thresholds(fail_on=fates))
    hints = [remark.hint for remark in found.remarks if remark.level == "error"]
    assert [hint.count("--allow") for hint in hints] == [1, 1]
    patterns = tuple(word for hint in hints for word in hint.removeprefix("accept with ").split() if word != "--allow")
    again = Thresholds(fail_on=fates, allow=patterns)
    assert audit(converted["model"], to="ssd_mobilenet_v2", kind="detection", thresholds=again).passed


def test_nothing_is_said_to_accept_a_restore_that_fails(converted: dict[str, Path]) -> None:
    found = audit(converted["feature_extractor"], like=converted["model"])
    assert found.prediction.error
    assert [remark.hint for remark in found.remarks if remark.level == "error"] == [""]


def test_an_r_cnn_has_boxes_of_each_class(tmp_path: Path) -> None:
    def saved(name: str, classes: int) -> Path:
        shapes = {
            "_feature_extractor_for_proposal_features/kernel": (3,),
            "second/_box_prediction_head/kernel": (8, 4 * classes),
            "second/_class_prediction_head/kernel": (8, classes + 1),
        }
        return write_template(tmp_path / name / "ckpt-0", shapes)

    found = audit(saved("three", 3), like=saved("two", 2))
    unfit = {e.variable.part: e.reason for e in found.prediction.entries if e.fate.value != "restored"}
    assert unfit == {
        "box head": "another class count: shape [8, 12] in the checkpoint, [8, 8] in the model",
        "class head": "another class count: shape [8, 4] in the checkpoint, [8, 3] in the model",
    }
    assert "second/_class_prediction_head/kernel: another class count" in found.prediction.error


def write_template(prefix: Path, shapes: dict[str, tuple[int, ...]]) -> Path:
    objects = {
        path: ObjectValue(path, DType.FLOAT32, shape, [bytes(4 * math.prod(shape))]) for path, shape in shapes.items()
    }
    write_object_checkpoint(prefix, "model", objects)
    return prefix


SHARED_NAME = "blocks/{}/kernel"


def test_a_readable_name_of_several_variables_gives_way_to_the_object_path(tmp_path: Path) -> None:
    def saved(folder: str, *blocks: int) -> Path:
        paths = {SHARED_NAME.format(number): "dense/kernel" for number in blocks} | {"head/kernel": "head/kernel"}
        objects = {path: ObjectValue(name, DType.FLOAT32, (1,), [bytes(4)]) for path, name in paths.items()}
        (tmp_path / folder).mkdir()
        write_object_checkpoint(tmp_path / folder / "ckpt-0", "model", objects)
        return tmp_path / folder / "ckpt-0"

    one, six = saved("one", 0), saved("six", *range(6))
    found = audit(one, like=six, thresholds=Thresholds(require=("dense/kernel",)))
    assert found.prediction.error == (
        "AssertionError: 5 variables of the model not found in the checkpoint: blocks/1/kernel, …"
    )
    assert [remark.where for remark in found.remarks] == ["blocks/1/kernel", "blocks/1/kernel"]
    text = plain_text(audit_document(found))
    assert "blocks/{1..5}" in text
    assert "dense" not in text.replace("dense/kernel chooses", "").replace("require=['dense/kernel']", "")
    report = convert(one, to=six, output=None)
    assert report["findings"][0]["where"] == "blocks/1/kernel"
    assert "missing           5  model/blocks/{1..5}" in plain_text(report)
    assert next(row.name for row in sheet_of(report).rows if row.fate == "missing") == "model/blocks/1/kernel"
    assert {one["name"] for one in report["target_variables"]} == {"dense/kernel", "head/kernel"}
