from __future__ import annotations

import pytest

from ckptmap.families.detection.pipeline.changes import Change, Edit, make, text, word
from ckptmap.families.detection.pipeline.textproto import parse

CONFIG = """model {
  ssd {
    num_classes: 90
    box_coder { }
  }
}
train_config {
  from_detection_checkpoint: true  # old
  freeze_variables: 'a'
  freeze_variables: 'b'
}
"""


def made(*changes: Change, of: str = CONFIG) -> tuple[str, list[tuple[int, str, str]]]:
    new, edits = make(parse(of), changes)
    assert new == parse(new.text)
    return new.text, [(edit.line, edit.old, edit.new) for edit in edits]


def change(path: str, new: str | None, **options) -> Change:
    return Change(path, new, "why", **options)


def test_set() -> None:
    assert made(change("model.ssd.num_classes", "3")) == (CONFIG.replace("90", "3"), [(3, "90", "3")])


def test_what_is_so_already_is_no_edit() -> None:
    assert made(change("model.ssd.num_classes", "90")) == (CONFIG, [])
    assert made(change("train_config.freeze_variables", '"b"')) == (CONFIG, [])
    assert made(change("train_config.num_steps", None)) == (CONFIG, [])
    assert made(change("eval_config.batch_size", None)) == (CONFIG, [])


def test_a_text_keeps_the_quotes_of_the_file_where_it_can() -> None:
    path = "train_config.freeze_variables"
    assert made(change(path, text("c")))[1] == [(10, "'b'", "'c'")]
    assert made(change(path, text("it's")))[1] == [(10, "'b'", '"it\'s"')]


def test_remove_all_of_a_name() -> None:
    new, edits = made(change("train_config.freeze_variables", None))
    assert new == CONFIG.replace("  freeze_variables: 'a'\n  freeze_variables: 'b'\n", "")
    assert edits == [(10, "'a', 'b'", "")]


@pytest.mark.parametrize(
    ("options", "expected", "edit"),
    [
        ({}, CONFIG.replace("'b'\n", "'b'\n  num_steps: 5\n"), (7, "", "5")),
        (
            {"after": ("batch_size", "from_detection_checkpoint")},
            CONFIG.replace("# old\n", "# old\n  num_steps: 5\n"),
            (8, "", "5"),
        ),
        (
            {"instead_of": "from_detection_checkpoint"},
            CONFIG.replace("from_detection_checkpoint: true", "num_steps: 5"),
            (8, "from_detection_checkpoint: true", "5"),
        ),
    ],
)
def test_a_new_field(options: dict, expected: str, edit: tuple[int, str, str]) -> None:
    assert made(change("train_config.num_steps", "5", **options)) == (expected, [edit])


def test_missing_messages_are_made_on_the_way_once() -> None:
    new, edits = made(
        change("model.ssd.box_coder.square_box_coder.y_scale", "5.0"),
        change("eval_config.batch_size", "1"),
        change("eval_config.max_evals", "2"),
    )
    assert new == CONFIG.replace("{ }", "{\n      square_box_coder { y_scale: 5.0 }\n    }") + (
        "eval_config { batch_size: 1 max_evals: 2 }\n"
    )
    assert [edit[0] for edit in edits] == [4, 0, 0]


def test_of_several_blocks_of_a_message_the_one_with_the_field_is_edited() -> None:
    twice = "model { ssd { num_classes: 1 } }\nmodel { ssd { freeze_batchnorm: true } }\n"
    assert made(change("model.ssd.num_classes", "2"), of=twice)[0] == twice.replace("1", "2")
    assert made(change("model.ssd.add_background_class", "false", after=("num_classes",)), of=twice)[
        0
    ] == twice.replace("1 }", "1 add_background_class: false }")


def test_an_edit_says_all() -> None:
    assert make(parse("train_config {}"), [change("train_config.num_steps", "5")])[1] == (
        Edit(1, "train_config.num_steps", "", "5", "why"),
    )


def test_values_as_the_text_format_writes_them() -> None:
    assert [word(True), word(False), word(3), word(0.5), text('a"b')] == ["true", "false", "3", "0.5", '"a\\"b"']
