from __future__ import annotations

from pathlib import Path

import pytest

from ckptmap.basics.errors import CheckpointError
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.inventory import Kind, Variable
from ckptmap.checkpoint.reader import open_checkpoint
from ckptmap.checkpoint.wire import bytes_field, number_field, text_field


def node(name: str, op: str, *inputs: str, tensor: bytes | None = None, dtype: int = DType.FLOAT32.number) -> bytes:
    body = text_field(1, name) + text_field(2, op) + b"".join(text_field(3, each) for each in inputs)
    if tensor is not None:
        body += bytes_field(5, text_field(1, "dtype") + bytes_field(2, number_field(6, dtype)))
        body += bytes_field(5, text_field(1, "value") + bytes_field(2, bytes_field(8, tensor)))
    return bytes_field(1, body)


def constant(dtype: DType, content: bytes, *shape: int) -> bytes:
    dims = b"".join(bytes_field(2, number_field(1, dim)) for dim in shape)
    return number_field(1, dtype.number) + bytes_field(2, dims) + bytes_field(4, content)


WEIGHTS = constant(DType.FLOAT32, b"\x00\x00\x80\x3f\x00\x00\x00\x40", 1, 2)
HALF = constant(DType.HALF, b"\x00\x3c", 1)
GRAPH = b"".join(
    [
        node("conv/read", "Identity", "conv"),  # a reader may stand before what it reads
        node("conv", "Const", tensor=WEIGHTS),
        node("shrunk", "Const", tensor=HALF, dtype=DType.HALF.number),
        node("shrunk/read", "Cast", "shrunk"),
        node("bias", "Const", tensor=constant(DType.FLOAT32, b"", 2)),
        node("Add/ReadVariableOp", "Identity", "bias"),
        node("anchors", "Const", tensor=WEIGHTS),
        node("anchors_1", "Identity", "anchors"),
        node("image", "Placeholder"),
        bytes_field(4, number_field(1, 27)),
    ]
)


def test_the_constants_that_were_variables(tmp_path: Path) -> None:
    path = tmp_path / "frozen_inference_graph.pb"
    path.write_bytes(GRAPH)
    for place in (path, tmp_path):
        with open_checkpoint(place) as checkpoint:
            assert (checkpoint.inventory.kind, checkpoint.inventory.path) == (Kind.FROZEN_GRAPH, str(path))
            assert list(checkpoint.inventory.variables.values()) == [
                Variable("bias", DType.FLOAT32, (2,), 8),
                Variable("conv", DType.FLOAT32, (1, 2), 8),
                Variable("shrunk", DType.HALF, (1,), 2),
            ]
            assert checkpoint.read("conv").tolist() == [[1.0, 2.0]]
            assert checkpoint.read("shrunk").tolist() == [1.0]
            assert checkpoint.read("bias").tolist() == [0.0, 0.0]
            assert list(checkpoint.chunks("conv", 5)) == [b"\x00\x00\x80\x3f\x00", b"\x00\x00\x40"]
            assert checkpoint.object_graph() is None
            assert checkpoint.meta() is None


def test_a_saved_model_that_was_exported_frozen(tmp_path: Path) -> None:
    meta_graph = bytes_field(1, b"") + bytes_field(2, GRAPH)
    (tmp_path / "saved_model.pb").write_bytes(number_field(1, 1) + bytes_field(2, meta_graph))
    with open_checkpoint(tmp_path) as checkpoint:
        assert list(checkpoint.inventory.variables) == ["bias", "conv", "shrunk"]
        assert checkpoint.inventory.notes == (
            "the SavedModel was exported frozen: its weights are constants of its graph",
        )


READ = node("v/read", "Identity", "v")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (node("image", "Placeholder"), "this graph holds no constant that was a variable"),
        (GRAPH[:200], "damaged: a field of"),
        (b"not original\n", 'this is a text file ("not original")'),
        (node("v", "Const", tensor=number_field(1, 99), dtype=99) + READ, "v is of an unknown type"),
        (node("v", "Const", tensor=HALF) + READ, "the constant v and its values are of different types"),
    ],
)
def test_graphs_that_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "graph.pb"
    path.write_bytes(content)
    with pytest.raises(CheckpointError) as caught:
        open_checkpoint(path)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{path}: ")


def test_a_constant_that_claims_too_much(tmp_path: Path) -> None:
    path = tmp_path / "graph.pb"
    path.write_bytes(
        node("v", "Const", tensor=constant(DType.FLOAT32, b"", 2**20, 2**20)) + node("v/read", "Identity", "v")
    )
    with (
        open_checkpoint(path) as checkpoint,
        pytest.raises(CheckpointError, match="a constant claims 4398046511104 bytes"),
    ):
        checkpoint.read("v")


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (constant(DType.FLOAT32, b"\x00\x00\x80\x3f", 2), "4 bytes cannot make"),
        (constant(DType.FLOAT32, b"\x00", 1), "1 byte cannot make"),
        (constant(DType.FLOAT32, b"", 2) + bytes_field(7, b"\x01\x02"), "values in a field of another type"),
        (constant(DType.FLOAT32, bytes(8), 2) + bytes_field(5, bytes(8)), "has its values twice"),
    ],
    ids=["short content", "content of a part", "another field", "both"],
)
def test_constants_that_tensorflow_does_not_read_so(tmp_path: Path, tensor: bytes, message: str) -> None:
    path = tmp_path / "graph.pb"
    path.write_bytes(node("v", "Const", tensor=tensor) + READ)
    with open_checkpoint(path) as checkpoint, pytest.raises(CheckpointError, match=message):
        checkpoint.read("v")


CASES = Path(__file__).parents[2] / ".." / "shared" / "cases" / "attacks" / "frozen-short-content"


@pytest.mark.skipif(not CASES.is_dir(), reason="the cases are not here")
def test_the_published_case_of_short_content() -> None:
    for name, values in (("whole", [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]), ("empty", [[0] * 4] * 3)):
        with open_checkpoint(CASES / f"{name}.pb") as checkpoint:
            (variable,) = checkpoint.inventory.variables
            assert checkpoint.read(variable).tolist() == values
    with (
        open_checkpoint(CASES / "short.pb") as checkpoint,
        pytest.raises(CheckpointError, match="16 bytes cannot make"),
    ):
        checkpoint.read(variable)
