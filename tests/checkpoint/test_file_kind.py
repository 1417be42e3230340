from __future__ import annotations

import gzip
import io
import pickle
import tarfile
import zipfile
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from ckptmap.basics.errors import CheckpointError
from ckptmap.checkpoint.file_kind import describe, refuse
from ckptmap.checkpoint.files import LocalFiles

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:f6bc\nsize 22315273\n"


def zip_of(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, b"x")
    return out.getvalue()


def tar() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("model.ckpt.index"))
    return out.getvalue()


def npy() -> bytes:
    out = io.BytesIO()
    np.save(out, np.zeros(3))
    return out.getvalue()


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"", "the file is empty"),
        (LFS, "this is a Git-LFS pointer, not the file itself"),
        (b"26 mtime=1522378089.87717\n14 uid=345018\n", "this is a PaxHeader record that an unpacker left behind"),
        (zip_of("archive/data.pkl", "archive/version"), "this is a PyTorch file"),
        (zip_of("metadata.json", "config.json", "model.weights.h5"), "this is a Keras .keras file"),
        (zip_of("arr_0.npy"), "this is a NumPy .npz file"),
        (zip_of("model.ckpt.index"), "this is a zip archive"),
        (gzip.compress(b"x"), "this is a gzip archive"),
        (tar(), "this is a tar archive"),
        (b"\x89HDF\r\n\x1a\n" + bytes(8), "this is an HDF5 file (Keras .h5 weights)"),
        (b"\x10\x00\x00\x00\x00\x00\x00\x00" + b'{"w":{"dtype":"F32"}}', "this is a safetensors file"),
        (pickle.dumps({}, protocol=2), "this is a Python pickle (an old PyTorch file, perhaps)"),
        (b"\x1c\x00\x00\x00TFL3", "this is a TensorFlow Lite file"),
        (npy(), "this is a NumPy .npy file"),
        (b"\n<!DOCTYPE html>\n<html>", "this is a web page, not a checkpoint"),
        ("not original\nDie größere Datei fehlt".encode(), 'this is a text file ("not original")'),
        (b"a" * 4095 + "é".encode()[:1], 'this is a text file ("' + "a" * 60 + '")'),
    ],
)
def test_what_a_file_is(head: bytes, words: str) -> None:
    known = describe(head)
    assert known is not None
    assert known[0].startswith(words)
    assert known[1]


@pytest.mark.parametrize("head", [b"\x00\x00\x06\x08\x01", b"\x00\x00\xc0\x3f", b"abc\x01", b"\xff\xfe", b"caf\xc3"])
def test_nothing_tells(head: bytes) -> None:
    assert describe(head) is None


def test_the_message_names_the_file_and_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "model.ckpt.index"
    path.write_bytes(LFS)
    with closing(LocalFiles()) as files, pytest.raises(CheckpointError) as caught:
        refuse(files, str(path))
    assert str(caught.value) == (
        f'{path}: this is a Git-LFS pointer, not the file itself (run "git lfs pull" in the repository it came from, '
        "or download the file itself)"
    )
