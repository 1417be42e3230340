"""Unknowns solved from shapes, and contradictions told with both places and both values."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ckptmap.basics.errors import Problem
from ckptmap.targets.dims import Dim, Factor, parse_dim
from ckptmap.targets.solve import Evidence, Unknown, solve


def shown(where: str, text: int | str, value: int) -> Evidence:
    return Evidence(where, parse_dim(text), value, "dimension 3")


BOX = shown("Box_0/kernel", "box_code_size*anchors_0", 12)
CLASSES = shown("Class_0/kernel", "anchors_0*(num_classes+1)", 273)


def test_a_chain_is_solved_in_any_order() -> None:
    wanted = {"box_code_size": 4, "anchors_0": 3, "num_classes": 90}
    for evidence in ([BOX, CLASSES], [CLASSES, BOX]):
        solution = solve(evidence, {"box_code_size": 4})
        assert (solution.values, solution.problems, solution.assumed) == (wanted, (), ())


def test_a_default_is_used_only_where_shapes_leave_it_open() -> None:
    assert solve([BOX, CLASSES], defaults={"box_code_size": 4}).assumed == ("box_code_size",)
    shows_it = shown("other", "box_code_size", 6)
    solution = solve([BOX, shows_it], defaults={"box_code_size": 4})
    assert solution.values == {"box_code_size": 6, "anchors_0": 2}
    assert solution.assumed == ()


def test_what_nothing_decides_is_absent() -> None:
    assert solve([BOX]).values == {}


def test_contradiction_names_both_places_and_values() -> None:
    solution = solve([shown("a/kernel", "w", 32), shown("b/gamma", "w", 33)])
    assert solution.values == {"w": 32}
    assert solution.problems == (
        Problem(
            "dimension 3 is 33, the target's is 32 = w, where w is 32 (32 = w in dimension 3 of a/kernel)", "b/gamma"
        ),
    )


def test_a_number_that_differs() -> None:
    assert solve([shown("a/kernel", 3, 5)]).problems == (Problem("dimension 3 is 5, the target's is 3", "a/kernel"),)


def test_no_whole_number_fits() -> None:
    (problem,) = solve([shown("a/kernel", "6*w", 32)]).problems
    assert problem == Problem("dimension 3 is 32, no w makes 6*w that", "a/kernel")
    (problem,) = solve([CLASSES], {"anchors_0": 4}).problems
    assert problem == Problem(
        "dimension 3 is 273, no num_classes makes anchors_0*(num_classes+1) that, where anchors_0 is 4 (given)",
        "Class_0/kernel",
    )


def test_given_values_are_never_overruled() -> None:
    solution = solve([shown("Class_0/kernel", "num_classes", 90)], {"num_classes": 3})
    assert solution.values == {"num_classes": 3}
    assert [str(problem) for problem in solution.problems] == [
        "Class_0/kernel: dimension 3 is 90, the target's is 3 = num_classes, where num_classes is 3 (given)"
    ]


def test_how_to_give() -> None:
    assert Unknown("num_classes").how_to_give == "num_classes=N"
    assert Unknown("anchors_0").how_to_give == "settings={'anchors_0': N}"


names = st.sampled_from(["a", "b", "c", "d"])
dims = st.builds(
    Dim,
    st.integers(1, 6),
    st.lists(st.builds(Factor, names, st.integers(0, 2)), max_size=2, unique_by=lambda f: f.unknown).map(tuple),
)
values = st.fixed_dictionaries(dict.fromkeys(["a", "b", "c", "d"], st.integers(1, 40)))


@given(st.lists(dims, max_size=12), values, st.randoms(use_true_random=False))
def test_true_evidence_never_contradicts_and_order_does_not_matter(
    dims: list[Dim], values: dict[str, int], rng
) -> None:
    evidence = [Evidence(f"v{at}", dim, dim.value(values) or 0) for at, dim in enumerate(dims)]
    first = solve(evidence)
    assert first.problems == ()
    assert first.values.items() <= values.items()
    rng.shuffle(evidence)
    assert solve(evidence).values == first.values


@given(st.lists(dims, min_size=1, max_size=12), values)
def test_one_false_length_is_told(dims: list[Dim], values: dict[str, int]) -> None:
    evidence = [Evidence(f"v{at}", dim, dim.value(values) or 0) for at, dim in enumerate(dims)]
    wrong = Evidence("wrong", dims[0], (dims[0].value(values) or 0) + 1)
    problems = solve([*evidence, wrong], values).problems
    assert [problem.where for problem in problems] == ["wrong"]
