import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckptmap.checkpoint.dtypes import DType
from ckptmap.mapping.op import fill_fresh
from ckptmap.mapping.ops import OperationError, execute, infer
from ckptmap.mapping.ops_classes import FRESH, Classes


def test_slots_follow_each_other_for_each_anchor() -> None:
    """Two anchors, background and two classes: the second class comes first now, a new one last."""
    bias = np.array([10, 11, 12, 20, 21, 22], np.float32)
    op = Classes(-1, 1, 3, (0, 2, 1, FRESH))
    assert infer([op], [(6,)], [DType.FLOAT32]) == ((8,), DType.FLOAT32)
    assert execute([op], [bias]).tolist() == [10, 12, 11, 0, 20, 22, 21, 0]
    assert fill_fresh([op], execute([op], [bias]), lambda: np.arange(8, dtype=np.float32)).tolist() == [
        10, 12, 11, 3, 20, 22, 21, 7,
    ]  # fmt: skip


def test_a_box_head_has_four_values_a_class() -> None:
    kernel = np.arange(16, dtype=np.float32).reshape(2, 8)
    op = Classes(-1, 4, 2, (1,))
    assert execute([op], [kernel]).tolist() == [[4, 5, 6, 7], [12, 13, 14, 15]]


def test_the_class_axis_may_be_another_than_the_last() -> None:
    op = Classes(0, 1, 2, (FRESH, 0, 1))
    assert execute([op], [np.array([[1, 2], [3, 4]])]).tolist() == [[0, 0], [1, 2], [3, 4]]


def test_a_length_that_does_not_hold_the_slots_is_an_error() -> None:
    with pytest.raises(OperationError, match=r"axis 0 of shape \[7\] is not a multiple of 3 x 1"):
        infer([Classes(-1, 1, 3, (0,))], [(7,)], [DType.FLOAT32])


def test_values_without_moved_classes_stay() -> None:
    values = np.ones(3)
    assert fill_fresh([], values, lambda: np.zeros(3)) is values


@given(st.data())
def test_a_permutation_and_its_inverse_are_identity(data: st.DataObject) -> None:
    order = data.draw(st.integers(1, 6).flatmap(lambda count: st.permutations(range(count))))
    repeats, block = data.draw(st.integers(1, 4)), data.draw(st.sampled_from([1, 4]))
    inverse = tuple(order.index(slot) for slot in range(len(order)))
    values = np.arange(2 * repeats * len(order) * block).reshape(2, -1)
    there = Classes(-1, block, len(order), tuple(order))
    back = Classes(-1, block, len(order), inverse)
    np.testing.assert_array_equal(execute([there, back], [values]), values)
    assert execute([there], [values]).reshape(2, repeats, len(order), block)[1, 0, 0].tolist() == (
        values.reshape(2, repeats, len(order), block)[1, 0, order[0]].tolist()
    )
