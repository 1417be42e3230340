"""What may be called sure, and what never: small models with the one answer written down."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ckptmap.suggest.layer_values import Item
from ckptmap.suggest.nodes import Node
from ckptmap.suggest.suggestion import matched_layers


def old(*layers, ordered=True):
    """Items of old layers ``(scope, shape)``, made in this order."""
    return [
        Item(f"{scope}/weights", f"{scope}/weights", tuple(shape), at if ordered else None)
        for at, (scope, shape) in enumerate(layers)
    ]


def new(*layers):
    """Items of new layers ``(name, shape)`` or ``(name, shape, key)``."""
    return [
        Item(f"{layer[0]}/kernel", f"{layer[2] if len(layer) > 2 else layer[0]}/kernel", tuple(layer[1]))
        for layer in layers
    ]


def found(matched):
    """Old scope to new scope and whether that is sure."""
    return {matched.old[p.old].scope: (matched.new[p.new].scope, p.sure) for p in matched.pairs}


def test_shapes_that_nothing_else_has_are_sure():
    pairs = found(matched_layers(old(("a", (3, 4)), ("b", (4, 5))), new(("x", (4, 5)), ("y", (3, 4)))))
    assert pairs == {"a": ("y", True), "b": ("x", True)}


def test_words_that_both_have_tell_equal_shapes_apart():
    one = old(("net/query", (8, 8)), ("net/key", (8, 8)), ("net/value", (8, 8)))
    other = new(("m/key_dense", (8, 8)), ("m/query_dense", (8, 8)), ("m/value_dense", (8, 8)))
    assert found(matched_layers(one, other)) == {
        "net/query": ("m/query_dense", True),
        "net/key": ("m/key_dense", True),
        "net/value": ("m/value_dense", True),
    }


def test_alphabetical_order_proves_nothing():
    one = old(("net/query", (8, 8)), ("net/key", (8, 8)), ("net/value", (8, 8)), ordered=False)
    other = new(("m/a", (8, 8)), ("m/b", (8, 8)), ("m/c", (8, 8)))
    assert not any(sure for _, sure in found(matched_layers(one, other)).values())


def test_the_order_in_which_layers_are_made_proves_nothing_alone():
    one = old(*((name, (8, 8)) for name in ("f", "c", "a")))
    other = new(*((f"dense_{at}" if at else "dense", (8, 8), f"layer_with_weights-{at}") for at in range(3)))
    pairs = found(matched_layers(one, other))
    assert {scope: name for scope, (name, _) in pairs.items()} == {"f": "dense", "c": "dense_1", "a": "dense_2"}
    assert not any(sure for _, sure in pairs.values())


def chain(*scopes):
    """A graph in which each layer takes the results of the one before."""
    nodes = [Node("image", "Placeholder", ())]
    before = "image"
    for scope in scopes:
        nodes += [Node(f"{scope}/weights", "VariableV2", ()), Node(f"{scope}/read", "Identity", (f"{scope}/weights",))]
        nodes.append(Node(f"{scope}/MatMul", "MatMul", (before, f"{scope}/read")))
        before = f"{scope}/MatMul"
    return nodes


def test_the_flow_of_data_makes_the_order_sure():
    one = old(*((name, (8, 8)) for name in ("f", "c", "a")))
    other = new(*((f"dense_{at}" if at else "dense", (8, 8), f"layer_with_weights-{at}") for at in range(3)))
    pairs = found(matched_layers(one, other, chain("f", "c", "a")))
    assert pairs == {"f": ("dense", True), "c": ("dense_1", True), "a": ("dense_2", True)}


def test_parallel_branches_of_one_shape_stay_doubtful():
    one = old(("stem", (4, 8)), ("left", (8, 8)), ("right", (8, 8)), ("top", (8, 3)))
    other = new(
        *(
            (f"dense_{at}", shape, f"layer_with_weights-{at}")
            for at, shape in enumerate([(4, 8), (8, 8), (8, 8), (8, 3)])
        )
    )
    nodes = [*chain("stem"), Node("left/weights", "VariableV2", ()), Node("right/weights", "VariableV2", ())]
    nodes += [Node("left/MatMul", "MatMul", ("stem/MatMul", "left/weights"))]
    nodes += [Node("right/MatMul", "MatMul", ("stem/MatMul", "right/weights")), Node("top/weights", "VariableV2", ())]
    nodes += [Node("add", "Add", ("left/MatMul", "right/MatMul")), Node("top/MatMul", "MatMul", ("add", "top/weights"))]
    pairs = found(matched_layers(one, other, nodes))
    assert {scope: sure for scope, (_, sure) in pairs.items()} == {
        "stem": True,
        "left": False,
        "right": False,
        "top": True,
    }


def test_a_rule_of_numbers_that_explains_six_layers_is_sure():
    one = old(*((f"net/block{at}", (8, 8)) for at in range(1, 8)), ordered=False)
    other = new(*((f"stage_{at}_conv", (8, 8)) for at in range(7)))
    pairs = found(matched_layers(one, other))
    assert pairs == {f"net/block{at}": (f"stage_{at - 1}_conv", True) for at in range(1, 8)}


def test_a_spare_layer_of_the_same_shape_is_always_a_rival():
    layers = [(f"net/block{at}", (8, 8)) for at in range(1, 9)] + [(f"net/x{at}", (5, at)) for at in range(1, 20)]
    other = [(f"stage_{at}_conv", (8, 8)) for at in range(1, 8)] + [(f"y{at}", (5, at)) for at in range(1, 20)]
    pairs = found(matched_layers(old(*layers), new(*other)))
    assert not any(sure for scope, (_, sure) in pairs.items() if "block" in scope)


def test_an_exact_shape_does_not_exclude_a_reshape():
    one = old(("net/query", (128, 128)), ("net/pooler", (128, 128)))
    other = new(("m/query", (128, 2, 64)), ("m/pooler", (128, 128)))
    assert found(matched_layers(one, other)) == {"net/query": ("m/query", True), "net/pooler": ("m/pooler", True)}


def test_a_template_of_another_depth_is_not_trusted():
    one = old(*((f"net/block{at}", (8, 8)) for at in range(24)), ("net/stem", (3, 8)))
    other = new(*((f"block_{at}", (8, 8)) for at in range(12)), ("stem", (3, 8)))
    assert not any(pair.sure for pair in matched_layers(one, other).pairs)


def test_a_gap_in_a_numbered_run_makes_everything_doubtful():
    one = old(*((f"net/block{at}", (8, 8 + at)) for at in range(20)))
    other = new(*((f"block_{at}", (8, 8 + at)) for at in range(20)), ("block_20", (9, 9)))
    assert not any(pair.sure for pair in matched_layers(one, other).pairs)


SHAPES = [(3, 8), (8, 8), (8, 16), (16, 16), (16, 4)]


@st.composite
def models(draw):
    """A chain of layers, a few of each shape; the truth is that the n-th is the n-th."""
    count = draw(st.integers(2, 14))
    return [draw(st.sampled_from(SHAPES)) for _ in range(count)]


@settings(max_examples=150, deadline=None)
@given(models(), st.randoms(use_true_random=False), st.booleans(), st.booleans())
def test_renamed_and_shuffled_models_never_give_a_sure_wrong_pair(shapes, generator, ordered, numbered):
    """Old names are random, new ones too or numbered in an order that has nothing to do with the old one."""
    names = [f"{generator.choice('abcdefg')}{generator.choice('hijklm')}{at}" for at in range(len(shapes))]
    generator.shuffle(names)
    one = old(*zip(names, shapes, strict=True), ordered=ordered)
    places = list(range(len(shapes)))
    generator.shuffle(places)
    labels = [
        f"dense_{at}" if numbered else f"{generator.choice('stuvw')}_{random.Random(at).random()}" for at in places
    ]
    other = new(*zip(labels, shapes, strict=True))
    generator.shuffle(other)
    truth = dict(zip(names, labels, strict=True))
    for scope, (name, sure) in found(matched_layers(one, other)).items():
        assert not sure or truth[scope] == name


@settings(max_examples=60, deadline=None)
@given(models(), st.randoms(use_true_random=False))
def test_the_order_of_the_variables_in_the_file_changes_nothing(shapes, generator):
    one = old(*((f"net/layer{at}", shape) for at, shape in enumerate(shapes)))
    other = new(*((f"dense_{at}", shape) for at, shape in enumerate(shapes)))
    expected = matched_layers(one, other)
    generator.shuffle(one)
    generator.shuffle(other)
    assert matched_layers(one, other) == expected


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_model_paired_with_itself_is_sure(count):
    layers = [(f"net/block{at}/conv", (3, 3, 8, 8)) for at in range(count)] + [("net/stem", (3, 3, 3, 8))]
    one = old(*layers)
    other = [Item(item.name, item.name, item.shape) for item in one]
    assert found(matched_layers(one, other)) == {scope: (scope, True) for scope, _ in layers}


def test_a_digit_in_two_names_proves_nothing_without_the_word_before_it():
    one = old(("net/conv_1", (8, 8)), ("net/conv_2", (8, 8)))
    assert not any(sure for _, sure in found(matched_layers(one, new(("fc_1", (8, 8)), ("fc_2", (8, 8))))).values())
    pairs = found(matched_layers(one, new(("m/conv_1", (8, 8)), ("m/conv_2", (8, 8)))))
    assert pairs == {"net/conv_1": ("m/conv_1", True), "net/conv_2": ("m/conv_2", True)}


def test_a_letter_in_two_names_proves_nothing():
    one = old(("net/branch_a", (8, 8)), ("net/branch_b", (8, 8)), ordered=False)
    other = new(("m/unit_b", (8, 8)), ("m/unit_a", (8, 8)))
    assert not any(sure for _, sure in found(matched_layers(one, other)).values())


def test_a_layer_of_a_side_branch_is_left_over_before_one_of_the_main_line():
    branch = [("net/aux/a", (5, 5)), ("net/aux/b", (6, 6)), ("net/aux/c", (8, 8))]
    main = [(f"net/block{at}/conv", (8, 8)) for at in range(1, 7)]
    pairs = found(matched_layers(old(*branch, *main, ordered=False), new(*((f"x{at}", (8, 8)) for at in range(6)))))
    assert set(pairs) == {scope for scope, _ in main}


@pytest.mark.parametrize("words", [("left", "right"), ("right", "left")])
def test_numbers_in_object_paths_have_an_order_and_words_have_none(words):
    cells = [(f"{name}{at}", shape) for at in range(8) for name, shape in zip("pq", ((8, 8), (8, 9)), strict=True)]
    order = random.Random(1).sample("abcdefghijklmnop", 16)
    one = old(*((order[at], shape) for at, (_, shape) in enumerate(cells)))
    keys = [
        (f"m/cell_{at}/{word}", shape) for at in range(8) for word, shape in zip(words, ((8, 8), (8, 9)), strict=True)
    ]
    pairs = found(matched_layers(one, new(*keys)))
    assert {name: to for name, (to, _) in pairs.items()} == {order[at]: keys[at][0] for at in range(16)}
    assert not any(sure for _, sure in pairs.values())
