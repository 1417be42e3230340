import json
from pathlib import Path

from tests.cli.conftest import Run

CONFIG = Path(__file__).parents[2] / "fixtures" / "ssd_mobilenet_v2_tiny" / "pipeline.config"


def test_migrate_writes_the_tf2_config_and_lists_every_edit(run: Run, tmp_path: Path) -> None:
    result = run("config", "migrate", CONFIG, "-o", tmp_path / "new.config", "--checkpoint", "new/ckpt-0")
    assert result.code == 0
    assert "verdict: equal: ssd_mobilenet_v2_keras" in result.out
    assert "model.ssd.feature_extractor.type: 'ssd_mobilenet_v2' -> 'ssd_mobilenet_v2_keras'" in result.out
    old, new = CONFIG.read_text().splitlines(), (tmp_path / "new.config").read_text().splitlines()
    assert [line.strip() for line in new if line not in old] == [
        "type: 'ssd_mobilenet_v2_keras'",
        "decay: 0.0",
        'fine_tune_checkpoint: "new/ckpt-0"',
        'fine_tune_checkpoint_type: "full"',
        "fine_tune_checkpoint_version: V2",
    ]


def test_a_label_map_says_the_classes(run: Run, tmp_path: Path) -> None:
    (tmp_path / "new.pbtxt").write_text("item { id: 1 name: 'cat' } item { id: 2 name: 'dog' }")
    (tmp_path / "old.config").write_text(CONFIG.read_text() + 'train_input_reader { label_map_path: "old.pbtxt" }')
    arguments = (tmp_path / "old.config", "-o", tmp_path / "new.config", "--label-map", tmp_path / "new.pbtxt")
    result = run("config", "migrate", *arguments)
    assert "model.ssd.num_classes: 3 -> 2" in result.out
    assert f'train_input_reader.label_map_path: "old.pbtxt" -> "{tmp_path}/new.pbtxt"' in result.out
    assert f'label_map_path: "{tmp_path}/new.pbtxt"' in (tmp_path / "new.config").read_text()


def test_json_lists_the_edits(run: Run, tmp_path: Path) -> None:
    report = json.loads(run("config", "migrate", CONFIG, "-o", tmp_path / "new.config", "--json").out)
    assert (report["schema"], report["verdict"]["kind"]) == ("ckptmap.config/1", "equal")
    assert report["edits"][0]["path"] == "model.ssd.feature_extractor.type"


def test_a_model_without_a_counterpart_is_refused(run: Run, tmp_path: Path) -> None:
    config = tmp_path / "old.config"
    predictor = "box_predictor { convolutional_box_predictor { } }"
    config.write_text(f'model {{ ssd {{ {predictor} feature_extractor {{ type: "ssd_inception_v2" }} }} }}')
    result = run("config", "migrate", config, "-o", tmp_path / "new.config", "--prefer", "stock")
    assert result.code == 2
    assert "no Keras counterpart: the API has no Keras extractor of this network" in result.err
    assert not (tmp_path / "new.config").exists()


def test_an_existing_file_needs_force_and_the_old_config_is_never_replaced(run: Run, tmp_path: Path) -> None:
    there = tmp_path / "new.config"
    there.write_text("mine")
    assert run("config", "migrate", CONFIG, "-o", there).code == 2
    assert there.read_text() == "mine"
    assert run("config", "migrate", CONFIG, "-o", there, "--force").code == 0
    before = there.read_text()
    assert run("config", "migrate", there, "-o", there, "--force").code == 2
    assert there.read_text() == before
