from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ckptmap.checkpoint.dtypes import DType
from ckptmap.families.detection.operations import Anchors, BoxCoder
from ckptmap.mapping.ops import (
    OperationError,
    Reorder,
    Reshape,
    Slice,
    Split,
    Squeeze,
    Transpose,
    execute,
    infer,
)
from ckptmap.mapping.ops_join import Concat, Stack, Sum
from ckptmap.mapping.ops_numeric import Add, Cast, Scale

F = DType.FLOAT32


@pytest.mark.parametrize(
    ("op", "sources", "expected"),
    [
        (Transpose((1, 0)), [[[1, 2, 3], [4, 5, 6]]], [[1, 4], [2, 5], [3, 6]]),
        (Reshape((3, -1)), [[[1, 2, 3], [4, 5, 6]]], [[1, 2], [3, 4], [5, 6]]),
        (Reshape((6,)), [[[1, 2, 3], [4, 5, 6]]], [1, 2, 3, 4, 5, 6]),
        (Squeeze((0, -1)), [[[[1], [2]]]], [1, 2]),
        (Slice(0, 1, 3), [[1, 2, 3, 4]], [2, 3]),
        (Slice(-1, 1, None), [[[1, 2, 3], [4, 5, 6]]], [[2, 3], [5, 6]]),
        (Split(0, 2, (), 1), [[1, 2, 3, 4]], [3, 4]),
        (Split(-1, 2, (1, 2), 0), [[[1, 2, 3]]], [[1]]),
        (Split(-1, 2, (1, 2), 1), [[[1, 2, 3]]], [[2, 3]]),
        (Reorder(0, (2, 1, 0)), [[10, 20, 30]], [30, 20, 10]),
        (Reorder(-1, (1, 0)), [[[1, 2, 3, 4]]], [[3, 4, 1, 2]]),
        (Add((1.5,)), [[1, 2]], [2.5, 3.5]),
        (Add((0.0, 1.0), 0), [[1, 2, 3, 4]], [1, 2, 4, 5]),
        (Scale((2.0,)), [[1, 2]], [2, 4]),
        (Scale((10.0, 5.0), 0), [[[1, 2], [3, 4]]], [[10, 20], [15, 20]]),
        (Concat(0), [[1], [2, 3]], [1, 2, 3]),
        (Concat(-1), [[[1], [2]], [[3], [4]]], [[1, 3], [2, 4]]),
        (Stack(0), [[1, 2], [3, 4]], [[1, 2], [3, 4]]),
        (Stack(-1), [[1, 2], [3, 4]], [[1, 3], [2, 4]]),
        (Sum(), [[1, 2], [3, 4]], [4, 6]),
    ],
)
def test_each_operation(op, sources, expected):
    arrays = [np.array(source, np.float32) for source in sources]
    result = execute([op], arrays)
    assert result.tolist() == expected
    assert result.dtype == np.float32
    assert infer([op], [array.shape for array in arrays], [F] * len(arrays)) == (result.shape, F)


def test_cast_cuts_the_fraction_off():
    assert execute([Cast(DType.INT32)], [np.array([1.7, -1.7], np.float32)]).tolist() == [1, -1]
    assert infer([Cast(DType.HALF)], [(2,)], [F]) == ((2,), DType.HALF)


@pytest.mark.parametrize("dtype", [DType.HALF, DType.BFLOAT16, DType.FLOAT64])
def test_arithmetic_keeps_the_dtype(dtype):
    array = np.array([1, 2], np.float32).astype(dtype.numpy)
    result = execute([Add((1.0,)), Scale((0.5,))], [array])
    assert result.dtype == dtype.numpy
    assert result.astype(np.float64).tolist() == [1.0, 1.5]


def test_a_scalar_stays_an_array():
    result = execute([Scale((3.0,))], [np.array(2.0, np.float32)])
    assert isinstance(result, np.ndarray)
    assert (result.shape, result.item()) == ((), 6.0)


def test_operations_run_on_every_source_until_they_are_joined():
    arrays = [np.array([[1, 2]], np.float32), np.array([[3, 4]], np.float32)]
    assert execute([Squeeze((0,)), Concat(0), Scale((2.0,))], arrays).tolist() == [2, 4, 6, 8]


@pytest.mark.parametrize(
    ("op", "shapes", "dtypes", "message"),
    [
        (Transpose((0, 2, 1)), [(3, 3)], [F], "transpose [0, 2, 1]: names 3 dimensions, the variable has shape [3, 3]"),
        (Reshape((4, -1)), [(3, 3)], [F], "reshape [4, -1]: a variable of shape [3, 3] has 9 values"),
        (Squeeze((0,)), [(3, 1)], [F], "squeeze [0]: dimension 0 of shape [3, 1] is 3, not 1"),
        (Squeeze((2,)), [(3, 1)], [F], "squeeze [2]: there is no axis 2 in shape [3, 1]"),
        (Slice(0, 2, 5), [(4,)], [F], "slice axis 0 [2:5]: axis 0 of shape [4] has 4 values"),
        (Split(0, 3), [(4,)], [F], "split axis 0 into 3, part 0: axis 0 of shape [4] does not divide by 3"),
        (Split(0, 2, (1, 1)), [(4,)], [F], "split axis 0 into [1, 1], part 0: axis 0 of shape [4] has 4 values, not 2"),
        (Reorder(0, (1, 0)), [(3,)], [F], "reorder axis 0 [1, 0]: axis 0 of shape [3] does not divide into 2 blocks"),
        (Concat(0), [(2, 3), (2, 4)], [F, F], "concat axis 0: the shapes do not fit: [2, 3], [2, 4]"),
        (Concat(0), [(2,), (2, 4)], [F, F], "concat axis 0: the shapes do not fit: [2], [2, 4]"),
        (Stack(0), [(2,), (3,)], [F, F], "stack axis 0: the shapes do not fit: [2], [3]"),
        (Sum(), [(2,), (3,)], [F, F], "add sources: the shapes do not fit: [2], [3]"),
        (
            Concat(0),
            [(2,), (2,)],
            [F, DType.INT32],
            "concat axis 0: dtypes differ: float32, int32 (put a cast before it)",
        ),
        (Add((0.5,)), [(2,)], [DType.INT32], "add 0.5: int32 values cannot take it (put a cast before it)"),
        (Add((1.0,)), [(2,)], [DType.STRING], "add 1: string values cannot take it"),
        (Cast(DType.HALF), [(2,)], [DType.STRING], "cast float16: string cannot become float16"),
    ],
)
def test_what_does_not_fit_is_said_with_operation_and_shapes(op, shapes, dtypes, message):
    with pytest.raises(OperationError) as caught:
        infer([op], shapes, dtypes)
    assert str(caught.value) == message
    assert str(caught.value.problem) == message


def test_several_variables_for_one_target_are_an_error():
    with pytest.raises(OperationError, match="2 variables are left for one target"):
        infer([], [(1,), (1,)], [F, F])


SHAPES = st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple)


@st.composite
def operations(draw):
    axis = draw(st.integers(-4, 3))
    order = draw(st.permutations(range(draw(st.integers(1, 4)))))
    sizes = tuple(draw(st.lists(st.integers(0, 3), min_size=1, max_size=3)))
    return draw(
        st.sampled_from(
            [
                Transpose(tuple(order)),
                Reshape(tuple(draw(st.lists(st.sampled_from((-1, 1, 2, 3, 4, 6)), min_size=1, max_size=3)))),
                Squeeze((axis,)),
                Slice(axis, draw(st.integers(0, 2)), draw(st.one_of(st.none(), st.integers(1, 4)))),
                Split(axis, draw(st.integers(1, 3))),
                Split(axis, len(sizes), sizes, draw(st.integers(0, len(sizes) - 1))),
                Reorder(axis, tuple(order)),
                Scale((2.0, 3.0), axis),
                Add((1.0,), axis),
                Cast(DType.FLOAT64),
                Concat(axis),
                Stack(axis),
                Sum(),
                Anchors(axis, 2, draw(st.integers(1, 2))),
                BoxCoder(axis),
            ]
        )
    )


@settings(deadline=None)  # machines differ
@given(st.lists(operations(), min_size=1, max_size=4), st.lists(SHAPES, min_size=1, max_size=3))
def test_infer_foretells_execute(ops, shapes):
    assume(not any(isinstance(op, Reshape) and op.dims.count(-1) > 1 for op in ops))
    try:
        shape, dtype = infer(ops, shapes, [F] * len(shapes))
    except OperationError:
        return
    result = execute(ops, [np.zeros(shape, np.float32) for shape in shapes])
    assert (result.shape, result.dtype) == (shape, dtype.numpy)


@pytest.mark.parametrize("dims", [(1 << 40, 1 << 40, 0), (0, *[1] * 32)], ids=str)
def test_what_no_array_can_be_is_refused_before_there_is_one(dims: tuple[int, ...]) -> None:
    with pytest.raises(OperationError, match="NumPy cannot hold a tensor of shape"):
        infer([Reshape(dims)], [(0,)], [DType.FLOAT32])
