from __future__ import annotations

from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.inventory import Slice, Variable
from ckptmap.inspection.tree import describe, tree_lines


def variable(name: str, *shape: int, dtype: DType = DType.FLOAT32, slices: int = 0) -> Variable:
    parts = tuple(Slice((0,), (1,), None) for _ in range(slices))
    return Variable(name, dtype, shape, 0, None, parts)


def test_scopes_that_differ_in_numbers_are_one_branch() -> None:
    variables = [
        variable(f"net/block_{b}/conv{c}/{leaf}", 3, 3, 2**b, 16)
        for b in (1, 2, 3)
        for c in (1, 2)
        for leaf in ("w", "v")
    ]
    assert list(tree_lines(variables)) == ["net/block_{1..3}/conv{1..2}/{w,v}  float32 [3, 3, 2..8, 16]  x6"]


def test_a_scope_with_several_types() -> None:
    variables = [
        variable("net/conv/weights", 1, 1, 3, 8),
        variable("net/conv/BatchNorm/beta", 8),
        variable("net/conv/BatchNorm/gamma", 8),
        variable("net/head/weights", 8, 2),
        variable("step", dtype=DType.INT64),
    ]
    assert list(tree_lines(variables)) == [
        "step  int64 []",
        "net/",
        "  conv/",
        "    weights  float32 [1, 1, 3, 8]",
        "    BatchNorm/{beta,gamma}  float32 [8]",
        "  head/weights  float32 [8, 2]",
    ]


def test_a_variable_that_is_a_scope_too() -> None:
    variables = [variable("w", 2), variable("w/Momentum", 2), variable("w/Adam", 2)]
    assert list(tree_lines(variables)) == ["w  float32 [2]", "w/{Momentum,Adam}  float32 [2]"]


def test_keys_without_their_common_ending() -> None:
    variables = [variable(f"model/layer-{n}/kernel/.ATTRIBUTES/VARIABLE_VALUE", 4, 4) for n in (0, 1)]
    assert list(tree_lines(variables)) == ["model/layer-{0..1}/kernel  float32 [4, 4]  x2"]


def test_names_with_empty_components() -> None:
    variables = [variable("/a/x", 1), variable("a/y", 2), variable("//", 3)]
    assert list(tree_lines(variables)) == ["/", "  a/x  float32 [1]", "  /  float32 [3]", "a/y  float32 [2]"]


def test_a_name_of_a_thousand_scopes() -> None:
    (line,) = tree_lines([variable("/".join(["a"] * 5000), 1)])
    assert line == "/".join(["a"] * 5000) + "  float32 [1]"


def test_nothing() -> None:
    assert list(tree_lines([])) == []


def test_describe() -> None:
    assert describe([variable("a")]) == "float32 []"
    assert describe([variable("a", 4, 5, slices=3)]) == "float32 [4, 5], 3 slices"
    assert describe([variable("a", 4), variable("b", 4, 4)]) == "float32 (2 shapes)  x2"
    assert describe([variable("a", 4), variable("b", 8, dtype=DType.HALF)]) == "float32/float16 [4..8]  x2"
