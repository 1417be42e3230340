"""Pairs of names put together to few rules; each rule leads every name that it is for to its partner."""

import pytest

from ckptmap.suggest.drafted import Named
from ckptmap.suggest.rules import compress


def rules(pairs):
    """The rules for old and new names, as pattern, template and declarations."""
    named = [Named(old, new, at) for at, (old, new) in enumerate(pairs.items())]
    return [(rule.old, rule.new, dict(rule.where)) for rule in compress(named)]


def test_a_layer_that_only_the_first_unit_has_joins_those_that_all_have():
    pairs = {
        f"net/block{i}/unit_{j}/conv{k}": f"conv{i + 1}_block{j}_{k}_conv"
        for i in range(1, 5)
        for j in range(1, 4)
        for k in (1, 2, 3)
    }
    pairs |= {f"net/block{i}/unit_1/shortcut": f"conv{i + 1}_block1_0_conv" for i in range(1, 5)}
    part = {"conv1": "1", "conv2": "2", "conv3": "3", "shortcut": "0"}
    assert rules(pairs) == [
        (
            "net/block{i}/unit_{j}/{part}",
            "conv{i+1}_block{j}_{part}_conv",
            {"i": "int", "j": "int", "part": part},
        )
    ]


def test_a_sum_is_only_taken_of_more_pairs_than_fit_by_chance():
    assert rules({f"a_{i}": f"b_{2 * i}" for i in range(4)}) == [("a_{i}", "b_{2*i}", {"i": "int"})]
    assert rules({f"a_{i}": f"b_{2 * i}" for i in range(3)}) == [
        ("{part}", "b_{part}", {"part": {"a_0": "0", "a_1": "2", "a_2": "4"}})
    ]


def test_four_layers_are_enough_for_a_list():
    layers = ["stem", "a/red", "a/b/mixed", "c/top"]
    pairs = {f"net/{layer}/x": f"conv_{number}" for layer, number in zip(layers, (3, 5, 8, 9), strict=True)}
    assert rules(pairs) == [("net/{layer}/x", "conv_{layer}", {"layer": dict(zip(layers, "3589", strict=True))})]


def test_two_components_that_change_together_are_listed_together():
    part = {
        "fnode0/op5": "02/dn_6",
        "fnode1/op7": "04/up_3",
        "fnode2/op9": "05/up_4",
        "fnode3/op4": "07/dn_5",
        "fnode4/op8": "08/up_7",
        "fnode5/op6": "03/dn_3",
    }
    pairs = {f"cell/{old}/conv": f"bifpn/node_{new}/conv" for old, new in part.items()}
    assert rules(pairs) == [("cell/{part}/conv", "bifpn/node_{part}/conv", {"part": part})]


@pytest.mark.parametrize("stranger", ["other_1_0_conv", "conv2_block9_0_conv"])
def test_what_differs_in_more_than_one_place_stays_apart(stranger):
    pairs = {f"net/block{i}/unit_{j}/conv": f"conv{i + 1}_block{j}_1_conv" for i in range(1, 5) for j in range(1, 4)}
    pairs |= {"net/block1/unit_1/shortcut": stranger, "net/block2/unit_1/shortcut": "x/y"}
    found = rules(pairs)
    assert ("net/block{i}/unit_{j}/conv", "conv{i+1}_block{j}_1_conv", {"i": "int", "j": "int"}) in found
    assert all("{j}" not in old for old, new, _ in found if "shortcut" in old)
