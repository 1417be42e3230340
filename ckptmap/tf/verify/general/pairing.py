"""Inputs and outputs of both sides brought together: as asked for, by name, by shape and dtype, by order."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from ckptmap.basics.errors import CkptmapError
from ckptmap.basics.nearest import did_you_mean
from ckptmap.basics.wording import argument
from ckptmap.tf.verify.general.arguments import PAIRS

if TYPE_CHECKING:
    from ckptmap.tf.verify.general.side import Shape, Spec

Pair = tuple[str, str]
Pairs = list[tuple["Spec", "Spec"]]
Kind = Callable[["Spec"], str]
_NO_KINDS: tuple[Kind, Kind] = (lambda _: "", lambda _: "")
_BOTH = "names of inputs or outputs of both sides"
_NUMBER = re.compile(r"_\d+$")
_LAST_STEPS = ("biasadd", "add", "identity", "softmax", "sigmoid", "squeeze", "reshape", "matmul")


def parse_pairs(texts: Sequence[str]) -> tuple[Pair, ...]:
    """``OLD=NEW`` as pairs of names. Raises CkptmapError."""
    found = tuple(text.partition("=") for text in texts)
    for text, (old, _, new) in zip(texts, found, strict=True):
        if not old or not new:
            raise CkptmapError(f"{argument(PAIRS, text)} is not OLD=NEW", hint=_BOTH)
    return tuple((old, new) for old, _, new in found)


def check_pairs(pairs: Sequence[Pair], old: Sequence[Spec], new: Sequence[Spec]) -> None:
    """Refuse a pair that names nothing. Raises CkptmapError with the nearest name, or with those that there are."""
    for pair in pairs:
        for side, name, specs in (("old", pair[0], old), ("new", pair[1], new)):
            if not any(called(spec, name) for spec in specs):
                names = [spec.name for spec in specs]
                hint = did_you_mean(name, names) or f"it has {', '.join(names)}"
                raise CkptmapError(f"the {side} model has no input or output {name}", hint=hint)


def paired(
    old: Sequence[Spec], new: Sequence[Spec], pairs: Sequence[Pair], kinds: tuple[Kind, Kind] = _NO_KINDS
) -> Pairs:
    """Pairs in the order of the old side; what fits nothing is in none.

    ``kinds`` say what kind an old and a new one is of: what shapes alone bring together is rather of one kind.
    """
    found: Pairs = []
    rest = list(old), list(new)
    for one, other in pairs:
        _take(rest, found, partial(_are_called, one, other))
    _take(rest, found, lambda left, right: plain(left.name) == plain(right.name) and alike(left, right))

    def of_a_kind(one: Spec, other: Spec) -> bool:
        return kinds[0](one) == kinds[1](other)

    for akin in (lambda one, other: of_a_kind(one, other) and _known(one, other), of_a_kind, lambda _one, _other: True):
        _take(rest, found, partial(_only, rest=rest, akin=akin))
    if len(rest[0]) == len(rest[1]):
        found += [(left, right) for left, right in zip(*rest, strict=True) if alike(left, right)]
    places = {spec.tensor: at for at, spec in enumerate(old)}
    return sorted(found, key=lambda one: places[one[0].tensor])


def _known(*specs: Spec) -> bool:
    """Whether shapes say something; of what comes out of a loop they often do not."""
    return all(spec.shape is not None for spec in specs)


def called(spec: Spec, name: str) -> bool:
    """Whether a name that someone writes is that of an input or output."""
    return name in (spec.name, spec.tensor, spec.tensor.removesuffix(":0")) or spec.name.endswith(f"/{name}")


def _are_called(one: str, other: str, left: Spec, right: Spec) -> bool:
    return called(left, one) and called(right, other)


def plain(name: str) -> str:
    """A name without what TensorFlow adds to it: ``fc/BiasAdd`` and ``fc_1`` are ``fc``."""
    parts = [part for part in name.lower().partition(":")[0].split("/") if part]
    while len(parts) > 1 and _NUMBER.sub("", parts[-1]) in _LAST_STEPS:
        parts.pop()
    return _NUMBER.sub("", parts[-1]) if parts else name


def alike(left: Spec, right: Spec) -> bool:
    """Whether one value can be both."""
    return _kind(left.dtype) == _kind(right.dtype) and fits(left.shape, right.shape)


def fits(left: Shape | None, right: Shape | None) -> bool:
    """Whether shapes can be the same; lengths of one are no difference (``[N, 1, 1, C]`` and ``[N, C]``)."""
    if left is None or right is None:
        return True
    if len(left) != len(right):
        left, right = (tuple(length for length in shape if length != 1) for shape in (left, right))
    return len(left) == len(right) and all(
        one is None or other is None or one == other for one, other in zip(left, right, strict=True)
    )


def _kind(dtype: str) -> str:
    """Whole numbers of all widths are one kind, as are floats; images are both."""
    if dtype.startswith(("float", "bfloat", "uint8", "half", "double")):
        return "number"
    return "integer" if dtype.startswith(("int", "uint")) else dtype


def _only(left: Spec, right: Spec, rest: tuple[list[Spec], list[Spec]], akin: Callable[[Spec, Spec], bool]) -> bool:
    """Whether each is the one that the other can be, of those that are akin."""

    def fit(one: Spec, other: Spec) -> bool:
        return alike(one, other) and akin(one, other)

    return (
        fit(left, right)
        and sum(fit(left, one) for one in rest[1]) == 1
        and sum(fit(one, right) for one in rest[0]) == 1
    )


def _take(rest: tuple[list[Spec], list[Spec]], found: Pairs, holds: Callable[[Spec, Spec], bool]) -> None:
    for left in tuple(rest[0]):
        right = next((one for one in rest[1] if holds(left, one)), None)
        if right is not None:
            rest[0].remove(left)
            rest[1].remove(right)
            found.append((left, right))
