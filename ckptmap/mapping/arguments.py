"""What an argument of a tensor operation can be: how a table writes it, and how a report's JSON holds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ckptmap.basics.nearest import did_you_mean
from ckptmap.checkpoint.dtypes import DType, dtype_from_label

if TYPE_CHECKING:
    from collections.abc import Callable

    from ckptmap.mapping.yamlnodes import Node, YamlDocument


@dataclass(frozen=True, slots=True)
class Argument:
    """A kind of argument.

    ``parse`` reads a table's node, called by the words in messages; None, with the mistake noted, where it is none.
    ``holds`` says whether a value that came from JSON can be one.
    """

    parse: Callable[[YamlDocument, Node, str], Any]
    holds: Callable[[Any], bool]
    to_json: Callable[[Any], Any] = lambda value: value
    from_json: Callable[[Any], Any] = lambda value: value


def _numbers(doc: YamlDocument, node: Node, what: str) -> tuple[float, ...] | None:
    """One number, or a list of them."""
    if node.id != "sequence":
        number = doc.number(node, what)
        return None if number is None else (number,)
    numbers = [doc.number(item, f"an item of {what}") for item in node.value]
    return None if None in numbers else tuple(number for number in numbers if number is not None)


def _dtype(doc: YamlDocument, node: Node, what: str) -> DType | None:
    label = doc.text(node, what)
    dtype = None if label is None else dtype_from_label(label)
    if label is not None and dtype is None:
        doc.error(node, f'there is no dtype "{label}"', did_you_mean(label, [str(dtype) for dtype in DType]))
    return dtype


def _is_whole(value: object) -> bool:
    return type(value) is int


def _are_whole(value: object) -> bool:
    return isinstance(value, tuple) and all(type(item) is int for item in value)


def _is_number(value: object) -> bool:
    return type(value) in (int, float)


def _are_numbers(value: object) -> bool:
    return isinstance(value, tuple) and all(type(item) in (int, float) for item in value)


def _to_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


WHOLE = Argument(lambda doc, node, what: doc.integer(node, what), _is_whole)
MAYBE_WHOLE = Argument(lambda doc, node, what: doc.integer(node, what), lambda value: value is None or _is_whole(value))
NUMBER = Argument(lambda doc, node, what: doc.number(node, what), _is_number)
WHOLES = Argument(lambda doc, node, what: doc.integers(node, what), _are_whole, list, _to_tuple)
NUMBERS = Argument(_numbers, _are_numbers, list, _to_tuple)
DTYPE = Argument(
    _dtype,
    lambda value: isinstance(value, DType),
    lambda dtype: dtype.label,
    lambda label: dtype_from_label(str(label)),
)
