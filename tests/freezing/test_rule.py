import pytest

from ckptmap.errors import ProblemsError
from ckptmap.freezing.model import Pattern, Weight
from ckptmap.freezing.parts import tf1_part
from ckptmap.freezing.rule import check_patterns, divide, match_all, matches

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
    assert matches(pattern, name) is train
    assert matches(pattern, name, "model_main") is model_main


def test_what_no_pattern_freezes_trains() -> None:
    frozen, trainable = divide(freeze("FeatureExtractor/.*/weights"), WEIGHTS, "train")
    assert [weight.name for weight in frozen] == ["FeatureExtractor/MobilenetV2/Conv/weights"]
    assert len(trainable) == 3
    assert sum(weight.parameters for weight in trainable) == 18


def test_update_trainable_variables_choose_before_freeze_variables_take_away() -> None:
    patterns = (Pattern("BoxPredictor", "update_trainable_variables"), *freeze("BoxPredictor_0"))
    assert [weight.name for weight in divide(patterns, WEIGHTS, "model_main")[1]] == [NAMES[1]]
    assert [weight.name for weight in divide(patterns, WEIGHTS, "train")[1]] == list(NAMES[1:])


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
    found = next(match_all(freeze(pattern), WEIGHTS, "train"))
    assert (found.names, found.nearest, found.nearest_count) == ((), nearest, count)


def test_a_glob_is_no_regular_expression() -> None:
    with pytest.raises(ProblemsError, match="is no regular expression: nothing to repeat") as error:
        check_patterns([Pattern("*/BatchNorm/*", "freeze_variables", "pipeline.config:7")])
    assert error.value.problems[0].where == "pipeline.config:7"
