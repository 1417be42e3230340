"""Scalars of the protobuf text format as Python values, by the type of their field."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, TypeAlias

from ckptmap.families.detection.pipeline.syntax import Scalar, ScalarKind

if TYPE_CHECKING:
    from ckptmap.families.detection.pipeline.schema import FieldType, Schema

Value: TypeAlias = bool | int | float | str

_BOOLS = {"true": True, "True": True, "t": True, "1": True, "false": False, "False": False, "f": False, "0": False}
_RANGES = {
    "int32": (-(2**31), 2**31 - 1),
    "int64": (-(2**63), 2**63 - 1),
    "uint32": (0, 2**32 - 1),
    "uint64": (0, 2**64 - 1),
}
_FLOAT_WORDS = {"inf": math.inf, "infinity": math.inf, "nan": math.nan}
_PIECE = re.compile(r"\"((?:[^\"\\]|\\.)*)\"|'((?:[^'\\]|\\.)*)'", re.DOTALL)
_ESCAPE = re.compile(r"\\([0-7]{1,3}|[xX][0-9a-fA-F]{1,2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", re.DOTALL)
_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "?": "?"}
_ZEROES: dict[str, Value] = {"bool": False, "float": 0.0, "double": 0.0, "string": "", "bytes": ""}


class ValueTypeError(Exception):
    """A scalar that its field's type does not allow; the message says what was expected."""


def parse_scalar(scalar: Scalar, field: FieldType, schema: Schema) -> Value:
    """The value of a scalar: an enum value by its name, text unescaped. Raises ValueTypeError."""
    if field.type in schema.enums:
        return _enum(scalar, schema.enums[field.type], field)
    if field.type in ("string", "bytes"):
        return _string(scalar, field)
    if field.type == "bool":
        return _bool(scalar, field)
    if field.type in ("float", "double"):
        return _float(scalar, field)
    if field.type in _RANGES:
        return _integer(scalar, field)
    raise ValueTypeError(f"{field.name} is a message, write {field.name} {{ … }}")


def default_of(field: FieldType, schema: Schema) -> Value:
    """The value that protobuf gives an absent field: its default, else the zero of its type."""
    if field.default is not None:
        default: Value = field.default
        return default
    if field.type in schema.enums:
        return next(iter(schema.enums[field.type]))
    return _ZEROES.get(field.type, 0)


def quote(text: str) -> str:
    """A text as a string of the protobuf text format, in double quotes."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'


def unquote(text: str) -> str:
    """The text of one or more adjacent string literals, escapes resolved."""
    pieces = (match[1] if match[1] is not None else match[2] for match in _PIECE.finditer(text))
    return "".join(_ESCAPE.sub(_unescape, piece) for piece in pieces)


def _unescape(match: re.Match[str]) -> str:
    code = match[1]
    if code[0] in "01234567":
        return chr(int(code, 8) & 0xFF)
    if len(code) > 1:
        number = int(code[1:], 16)
        return chr(number) if number <= 0x10FFFF else match[0]
    return _SIMPLE.get(code, code)


def _enum(scalar: Scalar, names: dict[str, int], field: FieldType) -> str:
    if scalar.kind is ScalarKind.WORD and scalar.text in names:
        return scalar.text
    if scalar.kind is ScalarKind.NUMBER:
        by_number = {str(number): name for name, number in names.items()}
        if scalar.text in by_number:
            return by_number[scalar.text]
    raise ValueTypeError(f"{field.name} is one of {', '.join(names)}, not {scalar.text}")


def _string(scalar: Scalar, field: FieldType) -> str:
    if scalar.kind is not ScalarKind.STRING:
        raise ValueTypeError(f"{field.name} is a string, put {scalar.text} in quotes")
    return unquote(scalar.text)


def _bool(scalar: Scalar, field: FieldType) -> bool:
    if scalar.kind is ScalarKind.STRING or scalar.text not in _BOOLS:
        raise ValueTypeError(f"{field.name} is true or false, not {scalar.text}")
    return _BOOLS[scalar.text]


def _float(scalar: Scalar, field: FieldType) -> float:
    text = re.sub(r"[\s]+", "", scalar.text)
    if scalar.kind is ScalarKind.NUMBER:
        if re.match(r"-?0[xX]", text):
            return _float_of_hex(text)
        return float(text.rstrip("fF"))
    word = text.lstrip("-").lower()
    if scalar.kind is ScalarKind.WORD and word in _FLOAT_WORDS:
        return -_FLOAT_WORDS[word] if text.startswith("-") else _FLOAT_WORDS[word]
    raise ValueTypeError(f"{field.name} is a number, not {scalar.text}")


def _float_of_hex(text: str) -> float:
    try:
        return float(int(text, 16))
    except OverflowError:
        return -math.inf if text.startswith("-") else math.inf


def _integer(scalar: Scalar, field: FieldType) -> int:
    text = re.sub(r"[\s]+", "", scalar.text)
    if scalar.kind is not ScalarKind.NUMBER or not re.fullmatch(r"-?(0[xX][0-9a-fA-F]+|[0-9]{1,40})", text):
        raise ValueTypeError(f"{field.name} is a whole number, not {scalar.text}")
    digits = text.lstrip("-")
    base = 16 if digits[:2] in ("0x", "0X") else 8 if len(digits) > 1 and digits[0] == "0" else 10
    try:
        number = int(text, base)
    except ValueError:
        raise ValueTypeError(f"{field.name} is a whole number, not {scalar.text}") from None
    low, high = _RANGES[field.type]
    if not low <= number <= high:
        raise ValueTypeError(f"{field.name} lies between {low} and {high}, not {scalar.text}")
    return number
