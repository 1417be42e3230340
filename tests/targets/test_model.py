"""A target: settings and unknowns given by a person, layouts chosen by names."""

from __future__ import annotations

import pytest

from ckptmap.basics.errors import TargetError
from ckptmap.targets.target import Target


def test_layout_without_names_is_empty_handed_but_valid(toy: Target) -> None:
    assert toy.layout([], {"num_layers": 2, "norm": "none"}).settings == {
        "use_dropout": False,
        "num_layers": 2,
        "norm": "none",
    }


@pytest.mark.parametrize("value", [True, "true", "True"])
def test_given_settings_are_read_as_a_person_writes_them(toy: Target, value: object) -> None:
    layout = toy.layout(["ClassPredictor/kernel"], {"use_dropout": value})
    assert layout.settings["use_dropout"] is True
    assert layout.find("ClassPredictor/kernel").key == "_box_predictor/class/1/kernel"  # type: ignore[union-attr]


def test_split(toy: Target) -> None:
    assert toy.split({"num_layers": "1", "num_classes": 3}) == ({"num_layers": 1}, {"num_classes": 3})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"use_dropout": "maybe"}, r"toy: use_dropout cannot be 'maybe' \(one of: false, true\)"),
        ({"use_dropout": 1}, "use_dropout cannot be 1"),
        ({"num_layers": True}, "num_layers cannot be True"),
        ({"num_layers": 7}, r"num_layers cannot be 7 \(one of: 1, 2\)"),
        ({"num_classes": 0}, r"num_classes cannot be 0 \(a whole number above 0\)"),
        ({"num_classes": "many"}, "num_classes cannot be 'many'"),
        ({"use_dropuot": True}, r"toy: no setting is called use_dropuot \(known: use_dropout\)"),
    ],
)
def test_given_nonsense_is_refused(toy: Target, given: dict[str, object], message: str) -> None:
    with pytest.raises(TargetError, match=message):
        toy.layout([], given)


def test_nothing_can_be_given_to_a_template() -> None:
    with pytest.raises(TargetError, match="every shape is fixed; num_classes cannot be given"):
        Target("zoo/ckpt-0", ()).layout([], {"num_classes": 3})
