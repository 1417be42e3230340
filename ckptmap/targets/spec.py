"""Read a shipped target spec: ``mappings/targets/<name>.json``, which ``ckptmap.tf.specs.generate`` generates."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ckptmap.basics.documents import parse_json, reason
from ckptmap.basics.errors import TargetError
from ckptmap.basics.regular import read_regular
from ckptmap.checkpoint.dtypes import DType, dtype_from_label
from ckptmap.targets.choose import Setting
from ckptmap.targets.dims import parse_dim
from ckptmap.targets.solve import Unknown
from ckptmap.targets.spec_compression import expand
from ckptmap.targets.target import Target
from ckptmap.targets.variables import Initializer, SpecVariable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from collections.abc import Set as AbstractSet
    from pathlib import Path

SCHEMA = "ckptmap.target/1"


def load_spec(path: Path) -> Target:
    """The target that the file describes, or that has the variables of the one it is the ``same_as``.

    Raises TargetError where it cannot be read as one.
    """
    data = _parsed(path, _text(path))
    with _damage(path):
        if "same_as" in data:
            other = load_spec(path.with_stem(data["same_as"]))
            return replace(other, name=data["name"], table=data.get("table", data["name"]))
        return target_from_dict(data)


def has_keys(path: Path, keys: AbstractSet[str]) -> bool:
    """Whether the target that the file describes can have variables with all these keys; much faster to tell than read.

    Raises TargetError as ``load_spec`` does.
    """
    text = _text(path)
    if '"same_as"' not in text and not all(_mentions(text, key) for key in keys):
        return False
    data = _parsed(path, text)
    with _damage(path):
        if "same_as" in data:
            return has_keys(path.with_stem(data["same_as"]), keys)
        return keys <= {item["key"] for item in expand(data["variables"])}


def _mentions(text: str, key: str) -> bool:
    """Whether a spec's text has the key, or the layer that it may be folded into."""
    return json.dumps(key) in text or json.dumps(key.rpartition("/")[0]) in text


def _text(path: Path) -> str:
    try:
        return read_regular(path).decode("utf-8")
    except (OSError, ValueError) as error:
        raise TargetError(f"the target spec cannot be read: {reason(error)}", where=str(path)) from error


def _parsed(path: Path, text: str) -> dict[str, Any]:
    try:
        data = parse_json(text)
    except ValueError as error:
        raise TargetError(f"the target spec cannot be read: {reason(error)}", where=str(path)) from error
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise TargetError(f"no target spec of schema {SCHEMA}", where=str(path))
    return data


@contextmanager
def _damage(path: Path) -> Iterator[None]:
    try:
        yield
    except (KeyError, TypeError, ValueError) as error:
        raise TargetError("the target spec is damaged", where=str(path)) from error


def target_from_dict(data: Mapping[str, Any]) -> Target:
    """The target that a spec's JSON object describes; raises KeyError, TypeError or ValueError where it is none."""
    return Target(
        name=data["name"],
        variables=tuple(_variable(item, data["initializers"]) for item in expand(data["variables"])),
        settings=tuple(_setting(item) for item in data["settings"]),
        unknowns={item["name"]: Unknown(**item) for item in data["unknowns"]},
        fixed=data.get("fixed", {}),
        excluded=tuple({name: tuple(values) for name, values in when.items()} for when in data["excluded"]),
        table=data.get("table", data["name"]),
        root=data.get("root", "model"),
        origin=data["generator"],
        counterpart_of=data.get("counterpart_of", ""),
        follows_source=data.get("follows_source", False),
    )


def _setting(item: Mapping[str, Any]) -> Setting:
    return Setting(item["name"], tuple(item["values"]), item["default"], item.get("meaning", ""))


def _variable(item: Mapping[str, Any], initializers: Mapping[str, Mapping[str, Any]]) -> SpecVariable:
    return SpecVariable(
        key=item["key"],
        name=item["name"],
        dtype=_dtype(item.get("dtype", "float32")),
        dims=tuple(parse_dim(dim) for dim in item["dims"]),
        trainable=item.get("trainable", True),
        initializer=_initializer(initializers[item["initializer"]]),
        part=item["part"],
        when={name: tuple(values) for name, values in item.get("when", {}).items()},
    )


def _initializer(item: Mapping[str, Any]) -> Initializer:
    return Initializer(item["kind"], {name: value for name, value in item.items() if name != "kind"})


def _dtype(label: str) -> DType:
    dtype = dtype_from_label(label)
    if dtype is None:
        raise ValueError(f"no dtype is called {label!r}")
    return dtype
