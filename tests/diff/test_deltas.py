import numpy as np
import pytest

from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.values import join_strings
from ckptmap.diff.comparison import Delta
from ckptmap.diff.deltas import measure, same_bytes, string_delta


def of(a: list[float], b: list[float], dtype: DType = DType.FLOAT32) -> Delta:
    return measure([np.array(a, dtype.numpy).tobytes()], dtype, [np.array(b, dtype.numpy).tobytes()], dtype)


def test_distance_of_two_vectors() -> None:
    assert of([3.0, 4.0], [3.0, 0.0]) == Delta(1, max_abs=4.0, rms=8.0**0.5, cosine=0.6)


def test_opposite_values_have_cosine_minus_one() -> None:
    assert of([1.0, 2.0], [-1.0, -2.0]).cosine == -1.0


def test_equal_values_differ_nowhere() -> None:
    assert of([1.0, 2.0], [1.0, 2.0]) == Delta(0, max_abs=0.0, rms=0.0, cosine=1.0)


def test_zeros_have_no_angle() -> None:
    assert of([0.0, 0.0], [1.0, 0.0]) == Delta(1, max_abs=1.0, rms=0.5**0.5, cosine=None)


def test_two_nans_are_the_same_and_the_sign_of_zero_does_not_count() -> None:
    assert of([np.nan, 0.0, 1.0], [np.nan, -0.0, 1.0]) == Delta(0, max_abs=0.0, rms=0.0, cosine=1.0)


def test_nan_and_infinity_on_one_side_cannot_be_compared() -> None:
    delta = of([np.nan, np.inf, 1.0], [1.0, -np.inf, 1.5])
    assert delta == Delta(3, max_abs=0.5, rms=0.5, cosine=1.0, incomparable=2)
    assert not delta.within(1e9)


def test_nothing_finite_has_no_distance() -> None:
    assert of([np.nan], [np.inf]) == Delta(1, incomparable=1)


def test_differences_that_overflow_are_not_told_as_numbers() -> None:
    delta = of([1.7e308], [-1.7e308], DType.FLOAT64)
    assert (delta.different, delta.max_abs, delta.rms) == (1, None, None)
    assert not delta.within(1e308)


def test_large_whole_numbers_are_compared_exactly() -> None:
    assert of([2**53], [2**53 + 1], DType.INT64).different == 1


@pytest.mark.parametrize("dtype", [DType.BOOL, DType.UINT8, DType.HALF, DType.BFLOAT16, DType.COMPLEX64, DType.QINT8])
def test_every_numeric_type_has_a_distance(dtype: DType) -> None:
    assert of([1, 0, 1], [1, 1, 1], dtype) == Delta(1, max_abs=1.0, rms=(1 / 3) ** 0.5, cosine=2**0.5 / 3**0.5)


def test_two_types_are_compared_as_numbers() -> None:
    one, other = np.array([0.5, 1.5], np.float16).tobytes(), np.array([0.5, 1.0]).tobytes()
    assert measure([one], DType.HALF, [other], DType.FLOAT64).max_abs == 0.5


def test_pieces_need_not_be_cut_alike() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 100_000)).astype(np.float32)
    pieces = [a.tobytes()[start : start + 7001] for start in range(0, a.nbytes, 7001)]
    delta = measure(pieces, DType.FLOAT32, [b.tobytes()], DType.FLOAT32)
    wide_a, wide_b = a.astype(np.float64), b.astype(np.float64)
    assert delta.different == 100_000
    assert delta.max_abs == np.abs(wide_a - wide_b).max()
    assert delta.rms == pytest.approx(np.sqrt(np.mean((wide_a - wide_b) ** 2)), rel=1e-12)
    assert delta.cosine == pytest.approx(wide_a @ wide_b / np.linalg.norm(wide_a) / np.linalg.norm(wide_b), rel=1e-9)


def test_strings_are_counted() -> None:
    assert string_delta(join_strings([b"a", b"b"]), join_strings([b"a", b"c"]), 2) == Delta(1)


def test_same_bytes_reads_both_to_the_end() -> None:
    a, b = iter([b"12", b"34"]), iter([b"12", b"35"])
    assert not same_bytes(a, b)
    assert (list(a), list(b)) == ([], [])
    assert same_bytes([b"12"], [b"12"])
    assert not same_bytes([b"12"], [b"12", b"3"])
