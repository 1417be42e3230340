import json

import pytest

from ckptmap.checkpoint.dtypes import DType
from ckptmap.errors import CkptmapError
from ckptmap.mapping.ops import Op, Reorder, Reshape, Slice, Split, Squeeze, Transpose
from ckptmap.mapping.ops_boxes import Anchors, BoxCoder
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
    with pytest.raises(CkptmapError, match="is no operation that ckptmap knows"):
        op_from_json({"operation": "squeeze"})
