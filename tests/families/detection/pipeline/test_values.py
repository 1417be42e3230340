from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckptmap.families.detection.pipeline import textproto
from ckptmap.families.detection.pipeline.schema import FieldType, load_schema
from ckptmap.families.detection.pipeline.syntax import Scalar
from ckptmap.families.detection.pipeline.values import Value, ValueTypeError, default_of, parse_scalar, quote, unquote


def scalar(text: str) -> Scalar:
    value = textproto.parse(f"f: {text}").root.fields[0].values[0]
    assert isinstance(value, Scalar)
    return value


def parsed(text: str, kind: str) -> Value:
    return parse_scalar(scalar(text), FieldType("f", kind), load_schema())


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("true", "bool", True),
        ("True", "bool", True),
        ("t", "bool", True),
        ("1", "bool", True),
        ("False", "bool", False),
        ("0", "bool", False),
        ("90", "int32", 90),
        ("-0x1F", "int64", -31),
        ("010", "uint32", 8),
        ("- 3", "int32", -3),
        ("1e-3", "float", 0.001),
        ("1.5f", "float", 1.5),
        (".5", "float", 0.5),
        ("3", "float", 3.0),
        ("-inf", "float", -math.inf),
        ("'it''s' \"two\"", "string", "itstwo"),
        (r'"a\n\"\x41\101\\"', "string", 'a\n"AA\\'),
        ("RELU_6", "Hyperparams.Activation", "RELU_6"),
        ("2", "Hyperparams.Activation", "RELU_6"),
    ],
)
def test_scalars(text: str, kind: str, value: Value) -> None:
    assert parsed(text, kind) == value


def test_nan_is_a_number() -> None:
    assert math.isnan(float(parsed("nan", "float")))


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("yes", "bool", "f is true or false, not yes"),
        ('"true"', "bool", 'f is true or false, not "true"'),
        ("1.5", "int32", "f is a whole number, not 1.5"),
        ("09", "int32", "f is a whole number, not 09"),
        ("-1", "uint32", "f lies between 0 and 4294967295, not -1"),
        ("3000000000", "int32", "f lies between -2147483648 and 2147483647, not 3000000000"),
        ("9" * 5000, "int32", "f is a whole number, not " + "9" * 5000),
        ("many", "float", "f is a number, not many"),
        ("v2", "string", "f is a string, put v2 in quotes"),
        ("RELU6", "Hyperparams.Activation", "f is one of NONE, RELU, RELU_6, SWISH, not RELU6"),
        ("9", "Hyperparams.Activation", "f is one of NONE, RELU, RELU_6, SWISH, not 9"),
        ("1", "Ssd", "f is a message, write f { … }"),
    ],
)
def test_wrong_values_say_what_was_expected(text: str, kind: str, message: str) -> None:
    with pytest.raises(ValueTypeError) as error:
        parsed(text, kind)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("kind", "value"),
    [("bool", False), ("int32", 0), ("float", 0.0), ("string", ""), ("Hyperparams.Activation", "NONE")],
)
def test_without_a_stated_default_a_field_is_the_zero_of_its_type(kind: str, value: Value) -> None:
    assert default_of(FieldType("f", kind), load_schema()) == value
    assert default_of(FieldType("f", kind, default=value), load_schema()) == value


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_quote_and_unquote_are_inverse(text: str) -> None:
    written = quote(text)
    assert unquote(written) == text
    if "\n" not in text:
        assert parsed(written, "string") == text
