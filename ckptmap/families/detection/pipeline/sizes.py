"""Numbers of a model that nothing can be built with: below zero, or larger than anybody's memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ckptmap.basics.bounds import bound_of
from ckptmap.basics.errors import ConfigError
from ckptmap.families.detection.pipeline.schema import load_schema
from ckptmap.families.detection.pipeline.syntax import Message, Scalar
from ckptmap.families.detection.pipeline.values import ValueTypeError, parse_scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ckptmap.families.detection.pipeline.schema import FieldType, MessageType
    from ckptmap.families.detection.pipeline.syntax import Document

_COUNTS = frozenset({"int32", "int64", "uint32", "uint64"})
_SCALES = frozenset({"depth_multiplier"})
_FREE = ("mask_num_subsamples", "_steps", "_start", "_weight")
"""What no size follows from, or where -1 means all."""


def refuse_absurd_sizes(document: Document) -> None:
    """Raises ConfigError for the first number of the model that is out of bounds, with its field and line."""
    schema = load_schema()
    for field in document.root.named("model"):
        for block in field.values:
            if isinstance(block, Message):
                for scalar, declared in _numbers(block, schema.messages["DetectionModel"]):
                    _refuse(document, scalar, declared)


def _numbers(message: Message, kind: MessageType) -> Iterator[tuple[Scalar, FieldType]]:
    for field in message.fields:
        declared = kind.fields.get(field.name)
        if declared is None:
            continue
        below = load_schema().messages.get(declared.type)
        for value in field.values:
            if isinstance(value, Message) and below is not None:
                yield from _numbers(value, below)
            elif isinstance(value, Scalar) and _sizes_something(declared):
                yield value, declared


def _sizes_something(declared: FieldType) -> bool:
    return (declared.type in _COUNTS or declared.name in _SCALES) and not declared.name.endswith(_FREE)


def _refuse(document: Document, scalar: Scalar, declared: FieldType) -> None:
    try:
        value = parse_scalar(scalar, declared, load_schema())
    except ValueTypeError:
        return  # a finding of the check already
    problem = bound_of(declared.name).problem(declared.name, float(value), scalar.text)
    if problem:
        raise ConfigError(problem, where=document.where(scalar.start))
