"""Thousands of drawn checkpoints, written by TensorFlow and read by ckptmap, and the other way round.

Every run draws a few of each kind, ``-m slow`` 2,000 in each direction. What is not drawn is in ``test_codec.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.ordered_code import FULL
from ckptmap.checkpoint.reader import open_checkpoint
from ckptmap.checkpoint.staging import Staging
from ckptmap.checkpoint.values import encode
from ckptmap.checkpoint.writer import BundleWriter
from tests.checkpoint.strategies import Value, bundles, same, values
from tests.checkpoint.test_writer import save
from tests.tf.test_codec import assert_equal, read_by_ckptmap, read_by_tensorflow, tensor, tensorflow_saves, tf

# what TensorFlow's own reader puts together from parts, and what its V1 format holds
IN_PARTS = (DType.FLOAT32, DType.FLOAT64, DType.BFLOAT16, DType.INT32, DType.INT64, DType.UINT8, DType.BOOL)
IN_V1 = (*IN_PARTS[:2], DType.INT32, DType.INT64, DType.INT16, DType.INT8, DType.UINT8, DType.BOOL, DType.STRING)

Bundle = dict[str, Value]
Part = tuple[tuple[int, int], ...]
"""(start, length) of each dimension."""


@dataclass(frozen=True)
class Cut:
    """A partitioned variable: ``parts`` fill the whole."""

    whole: Value
    parts: tuple[Part, ...]

    def piece(self, part: Part) -> Value:
        box = tuple(slice(start, start + length) for start, length in part)
        return Value(self.whole.dtype, np.ascontiguousarray(self.whole.array[box]))

    def spec(self, part: Part) -> str:
        """As SaveV2 takes it: ``4 300 0,4:70,230``."""
        return f"{' '.join(map(str, self.whole.array.shape))} {':'.join(f'{start},{length}' for start, length in part)}"

    def extents(self, part: Part) -> Part:
        """As an index has it, where a whole dimension has no length."""
        pairs = zip(part, self.whole.array.shape, strict=True)
        return tuple((0, FULL) if pair == (0, length) else pair for pair, length in pairs)


@st.composite
def cuts(draw: st.DrawFn) -> Cut:
    """A grid of parts in any order, of a variable without empty dimensions; the grid may have a single part."""
    whole = draw(values(IN_PARTS).filter(lambda value: value.array.size > 0 and value.array.ndim > 0))
    parts: list[Part] = [()]
    for length in whole.array.shape:
        ends = sorted(draw(st.sets(st.integers(1, length), max_size=2)) | {length})
        parts = [(*part, pair) for part in parts for pair in _intervals(ends)]
    return Cut(whole, tuple(draw(st.permutations(parts))))


def _intervals(ends: list[int]) -> Iterator[tuple[int, int]]:
    yield from ((start, end - start) for start, end in zip((0, *ends), ends, strict=False))


def arrays(bundle: Bundle) -> dict[str, np.ndarray]:
    return {name: value.array for name, value in bundle.items()}


def whole_by_ckptmap(folder: Path, bundle: Bundle) -> None:
    assert_equal(read_by_tensorflow(save(folder, bundle)), arrays(bundle))


def cut_by_ckptmap(folder: Path, cut: Cut) -> None:
    with Staging(folder) as staging, BundleWriter(staging, "m") as writer:
        for part in cut.parts:
            piece = cut.piece(part)
            chunks = [encode(piece.dtype, piece.array)]
            writer.add_part("v", piece.dtype, cut.whole.array.shape, cut.extents(part), chunks)
        writer.finish()
        staging.commit()
    assert_equal(read_by_tensorflow(folder / "m"), {"v": cut.whole.array})


def whole_by_tensorflow(folder: Path, bundle: Bundle) -> None:
    assert_equal(read_by_ckptmap(tensorflow_saves(folder / "m", bundle)), arrays(bundle))


def cut_by_tensorflow(folder: Path, cut: Cut) -> None:
    tf.raw_ops.SaveV2(
        prefix=str(folder / "m"),
        tensor_names=["v"] * len(cut.parts),
        shape_and_slices=[cut.spec(part) for part in cut.parts],
        tensors=[tensor(cut.piece(part)) for part in cut.parts],
    )
    with open_checkpoint(folder / "m") as checkpoint:
        assert same(checkpoint.read("v"), cut.whole.array)
        assert b"".join(checkpoint.chunks("v", 5)) == encode(cut.whole.dtype, cut.whole.array)


def merged_by_tensorflow(folder: Path, drawn: tuple[Bundle, int]) -> None:
    """Up to so many checkpoints, saved one by one and merged: as many data files."""
    bundle, shards = drawn
    names = sorted(bundle)
    groups = [group for group in (names[part::shards] for part in range(shards)) if group]
    prefixes = [str(folder / f"part{number}") for number in range(len(groups))]
    for prefix, group in zip(prefixes, groups, strict=True):
        tensorflow_saves(Path(prefix), {name: bundle[name] for name in group})
    tf.raw_ops.MergeV2Checkpoints(checkpoint_prefixes=prefixes, destination_prefix=str(folder / "m"))
    with open_checkpoint(folder / "m") as checkpoint:
        assert len(checkpoint.inventory.data_files) == len(groups)
    assert_equal(read_by_ckptmap(folder / "m"), arrays(bundle))


def v1_by_tensorflow(folder: Path, bundle: Bundle) -> None:
    names = sorted(bundle)
    tf.raw_ops.Save(filename=str(folder / "m"), tensor_names=names, data=[tensor(bundle[name]) for name in names])
    assert_equal(read_by_ckptmap(folder / "m"), arrays(bundle))


@dataclass(frozen=True)
class Kind:
    """What is drawn, what must hold of it in a folder of its own, and how often the full run draws it."""

    drawn: st.SearchStrategy[Any]
    holds: Callable[[Path, Any], None]
    full: int


some = bundles().filter(bool)
KINDS = [
    Kind(bundles(), whole_by_ckptmap, 1500),
    Kind(cuts(), cut_by_ckptmap, 500),
    Kind(some, whole_by_tensorflow, 1000),
    Kind(cuts(), cut_by_tensorflow, 400),
    Kind(st.tuples(some, st.integers(2, 4)), merged_by_tensorflow, 300),
    Kind(bundles(IN_V1).filter(bool), v1_by_tensorflow, 300),
]


def draw(kind: Kind, examples: int, folders: pytest.TempPathFactory) -> None:
    drawn = 0

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(kind.drawn)
    def hold(example: Any) -> None:
        nonlocal drawn
        drawn += 1
        kind.holds(folders.mktemp("drawn"), example)

    hold()
    assert drawn >= examples


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.holds.__name__)
def test_a_few(tmp_path_factory: pytest.TempPathFactory, kind: Kind) -> None:
    draw(kind, 10, tmp_path_factory)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.holds.__name__)
def test_many(tmp_path_factory: pytest.TempPathFactory, kind: Kind) -> None:
    draw(kind, kind.full, tmp_path_factory)
