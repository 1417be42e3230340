from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ckptmap.targets.spec_compression import compress, expand


def variable(key: str, name: str, **own: Any) -> dict[str, Any]:
    return {"key": key, "name": name, "dims": [8], "part": "neck", "initializer": "zeros", **own}


def test_a_layer_is_one_entry() -> None:
    variables = [
        variable("a/0/gamma", "bn/gamma", initializer="ones"),
        variable("a/0/moving_mean", "bn/moving_mean", trainable=False),
        variable("a/1/bias", "conv/bias", when={"depthwise": [True]}),
    ]
    assert compress(variables) == [
        {
            "key": "a/0",
            "name": "bn",
            "part": "neck",
            "leaves": {"gamma": [[8], "ones"], "moving_mean": [[8], "zeros", {"trainable": False}]},
        },
        {
            "key": "a/1",
            "name": "conv",
            "part": "neck",
            "when": {"depthwise": [True]},
            "leaves": {"bias": [[8], "zeros"]},
        },
    ]


def test_what_is_called_otherwise_than_its_key_stays_as_it_is() -> None:
    variables = [variable("a/0", "bn/gamma"), variable("kernel", "kernel")]
    assert compress(variables) == variables


def test_a_variable_met_twice_is_not_lost() -> None:
    variables = [variable("a/0/gamma", "bn/gamma"), variable("a/0/gamma", "bn/gamma", dims=[9])]
    assert list(expand(compress(variables))) == variables


VARIABLES = st.builds(
    variable,
    st.sampled_from(["a/0/gamma", "a/0/beta", "a/1/gamma", "gamma", "a/0"]),
    st.sampled_from(["bn/gamma", "bn/beta", "bn_1/gamma", "gamma", "bn"]),
    dims=st.lists(st.integers(0, 3), max_size=2),
    part=st.sampled_from(["neck", "backbone"]),
)
MARKS = st.fixed_dictionaries(
    {}, optional={"trainable": st.just(False), "dtype": st.just("int64"), "when": st.just({"a": [1]})}
)


@given(st.lists(st.builds(lambda one, marks: {**one, **marks}, VARIABLES, MARKS), max_size=8))
def test_folding_loses_nothing(variables: list[dict[str, Any]]) -> None:
    assert list(expand(compress(variables))) == variables
