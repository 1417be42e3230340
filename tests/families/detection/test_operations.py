from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckptmap.basics.errors import Problem
from ckptmap.checkpoint.dtypes import DType
from ckptmap.families.detection.operations import Anchors, BoxCoder, BoxOutputs
from ckptmap.mapping.ops import OperationError, Reshape, execute, infer
from ckptmap.mapping.ops_join import Stack
from ckptmap.mapping.parse_ops import parse_ops
from ckptmap.mapping.yamlnodes import YamlDocument

F = DType.FLOAT32


def parsed(text: str, tmp_path) -> tuple[tuple[object, ...], list[str]]:
    problems: list[Problem] = []
    file = tmp_path / "ops.yaml"
    file.write_text(text, encoding="utf-8")
    doc = YamlDocument("ops.yaml", problems)
    return parse_ops(doc, doc.read(file)), [problem.message for problem in problems]


def test_anchors_turns_scale_by_scale_into_ratio_by_ratio() -> None:
    names = [f"{scale}{ratio}{value}" for scale in "ab" for ratio in "123" for value in "xy"]
    moved = execute([Anchors(-1, 2, 3)], [np.array(names)])
    assert " ".join(moved) == "a1x a1y b1x b1y a2x a2y b2x b2y a3x a3y b3x b3y"


def test_anchors_moves_along_its_axis_alone() -> None:
    source = np.arange(24, dtype=np.float32).reshape(2, 6, 2)
    moved = execute([Anchors(1, 3, 2)], [source])
    assert moved[:, :, 0].tolist() == [[0, 4, 8, 2, 6, 10], [12, 16, 20, 14, 18, 22]]
    assert infer([Anchors(1, 3, 2)], [(2, 6, 2)], [F]) == ((2, 6, 2), F)


@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 3), st.sampled_from([0, 1, -1]))
def test_anchors_and_back_again(scales: int, ratios: int, depth: int, axis: int) -> None:
    shape = [2, 2]
    shape[axis] = scales * ratios * depth
    source = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    there = execute([Anchors(axis, scales, ratios)], [source])
    assert np.array_equal(execute([Anchors(axis, ratios, scales)], [there]), source)


def test_box_coder_multiplies_each_box_by_the_factors() -> None:
    source = np.ones((2, 8), np.float32)
    coded = execute([BoxCoder(-1)], [source])
    assert coded.tolist() == [[10, 10, 5, 5, 10, 10, 5, 5]] * 2
    assert coded.dtype == np.float32
    assert execute([BoxCoder(0, (1.0, 2.0, 3.0, 4.0))], [np.ones(4, np.float32)]).tolist() == [1, 2, 3, 4]
    assert infer([BoxCoder(-1)], [(1, 1, 64, 36)], [F]) == ((1, 1, 64, 36), F)


def test_scalars_become_a_column() -> None:
    column = [Stack(0), Reshape((-1, 1))]
    scalars = [np.array(value, np.float32) for value in (1, 2, 3)]
    assert execute(column, scalars).tolist() == [[1], [2], [3]]
    assert infer(column, [()] * 3, [F] * 3) == ((3, 1), F)


@pytest.mark.parametrize(
    ("op", "shape", "message"),
    [
        (
            Anchors(-1, 3, 3),
            (2, 10),
            "anchors axis -1: 3 scales x 3 ratios, ratios first: axis 1 of shape [2, 10] does not divide into 9 blocks",
        ),
        (
            BoxCoder(-1),
            (2, 10),
            "box_coder axis -1: 10 10 5 5: axis -1 of shape [2, 10] does not divide into boxes of 4 values",
        ),
        (BoxCoder(2), (2, 8), "box_coder axis 2: 10 10 5 5: there is no axis 2 in shape [2, 8]"),
        (
            BoxCoder(0),
            (0,),
            "box_coder axis 0: 10 10 5 5: axis 0 of shape [0] does not divide into boxes of 4 values",
        ),
    ],
)
def test_what_does_not_fit(op: Anchors | BoxCoder, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(OperationError) as caught:
        infer([op], [shape], [F])
    assert str(caught.value) == message


def test_boxes_that_are_no_floats_are_refused() -> None:
    with pytest.raises(OperationError, match="string values cannot take it"):
        infer([BoxCoder(0)], [(4,)], [DType.STRING])


def test_a_target_decides_which_operations_are_left() -> None:
    ops = (Anchors(-1, 3, 3), BoxCoder(-1))
    assert BoxOutputs().ops(ops) == ops
    assert BoxOutputs(factors=(1.0, 2.0, 3.0, 4.0)).ops(ops) == (ops[0], BoxCoder(-1, (1.0, 2.0, 3.0, 4.0)))
    assert BoxOutputs(reordered=False).ops(ops) == ops[1:]
    assert BoxOutputs(reordered=False, factors=(1.0, 1.0, 1.0, 1.0)).ops(ops) == ()
    assert BoxOutputs(reordered=False).ops((Stack(0),)) == (Stack(0),)


def test_how_a_table_writes_them(tmp_path) -> None:
    text = "[{anchors: {axis: -1, scales: 3, ratios: 2}}, {box_coder: -1}]"
    assert parsed(text, tmp_path) == ((Anchors(-1, 3, 2), BoxCoder(-1)), [])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[{anchors: {axis: -1, scales: 0, ratios: 2}}]", "anchors needs at least one scale and one ratio"),
        ("[{anchors: {axis: -1, scales: 3}}]", "ratios"),
        ("[{box_coder: all}]", "box_coder"),
    ],
)
def test_mistakes_in_a_table(text: str, message: str, tmp_path) -> None:
    ops, problems = parsed(text, tmp_path)
    assert ops == ()
    assert len(problems) == 1
    assert message in problems[0]
