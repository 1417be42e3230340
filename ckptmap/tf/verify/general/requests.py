"""What is asked of inputs: ``ids=int32[2,16]<30522``, ``keep=1.0``, ``x=batch.npy``, ``batch.npz``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ckptmap.basics.errors import CkptmapError
from ckptmap.basics.regular import open_regular
from ckptmap.basics.wording import argument
from ckptmap.tf.verify.general.arguments import INPUTS

Array = np.ndarray[Any, Any]

_MADE = re.compile(r"(?P<dtype>[a-z]+\d*)\[(?P<shape>[\d, ]*)\](?:<(?P<below>\d+))?")
_HINT = (
    "an input is NAME=DTYPE[SHAPE], such as image=float32[2,224,224,3] or ids=int32[2,16]<30522, NAME=VALUE, "
    "NAME=FILE.npy or FILE.npz"
)
_MOST = 1 << 28
"""Elements of a made-up input."""


@dataclass(frozen=True, slots=True)
class Made:
    """An input to make up: dtype, shape, and a bound that whole numbers stay below (0: none is given)."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    below: int = 0


@dataclass(frozen=True, slots=True)
class Given:
    """An input with its value; ``name`` is empty where the file does not say it."""

    name: str
    value: Array
    source: str


Request = Made | Given


def parse_inputs(texts: Sequence[str]) -> tuple[Request, ...]:
    """What is asked for. Raises CkptmapError on a mistake, with the text."""
    return tuple(request for text in texts for request in _parsed(text))


def _parsed(text: str) -> list[Request]:
    name, equals, said = text.partition("=")
    if not equals or (text.endswith((".npy", ".npz")) and Path(text).is_file()):
        return _of_file("", text)
    if said.endswith((".npy", ".npz")):
        return _of_file(name, said)
    if found := _MADE.fullmatch(said):
        return [_made(text, name, found)]
    return [Given(name, _value(text, said), said)]


def _made(text: str, name: str, found: re.Match[str]) -> Made:
    try:
        kind = np.dtype(found["dtype"])
        shape = tuple(int(length) for length in found["shape"].replace(" ", "").split(",") if length)
    except (TypeError, ValueError) as error:
        raise CkptmapError(f"{argument(INPUTS, text)}: {error}", hint=_HINT) from error
    if kind.kind not in "fiub":
        raise CkptmapError(f"{argument(INPUTS, text)}: values of {kind} cannot be made up", hint=_HINT)
    if np.prod(shape, dtype=np.float64) > _MOST:
        raise CkptmapError(f"{argument(INPUTS, text)} has more than {_MOST:,} elements", hint="make it smaller")
    return Made(name, kind.name, shape, int(found["below"] or 0))


def _value(text: str, said: str) -> Array:
    if said.lower() in ("true", "false"):
        return np.asarray(said.lower() == "true")
    try:
        return np.asarray(float(said), np.float32)
    except ValueError as error:
        raise CkptmapError(f"{argument(INPUTS, text)} cannot be understood", hint=_HINT) from error


def _of_file(name: str, path: str) -> list[Request]:
    if not path.endswith((".npy", ".npz")):
        raise CkptmapError(f"{argument(INPUTS, path)} cannot be understood", hint=_HINT)
    try:
        with open_regular(path) as file:
            held = np.load(file, allow_pickle=False)
            arrays = {"": held} if isinstance(held, np.ndarray) else {key: held[key] for key in held.files}
    except (OSError, ValueError, EOFError) as error:
        raise CkptmapError(f"cannot be read: {error}", where=path) from error
    if name and len(arrays) != 1:
        raise CkptmapError(f"holds {len(arrays)} arrays: which is {name}?", where=path, hint="leave the name out")
    return [Given(name or key, value, path) for key, value in arrays.items()]
