"""Packages that offer names from several modules without importing them all: ``ckptmap inspect`` starts in no time."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any


def lazy(package: str, modules: Mapping[str, tuple[str, ...]]) -> Callable[[str], Any]:
    """The ``__getattr__`` of ``package``: a name's module is imported when the name is first asked for (PEP 562).

    ``modules`` lists the names that each module offers.
    """
    home = {name: module for module, names in modules.items() for name in names}

    def load(name: str) -> Any:
        if name not in home:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(home[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    return load


def keep_names(package: str) -> None:
    """Names that ``package`` offers stay what they are, where a package below it has the same name.

    ``import ckptmap.diff.compare`` would otherwise put the module in the place of the function ``ckptmap.diff``; the
    module is still what ``from ckptmap.diff import …`` imports from.
    """
    sys.modules[package].__class__ = _Package


class _Package(ModuleType):
    def __setattr__(self, name: str, value: object) -> None:
        if isinstance(value, ModuleType) and name in self.__dict__.get("__all__", ()):
            return
        super().__setattr__(name, value)
