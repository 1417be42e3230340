"""Find the variable that a table means: by its whole name, or by the end of it.

A table says ``ConvolutionalBoxHead_0/BoxEncodingPredictor/kernel``; the model says
``BoxPredictor/ConvolutionalBoxHead_0/BoxEncodingPredictor/kernel``, or ``BoxPredictor_1/…`` when it was the second
model of its process.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

from ckptmap.basics.errors import Problem
from ckptmap.basics.nearest import Names
from ckptmap.checkpoint.object_graph import VALUE_SUFFIX
from ckptmap.targets.layer_paths import layer_paths, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ckptmap.targets.variables import SpecVariable

_FIELD = re.compile(r"\{[^{}]+\}")
_NUMBER = re.compile(r"\{[^{}]+\}|\d+")


class NameIndex:
    """Variables by name, by object path, and by every ending of the name that starts at a ``/``.

    ``root`` is what the model is called in its checkpoint: an object path may begin with it, and end as the
    checkpoint's key does.
    """

    def __init__(self, variables: Iterable[SpecVariable], root: str = "") -> None:
        self.variables = tuple(variables)
        self._root = root
        self._whole = _grouped((v.name, v.key) for v in self.variables)
        self._skeletons = _grouped(_skeletons(v.name) if "{" in v.name else () for v in self.variables)

    @cached_property
    def _keys(self) -> dict[str, tuple[int, ...]]:
        return _grouped((variable.key,) for variable in self.variables)

    @cached_property
    def _ends(self) -> dict[str, tuple[int, ...]]:
        return _grouped(_endings(variable.name) for variable in self.variables)

    @cached_property
    def _in_layers(self) -> dict[str, tuple[int, ...]]:
        return _grouped(layer_paths(self.variables))

    def matches(self, text: str) -> tuple[SpecVariable, ...]:
        """All variables that ``text`` can mean: those it names whole, else those that end in it.

        Where there are none, those that do when scopes may be counted (``BoxPredictor_1`` for ``BoxPredictor``), then
        those of this object path, and last of this path from a named layer on.
        """
        found = (
            self._by_whole(text)
            or self._by_end(text)
            or self._by_counted_scopes(text)
            or self._by_key(text)
            or self._in_layers.get(plain(text), ())
        )
        return tuple([self.variables[at] for at in found])

    def _by_key(self, text: str) -> Sequence[int]:
        """The one that a checkpoint's key names, as ``inspect`` prints it: from the checkpoint itself on, so that the
        name of the root stands before the object path."""
        path = text.removesuffix(VALUE_SUFFIX)
        below = path.removeprefix(f"{self._root}/") if self._root else path
        return self._keys.get(path) or self._keys.get(below) or ()

    def find(self, text: str) -> SpecVariable | Problem:
        """The one variable that ``text`` means, or a Problem that names the candidates or the nearest names."""
        whole = self._whole.get(text)
        if whole is not None and len(whole) == 1:
            return self.variables[whole[0]]
        found = self.matches(text)
        if len(found) == 1:
            return found[0]
        if found:
            return _ambiguous(text, found)
        return Problem(f"the target has no variable {text!r}", text, nearest(text, (v.name for v in self.variables)))

    def _by_whole(self, text: str) -> Sequence[int]:
        found = self._whole.get(text)
        return found or [at for at in self._templated(text) if _fits(self.variables[at].name, text)]

    def _by_end(self, text: str) -> Sequence[int]:
        return [*self._ends.get(text, ()), *self._templated(text)]

    def _templated(self, text: str) -> list[int]:
        if not self._skeletons:
            return []
        candidates = self._skeletons.get(_NUMBER.sub("#", text), ())
        return [at for at in candidates if _fits(_ending(self.variables[at].name, text.count("/") + 1), text)]

    def _by_counted_scopes(self, text: str) -> Sequence[int]:
        layer = _ending(text, 2)
        return [at for at in self._ends.get(layer, ()) if _counts_scopes(self.variables[at].name, text)]


def _ambiguous(text: str, found: Sequence[SpecVariable]) -> Problem:
    """Which variables a text can mean; where several have one name, no longer one tells them apart."""
    names = [variable.name for variable in found]
    if len(set(names)) == len(names):
        shown, hint = names, "give more of the name"
    else:
        shown, hint = [f"{variable.key} ({variable.name})" for variable in found], "use the object path"
    return Problem(f"{text!r} can mean {len(found)} variables of the target: {', '.join(shown[:3])}", text, hint)


def nearest(text: str, names: Iterable[str]) -> str:
    """A hint with the names most like ``text``, compared by their ends; empty where none is."""
    length = text.count("/") + 1
    by_end = {_ending(name, length): name for name in names}
    close = Names(by_end).nearest(text, 3, cutoff=0.7)
    return f"nearest: {', '.join(by_end[end] for end in close)}" if close else ""


def pattern_of(name: str) -> re.Pattern[str]:
    """A pattern for a name with fields: each field matches a number and captures it."""
    return re.compile(r"(\d+)".join(re.escape(part) for part in _FIELD.split(name)))


def numbers_in(name: str, text: str) -> tuple[int, ...]:
    """The numbers that ``text``, a way to say ``name``, has at the fields of ``name``, in order.

    Empty where the name has no fields, or ``text`` is the object path, which shows none.
    """
    if "{" not in name:
        return ()
    match = pattern_of(_ending(name, text.count("/") + 1)).fullmatch(text)
    return tuple(int(number) for number in match.groups()) if match else ()


def _fits(name: str, text: str) -> bool:
    return pattern_of(name).fullmatch(text) is not None


def _grouped(known: Iterable[Iterable[str]]) -> dict[str, tuple[int, ...]]:
    """By each text, the numbers of the variables that have it among theirs; nearly all stand alone."""
    groups: dict[str, tuple[int, ...]] = {}
    for at, texts in enumerate(known):
        alone = (at,)
        for text in texts:
            group = groups.setdefault(text, alone)
            if group[-1] != at:
                groups[text] = (*group, at)
    return groups


def _skeletons(name: str) -> Iterator[str]:
    """The endings of a name with fields, each field and each number as ``#``."""
    return (_NUMBER.sub("#", end) for end in _endings(name))


def _endings(name: str) -> Iterator[str]:
    while name:
        yield name
        name = name.partition("/")[2]


def _ending(name: str, length: int) -> str:
    return "/".join(name.split("/")[-length:])


def _counts_scopes(name: str, text: str) -> bool:
    """Whether ``name`` ends in ``text`` apart from counts at the ends of scopes, such as ``_1``."""
    wanted = text.split("/")
    offered = name.split("/")[-len(wanted) :]
    return len(offered) == len(wanted) and all(
        have == want or (have.startswith(want + "_") and have[len(want) + 1 :].isdigit())
        for have, want in zip(offered, wanted, strict=True)
    )
