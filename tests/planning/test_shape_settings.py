"""Settings that shapes decide: exchanged where the shapes contradict what was assumed, and assumed no longer."""

from __future__ import annotations

from typing import Any

import pytest

from ckptmap.planning.shape_settings import settings_from_shapes
from ckptmap.targets.spec import target_from_dict
from ckptmap.targets.target import Target


def variable(key: str, dims: list[Any], when: dict[str, Any] | None = None) -> dict[str, Any]:
    entry = {"key": f"{key}/kernel", "name": f"{key}/kernel", "dims": dims, "part": "head", "initializer": "zeros"}
    return {**entry, "when": when} if when else entry


def setting(name: str) -> dict[str, Any]:
    return {"name": name, "values": [False, True], "default": False, "meaning": ""}


HEADS: dict[str, Any] = {
    "schema": "ckptmap.target/1",
    "generator": "by hand",
    "name": "heads",
    "settings": [setting("use_dropout"), setting("shared_boxes"), setting("agnostic_masks")],
    "unknowns": [{"name": "num_classes", "meaning": "classes"}],
    "excluded": [],
    "initializers": {"zeros": {"kind": "zeros"}},
    "variables": [
        variable("class", [8, "(num_classes+1)"]),
        variable("boxes", [8, "4*num_classes"], {"shared_boxes": [False]}),
        variable("boxes", [8, 4], {"shared_boxes": [True]}),
        variable("masks", [8, "num_classes"], {"agnostic_masks": [False]}),
        variable("masks", [8, 1], {"agnostic_masks": [True]}),
    ],
}


@pytest.fixture
def heads() -> Target:
    return target_from_dict(HEADS)


@pytest.mark.parametrize(
    ("boxes", "masks", "shared", "agnostic"),
    [(12, 3, False, False), (4, 3, True, False), (12, 1, False, True), (4, 1, True, True)],
)
def test_shapes_show_what_names_do_not(heads: Target, boxes: int, masks: int, shared: bool, agnostic: bool) -> None:
    offers = {"class/kernel": (8, 4), "boxes/kernel": (8, boxes), "masks/kernel": (8, masks)}
    by_names = heads.layout(offers)
    assert [one.setting for one in by_names.assumed] == ["shared_boxes", "agnostic_masks"]
    layout = settings_from_shapes(heads, by_names, offers, {})
    assert layout.settings == {"use_dropout": False, "shared_boxes": shared, "agnostic_masks": agnostic}
    assert layout.assumed == ()
    assert layout.solve(offers).problems == ()
    assert layout.solve(offers).values["num_classes"] == 3


def test_what_shapes_cannot_tell_stays_assumed(heads: Target) -> None:
    offers = {"class/kernel": (8, 2), "boxes/kernel": (8, 4), "masks/kernel": (8, 1)}
    layout = settings_from_shapes(heads, heads.layout(offers), offers, {})
    assert layout.settings == {"use_dropout": False, "shared_boxes": False, "agnostic_masks": False}
    assert [one.setting for one in layout.assumed] == ["shared_boxes", "agnostic_masks"]


def test_a_given_setting_is_kept(heads: Target) -> None:
    offers = {"class/kernel": (8, 4), "boxes/kernel": (8, 4), "masks/kernel": (8, 3)}
    given = {"shared_boxes": False}
    layout = settings_from_shapes(heads, heads.layout(offers, given), offers, given)
    assert layout.settings["shared_boxes"] is False
    assert len(layout.solve(offers).problems) == 1


def test_shapes_that_nothing_explains_leave_the_layout_as_it_was(heads: Target) -> None:
    offers = {"class/kernel": (8, 4), "boxes/kernel": (8, 7), "masks/kernel": (8, 3)}
    by_names = heads.layout(offers)
    assert settings_from_shapes(heads, by_names, offers, {}).settings == by_names.settings
