"""What families of models tell the rooms below them, which name no family.

A folder of ``ckptmap/families/`` may have a module ``core``, with a :class:`Contribution` called ``CORE``. It is found
by that, so a new family is heard without a word here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules

_FAMILIES = "ckptmap.families"


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one family knows; all of it may be left out. The module that has it imports the family's operations too.

    ``tables`` are the folders of ``mappings/`` with tables for whole models. ``files`` are what a conversion may write
    beside the checkpoint and its report. ``bounds`` are the least and the largest value of numbers that size a model,
    by regular expressions for their names. ``part_of`` says which part of a model a variable is by its object path,
    empty where it does not know. ``further_paths`` takes the object paths of all variables, and gives paths that lead
    to a layer besides its own, each with the layer's own. ``target_names`` takes what somebody calls a model, and gives
    the targets that this may mean, the best first. ``text_hint`` takes the beginning of a text file that was given as a
    checkpoint, and says what to do with it, empty where it does not know the file.
    """

    tables: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    bounds: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    part_of: Callable[[str], str] = lambda _key: ""
    further_paths: Callable[[Collection[str]], Mapping[str, str]] = lambda _paths: {}
    target_names: Callable[[str], Iterable[str]] = lambda _name: ()
    text_hint: Callable[[str], str] = lambda _text: ""


@cache
def contributions() -> tuple[Contribution, ...]:
    """Those of all families that have one, in the order of the families' names."""
    folders = iter_modules(import_module(_FAMILIES).__path__, f"{_FAMILIES}.")
    modules = (f"{folder.name}.core" for folder in folders if folder.ispkg)
    return tuple(import_module(name).CORE for name in modules if find_spec(name) is not None)
