"""The doubtful choices, asked one by one."""

import os
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from ckptmap.suggest.asking import Choice, settled
from ckptmap.suggest.suggestion import paired, prepare
from tests.suggest.conftest import write_new, write_old
from tests.suggest.test_certainty import found, new, old

TWINS = old(("stem", (4, 8)), ("left", (8, 8)), ("right", (8, 8)))
OTHERS = new(("s", (4, 8)), ("p", (8, 8)), ("q", (8, 8)))


def asked(one, other, *answers):
    """The pairs when the questions get these answers, and the questions."""
    sides, heard, answers = prepare(one, other), [], list(answers)

    def ask(question):
        heard.append(question)
        return answers.pop(0)

    matched = settled(paired(sides), lambda pins: paired(sides, pins), ask)
    assert not answers
    return found(matched), heard


def test_one_answer_settles_what_follows_from_it():
    pairs, heard = asked(TWINS, OTHERS, "q")
    assert pairs == {"stem": ("s", True), "left": ("q", True), "right": ("p", True)}
    assert [(one.old, one.shapes, one.open) for one in heard] == [("left", "kernel [8, 8]", 2)]


def test_the_runner_up_is_taken_and_the_other_gets_what_is_free():
    before = found(paired(prepare(TWINS, OTHERS)))
    pairs, heard = asked(TWINS, OTHERS, Choice.RIVAL)
    assert heard[0].rival == before["right"][0]
    assert pairs["left"] == (before["right"][0], True)
    assert pairs["right"] == (before["left"][0], True)


def test_yes_keeps_the_pair():
    before = found(paired(prepare(TWINS, OTHERS)))
    pairs, _ = asked(TWINS, OTHERS, Choice.YES)
    assert pairs["left"] == (before["left"][0], True)


def test_what_is_skipped_stays_doubtful():
    pairs, heard = asked(TWINS, OTHERS, Choice.SKIP, Choice.STOP)
    assert [one.old for one in heard] == ["left", "right"]
    assert (pairs["left"][1], pairs["right"][1]) == (False, False)


@pytest.mark.parametrize(
    ("answer", "refused"),
    [("nobody", "no new layer is called nobody"), ("s", "s has other shapes")],
)
def test_an_answer_that_cannot_be_is_asked_again(answer, refused):
    _, heard = asked(TWINS, OTHERS, answer, Choice.STOP)
    assert heard[1].old == "left"
    assert heard[1].refused == refused


@pytest.mark.parametrize(("rival", "offered"), [("s", ""), ("q", "q"), ("", "")])
def test_a_runner_up_of_other_shapes_is_not_offered(rival, offered):
    matched = paired(prepare(TWINS, OTHERS))
    scopes = [layer.scope for layer in matched.new]
    at = scopes.index(rival) if rival else -1
    matched = replace(matched, pairs=tuple(replace(pair, rival_new=at) for pair in matched.pairs))
    heard = []

    def ask(question):
        heard.append(question.rival)
        return Choice.STOP

    settled(matched, lambda _: matched, ask)
    assert heard == [offered]


def test_the_first_new_layer_can_be_the_runner_up():
    one, other = old(("left", (8, 8)), ("right", (8, 8))), new(("p", (8, 8)), ("q", (8, 8)))
    _, heard = asked(one, other, Choice.SKIP, Choice.STOP)
    assert {question.rival for question in heard} == {"p", "q"}


def test_a_new_layer_is_settled_once():
    three = old(("left", (8, 8)), ("middle", (8, 8)), ("right", (8, 8)))
    _, heard = asked(three, new(("p", (8, 8)), ("q", (8, 8)), ("r", (8, 8))), "q", "q", Choice.STOP)
    assert heard[2].refused == "q is settled: it comes from left"


def test_all_that_differ_in_numbers_only_are_answered_at_once():
    one = old(*((f"a{at}", (8, 8)) for at in range(1, 5)), ("z", (8, 8)))
    other = new(*((f"p{at}", (8, 8)) for at in range(1, 5)), ("w", (8, 8)))
    before = found(paired(prepare(one, other)))
    pairs, heard = asked(one, other, Choice.ALIKE)
    assert heard[0].alike == 4
    assert pairs == {name: (to, True) for name, (to, _) in before.items()}


def test_without_a_terminal_nothing_is_asked(run, tmp_path):
    one = write_old(tmp_path / "old" / "m", {"a/weights": (2, 2)})
    other = write_new(tmp_path / "new" / "ckpt-1", {"b/kernel": ("b/kernel", (2, 2))})
    refused = run("suggest", one, "--to", other, "--ask")
    assert refused.code == 2
    assert "--ask needs a terminal" in refused.err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo terminals of this kind")
def test_the_answers_of_a_terminal_go_into_the_table(tmp_path):
    import pty

    shapes = {"net/left/weights": (2, 2), "net/right/weights": (2, 2)}
    one = write_old(tmp_path / "old" / "m", shapes)
    other = write_new(tmp_path / "new" / "ckpt-1", {f"{n}/kernel": (f"{n}/kernel", (2, 2)) for n in ("up", "down")})
    table = tmp_path / "draft.yaml"
    here, there = pty.openpty()
    command = [sys.executable, "-m", "ckptmap", "suggest", one, "--to", other, "--ask", "-o", table]
    with subprocess.Popen(command, stdin=there, stdout=subprocess.PIPE, stderr=there) as process:
        os.close(there)
        os.write(here, b"nobody\ndown\n")
        said = _read(here)
        assert process.wait() == 0
    os.close(here)
    assert "no new layer is called nobody" in said
    lines = table.read_text().splitlines()
    rule = lines.index("  - {from: net/left, to: down, as: conv}")
    assert lines[rule - 1] == "  # this layer is as you answered"
    assert "  - {from: net/right, to: up, as: conv}" in lines


def _read(terminal):
    """All that is said until the process closes its end."""
    said, end = b"", time.monotonic() + 60
    while time.monotonic() < end:
        try:
            piece = os.read(terminal, 4096)
        except OSError:  # Linux says so that the other end is closed
            break
        if not piece:
            break
        said += piece
    return said.decode()
