import pytest

from ckptmap.basics.errors import ProblemsError
from ckptmap.families.detection.freezing import pattern_matching
from ckptmap.families.detection.freezing.frozen_weights import Pattern, Weight
from ckptmap.families.detection.freezing.parts import tf1_part
from ckptmap.families.detection.freezing.pattern_matching import find_hits
from ckptmap.families.detection.freezing.rule import Trainer, divide, match_all, names_of

NAMES = (
    "BoxPredictor_0/ClassPredictor/weights",
    "BoxPredictor_1/ClassPredictor/weights",
    "FeatureExtractor/MobilenetV2/Conv/weights",
    "FeatureExtractor/MobilenetV2/Conv/BatchNorm/gamma",
)
WEIGHTS = tuple(Weight(name, (2, 3), tf1_part(name)) for name in NAMES)


def freeze(*patterns: str) -> tuple[Pattern, ...]:
    return tuple(Pattern(text, "freeze_variables") for text in patterns)


@pytest.mark.parametrize(
    ("pattern", "train", "model_main"),
    [
        ("FeatureExtractor/.*", True, True),
        ("FeatureExtractor", True, True),
        ("MobilenetV2", False, True),  # re.match begins at the beginning
        (".*weights$", True, False),  # re.search sees weights:0
        (".*weights:0$", False, True),
        ("", False, True),  # variables_helper leaves empty patterns out
        ("featureextractor", False, False),
    ],
)
def test_the_two_trainers_match_differently(pattern: str, train: bool, model_main: bool) -> None:
    name = "FeatureExtractor/MobilenetV2/Conv/weights"
    hits = find_hits(freeze(pattern), [name])[pattern]
    assert (name in names_of(hits, pattern, "train")) is train
    assert (name in names_of(hits, pattern, "model_main")) is model_main


def divided(patterns: tuple[Pattern, ...], trainer: Trainer) -> tuple[list[str], list[str]]:
    frozen, trainable = divide(patterns, find_hits(patterns, NAMES), WEIGHTS, trainer)
    return [weight.name for weight in frozen], [weight.name for weight in trainable]


def test_what_no_pattern_freezes_trains() -> None:
    frozen, trainable = divided(freeze("FeatureExtractor/.*/weights"), "train")
    assert frozen == ["FeatureExtractor/MobilenetV2/Conv/weights"]
    assert len(trainable) == 3


def test_lookaround_and_back_references_decide_as_in_python() -> None:
    assert divided(freeze(r"^(?!BoxPredictor)", r"Box.*_(\d)/(?=Class).*\1|x(?<!x)"), "train")[0] == list(NAMES[2:])
    assert divided(freeze(r"(m)\1"), "model_main")[0] == [NAMES[3]]


def test_update_trainable_variables_choose_before_freeze_variables_take_away() -> None:
    patterns = (Pattern("BoxPredictor", "update_trainable_variables"), *freeze("BoxPredictor_0"))
    assert divided(patterns, "model_main")[1] == [NAMES[1]]
    assert divided(patterns, "train")[1] == list(NAMES[1:])


@pytest.mark.parametrize(
    ("pattern", "nearest", "count"),
    [
        (".*backbone/.*", "FeatureExtractor/.*", 2),
        ("MobilenetV2/Conv/", ".*MobilenetV2/Conv/", 2),
        ("head", r"BoxPredictor_\d+/.*", 2),
        ("feature_extractor/mobilenetv2/.*", "FeatureExtractor/MobilenetV2/.*", 2),
        ("Conv/weights|Conv/Batch", ".*(Conv/weights|Conv/Batch)", 2),
        ("(?i)mobilenetv2/conv/", "FeatureExtractor/MobilenetV2/Conv/.*", 2),
        ("xyz", "", 0),
    ],
)
def test_a_pattern_that_matches_nothing_has_a_near_one(pattern: str, nearest: str, count: int) -> None:
    patterns = freeze(pattern)
    found = next(match_all(patterns, find_hits(patterns, NAMES), WEIGHTS, "train"))
    assert (found.names, found.nearest, found.nearest_count) == ((), nearest, count)


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("*/BatchNorm/*", "is not a regular expression: nothing to repeat"),
        ("a{99999999999999999999}", "is not a regular expression: the repetition number is too large"),
        ("(" * 5000 + ")" * 5000, "is not a regular expression: too many groups in groups"),
    ],
)
def test_what_is_no_regular_expression_is_told_with_its_line(pattern: str, why: str) -> None:
    patterns = [Pattern(pattern, "freeze_variables", "pipeline.config:7")]
    with pytest.raises(ProblemsError) as error:
        find_hits(patterns, NAMES)
    [problem] = error.value.problems
    assert why in problem.message
    assert problem.where == "pipeline.config:7"


def test_a_pattern_that_never_ends_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pattern_matching, "SECONDS", 0.7)
    patterns = [
        Pattern("FeatureExtractor/.*", "freeze_variables", "pipeline.config:7"),
        Pattern(r"([A-Za-z0-9/_]+)+!", "freeze_variables", "pipeline.config:8"),
    ]
    with pytest.raises(ProblemsError) as error:
        find_hits(patterns, NAMES)
    [problem] = error.value.problems
    assert problem.message == r"'([A-Za-z0-9/_]+)+!' was not done after 0.7 seconds"
    assert problem.where == "pipeline.config:8"
    assert "a repeat in a repeat" in problem.hint


def test_patterns_are_a_thousand_at_most() -> None:
    assert len(find_hits(freeze(*map(str, range(1000))), NAMES)) == 1000
    with pytest.raises(ProblemsError, match="there are 1,001, at most 1,000 are looked at"):
        find_hits(freeze(*map(str, range(1001))), NAMES)
