"""The generator's reasoning on builds made by hand: unknowns, and names with numbers."""

from __future__ import annotations

import pytest

from ckptmap.targets.choose import Setting
from ckptmap.targets.variables import Initializer
from ckptmap.tf.specs.inference import (
    Built,
    Form,
    InferenceError,
    Lengths,
    Observation,
    Presence,
    forms,
    known_lengths,
    presences,
)

PROBES = [{"num_classes": 90, "anchors": 3}, {"num_classes": 5, "anchors": 4}]
A, B = Setting("a", (False, True), False), Setting("b", (1, 2, 3), 1)


def built(name: str, *shape: int, key: str = "") -> Built:
    return Built(key or f"path/{name}", name, "float32", shape, True, Initializer("zeros"))


def form(name: str, *dims: str, key: str = "") -> Form:
    return Form(key or f"path/{name}", name, "float32", dims, True)


def lengths(*ratios: int) -> Lengths:
    return known_lengths(["anchors*(num_classes+1)"], PROBES, ratios)


def test_dimensions_that_vary_alike_are_one_unknown() -> None:
    wide = [built("a", 3, 32), built("b", 32, 64), built("c", 7, 273)]
    slim = [built("a", 3, 16), built("b", 16, 40), built("c", 7, 24)]
    known = lengths()
    (found,), unclear = forms([Observation({}, {0: tuple(wide), 1: tuple(slim)})], known, 2)
    assert not unclear
    assert list(found) == [
        form("a", "3", "width_32"),
        form("b", "width_32", "width_64"),
        form("c", "7", "anchors*(num_classes+1)"),
    ]
    assert known.found == {"width_32": (32, 16), "width_64": (64, 40)}


def test_multiples_of_a_width() -> None:
    known = lengths(6)
    forms([Observation({}, {0: (built("a", 16, 96),), 1: (built("a", 8, 48),)})], known, 2)
    assert known.found == {"width_16": (16, 8)}
    assert known.text((96, 48)) == "6*width_16"


def test_two_widths_that_start_alike_have_two_names() -> None:
    known = lengths()
    forms([Observation({}, {0: (built("a", 256, 256),), 1: (built("a", 128, 90),)})], known, 2)
    assert known.found == {"width_256": (256, 128), "width_256_2": (256, 90)}


def test_a_number_in_a_name_that_varies_with_a_width() -> None:
    observation = Observation(
        {}, {0: (built("Conv2d_2_256/kernel", 256, key="k"),), 1: (built("Conv2d_2_90/kernel", 90, key="k"),)}
    )
    (found,), _ = forms([observation], lengths(), 2)
    assert list(found) == [form("Conv2d_2_{width_256}/kernel", "width_256", key="k")]


def test_names_that_vary_otherwise_are_refused() -> None:
    with pytest.raises(InferenceError, match="varies like no dimension"):
        forms([Observation({}, {0: (built("x_1", 2, key="k"),), 1: (built("x_2", 2, key="k"),)})], lengths(), 2)
    with pytest.raises(InferenceError, match="more than numbers"):
        forms([Observation({}, {0: (built("x", 2, key="k"),), 1: (built("y", 2, key="k"),)})], lengths(), 2)


def test_keys_that_depend_on_a_probe_are_refused() -> None:
    with pytest.raises(InferenceError, match="keys depend on a probe"):
        forms([Observation({"a": True}, {0: (built("x", 2),), 1: (built("y", 2),)})], lengths(), 2)


def test_one_probe_is_enough_for_what_is_known_elsewhere() -> None:
    whole = Observation({"a": False}, {0: (built("x/kernel", 32, key="0"),), 1: (built("x/kernel", 16, key="0"),)})
    part = Observation({"a": True}, {1: (built("x/kernel", 16, key="1"),)})
    new = Observation({"a": True}, {1: (built("y/kernel", 16, key="1"),)})
    found, unclear = forms([whole, part], lengths(), 2)
    assert [list(one) for one in found] == [
        [form("x/kernel", "width_32", key="0")],
        [form("x/kernel", "width_32", key="1")],
    ]
    assert unclear == []
    assert forms([whole, new], lengths(), 2)[1] == [new]


def test_probes_must_tell_expressions_apart() -> None:
    with pytest.raises(InferenceError, match="do not tell a from b"):
        known_lengths(["b", "a"], [{"a": 2, "b": 2}, {"a": 3, "b": 3}], ())


def test_presences_ask_only_the_settings_that_touch_a_path() -> None:
    one, other = Observation({"a": False, "b": 1}, {}), Observation({"a": True, "b": 2}, {})
    head, maps = form("h", key="head/h"), form("m", key="maps/m")
    found = [{head: built("h"), maps: built("m")}, {maps: built("m")}]
    met = [
        (form.key, presence)
        for form, _, presence in presences(lambda key: (A,) if key.startswith("head") else (B,), [one, other], found)
    ]
    assert met == [
        ("head/h", Presence((A,), ({"a": False},), ({"a": True},))),
        ("maps/m", Presence((B,), ({"b": 1}, {"b": 2}), ())),
    ]
