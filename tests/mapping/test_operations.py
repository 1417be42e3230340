"""One walk through every tensor operation: table, JSON, schemas, shapes, rows and inverses."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ckptmap.basics.errors import CkptmapError
from ckptmap.checkpoint.dtypes import DType
from ckptmap.families.detection.operations import Anchors, BoxCoder
from ckptmap.mapping import load_table
from ckptmap.mapping.locate import mappings_root
from ckptmap.mapping.op import OPERATIONS, Op, OperationError, execute, infer, operation
from ckptmap.mapping.operations import inverse
from ckptmap.mapping.ops import Reorder, Reshape, Slice, Split, Squeeze, Transpose
from ckptmap.mapping.ops_branches import Branch, Branches
from ckptmap.mapping.ops_classes import Classes
from ckptmap.mapping.ops_join import Concat, Join, Stack, Sum
from ckptmap.mapping.ops_json import op_from_json, op_to_json
from ckptmap.mapping.ops_numeric import Add, Cast, Fill, Scale, SumOver
from ckptmap.mapping.ops_rows import by_rows, parts
from ckptmap.mapping.ops_sized import Grow, Pad, PadToTarget, ReshapeToTarget, ResizeToTarget, SplitForTargets
from ckptmap.mapping.ops_vocabulary import Vocabulary
from ckptmap.mapping.table import VariableRule

F = DType.FLOAT32
TABLE_SCHEMA = json.loads((mappings_root() / "table.schema.json").read_text(encoding="utf-8"))
REPORT_SCHEMA = json.loads((resources.files("ckptmap.report") / "schemas" / "report.schema.json").read_text())


@dataclass(frozen=True)
class Example:
    """An operation, how a table writes it (nothing: a plan makes it), and shapes of sources that it fits."""

    op: Op
    written: str
    shapes: tuple[tuple[int, ...], ...] = ((4, 6),)


EXAMPLES = [
    Example(Transpose((1, 0)), "transpose: [1, 0]"),
    Example(Reshape((2, -1, 6)), "reshape: [2, -1, 6]"),
    Example(ReshapeToTarget(), "reshape: target"),
    Example(Squeeze((0, -1)), "squeeze: [0, -1]", ((1, 4, 1),)),
    Example(Slice(0, 1, 3), "slice: {axis: 0, start: 1, stop: 3}"),
    Example(Slice(-1, 2, None), "slice: {axis: -1, start: 2}"),
    Example(Split(0, 2), "split: {axis: 0, parts: 2}"),
    Example(Split(1, 2, (2, 4)), "split: {axis: 1, sizes: [2, 4]}"),
    Example(SplitForTargets(1), "split: {axis: 1}"),
    Example(Reorder(0, (1, 0)), "reorder: {axis: 0, order: [1, 0]}"),
    Example(Concat(0), "concat: 0", ((4, 6), (2, 6))),
    Example(Stack(-1), "stack: -1", ((4, 6), (4, 6))),
    Example(Sum(), "add: sources", ((4, 6), (4, 6))),
    Example(Add((1.5,)), "add: 1.5"),
    Example(Add((1.0, 2.0), 0), "add: {values: [1, 2], axis: 0}"),
    Example(Scale((2.0, 0.5, 4.0), 1), "scale: {values: [2, 0.5, 4], axis: 1}"),
    Example(Cast(DType.FLOAT64), "cast: float64"),
    Example(SumOver(0), "sum: 0"),
    Example(SumOver(-1), "sum: -1"),
    Example(Fill(0.0), "fill: 0"),
    Example(Pad(0, 1, 0, 2.0), "pad: {axis: 0, before: 1, value: 2}"),
    Example(PadToTarget(0), "pad: {axis: 0}"),
    Example(ResizeToTarget(-1), "resize: {axis: -1}"),
    Example(Anchors(1, 2, 3), "anchors: {axis: 1, scales: 2, ratios: 3}"),
    Example(BoxCoder(0), "box_coder: 0"),
    Example(Vocabulary(0, 4, (2, -1, 0, 1, 3)), "vocabulary: {axis: 0, tokens: [old.txt, new.txt]}"),
    Example(Grow(0, 4, 7), ""),
    Example(Classes(0, 1, 4, (0, 2, 1, 3, -1)), ""),
    Example(
        Branches((Branch((0, 1), (Concat(0), Scale((2.0,)))), Branch((1,), (Branches((Branch((0,), ()),)),)))),
        "",
        ((4, 6), (2, 6)),
    ),
]
CLOSED = [one for one in EXAMPLES if not one.op.asks_target]


def arrays(shapes: Sequence[tuple[int, ...]]) -> list[np.ndarray]:
    return [
        np.arange(1, 1 + int(np.prod(shape)), dtype=np.float32).reshape(shape) + 100 * at
        for at, shape in enumerate(shapes)
    ]


def tensors(shapes: Sequence[tuple[int, ...]]) -> list[tuple[tuple[int, ...], DType]]:
    return [(shape, F) for shape in shapes]


def subclasses(kind: type[Op]) -> set[type[Op]]:
    below = kind.__subclasses__()
    return {*below, *(inner for one in below for inner in subclasses(one))}


def test_every_operation_is_registered_and_has_an_example() -> None:
    registered = set(OPERATIONS.values())
    assert {type(one.op) for one in EXAMPLES} == registered
    names = {kind.__name__ for kind in subclasses(Op) if kind.__module__.startswith("ckptmap.")}
    assert names - {kind.__name__ for kind in registered} == {"Join", "_Arithmetic", "_FromTarget"}
    modules = {f"ckptmap.mapping.{path.stem}" for path in Path(infer.__code__.co_filename).parent.glob("ops_*.py")}
    assert modules - {kind.__module__ for kind in registered} == {
        "ckptmap.mapping.ops_json",
        "ckptmap.mapping.ops_rows",
    }


def test_an_operation_that_leaves_something_out_is_refused() -> None:
    with pytest.raises(TypeError, match="does not say: infer or _infer, run or _run, unsound, undo, pull, axis, name"):

        @operation
        @dataclass(frozen=True, slots=True)
        class Half(Op):
            axis: int

    with pytest.raises(TypeError, match="Twice is another"):

        @operation
        @dataclass(frozen=True, slots=True)
        class Twice(Join):
            name = "add"
            run, undo, pull = Sum.run, Sum.undo, Sum.pull

    assert len(OPERATIONS) == len({type(one.op) for one in EXAMPLES})


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: str(one.op))
def test_a_table_and_json_give_the_same_operation(tmp_path: Path, example: Example) -> None:
    item = op_to_json(example.op)
    assert op_from_json(json.loads(json.dumps(item))) == example.op
    assert item["operation"] in REPORT_SCHEMA["$defs"]["operation"]["properties"]["operation"]["enum"]
    assert str(example.op).startswith(example.op.name)
    if not example.written:
        assert not example.op.in_tables
        return
    several = len(example.shapes) > 1
    to = "[b, c]" if "split" in example.written else "b"
    text = f"variables: [{{from: {'[a, d]' if several else 'a'}, to: {to}, ops: [{{{example.written}}}]}}]\n"
    (tmp_path / "t.yaml").write_text(text)
    (tmp_path / "old.txt").write_text("the\ncat\n##s\nsat\n")
    (tmp_path / "new.txt").write_text("##s\ndog\nthe\ncat\nsat\n")
    (rule,) = load_table(tmp_path / "t.yaml").rules
    assert isinstance(rule, VariableRule)
    assert rule.targets[0].ops == (example.op,)
    jsonschema.validate(yaml.safe_load(text), TABLE_SCHEMA)


def test_the_schemas_know_no_other_operations() -> None:
    named = {kind.name for kind in OPERATIONS.values()}
    assert set(REPORT_SCHEMA["$defs"]["operation"]["properties"]["operation"]["enum"]) == named
    in_tables = {name for one in TABLE_SCHEMA["$defs"]["op"]["oneOf"] for name in one["properties"]}
    assert in_tables == {kind.name for kind in OPERATIONS.values() if kind.in_tables}


@pytest.mark.parametrize("example", CLOSED, ids=lambda one: str(one.op))
def test_infer_rows_and_parts_are_those_of_the_whole(example: Example) -> None:
    ops: list[Op] = [example.op] if not isinstance(example.op, Branches) else [example.op, Concat(0)]
    check_rows(ops, example.shapes)


def check_rows(ops: Sequence[Op], shapes: Sequence[tuple[int, ...]]) -> None:
    sources = arrays(shapes)
    whole = execute(ops, sources)
    shape, dtype = infer(ops, shapes, [F] * len(shapes))
    assert (whole.shape, whole.dtype) == (shape, dtype.numpy)
    wanted = np.ascontiguousarray(whole).tobytes()
    if (rows := by_rows(ops, tensors(shapes))) is not None:
        pieces = []
        for start in range(rows.count):
            taken = [
                sources[one.source][(slice(None),) * one.axis + (slice(start + one.offset, start + one.offset + 1),)]
                for one in rows.reads
            ]
            pieces.append(np.ascontiguousarray(execute(rows.ops, taken)).tobytes())
        assert b"".join(pieces) == wanted
    if (found := parts(ops, tensors(shapes))) is not None:
        made = [execute(part.ops, [sources[at] for at in part.sources]) for part in found]
        assert b"".join(np.ascontiguousarray(one).tobytes() for one in made) == wanted


@pytest.mark.parametrize("example", CLOSED, ids=lambda one: str(one.op))
def test_an_inverse_gives_the_sources_back(example: Example) -> None:
    ops = [example.op, *([Concat(0)] if isinstance(example.op, Branches) else [])]
    check_inverse(ops, example.shapes)


def check_inverse(ops: Sequence[Op], shapes: Sequence[tuple[int, ...]]) -> list[bool]:
    sources = arrays(shapes)
    whole = execute(ops, sources)
    back = inverse(ops, tensors(shapes))
    for chain, source in zip(back, sources, strict=True):
        if chain is not None:
            again = execute(chain, [whole])
            assert (again.shape, again.dtype) == (source.shape, source.dtype)
            np.testing.assert_allclose(again, source, rtol=1e-6)
    return [chain is not None for chain in back]


LOSSY = (Slice, Split, Sum, SumOver, Fill)


@pytest.mark.parametrize("example", [one for one in CLOSED if type(one.op) not in LOSSY], ids=lambda one: str(one.op))
def test_what_has_an_inverse(example: Example) -> None:
    ops = [example.op, *([Concat(0)] if isinstance(example.op, Branches) else [])]
    assert check_inverse(ops, example.shapes) == [True] * len(example.shapes)


@pytest.mark.parametrize("example", [one for one in CLOSED if type(one.op) in LOSSY], ids=lambda one: str(one.op))
def test_what_has_none(example: Example) -> None:
    assert inverse([example.op], tensors(example.shapes)) == [None] * len(example.shapes)


SIMPLE = [
    Transpose((1, 0)), Reshape((2, -1)), Reshape((-1, 4)), Slice(0, 0, 1), Slice(1, 1, None), Split(0, 2, (), 1),
    Split(1, 2), Reorder(0, (1, 0)), Reorder(1, (1, 0)), Add((1.0,)), Scale((2.0, 4.0), 0), Scale((2.0, 4.0), 1),
    Cast(DType.FLOAT64), SumOver(0), SumOver(1), Fill(3.0), Pad(0, 1, 1, 0.0), Pad(1, 0, 2, 1.0), Anchors(1, 2, 1),
]  # fmt: skip
JOINS = [Concat(0), Concat(1), Stack(0), Stack(1), Sum()]
CHAINS = st.lists(st.sampled_from(SIMPLE), max_size=3)
BRANCHES = st.tuples(st.sampled_from([(0,), (1,), (0, 1), (1, 0), (0, 0)]), CHAINS, st.sampled_from(JOINS))


@settings(max_examples=300, deadline=None)
@given(st.lists(BRANCHES, min_size=1, max_size=3), CHAINS, st.sampled_from(JOINS), CHAINS)
def test_nested_operations_keep_rows_and_inverses(branches, before, join, after) -> None:
    made = [Branch(sources, (*ops, *([inner] if len(sources) > 1 else []))) for sources, ops, inner in branches]
    ops = [Branches(tuple(made)), *before, *([join] if len(made) > 1 else []), *after]
    shapes = ((4, 8), (4, 8))
    try:
        shape, _ = infer(ops, shapes, [F, F])
    except OperationError:
        return
    if 0 in shape:
        return
    assert op_from_json(json.loads(json.dumps(op_to_json(ops[0])))) == ops[0]
    check_rows(ops, shapes)
    check_inverse(ops, shapes)


def test_nested_json_without_end_is_refused() -> None:
    item = op_to_json(Cast(F))
    for _ in range(200):
        item = {"operation": "branches", "branches": [{"sources": [0], "operations": [item]}]}
    with pytest.raises(CkptmapError, match="is not an operation that ckptmap knows"):
        op_from_json(item)


def test_operations_that_ask_the_target_get_its_lengths() -> None:
    assert ReshapeToTarget().fitted((4, 6), [(2, 12)]) == Reshape((2, 12))
    assert ReshapeToTarget().fitted((4, 6), [(4, 6)]) is None
    assert PadToTarget(0).fitted((4, 6), [(7, 6)]) == Grow(0, 4, 7)
    assert PadToTarget(0).fitted((4, 6), [(4, 6)]) is None
    assert ResizeToTarget(1).fitted((4, 6), [(4, 5)]) == Slice(1, 0, 5)
    assert ResizeToTarget(-1).fitted((4, 6), [(4, 8)]) == Grow(-1, 6, 8)
    assert SplitForTargets(0, 1).fitted((9, 8), [(5, 8), (4, 8)]) == Split(0, 2, (5, 4), 1)
    for op, wanted, message in (
        (ReshapeToTarget(), (5,), "cannot have the target's [5]"),
        (PadToTarget(0), (3, 6), "the source has 4 values, the target 3 (resize cuts what is over)"),
        (PadToTarget(0), (4,), "has other dimensions than the target's [4]"),
    ):
        with pytest.raises(OperationError) as error:
            op.fitted((4, 6), [wanted])
        assert message in str(error.value)


@pytest.mark.parametrize("op", [Grow(0, 4, 1 << 30), Classes(0, 1, 4, (0, -1)), PadToTarget(0)], ids=str)
def test_a_branch_leaves_nothing_to_the_target(op: Op) -> None:
    with pytest.raises(CkptmapError, match="cannot be requested"):
        op_from_json(op_to_json(Branches((Branch((0,), (op, Slice(0, 0, 1))),))))


def test_padding_is_bounded() -> None:
    assert infer([Pad(0, 0, 1 << 20, 0.0)], [(1, 16)], [F])[0] == ((1 << 20) + 1, 16)
    with pytest.raises(OperationError, match="up to 134217728 values can be padded"):
        infer([Pad(0, 1 << 40, 0, 0.0), Slice(0, 0, 1)], [(4, 6)], [F])
