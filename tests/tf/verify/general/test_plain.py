"""What is asked of inputs, how both sides are paired, which of two paths is run how: no TensorFlow is needed."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from ckptmap.basics.documents import read_document
from ckptmap.basics.errors import CkptmapError
from ckptmap.basics.wording import command_line
from ckptmap.tf.verify.general import beside
from ckptmap.tf.verify.general.choosing import are_detectors
from ckptmap.tf.verify.general.code import find
from ckptmap.tf.verify.general.comparing import joined, measured
from ckptmap.tf.verify.general.embeddings import rows_of
from ckptmap.tf.verify.general.feeding import batches, make_feeds
from ckptmap.tf.verify.general.meaning import Meanings, implied, same_meaning
from ckptmap.tf.verify.general.pairing import check_pairs, paired, parse_pairs, plain
from ckptmap.tf.verify.general.requests import Given, Made, parse_inputs
from ckptmap.tf.verify.general.side import Node, Side, Spec, Variable
from ckptmap.tf.verify.general.source import Kind, find_source, parse_code

ROOT = Path(__file__).resolve().parents[4]
FIXTURE = ROOT / "fixtures" / "ssd_mobilenet_v2_tiny"


def spec(name: str, shape: tuple[int | None, ...] | None = (None, 4), dtype: str = "float32") -> Spec:
    return Spec(name, f"{name}:0", shape, dtype)


def side(*inputs: Spec, nodes: tuple[Node, ...] = (), variables: tuple[Variable, ...] = ()) -> Side:
    placeholders = tuple(Node(one.name, "Placeholder", ()) for one in inputs)
    return Side("somewhere", "frozen graph", inputs, (), variables, (*placeholders, *nodes))


def names(old: list[Spec], new: list[Spec], pairs: list[str] | None = None) -> list[tuple[str, str]]:
    return [(left.name, right.name) for left, right in paired(old, new, parse_pairs(pairs or []))]


def test_inputs_are_asked_for_in_a_line() -> None:
    assert parse_inputs(["ids=int32[2,16]<30522", "x=float32[2, 8]", "s=float32[]"]) == (
        Made("ids", "int32", (2, 16), 30522),
        Made("x", "float32", (2, 8)),
        Made("s", "float32", ()),
    )
    keep, flag = parse_inputs(["keep=1.0", "on=false"])
    assert isinstance(keep, Given)
    assert isinstance(flag, Given)
    assert (keep.value.item(), flag.value.item(), flag.value.dtype) == (1.0, False, np.dtype(bool))


@pytest.mark.parametrize(
    "text", ["ids", "ids=int33[2]", "ids=int32[2", "ids=complex64[2]", "x=float32[99999,99999]", "x=nothing.npy"]
)
def test_what_cannot_be_understood_is_refused(text: str) -> None:
    with pytest.raises(CkptmapError, match=r"ids|complex|float32|nothing"):
        parse_inputs([text])


def test_files_give_values(tmp_path: Path) -> None:
    np.savez(tmp_path / "two.npz", a=np.ones(2), b=np.zeros(3))
    np.save(tmp_path / "one.npy", np.ones(4))
    two = parse_inputs([str(tmp_path / "two.npz")])
    assert [one.name for one in two] == ["a", "b"]
    (one,) = parse_inputs([f"x={tmp_path / 'one.npy'}"])
    assert isinstance(one, Given)
    assert (one.name, one.value.shape) == ("x", (4,))
    with pytest.raises(CkptmapError, match="holds 2 arrays"):
        parse_inputs([f"x={tmp_path / 'two.npz'}"])


def test_pairs_are_found_by_name_then_by_shape_then_by_order() -> None:
    assert names([spec("a/logits/BiasAdd"), spec("b")], [spec("b"), spec("logits")]) == [
        ("a/logits/BiasAdd", "logits"),
        ("b", "b"),
    ]
    assert names([spec("x"), spec("y", (None, 7))], [spec("p", (None, 7)), spec("q")]) == [("x", "q"), ("y", "p")]
    assert names([spec("x"), spec("y")], [spec("p"), spec("q")]) == [("x", "p"), ("y", "q")]
    assert names([spec("x"), spec("y")], [spec("p"), spec("q")], ["x=q"]) == [("x", "q"), ("y", "p")]
    assert names([spec("x")], [spec("p", (None, 9))]) == []
    assert names([spec("x", dtype="int32")], [spec("x", dtype="float32")]) == []
    assert names([spec("x", (None, 1, 1, 4))], [spec("y")]) == [("x", "y")]
    assert (plain("a/fc_1/BiasAdd:0"), plain("softmax")) == ("fc", "softmax")


def test_a_pair_of_names_that_are_not_there_is_refused() -> None:
    with pytest.raises(CkptmapError, match="the new model has no input or output q"):
        check_pairs(parse_pairs(["x=q"]), [spec("x")], [spec("y")])
    with pytest.raises(CkptmapError, match="is not OLD=NEW"):
        parse_pairs(["x"])


def embedding() -> Side:
    table = Variable("table", "table", ("table/read:0",), (50, 8), "float32")
    nodes = (
        Node("table", "VariableV2", ()),
        Node("table/read", "Identity", ("table",)),
        Node("flat", "Reshape", ("ids", "length")),
        Node("lookup", "GatherV2", ("table/read", "flat", "axis")),
    )
    return side(spec("ids", (None, 3), "int32"), nodes=nodes, variables=(table,))


def test_ids_are_below_the_rows_of_their_table() -> None:
    one = embedding()
    assert rows_of(one, one.inputs[0]) == 50
    feeds = make_feeds((one, side(spec("ids", (None, 3), "int64"))), (), (), seed=0)
    value = feeds.of(1)["ids:0"]
    assert (value.dtype, value.shape, int(value.max()) < 50, int(value.max()) > 2) == (np.int64, (2, 3), True, True)
    again = make_feeds((one, side(spec("ids", (None, 3), "int64"))), (), (), seed=0)
    assert (feeds.of(0)["ids:0"] == again.of(0)["ids:0"]).all()
    other = make_feeds((one, side(spec("ids", (None, 3), "int64"))), parse_inputs(["ids=int32[1,3]<2"]), (), seed=0)
    assert other.of(0)["ids:0"].shape == (1, 3)
    assert other.of(0)["ids:0"].max() < 2


def test_inputs_of_one_shape_are_paired_by_what_they_index() -> None:
    """The ids of one side are those of the other, and a mask is a mask, whatever their names and their order."""
    lengths = (None, 3)
    one = embedding()
    old = side(one.inputs[0], spec("mask", lengths, "int32"), nodes=one.nodes, variables=one.variables)
    lookup = Node("lookup", "GatherV2", ("table/read", "tokens", "axis"))
    nodes = (Node("table", "VariableV2", ()), Node("table/read", "Identity", ("table",)), lookup)
    new = side(spec("seen", lengths, "int32"), spec("tokens", lengths, "int32"), nodes=nodes, variables=one.variables)
    feeds = make_feeds((old, new), (), (), seed=0)
    assert [(fed.old.name, fed.new.name) for fed in feeds.fed] == [("ids", "tokens"), ("mask", "seen")]
    turned = make_feeds((old, new), (), (("ids", "seen"),), seed=0)
    assert [(fed.old.name, fed.new.name) for fed in turned.fed] == [("ids", "seen"), ("mask", "tokens")]


def test_an_input_of_one_side_takes_the_value_that_is_given(tmp_path: Path) -> None:
    both = side(spec("x")), side(spec("x"), spec("padding", (None, 3), "int32"), spec("heat", ()))
    np.save(tmp_path / "ones.npy", np.ones((2, 3)))
    asked = parse_inputs([f"padding={tmp_path / 'ones.npy'}", "heat=0.5"])
    feeds = make_feeds(both, asked, (), seed=0)
    fed = feeds.of(1)
    assert (fed["padding:0"].dtype, fed["padding:0"].tolist(), float(fed["heat:0"])) == (np.int32, [[1] * 3] * 2, 0.5)
    assert set(feeds.of(0)) == {"x:0"}
    assert feeds.settings[1] == "heat of the new model has no partner, and is 0.5"
    with pytest.raises(CkptmapError, match=r"1 is \[\], and the new model takes padding int32\[\?, 3\]"):
        make_feeds(both, parse_inputs(["padding=1", "heat=0.5"]), (), seed=0)


def test_flags_of_one_side_are_off() -> None:
    old = side(spec("x"), spec("is_training", (), "bool"), spec("keep_prob", ()))
    feeds = make_feeds((old, side(spec("x"))), (), (), seed=0)
    assert {name: value.item() for name, value in feeds.flags[0].items()} == {
        "is_training:0": False,
        "keep_prob:0": 1.0,
    }
    assert feeds.flags[1] == {}
    assert feeds.settings[0] == "is_training:0 of the old model is False"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            [spec("x"), spec("lengths", (None,), "int32")],
            [spec("x")],
            r"input lengths int32.* of the old model fits no",
        ),
        ([spec("x")], [spec("y", (None, 5))], r"fits no input of the other, which takes y float32\[\?, 5\]"),
        ([spec("x", (None, None))], [spec("x", (None, None))], r"not known .*inputs=\['x=float32\[2,N\]'\]"),
        ([spec("x", None)], [spec("x", None)], "shape of input x float32.* is not known"),
        ([spec("x", dtype="string")], [spec("x", dtype="string")], "takes text, which is not made up"),
    ],
)
def test_inputs_without_partner_or_shape_are_refused(old: list[Spec], new: list[Spec], message: str) -> None:
    with pytest.raises(CkptmapError, match=message):
        make_feeds((side(*old), side(*new)), (), (), seed=0)


def test_differences_are_in_units_of_the_spread() -> None:
    pair = spec("a"), spec("b")
    old = np.asarray([[1, -1], [1, -1]], np.float32)
    same = measured(pair, (old, old[:, None]))
    assert (same.equal, same.within, same.top1) == (True, True, 1.0)
    near = measured(pair, (old, old + np.float32(1e-3)))
    assert (near.within, near.top1) == (False, 1.0)
    assert near.relative == pytest.approx(1e-3, rel=1e-3)
    turned = measured(pair, (old, old[:, ::-1]))
    assert (turned.relative, turned.top1) == (2.0, 0.0)
    assert measured(pair, (old, old[:1])).relative == np.inf
    assert measured(pair, (old, old * np.nan)).within is False
    text = np.asarray(["a", "b"], object)
    assert (measured(pair, (text, text)).equal, measured(pair, (text, text[::-1])).within) == (True, False)


def keras_file(path: Path, version: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": version}))
    return path


def test_a_path_says_how_it_is_run(tmp_path: Path) -> None:
    (tmp_path / "graph.pb").write_bytes(b"")
    assert find_source(tmp_path / "graph.pb", "old").kind is Kind.FROZEN
    assert find_source(tmp_path, "old").path == str(tmp_path / "graph.pb")
    assert find_source(keras_file(tmp_path / "a.keras", "3.4.1"), "new").keras == 3
    assert find_source(keras_file(tmp_path / "b.keras", "2.15.0"), "new").keras == 2
    assert find_source(FIXTURE, "old", "a:b").kind is Kind.GRAPH_CODE
    for end, message in (("old", "old_model='MODULE:FUNCTION'"), ("new", "this is a TF1 V2")):
        with pytest.raises(CkptmapError, match=message):
            find_source(FIXTURE, end)  # type: ignore[arg-type]
    (tmp_path / "c.keras").write_bytes(b"no archive")
    with pytest.raises(CkptmapError, match=r"is not a \.keras file"):
        find_source(tmp_path / "c.keras", "new")
    with pytest.raises(CkptmapError, match="no such file"):
        find_source(tmp_path / "nowhere" / "model.ckpt", "old")


def test_code_is_a_module_and_a_function() -> None:
    assert parse_code("a.b:c", "old") == ("a.b", "c")
    for text in ("a.b.c", "a:", ":c", "a:b.c d"):
        with pytest.raises(CkptmapError, match="is not MODULE:FUNCTION"):
            parse_code(text, "new")
    with command_line(), pytest.raises(CkptmapError, match="--new-model other is not MODULE:FUNCTION"):
        find_source(FIXTURE, "new", "other")


def test_code_that_does_not_compile_is_named_by_its_own_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "does_not_compile.py").write_text("one = 1\ntwo = = 2\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    with pytest.raises(CkptmapError, match="importing does_not_compile raised SyntaxError") as told:
        find(find_source(FIXTURE, "old", "does_not_compile:build"))
    assert told.value.problem.where == f"{tmp_path / 'does_not_compile.py'}:2"


def test_detectors_are_told_by_their_config_or_their_graph(tmp_path: Path) -> None:
    assert are_detectors(FIXTURE, tmp_path)
    assert not are_detectors(FIXTURE, tmp_path / "new.keras")
    assert not are_detectors(tmp_path, tmp_path)
    graph = io.BytesIO()
    for name in ("image_tensor", "detection_boxes"):
        node = b"\x0a" + bytes([len(name)]) + name.encode()
        graph.write(b"\x0a" + bytes([len(node)]) + node)
    (tmp_path / "frozen_inference_graph.pb").write_bytes(graph.getvalue())
    assert are_detectors(tmp_path, tmp_path)
    (tmp_path / "frozen_inference_graph.pb").write_bytes(b"\xff\xff")
    assert not are_detectors(tmp_path, tmp_path)


def classifier(*outputs: str) -> Side:
    """``logits``, behind which slim flattens, takes the softmax and shapes back to ``scores``."""
    nodes = (
        Node("map", "BiasAdd", ("x",)), Node("logits", "Squeeze", ("map",)), Node("flat", "Reshape", ("logits", "n")),
        Node("probabilities", "Softmax", ("flat",)), Node("scores", "Reshape", ("probabilities", "n")),
    )  # fmt: skip
    return Side("", "", (), tuple(spec(name) for name in outputs), (), nodes)


def alike_outputs(old: Side, new: Side, kept: set[str] | None = None) -> tuple[list[tuple[str, str]], list[str]]:
    meanings = Meanings(old), Meanings(new)
    kinds = meanings[0].activation, meanings[1].activation
    found, told = same_meaning(paired(old.outputs, new.outputs, (), kinds), meanings, kept or set())
    return [(left.tensor, right.tensor) for left, right in found], told


def test_logits_are_compared_with_logits_and_scores_with_scores() -> None:
    both, logits, scores = classifier("logits", "scores"), classifier("logits"), classifier("scores")
    assert alike_outputs(both, logits) == ([("logits:0", "logits:0")], [])
    assert alike_outputs(both, scores) == ([("scores:0", "scores:0")], [])
    each = [("logits:0", "logits:0"), ("scores:0", "scores:0")]
    assert alike_outputs(both, classifier("scores", "logits")) == (each, [])
    said = "scores of the {} model is the softmax of what the {} one gives: compared without it"
    assert alike_outputs(scores, logits) == ([("logits:0", "logits:0")], [said.format("old", "new")])
    assert alike_outputs(logits, scores) == ([("logits:0", "logits:0")], [said.format("new", "old")])
    assert alike_outputs(scores, logits, {"scores:0"}) == ([("scores:0", "logits:0")], [])


def test_scores_of_what_is_compared_need_no_partner() -> None:
    both = classifier("logits", "scores")
    lone = [both.outputs[1]]
    assert implied(lone, [both.outputs[0]], Meanings(both)) == {"scores:0"}
    assert implied(lone, [spec("other")], Meanings(both)) == set()


def test_what_has_a_shape_is_paired_before_what_has_none() -> None:
    old = [spec("while/Exit_3", None), spec("transpose", (None, 6, 4))]
    assert names(old, [spec("lstm", (None, None, 4))]) == [("transpose", "lstm")]


@pytest.mark.parametrize(
    ("takes", "count", "sizes"),
    [(None, 20, [8, 8, 4]), (None, 3, [3]), (2, 5, [2, 2, 2]), (4, 1, [4]), (None, 0, [0])],
)
def test_images_are_fed_by_as_many_as_the_models_take(takes: int | None, count: int, sizes: list[int]) -> None:
    images = [np.full((1, 6, 6, 3), at, np.float32) for at in range(count)]
    both = side(spec("x", (takes, 6, 6, 3))), side(spec("y", (None, None, None, 3)))
    found = batches(both, images)
    assert [len(one) for one in found] == sizes
    shown = [int(one.flat[0]) for batch in found for one in batch]
    assert shown == [*range(count), *(at % count for at in range(sum(sizes) - count))]
    if count:
        fed = [make_feeds(both, (), (), 0, images=batch).of(0)["x:0"] for batch in found]
        assert [one.shape for one in fed] == [(size, 6, 6, 3) for size in sizes]
        assert sorted({int(one) for batch in fed for one in np.unique(batch)}) == [*range(count)]


def test_the_outputs_of_batches_are_one() -> None:
    assert joined([np.ones((2, 3)), np.zeros((1, 3))]).tolist() == [[1, 1, 1], [1, 1, 1], [0, 0, 0]]
    assert joined([np.asarray(1.0), np.asarray(2.0)]).tolist() == [1, 2]
    assert joined([np.ones((1, 2)), np.zeros((1, 1))]).tolist() == [1, 1, 0]


def test_a_report_is_read_once_until_another_lies_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []
    monkeypatch.setattr(beside, "read_document", lambda place: read.append(place) or read_document(place))
    (tmp_path / "report.json").write_text('{"schema": "ckptmap.report/1"}')
    for _ in range(2):
        assert beside.conversion_beside(str(tmp_path / "ckpt-0")) is not None
    assert len(read) == 1
    (tmp_path / "report.json").write_text('{"schema": "ckptmap.other/1"}')
    assert beside.conversion_beside(str(tmp_path / "ckpt-0")) is None
