"""The values that both models are run on: given, of images, or made up from shapes and dtypes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ckptmap.basics.errors import CkptmapError
from ckptmap.basics.wording import argument
from ckptmap.tf.verify.general.arguments import INPUTS, PAIRS
from ckptmap.tf.verify.general.embeddings import rows_of
from ckptmap.tf.verify.general.flags import flag_value
from ckptmap.tf.verify.general.pairing import called, paired
from ckptmap.tf.verify.general.requests import Given, Made, Request

if TYPE_CHECKING:
    from ckptmap.tf.verify.general.pairing import Pair
    from ckptmap.tf.verify.general.side import Side, Spec

Array = np.ndarray[Any, Any]

BATCH = 2
IMAGES_AT_ONCE = 8
"""Of a model that takes any number of them."""
_ANY_WHOLE = 2
"""Whole numbers that index nothing known are 0 or 1: masks, segments, flags."""


@dataclass(frozen=True, slots=True)
class Fed:
    """One input of both sides: its names, its value, and where that comes from."""

    old: Spec
    new: Spec
    value: Array
    how: str


@dataclass(frozen=True, slots=True)
class Feeds:
    """All inputs. ``flags``: placeholders of one side that are set, by tensor; ``settings``: the same in words."""

    fed: tuple[Fed, ...]
    flags: tuple[Mapping[str, Array], Mapping[str, Array]] = field(default_factory=lambda: ({}, {}))
    settings: tuple[str, ...] = ()

    def of(self, end: int) -> dict[str, Array]:
        """What to feed a side: 0 the old one, 1 the new one."""
        specs = [(one.new if end else one.old, one.value) for one in self.fed]
        return {**self.flags[end], **{spec.tensor: as_dtype(value, spec.dtype) for spec, value in specs}}


def batches(sides: tuple[Side, Side], images: Sequence[Array]) -> list[Sequence[Array]]:
    """The images by as many as the models take at a time; the last batch of a fixed size is filled up with the first.

    One batch, an empty one, where there are no images.
    """
    takes = [spec.shape[0] for side in sides for spec in side.inputs if spec.shape and _is_image((spec,))]
    fixed = next((length for length in takes if length), 0)
    step = fixed or IMAGES_AT_ONCE
    found = [images[start : start + step] for start in range(0, len(images), step)]
    if found and fixed:
        found[-1] = [*found[-1], *[images[at % len(images)] for at in range(fixed - len(found[-1]))]]
    return found or [images]


def make_feeds(
    sides: tuple[Side, Side],
    requests: Sequence[Request],
    pairs: Sequence[Pair],
    seed: int,
    images: Sequence[Array] = (),
) -> Feeds:
    """Pair the inputs and find a value for each.

    Raises CkptmapError where an input of a side has no partner, where a request fits neither side, and where a shape is
    not known.
    """
    known = [[spec for spec in side.inputs if not called_any(spec, requests)] for side in sides]
    set_alone = tuple(dict(_alone(specs)) for specs in known)
    free = [
        [spec for spec in side.inputs if spec.tensor not in alone and _needed(side, spec, requests)]
        for side, alone in zip(sides, set_alone, strict=True)
    ]
    together = paired(free[0], free[1], pairs, (_looked_up(sides[0]), _looked_up(sides[1])))
    _refuse_unknown(requests, sides)
    given = [_given_alone(specs, end, together, requests) for end, specs in enumerate(free)]
    _refuse_unpaired(free, together, given)
    random = np.random.default_rng(seed)
    fed = tuple(_fed(pair, sides, _request(pair, requests, len(together)), images, random) for pair in together)
    settings = tuple(
        f"{name} of the {end} model is {value.item()}"
        for end, alone in zip(("old", "new"), set_alone, strict=True)
        for name, value in alone.items()
    )
    settings += tuple(
        f"{spec.name} of the {end} model has no partner, and is {request.source}"
        for end, alone in zip(("old", "new"), given, strict=True)
        for spec, request in alone
    )
    flags = [
        {**alone, **{spec.tensor: as_dtype(request.value, spec.dtype) for spec, request in more}}
        for alone, more in zip(set_alone, given, strict=True)
    ]
    return Feeds(fed, (flags[0], flags[1]), settings)


def _looked_up(side: Side) -> Callable[[Spec], str]:
    """Inputs of one shape that index as many rows are of a kind: ids, or segments. A mask indexes none."""
    rows = {spec.tensor: str(rows_of(side, spec)) for spec in side.inputs}
    return lambda spec: rows[spec.tensor]


def _given_alone(
    specs: Sequence[Spec], end: int, together: Sequence[tuple[Spec, Spec]], requests: Sequence[Request]
) -> list[tuple[Spec, Given]]:
    """The inputs without a partner whose values are given by name, for this side alone."""
    taken = {pair[end].tensor for pair in together}
    lone = [spec for spec in specs if spec.tensor not in taken]
    found = [(spec, next((one for one in requests if one.name and called(spec, one.name)), None)) for spec in lone]
    return [
        (spec, Given(request.name, _fits(request.value, spec, ("old", "new")[end], request.source), request.source))
        for spec, request in found
        if isinstance(request, Given)
    ]


def called_any(spec: Spec, requests: Sequence[Request]) -> bool:
    """Whether something is asked of this input."""
    return any(request.name and called(spec, request.name) for request in requests)


def _alone(specs: Sequence[Spec]) -> Iterator[tuple[str, Array]]:
    """Training flags and the like, whatever the other side has."""
    for spec in specs:
        value = flag_value(spec)
        if value is not None:
            yield spec.tensor, value


def _needed(side: Side, spec: Spec, requests: Sequence[Request]) -> bool:
    """Whether an input has no value of its own, or is asked for."""
    node = spec.tensor.partition(":")[0]
    with_default = any(one.name == node and one.op == "PlaceholderWithDefault" for one in side.nodes)
    return not with_default or called_any(spec, requests)


def _refuse_unpaired(
    free: Sequence[Sequence[Spec]],
    together: Sequence[tuple[Spec, Spec]],
    given: Sequence[Sequence[tuple[Spec, Given]]],
) -> None:
    for end, name in enumerate(("old", "new")):
        taken = {pair[end].tensor for pair in together} | {spec.tensor for spec, _ in given[end]}
        lone = [spec for spec in free[end] if spec.tensor not in taken]
        if lone:
            others = ", ".join(said(spec) for spec in free[1 - end]) or "nothing"
            message = f"input {said(lone[0])} of the {name} model fits no input of the other, which takes {others}"
            raise CkptmapError(message, hint=f"{argument(PAIRS, 'OLD=NEW')}, or {argument(INPUTS, 'NAME=VALUE')}")


def _refuse_unknown(requests: Sequence[Request], sides: Sequence[Side]) -> None:
    for request in requests:
        if request.name and not any(called(spec, request.name) for side in sides for spec in side.inputs):
            has = "; ".join(
                f"the {end} model takes {', '.join(said(spec) for spec in side.inputs) or 'nothing'}"
                for end, side in zip(("old", "new"), sides, strict=True)
            )
            raise CkptmapError(f"input {request.name} fits neither side", hint=has)


def said(spec: Spec) -> str:
    """An input for people: ``ids int32[?, 16]``."""
    lengths = "…" if spec.shape is None else ", ".join("?" if one is None else str(one) for one in spec.shape)
    return f"{spec.name} {spec.dtype}[{lengths}]"


def _request(pair: tuple[Spec, Spec], requests: Sequence[Request], count: int) -> Request | None:
    """What is asked of a pair; a file without a name is of the only input."""
    for request in requests:
        if any(called(spec, request.name) for spec in pair) or (not request.name and count == 1):
            return request
    return None


def _fed(
    pair: tuple[Spec, Spec],
    sides: tuple[Side, Side],
    request: Request | None,
    images: Sequence[Array],
    random: np.random.Generator,
) -> Fed:
    if isinstance(request, Given):
        return Fed(*pair, _checked(request.value, pair, request.source), request.source)
    shape = request.shape if request else _shape(pair, images)
    if request:
        _checked(np.empty(shape, request.dtype), pair, request.name)
    if request is None and images and _is_image(pair):
        return Fed(*pair, _pixels(images, shape), "images")
    dtype = request.dtype if request else _dtype(pair)
    below = (request.below if isinstance(request, Made) else 0) or min(_rows(pair, sides), default=0)
    return Fed(*pair, *_made(dtype, shape, below, random))


def _checked(value: Array, pair: tuple[Spec, Spec], source: str) -> Array:
    for spec, end in zip(pair, ("old", "new"), strict=True):
        _fits(value, spec, end, source)
    return value


def _fits(value: Array, spec: Spec, end: str, source: str) -> Array:
    shape = spec.shape
    same = shape is None or (
        len(shape) == value.ndim and all(one in (None, length) for one, length in zip(shape, value.shape, strict=True))
    )
    if not same:
        message = f"{source} is {list(value.shape)}, and the {end} model takes {said(spec)}"
        raise CkptmapError(message, hint="give it in that shape")
    return value


def _shape(pair: tuple[Spec, Spec], images: Sequence[Array]) -> tuple[int, ...]:
    """The lengths that either side knows; the first is that of the batch."""
    shapes = [spec.shape for spec in pair if spec.shape is not None]
    if not shapes:
        raise _unknown(pair)
    ranks = {len(shape) for shape in shapes}
    if len(ranks) > 1:
        message = f"input {said(pair[0])} of the old model is {said(pair[1])} of the new one"
        raise CkptmapError(message, hint="both take the same values: adapt one of the models")
    lengths = [next((one for one in column if one is not None), None) for column in zip(*shapes, strict=True)]
    if lengths and lengths[0] is None:
        lengths[0] = len(images) if images and _is_image(pair) else BATCH
    if images and _is_image(pair) and None in lengths[1:3]:
        lengths[1:3] = images[0].shape[1:3]
    if None in lengths:
        raise _unknown(pair)
    return tuple(int(length) for length in lengths if length is not None)


def _unknown(pair: tuple[Spec, Spec]) -> CkptmapError:
    spec = pair[0] if pair[0].shape is not None else pair[1]
    lengths = spec.shape or (None,)
    text = ",".join(str(BATCH if at == 0 else length or "N") for at, length in enumerate(lengths))
    hint = argument(INPUTS, f"{spec.name}={spec.dtype}[{text}]")
    return CkptmapError(f"the shape of input {said(spec)} is not known", hint=f"say it: {hint}")


def _dtype(pair: tuple[Spec, Spec]) -> str:
    """What both take: of pixels and floats, pixels."""
    dtypes = [spec.dtype for spec in pair]
    if "string" in dtypes:
        message = f"input {said(pair[0])} takes text, which is not made up"
        raise CkptmapError(message, hint=argument(INPUTS, f"{pair[0].name}=FILE.npy"))
    return "uint8" if "uint8" in dtypes else dtypes[0]


def _rows(pair: tuple[Spec, Spec], sides: tuple[Side, Side]) -> list[int]:
    """How many rows there are in what the input is looked up in, on each side that looks it up."""
    found = [rows_of(side, spec) for side, spec in zip(sides, pair, strict=True)]
    return [rows for rows in found if rows]


def _made(dtype: str, shape: tuple[int, ...], below: int, random: np.random.Generator) -> tuple[Array, str]:
    if dtype == "bool":
        return random.integers(0, 2, shape).astype(bool), "made up"
    if dtype == "uint8":
        return random.integers(0, below or 256, shape).astype(np.uint8), "made up, 0 to 255"
    if dtype.startswith(("int", "uint")):
        bound = below or _ANY_WHOLE
        return random.integers(0, bound, shape).astype(dtype), f"made up, below {bound:,}"
    return random.standard_normal(shape).astype(np.float32).astype(_plain(dtype)), "made up, normal"


def _plain(dtype: str) -> str:
    return "float32" if dtype == "bfloat16" else dtype


def _is_image(pair: Sequence[Spec]) -> bool:
    shapes = [spec.shape for spec in pair if spec.shape is not None]
    return any(len(shape) == 4 and shape[3] in (1, 3) for shape in shapes)


def _pixels(images: Sequence[Array], shape: tuple[int, ...]) -> Array:
    """The images in the model's size, 0 to 255; a model of one channel gets their mean."""
    from PIL import Image

    found = []
    for image in images[: shape[0]]:
        resized = Image.fromarray(image[0].astype(np.uint8)).resize((shape[2], shape[1]))
        pixels = np.asarray(resized, np.float32)
        found.append(pixels if shape[3] == 3 else pixels.mean(axis=-1, keepdims=True))
    return np.stack(found)


def as_dtype(value: Array, dtype: str) -> Array:
    """The value in a side's dtype, where NumPy has that."""
    return value if dtype in ("string", "bfloat16") else value.astype(dtype)
