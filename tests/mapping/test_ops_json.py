import json
from typing import Any

import pytest

from ckptmap.basics.errors import CkptmapError
from ckptmap.checkpoint.dtypes import DType
from ckptmap.families.detection.operations import Anchors, BoxCoder
from ckptmap.mapping.ops import Op, Reorder, Reshape, Slice, Split, Squeeze, Transpose
from ckptmap.mapping.ops_classes import Classes
from ckptmap.mapping.ops_join import Concat, Stack, Sum
from ckptmap.mapping.ops_json import op_from_json, op_to_json
from ckptmap.mapping.ops_numeric import Add, Cast, Scale


def test_an_operation_is_its_name_and_its_arguments() -> None:
    assert op_to_json(Squeeze((0, 1))) == {"operation": "squeeze", "axes": [0, 1]}
    assert op_to_json(Cast(DType.BFLOAT16)) == {"operation": "cast", "dtype": "bfloat16"}
    assert op_to_json(Sum()) == {"operation": "add"}


@pytest.mark.parametrize(
    "op",
    [
        Transpose((1, 0)),
        Reshape((2, -1)),
        Squeeze((0,)),
        Slice(0, 1, None),
        Split(0, 3, (), 2),
        Reorder(-1, (1, 0)),
        Concat(0),
        Stack(0),
        Sum(),
        Add((1.5,), 0),
        Scale((2.0, 3.0), -1),
        Cast(DType.HALF),
        Classes(-1, 4, 3, (0, -1, 2)),
        Anchors(-1, 3, 3),
        BoxCoder(-1, (1.0, 2.0, 3.0, 4.0)),
    ],
    ids=str,
)
def test_every_operation_comes_back_from_json(op: Op) -> None:
    assert op_from_json(json.loads(json.dumps(op_to_json(op)))) == op


def test_an_unknown_operation_is_refused() -> None:
    with pytest.raises(CkptmapError, match="is not an operation that ckptmap knows"):
        op_from_json({"operation": "squeeze"})


@pytest.mark.parametrize(
    "item",
    [
        {"operation": ["squeeze"], "axes": [0]},
        {"operation": "squeeze", "axes": 0},
        {"operation": "squeeze", "axes": ["0"]},
        {"operation": "squeeze", "axes": [0.0]},
        {"operation": "squeeze", "axes": [True]},
        {"operation": "concat", "axis": [0]},
        {"operation": "concat", "axis": None},
        {"operation": "cast", "dtype": "float31"},
        {"operation": "transpose", "perm": [1, 2]},
        {"operation": "transpose", "perm": []},
        {"operation": "reorder", "axis": 0, "order": [0, 0]},
        {"operation": "reshape", "dims": [-1, -1]},
        {"operation": "reshape", "dims": [-2]},
        {"operation": "slice", "axis": 0, "start": -1, "stop": 1},
        {"operation": "slice", "axis": 0, "start": 1, "stop": 1},
        {"operation": "slice", "axis": 0, "start": None, "stop": 1},
        {"operation": "split", "axis": 0, "parts": 0, "sizes": [], "take": 0},
        {"operation": "split", "axis": 0, "parts": 2, "sizes": [], "take": 2},
        {"operation": "split", "axis": 0, "parts": 2, "sizes": [1], "take": 0},
        {"operation": "split", "axis": 0, "parts": 2, "sizes": [-1, 2], "take": 0},
        {"operation": "add", "values": [], "axis": -1},
        {"operation": "scale", "values": [float("nan")], "axis": -1},
        {"operation": "anchors", "axis": -1, "scales": 0, "ratios": 3},
        {"operation": "box_coder", "axis": -1, "factors": [1.0, 2.0]},
        {"operation": "classes", "axis": -1, "block": 0, "old": 1, "slots": [0]},
        {"operation": "classes", "axis": -1, "block": 1, "old": 1, "slots": [1]},
        {"operation": "classes", "axis": -1, "block": 1, "old": 1, "slots": []},
    ],
    ids=str,
)
def test_what_no_table_can_ask_for_is_refused(item: dict[str, Any]) -> None:
    with pytest.raises(CkptmapError, match=r"not an operation that ckptmap knows|cannot be requested"):
        op_from_json(item)
