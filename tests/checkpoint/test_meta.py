from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from ckptmap.basics.errors import CheckpointError
from ckptmap.checkpoint.files import LocalFiles
from ckptmap.checkpoint.meta import MetaGraph, parse_meta, read_meta
from ckptmap.checkpoint.reader import open_checkpoint
from ckptmap.checkpoint.wire import FormatError, bytes_field, number_field, text_field


def collection(name: str, *items: bytes, field: int = 2) -> bytes:
    return bytes_field(
        4, text_field(1, name) + bytes_field(2, bytes_field(field, b"".join(bytes_field(1, i) for i in items)))
    )


def test_what_a_graph_tells() -> None:
    part = text_field(1, "embedding/part_0:0") + bytes_field(4, text_field(1, "embedding"))
    data = bytes_field(1, text_field(4, "serve") + text_field(5, "1.15.0")) + bytes_field(2, b"\x0a\x00")
    data += collection("variables", text_field(1, "w:0"), part)
    data += collection("trainable_variables", b"old_style:0", field=1)
    data += collection("moving_average_variables", text_field(1, "w:0"))
    data += collection("cond_context", number_field(4, 7))
    assert parse_meta(data) == MetaGraph("1.15.0", ("w", "embedding"), ("old_style",), ("w",))


def test_a_graph_that_tells_nothing() -> None:
    assert parse_meta(b"") == MetaGraph("", (), (), ())


def test_damage() -> None:
    with pytest.raises(FormatError):
        parse_meta(b"\x0a\x7f")


def test_files(tmp_path: Path) -> None:
    with closing(LocalFiles()) as files:
        assert read_meta(files, str(tmp_path / "m.meta")) is None
        (tmp_path / "m.meta").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
        with pytest.raises(CheckpointError, match="Git-LFS pointer"):
            read_meta(files, str(tmp_path / "m.meta"))


@pytest.mark.parametrize(
    ("name", "version", "variables", "trainable"),
    [
        ("zoo_ssd_mobilenet_v2_2018_03_29", "1.5.0", 0, 0),
        ("ft_ssd_resnet50_fpn_airplane", "1.15.0", 0, 0),
        ("v1format_nxt_tensorflow_with_meta", "", 14, 4),
        ("v1format_session_bundle_half_plus_two", "0.12.head", 3, 3),
        ("tf1_mtcnn_pnet", "1.8.0", 31, 15),
    ],
)
def test_real_files(corpus: Path, name: str, version: str, variables: int, trainable: int) -> None:
    with open_checkpoint(corpus / "tf1" / name) as checkpoint:
        meta = checkpoint.meta()
    assert meta is not None
    assert (meta.tensorflow_version, len(meta.variables), len(meta.trainable)) == (version, variables, trainable)
