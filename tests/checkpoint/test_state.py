from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckptmap.checkpoint.state import CheckpointState, format_state, parse_state


def test_what_is_written() -> None:
    assert format_state("ckpt-0") == 'model_checkpoint_path: "ckpt-0"\nall_model_checkpoint_paths: "ckpt-0"\n'
    assert (
        format_state('a"b\\c\n')
        == 'model_checkpoint_path: "a\\"b\\\\c\\012"\nall_model_checkpoint_paths: "a\\"b\\\\c\\012"\n'
    )


def test_what_training_leaves() -> None:
    text = (
        'model_checkpoint_path: "C:\\\\models\\\\model.ckpt-5"\r\nall_model_checkpoint_paths: "model.ckpt-1"\r\n'
        "all_model_checkpoint_paths: 'model.ckpt-5'\r\nall_model_checkpoint_timestamps: 1594283557.91\r\n"
    )
    assert parse_state(text) == CheckpointState("C:\\models\\model.ckpt-5", ("model.ckpt-1", "model.ckpt-5"))


def test_octal_escapes_are_bytes_of_utf8() -> None:
    assert parse_state('model_checkpoint_path: "m\\303\\274ll\\x21"') == CheckpointState("müll!", ())


def test_other_text_is_no_state() -> None:
    assert parse_state("") is None
    assert parse_state("version https://git-lfs.github.com/spec/v1\n") is None
    assert parse_state('all_model_checkpoint_paths: "a"\n') is None


@given(st.text(min_size=1, max_size=30))
def test_round_trip(name: str) -> None:
    try:
        name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return
    state = parse_state(format_state(name, (name, "other")))
    assert state == CheckpointState(
        name.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape"), (name, "other")
    )


@pytest.mark.parametrize("text", ["\n" * (1 << 22), 'a: "' + "\\" * (1 << 20), 'a: "' * (1 << 20), "a" * (1 << 22)])
def test_text_without_end_costs_no_more_than_its_length(text: str) -> None:
    start = time.perf_counter()
    assert parse_state(text) is None
    assert time.perf_counter() - start < 10
