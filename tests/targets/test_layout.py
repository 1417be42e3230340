"""A layout solved from offered shapes, with everything that can be wrong with them."""

from __future__ import annotations

import pytest

from ckptmap.basics.errors import Problem, ProblemsError
from ckptmap.targets.target import Target

NAMES = [
    "Conv1/kernel",
    "bn_Conv1/moving_mean",
    "layer_1_1x1_32_conv/kernel",
    "BoxEncodingPredictor/kernel",
    "ClassPredictor/kernel",
]
OFFERS = {
    "Conv1/kernel": (3, 3, 3, 32),
    "bn_Conv1/moving_mean": (32,),
    "layer_1_1x1_32_conv/kernel": (1, 1, 32, 64),
    "BoxEncodingPredictor/kernel": (1, 1, 32, 12),
    "ClassPredictor/kernel": (1, 1, 32, 273),
}


def test_solved_shapes(toy: Target) -> None:
    layout = toy.layout(NAMES)
    solution = layout.solve(OFFERS)
    assert solution.problems == ()
    assert solution.values == {"width_32": 32, "box_code_size": 4, "anchors_0": 3, "num_classes": 90}
    assert solution.assumed == ("box_code_size",)
    assert {v.name: v.shape for v in layout.variables_with(solution)} == {
        "Conv1/kernel": (3, 3, 3, 32),
        "bn_Conv1/moving_mean": (32,),
        "toy_extractor/FeatureMaps/layer_1_1x1_32_conv/kernel": (1, 1, 32, 64),
        "BoxPredictor/BoxHead_0/BoxEncodingPredictor/kernel": (1, 1, 32, 12),
        "BoxPredictor/ClassHead_0/ClassPredictor/kernel": (1, 1, 32, 273),
    }


def test_class_heads_can_be_left_out(toy: Target) -> None:
    solution = toy.layout(NAMES).solve(OFFERS, {"num_classes": 3}, per_class={"ClassPredictor/kernel"})
    assert solution.problems == ()
    assert solution.values["num_classes"] == 3


def test_given_with_the_layout(toy: Target) -> None:
    solution = toy.layout(NAMES, {"num_classes": "3"}).solve(OFFERS, per_class={"ClassPredictor/kernel"})
    assert solution.values["num_classes"] == 3


def test_the_number_in_a_name_is_evidence(toy: Target) -> None:
    solution = toy.layout(NAMES).solve({**OFFERS, "layer_1_1x1_32_conv/kernel": (1, 1, 31, 64)})
    assert [str(problem) for problem in solution.problems] == [
        (
            "layer_1_1x1_32_conv/kernel: dimension 2 is 31, the target's is 32 = width_32, "
            "where width_32 is 32 (32 = width_32 in dimension 3 of Conv1/kernel)"
        )
    ]


def test_wrong_rank(toy: Target) -> None:
    solution = toy.layout(NAMES).solve({**OFFERS, "Conv1/kernel": (3, 3, 96)})
    assert solution.problems == (
        Problem("shape [3, 3, 96] has 3 dimensions, the target's [3, 3, 3, width_32] has 4", "Conv1/kernel"),
    )


def test_an_open_unknown_says_how_to_give_it(toy: Target) -> None:
    offers = {name: shape for name, shape in OFFERS.items() if name != "ClassPredictor/kernel"}
    layout = toy.layout(NAMES)
    solution = layout.solve(offers)
    assert solution.problems == (
        Problem(
            "nothing decides num_classes (classes without the background), which shapes 1 variable",
            "BoxPredictor/ClassHead_0/ClassPredictor/kernel",
            "give it with num_classes=N",
        ),
    )
    with pytest.raises(ProblemsError, match="nothing decides num_classes"):
        layout.variables_with(solution)


def test_unknown_names_are_passed_over(toy: Target) -> None:
    assert toy.layout(NAMES).solve({**OFFERS, "nobody/knows": (1,)}).problems == ()
