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


def test_a_pattern_that_matches_nothing_is_a_finding(run: Run) -> None:
    result = run("freeze", FIXTURE, "--pattern", "BoxPredictor_", "--pattern", "feature_extractor/.*")
    assert result.code == 1
    assert "note     --pattern 'feature_extractor/.*' matches no variable ('FeatureExtractor/.*' would match 180)" in (
        result.out
    )
    github = run("freeze", FIXTURE, "--pattern", "feature_extractor/.*", "--format", "github").out.splitlines()
    assert github[0].startswith("::error title=ckptmap freeze::--pattern 'feature_extractor/.*' matches no variable (")
    assert github[-1] == (
        "::error title=ckptmap freeze::1 pattern matching nothing; 0 of 204 trainable variables frozen (0 parameters)"
    )


def test_freeze_takes_part_in_the_reports(run: Run, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("f.json", "f.md", "f.html", "f.xml", "f.csv", "f.txt")]
    result = run("freeze", FIXTURE, "--pattern", "BoxPredictor_", *(item for file in files for item in ("-o", file)))
    assert result.code == 0
    again = run("report", files[0])
    assert (again.code, again.out) == (0, result.out)
    assert files[5].read_text(encoding="utf-8") == result.out
    assert "### ✅ ckptmap freeze: 24 of 204 trainable variables frozen" in files[1].read_text(encoding="utf-8")
    assert files[4].read_text(encoding="utf-8").count(",frozen,") == 24


def test_freeze_needs_a_model(run: Run) -> None:
    result = run("freeze", "--pattern", "a")
    assert result.code == 2
    assert "give a checkpoint, or --pipeline CONFIG" in result.err


def test_a_glob_is_a_user_s_mistake(run: Run) -> None:
    result = run("freeze", FIXTURE, "--pattern", "*BatchNorm*")
    assert result.code == 2
    assert "'*BatchNorm*' is not a regular expression" in result.err
