import json
from pathlib import Path

from tests.cli.conftest import Run

FIXTURE = Path(__file__).parents[2] / "fixtures" / "ssd_mobilenet_v2_tiny"


def test_freeze_lists_what_a_pattern_freezes(run: Run) -> None:
    result = run("freeze", FIXTURE, "--pattern", "FeatureExtractor/.*", "--stages", "heads,top,all")
    assert result.code == 0
    assert "pattern  FeatureExtractor/.*  180 variables  (--pattern)\n" in result.out
    assert "stage    all  freezes nothing\n" in result.out


def test_freeze_gives_json(run: Run) -> None:
    result = run("freeze", "--pipeline", FIXTURE / "pipeline.config", "--pattern", "BoxPredictor_", "--json")
    document = json.loads(result.out)
    assert document["schema"] == "ckptmap.freeze/1"
    assert [len(one["matches"]) for one in document["patterns"]] == [24]
    assert sum(weight["frozen"] for weight in document["variables"]) == 24


def test_freeze_needs_a_model(run: Run) -> None:
    result = run("freeze", "--pattern", "a")
    assert result.code == 2
    assert "give a checkpoint, or --pipeline CONFIG" in result.err


def test_a_glob_is_a_user_s_mistake(run: Run) -> None:
    result = run("freeze", FIXTURE, "--pattern", "*BatchNorm*")
    assert result.code == 2
    assert "'*BatchNorm*' is no regular expression" in result.err
