from __future__ import annotations

import time
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ckptmap.mapping import PerClass, apply_table, inits, load_table, unused_rules
from ckptmap.mapping.ops import Reshape, Slice, Split, Squeeze
from ckptmap.mapping.ops_branches import Branch, Branches
from ckptmap.mapping.ops_join import Concat, Stack
from ckptmap.mapping.ops_numeric import Fill
from ckptmap.mapping.tables import shipped_kinds

KINDS = """
kinds:
  conv: {weights: kernel, 'biases?': bias}
  norm: {'gamma?': gamma, beta: beta}
  dense: {weights: {to: kernel, ops: [{squeeze: [0, 1]}]}, biases: bias}
  separable: {depthwise_weights: depthwise_kernel, 'biases?': bias}
"""


@pytest.fixture
def table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def load(text: str):
        (tmp_path / "t.yaml").write_text(KINDS + text, encoding="utf-8")
        return load_table("t.yaml")

    return load


def assigned(result) -> dict[tuple[str, ...], str]:
    return {item.sources: item.target for item in result.assignments}


def problems(result) -> list[str]:
    return [str(problem) for problem in result.problems]


def unused(result, names) -> list[str]:
    return [str(problem) for problem in unused_rules(result.unused, names)]


def test_a_layer_rule_maps_the_leaves_of_its_kind(table):
    rules = table("where: {i: int}\nlayers:\n  - {from: 'c_{i}', to: 'k{i+1}', as: conv}\n")
    result = apply_table(rules, ["c_1/weights", "c_1/biases", "c_2/weights"])
    assert assigned(result) == {
        ("c_1/weights",): "k2/kernel",
        ("c_1/biases",): "k2/bias",
        ("c_2/weights",): "k3/kernel",
    }
    assert (result.unmatched, result.problems, result.unused, result.drops) == ((), (), (), ())
    assert {str(item.rule) for item in result.assignments} == {"t.yaml:9"}
    assert {item.ops for item in result.assignments} == {()}


def test_a_leaf_can_have_operations(table):
    result = apply_table(table("layers:\n  - {from: l, to: d, as: dense}\n"), ["l/weights", "l/biases"])
    assert {item.target: item.ops for item in result.assignments} == {"d/kernel": (Squeeze((0, 1)),), "d/bias": ()}


def test_without_to_the_name_stays(table):
    rules = table("where: {n: name}\nlayers:\n  - {from: 'a/{n}', as: conv}\nvariables:\n  - {from: v}\n")
    assert assigned(apply_table(rules, ["a/x/weights", "v"])) == {("a/x/weights",): "a/x/kernel", ("v",): "v"}


def test_a_demanded_leaf_that_is_missing(table):
    result = apply_table(table("layers:\n  - {from: n, to: m, as: norm}\n"), ["n/gamma"])
    assert problems(result) == [
        (
            "t.yaml:8: the layer n has no beta, which the kind norm demands"
            ' (t.yaml:4 says so; "beta?" there would let it be absent)'
        )
    ]


def test_a_leaf_that_the_kind_does_not_know_stays_unmatched_with_a_hint(table):
    result = apply_table(table("layers:\n  - {from: n, to: m, as: norm}\n"), ["n/beta", "n/betas", "x"])
    assert result.unmatched == ("n/betas", "x")
    assert result.hints == {
        "n/betas": 't.yaml:8 maps this layer as norm (t.yaml:4), which has no leaf "betas"; nearest: "beta"'
    }
    assert (result.problems, result.unused) == ((), ())


def test_an_unused_rule_names_the_nearest_variable(table):
    rules = "layers:\n  - {from: Scope/Conv2d_1, to: a, as: conv}\n  - {from: b, to: c, as: conv, optional: true}\n"
    names = ["Scope/Conv2d_2/weights"]
    result = apply_table(table(rules), names)
    assert problems(result) == []
    assert unused(result, names) == [
        (
            "t.yaml:8: no variable matches Scope/Conv2d_1 as conv"
            ' (nearest: "Scope/Conv2d_2/weights"; `optional: true` if only some layouts have it)'
        )
    ]


def test_two_variables_for_one_target(table):
    rules = table("layers:\n  - {from: a, to: x, as: conv}\n  - {from: b, to: x, as: conv}\n")
    assert problems(apply_table(rules, ["a/weights", "b/weights"])) == [
        "t.yaml:9: b/weights and a/weights (t.yaml:8) both become x/kernel (each target variable takes one)"
    ]


def test_a_target_number_below_zero(table):
    rules = table("where: {i: int}\nlayers:\n  - {from: 'a_{i}', to: 'b_{i-1}', as: conv}\n")
    result = apply_table(rules, ["a_0/weights", "a_1/weights"])
    assert assigned(result) == {("a_1/weights",): "b_0/kernel"}
    assert problems(result) == ["t.yaml:9: a_0/weights: a number in the target name would be -1 (`to` is b_{i-1})"]


def test_a_layer_of_one_of_several_kinds(table):
    rules = table("where: {i: int}\nlayers:\n  - {from: 'l_{i}', as: {conv: 'c_{i}', separable: 's_{i}'}}\n")
    names = ["l_1/weights", "l_1/biases", "l_2/depthwise_weights", "l_2/biases"]
    assert sorted(assigned(apply_table(rules, names)).values()) == [
        "c_1/bias",
        "c_1/kernel",
        "s_2/bias",
        "s_2/depthwise_kernel",
    ]


def test_several_kinds_with_one_target(table):
    rules = table("layers:\n  - {from: l, to: x, as: [conv, separable]}\n")
    assert assigned(apply_table(rules, ["l/depthwise_weights"])) == {("l/depthwise_weights",): "x/depthwise_kernel"}


def test_per_class_goes_along(table):
    rules = "layers:\n  - {from: l, to: x, as: conv, per_class: {axis: -1, background: false, block: 4}}\n"
    [item] = apply_table(table(rules), ["l/weights"]).assignments
    assert item.per_class == PerClass(axis=-1, background=False, block=4)


def test_the_last_layer_of_a_run(table):
    rules = table(
        "where: {k: auto, s: int}\nlayers:\n"
        "  - {from: 's{s}/Conv{k}', to: 'h{s}_{k:int}', as: conv,"
        " last: {of: k, to: 'out{s}', per_class: {axis: -1}}}\n"
    )
    names = ["s1/Conv/weights", "s1/Conv_1/weights", "s1/Conv_10/weights", "s2/Conv/weights"]
    result = apply_table(rules, names)
    assert [(item.target, item.per_class is not None) for item in result.assignments] == [
        ("h1_0/kernel", False),
        ("h1_1/kernel", False),
        ("out1/kernel", True),
        ("out2/kernel", True),
    ]


def test_many_to_one(table):
    rules = table(
        "where: {i: int}\nvariables:\n  - {from: ['l{i}/q', 'l{i}/k', 'l{i}/v'], to: 'm{i}/qkv', ops: [{concat: -1}]}\n"
    )
    result = apply_table(rules, ["l0/v", "l0/q", "l0/k", "l1/q", "l1/k"])
    [item] = result.assignments
    assert (item.sources, item.target, item.ops) == (("l0/q", "l0/k", "l0/v"), "m0/qkv", (Concat(-1),))
    assert problems(result) == ["t.yaml:9: l1/k needs l1/v too, which is not there"]


def test_one_to_many(table):
    rules = table(
        "variables:\n  - {from: qkv, to: [q, {name: k, ops: [{reshape: [-1]}]}], ops: [{split: {axis: 1, parts: 2}}]}\n"
        "  - from: both\n    to:\n      - {name: a, ops: [{slice: {axis: 0, stop: 2}}]}\n      - {name: b}\n"
    )
    result = apply_table(rules, ["qkv", "both"])
    assert {item.target: (item.sources, item.ops) for item in result.assignments} == {
        "q": (("qkv",), (Split(1, 2, (), 0),)),
        "k": (("qkv",), (Split(1, 2, (), 1), Reshape((-1,)))),
        "a": (("both",), (Slice(0, 0, 2),)),
        "b": (("both",), ()),
    }


def test_a_numbered_group(table):
    rules = table(
        "where: {k: auto, i: int}\nvariables:\n  - {from: 'cell{i}/WSM{k}', to: 'w{i}', group: k, ops: [{stack: 0}]}\n"
    )
    names = ["cell0/WSM_10", *(f"cell0/WSM_{i}" for i in range(1, 10)), "cell0/WSM", "cell1/WSM"]
    result = apply_table(rules, names)
    assert (result.problems, result.unused) == ((), ())
    assert [(item.target, len(item.sources), item.sources[0], item.sources[-1]) for item in result.assignments] == [
        ("w0", 11, "cell0/WSM", "cell0/WSM_10"),
        ("w1", 1, "cell1/WSM", "cell1/WSM"),
    ]
    assert {item.ops for item in result.assignments} == {(Stack(0),)}


def test_a_gap_in_a_numbered_group(table):
    rules = table("where: {k: int}\nvariables:\n  - {from: 'part_{k}', to: w, group: k, ops: [{concat: 0}]}\n")
    assert problems(apply_table(rules, ["part_0", "part_2"])) == [
        "t.yaml:9: the group part_{k} has a gap: number 1 is not there (part_2 is) (found: part_0, part_2)"
    ]
    assert problems(apply_table(rules, ["part_999999999"])) == [
        "t.yaml:9: the group part_{k} has a gap: number 0 is not there (part_999999999 is) (found: part_999999999)"
    ]
    assert apply_table(rules, ["part_1", "part_2"]).problems == ()


def test_layers_in_the_order_they_were_made(table):
    rules = table(
        "where:\n  l:\n    start: 3\n"
        "    order: [stem, {scope: 'block_{n}', n: [0, 1], of: [a, b]}, {scope: x, of: [y]}]\n"
        "layers:\n  - {from: '{l}', to: 'conv2d{l:auto}', as: conv}\n"
    )
    names = [f"{layer}/weights" for layer in ("stem", "block_0/a", "block_0/b", "block_1/a", "block_1/b", "x/y")]
    found = assigned(apply_table(rules, names))
    assert [found[name,] for name in names] == [f"conv2d_{number}/kernel" for number in range(3, 9)]


def test_drops_say_why(table):
    rules = table("where: {p: path}\ndrop:\n  - {match: 'dead/{p}', reason: nothing reads it}\n")
    result = apply_table(rules, ["dead/a/b", "dead/c"])
    assert [(drop.source, drop.reason, str(drop.rule)) for drop in result.drops] == [
        ("dead/a/b", "nothing reads it", "t.yaml:9"),
        ("dead/c", "nothing reads it", "t.yaml:9"),
    ]
    assert unused(apply_table(rules, []), []) == [
        "t.yaml:9: no variable matches dead/{p} (`optional: true` if only some layouts have it)"
    ]


def test_an_include_narrows_a_placeholder(table, tmp_path):
    (tmp_path / "part.yaml").write_text(
        "kinds: {k: {w: kernel}}\nwhere: {b: int}\nlayers:\n  - {from: 'block{b}', to: 'conv{b+1}', as: k}\n",
        encoding="utf-8",
    )
    rules = table("include:\n  - {table: part, where: {b: 1|2}}\ndrop:\n  - {match: block4/w, reason: dead}\n")
    result = apply_table(rules, ["block1/w", "block3/w", "block4/w"])
    assert assigned(result) == {("block1/w",): "conv2/kernel"}
    assert (result.unmatched, len(result.drops)) == (("block3/w",), 1)


def test_inits_match_from_any_component_on(table):
    rules = table(
        "where: {i: int}\ninit:\n  - {match: 'conv{i}/bias', value: zeros, reason: slim has none}\n"
        "  - {match: scale, value: 0.5, reason: half}\n"
    )
    found = inits(rules, ["model/net/conv3/bias", "xconv3/bias", "conv3/bias/x", "a/scale"])
    assert {name: (init.value, init.reason, str(init.rule)) for name, init in found.items()} == {
        "model/net/conv3/bias": ("zeros", "slim has none", "t.yaml:9"),
        "a/scale": (0.5, "half", "t.yaml:10"),
    }


def test_a_hundred_thousand_names_against_two_hundred_rules(table):
    rules = table(
        "where: {i: int, n: name}\nlayers:\n"
        + "".join(f"  - {{from: 'net/block{r}/unit_{{i}}/conv', to: 'b{r}_u{{i}}', as: conv}}\n" for r in range(100))
        + "".join(f"  - {{from: '{{n}}/x{r}/unit_{{i}}', to: '{{n}}_x{r}_u{{i}}', as: conv}}\n" for r in range(100))
    )
    scopes = [f"net/block{r}/unit_{i}/conv" for r in range(100) for i in range(250)]
    scopes += [f"net{r % 9}/x{r}/unit_{i}" for r in range(100) for i in range(250)]
    names = [f"{scope}/{leaf}" for scope in scopes for leaf in ("weights", "biases")]
    start = time.process_time()
    result = apply_table(rules, names)
    assert time.process_time() - start < 6  # a third of that on one idle core; trying every rule takes minutes
    assert (len(result.assignments), result.unmatched, result.problems, result.unused) == (100_000, (), (), ())


LAYERS = ("Conv", "Conv_1", "expanded_conv/project", "expanded_conv_3/expand", "layer_19_1_Conv2d_2_1x1_256", "Dense")
LEAVES = ("weights", "biases", "depthwise_weights", "BatchNorm/beta", "BatchNorm/moving_mean", "Momentum")
NAMES = st.one_of(
    st.builds("FeatureExtractor/MobilenetV2/{}/{}".format, st.sampled_from(LAYERS), st.sampled_from(LEAVES)),
    st.builds("BoxPredictor_{}/{}".format, st.integers(0, 12), st.sampled_from(("ClassPredictor/weights", "x"))),
    st.text("abC_/1", max_size=8),
    st.just("global_step"),
)


SHIPPED = cache(load_table)


@settings(deadline=None)
@given(st.lists(NAMES, max_size=30), st.randoms())
def test_every_name_has_one_fate_whatever_the_order(names, random):
    table = SHIPPED("ssd_mobilenet_v2")
    result = apply_table(table, names)
    fates = [name for item in result.assignments for name in item.sources]
    fates += [drop.source for drop in result.drops] + list(result.unmatched)
    assert sorted(fates) == sorted(set(names))
    shuffled = list(names)
    random.shuffle(shuffled)
    assert apply_table(table, shuffled) == result


def test_a_layer_whose_leaves_the_kind_does_not_know_is_named_with_kinds_that_fit(table):
    rules = table("where: {i: int}\nlayers:\n  - {from: 'net/c{i}', to: 'k{i}', as: conv}\n")
    names = ["net/c0/kernel", "net/c0/bias", "other/weights"]
    known = {**rules.kinds, **shipped_kinds()}
    (problem,) = unused_rules(apply_table(rules, names).unused, names, known)
    assert str(problem) == (
        "t.yaml:9: the layer net/c0 has kernel and bias, the kind conv wants weights (keras/conv or keras/dense fits)"
    )
    names = ["net/c0/alphas", "net/c0/bias"]
    (problem,) = unused_rules(apply_table(rules, names).unused, names, known)
    assert problem.hint == "define a kind with these leaves"


def test_layer_rules_that_end_in_auto_placeholders_match_each_variable_once(table):
    rules = table(
        "where: {k: auto}\nlayers:\n"
        "  - {from: 'conv2d{k}', to: 'conv2d{k}', as: conv}\n  - {from: 'b{k}', to: 'b{k}', as: norm}\n"
    )
    result = apply_table(rules, ["conv2d/weights", "conv2d_1/weights", "b/beta", "b/gamma"])
    assert result.problems == ()
    assert assigned(result) == {
        ("conv2d/weights",): "conv2d/kernel",
        ("conv2d_1/weights",): "conv2d_1/kernel",
        ("b/beta",): "b/beta",
        ("b/gamma",): "b/gamma",
    }


ZEROS = ["block_000/w", "block_001/w", "block_010/w"]


def test_numbers_with_zeros_in_front_are_numbers(table):
    rules = table("where: {i: int}\nvariables:\n  - {from: 'block_{i}/w', to: 'b{i}/k'}\n")
    assert list(assigned(apply_table(rules, ZEROS)).values()) == ["b0/k", "b1/k", "b10/k"]


def test_a_rule_without_to_keeps_the_zeros(table):
    rules = table("where: {i: int}\nlayers:\n  - {from: 'block_{i}', as: conv}\nvariables:\n  - {from: 'emb_{i}'}\n")
    found = assigned(apply_table(rules, ["block_007/weights", "emb_00"]))
    assert found == {("block_007/weights",): "block_007/kernel", ("emb_00",): "emb_00"}


def test_two_names_of_one_number_do_not_become_one_variable(table):
    rules = table("where: {i: int}\nvariables:\n  - {from: 'block_{i}/w', to: 'b{i}/k'}\n")
    found = problems(apply_table(rules, ["block_1/w", "block_01/w"]))
    assert found == ["t.yaml:9: block_1/w and block_01/w (t.yaml:9) both become b1/k (each target variable takes one)"]


def test_two_layers_of_one_number_have_no_last(table):
    rules = table("where: {k: int}\nlayers:\n  - {from: 'c{k}', to: 'hidden{k}', as: conv, last: {of: k, to: out}}\n")
    found = problems(apply_table(rules, ["c1/weights", "c01/weights"]))
    assert found == ["t.yaml:9: c01 and c1 have one number (`last` needs a number for each layer)"]


def test_a_group_is_in_the_order_of_its_numbers_however_they_are_written(table):
    rules = table("where: {k: int}\nvariables:\n  - {from: 'e/part_{k}', to: e, group: k, ops: [{concat: 0}]}\n")
    names = [f"e/part_{k:02}" for k in range(12)]
    assert list(assigned(apply_table(rules, names))) == [tuple(names)]


def test_rules_that_say_so_share_their_sources(table):
    rules = table(
        "variables:\n  - {from: a, to: b, shared: true}\n  - {from: a, to: c, shared: true}\n"
        "layers:\n  - {from: l, to: m, as: conv, shared: true}\n  - {from: l, to: n, as: conv, shared: true}\n"
    )
    result = apply_table(rules, ["a", "l/weights"])
    assert (result.problems, result.unmatched, result.unused) == ((), (), ())
    assert sorted((item.sources, item.target) for item in result.assignments) == [
        (("a",), "b"),
        (("a",), "c"),
        (("l/weights",), "m/kernel"),
        (("l/weights",), "n/kernel"),
    ]


def test_a_nested_from_names_each_source_once(table):
    rules = table(
        "where: {i: int}\nvariables:\n  - from: ['a{i}/x', {from: ['a{i}/y', {from: 'a{i}/x', ops: [{fill: 0}]}],"
        " ops: [{concat: 0}]}]\n    to: 'b{i}'\n    ops: [{stack: 0}]\n"
    )
    (made,) = apply_table(rules, ["a7/x", "a7/y"]).assignments
    assert (made.sources, made.target) == (("a7/x", "a7/y"), "b7")
    filled = Branches((Branch((0,), ()), Branch((1,), (Fill(0.0),))))
    assert made.ops == (Branches((Branch((0,), ()), Branch((1, 0), (filled, Concat(0))))), Stack(0))
