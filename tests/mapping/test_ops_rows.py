from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from ckptmap.checkpoint.dtypes import DType
from ckptmap.families.detection.operations import Anchors, BoxCoder
from ckptmap.mapping.ops import Op, Reorder, Reshape, Slice, Split, Squeeze, Transpose, execute
from ckptmap.mapping.ops_join import Concat, Stack, Sum
from ckptmap.mapping.ops_numeric import Add, Cast, Scale
from ckptmap.mapping.ops_rows import by_rows, keeps_bytes, parts


def sources(shape: tuple[int, ...], count: int) -> list[np.ndarray]:
    size = int(np.prod(shape))
    return [np.arange(at * size, (at + 1) * size, dtype=np.float32).reshape(shape) for at in range(count)]


@pytest.mark.parametrize(
    ("ops", "shape", "count"),
    [
        ([Transpose((1, 0))], (6, 8), 1),
        ([Transpose((2, 0, 1)), Reshape((4, 30))], (5, 6, 4), 1),
        ([Transpose((2, 3, 1, 0))], (6, 4, 1, 1), 1),
        ([Slice(0, 2, 7)], (8, 3), 1),
        ([Slice(-1, 1, None), Transpose((1, 0))], (8, 5), 1),
        ([Slice(1, 1, None)], (1, 9, 4), 1),
        ([Split(0, 3, take=2)], (9, 2), 1),
        ([Split(1, 0, sizes=(2, 5), take=1), Transpose((1, 0))], (3, 7), 1),
        ([Squeeze((0, -1)), Cast(DType.FLOAT64)], (1, 7, 3, 1), 1),
        ([Scale((2.0,)), Add((1.0,), 0)], (5, 2), 1),
        ([Add((1.0, 2.0), -1)], (5, 4), 1),
        ([Reorder(0, (1, 0)), Transpose((1, 0))], (4, 6), 1),
        ([Anchors(-1, 2, 3), BoxCoder(-1)], (1, 1, 5, 24), 1),
        ([Concat(1)], (5, 3), 2),
        ([Stack(2)], (5, 3), 3),
        ([Stack(0), Transpose((1, 0))], (6,), 2),
        ([Sum()], (5, 3), 2),
        ([Transpose((1, 0)), Concat(-1), Reshape((3, 2, 5))], (5, 3), 2),
        ([Reshape((1, 1, 4, 2, 3))], (4, 6), 1),
        ([Reshape((4, 6)), Transpose((1, 0))], (1, 1, 4, 6), 1),
        ([Reshape((1, 6, 8))], (1, 1, 6, 8), 1),
    ],
)
def test_rows_one_after_the_other_are_the_result(ops: Sequence[Op], shape: tuple[int, ...], count: int) -> None:
    arrays = sources(shape, count)
    rows = by_rows(ops, [(shape, DType.FLOAT32)] * count)
    assert rows is not None
    for step in (1, 2, rows.count):
        pieces = []
        for start in range(0, rows.count, step):
            stop = min(start + step, rows.count)
            values = [
                arrays[read.source][(slice(None),) * read.axis + (slice(start + read.offset, stop + read.offset),)]
                for read in rows.reads
            ]
            pieces.append(np.ascontiguousarray(execute(rows.ops, values)).tobytes())
        assert b"".join(pieces) == np.ascontiguousarray(execute(ops, arrays)).tobytes()


@pytest.mark.parametrize(
    ("ops", "shape"),
    [
        ([Reorder(0, (1, 0))], (4, 6)),
        ([Reshape((24,))], (4, 6)),
        ([Concat(0)], (4, 6)),
        ([Stack(0)], (4, 6)),
        ([Add((1.0, 2.0), 0)], (4, 6)),
        ([Squeeze((0, 1))], (1, 1)),
        ([Anchors(0, 2, 2)], (4, 6)),
        ([BoxCoder(0)], (4, 6)),
    ],
)
def test_rows_that_need_more_than_themselves(ops: Sequence[Op], shape: tuple[int, ...]) -> None:
    count = 2 if ops[0].joins else 1
    assert by_rows(ops, [(shape, DType.FLOAT32)] * count) is None


PARTED: list[tuple[list[Op], tuple[int, ...], int, int]] = [
    ([Reorder(0, (1, 0))], (4, 6), 1, 2),
    ([Reorder(0, (2, 0, 1)), Slice(0, 1, 5)], (6, 3), 1, 3),
    ([Reorder(0, (2, 0, 1)), Slice(0, 2, 4)], (6, 3), 1, 1),
    ([Reorder(-1, (1, 0)), Transpose((1, 0))], (3, 8), 1, 2),
    ([Concat(0)], (4, 6), 3, 3),
    ([Transpose((1, 0)), Concat(0), Scale((2.0,)), Reshape((12, 2, 2))], (4, 6), 2, 2),
    ([Cast(DType.FLOAT64), Concat(1)], (1, 6, 2), 2, 2),
    ([Concat(0), Slice(0, 3, 9)], (4, 6), 3, 3),
    ([Concat(0), Slice(0, 4, 8)], (4, 6), 3, 1),
    ([Stack(0)], (4, 6), 3, 3),
    ([Transpose((1, 0)), Stack(0), Slice(0, 1, None)], (4, 6), 3, 2),
    ([Stack(-1), Transpose((2, 0, 1)), Cast(DType.HALF)], (4, 6), 2, 2),
    ([Concat(0), Reorder(0, (1, 0))], (4, 6), 2, 2),
]


@pytest.mark.parametrize(("ops", "shape", "count", "number"), PARTED)
def test_parts_one_after_the_other_are_the_result(
    ops: Sequence[Op], shape: tuple[int, ...], count: int, number: int
) -> None:
    arrays = sources(shape, count)
    found = parts(ops, [(shape, DType.FLOAT32)] * count)
    assert found is not None
    assert len(found) == number
    pieces = [execute(part.ops, [arrays[at] for at in part.sources]) for part in found]
    whole = np.ascontiguousarray(execute(ops, arrays)).tobytes()
    assert b"".join(np.ascontiguousarray(piece).tobytes() for piece in pieces) == whole


@pytest.mark.parametrize(
    ("ops", "shape"),
    [
        ([Transpose((1, 0))], (4, 6)),  # rows do
        ([Reshape((24,))], (4, 6)),
        ([Add((1.0, 2.0), 0)], (4, 6)),
        ([Squeeze((0, 1))], (1, 1)),
        ([Anchors(0, 2, 2)], (4, 6)),
        ([Reorder(0, (1, 0)), Add((1.0, 2.0), 0)], (4, 6)),
    ],
)
def test_what_has_no_parts(ops: Sequence[Op], shape: tuple[int, ...]) -> None:
    assert parts(ops, [(shape, DType.FLOAT32)]) is None


def test_what_keeps_the_bytes() -> None:
    assert keeps_bytes([])
    assert keeps_bytes([Squeeze((0,)), Reshape((-1,))])
    assert not keeps_bytes([Squeeze((0,)), Cast(DType.FLOAT64)])
