"""The spec of a model from one checkpoint of it: slim's extractor as it is, the heads as another spec has them.

``python -m ckptmap.tf.specs.alike faster_rcnn_nas faster_rcnn_inception_v2 fresh/ckpt-1`` writes the spec of a model
that takes minutes to build, where ``ckptmap.tf.specs.generate`` would build it a dozen times. The heads are those of
the model named second: the same Keras classes around an extractor of slim's own code, on feature maps of other depths.
The checkpoint is the live model's, ``tf.train.Checkpoint(model=model).save(…)``, of the settings that the description
holds under ``fixed``.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ckptmap.targets.dims import parse_dim
from ckptmap.targets.load import load_template
from ckptmap.targets.spec import target_from_dict
from ckptmap.targets.spec_compression import expand
from ckptmap.targets.template import as_shipped
from ckptmap.tf.specs.description import read_description
from ckptmap.tf.specs.generate import FOLDER, dumps
from ckptmap.tf.specs.inference import InferenceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ckptmap.targets.target import Target
    from ckptmap.targets.variables import SpecVariable

    Entry = dict[str, Any]
    Depths = Mapping[tuple[str, int], int]

_PACKAGES = ("tensorflow", "tf-keras", "tf-models-research-object-detection")
_SLIM = "/_tf1_style_var_store/"
_HEAD = re.compile(r"(_\w+)/(?:_prediction_heads/\w+/(\d+)/)?")


def alike(name: str, like: Mapping[str, Any], model: Target) -> dict[str, Any]:
    """The spec ``name`` of a live model: its extractor's variables, and the heads of the spec ``like``.

    Raises InferenceError where the heads differ in more than the depths of the feature maps.
    """
    fixed = read_description(name).fixed
    entries = list(expand(like["variables"]))
    when = {_first(entry["key"]): entry.get("when", {}) for entry in entries if _SLIM in entry["key"]}
    places = {_place(one.key) for one in model.variables}
    heads = [entry for entry in entries if _SLIM not in entry["key"] and _place(entry["key"]) in places]
    depths = _depths(target_from_dict({**like, "variables": heads}), model)
    stages = {one: {name: values for name, values in of.items() if name not in fixed} for one, of in when.items()}
    own = [_own(one, stages[_first(one.key)]) for one in model.variables if _SLIM in one.key]
    settings = [setting for setting in like["settings"] if setting["name"] not in fixed]
    spec = {
        **like,
        "generator": f"python -m ckptmap.tf.specs.alike {name} {like['name']}",
        "made_with": {package: importlib.metadata.version(package) for package in _PACKAGES},
        "name": name,
        "settings": settings,
        "unknowns": [unknown for unknown in like["unknowns"] if unknown["name"] in _unknowns(heads)],
        "fixed": dict(fixed),
        "initializers": {**like["initializers"], **{_label(one): _initializer(one) for one in model.variables}},
        "variables": [*own, *(_deepened(entry, depths) for entry in heads)],
    }
    if as_shipped(model, [target_from_dict(spec)]) is model:
        raise InferenceError(f"{name}: the heads are not those of {like['name']}")
    return spec


def _unknowns(heads: Iterable[Mapping[str, Any]]) -> set[str]:
    return {name for entry in heads for dim in entry["dims"] for name in parse_dim(dim).unknowns}


def _first(key: str) -> str:
    return key.partition("/")[0]


def _own(variable: SpecVariable, when: Mapping[str, Any]) -> Entry:
    entry: Entry = {
        "key": variable.key,
        "name": variable.name,
        "dims": [dim.coefficient for dim in variable.dims],
        "part": variable.part,
        "initializer": _label(variable),
    }
    return entry | ({} if variable.trainable else {"trainable": False}) | ({"when": when} if when else {})


def _label(variable: SpecVariable) -> str:
    return " ".join([variable.initializer.kind, *(str(value) for value in variable.initializer.options.values())])


def _initializer(variable: SpecVariable) -> dict[str, Any]:
    return {"kind": variable.initializer.kind, **variable.initializer.options}


def _place(key: str) -> str:
    """The feature map that a head's variable is for: of an SSD each head has its own, of a stage there is one."""
    match = _HEAD.match(key)
    return "/".join(filter(None, match.groups())) if match else key


def _depths(heads: Target, model: Target) -> dict[tuple[str, int], int]:
    """By place and depth in the one model's heads, the depth in the other's."""
    lengths = {one.key: [dim.coefficient for dim in one.dims] for one in model.variables}
    found: dict[tuple[str, int], int] = {}
    for variable in heads.layout(lengths).variables:
        for dim, length in zip(variable.dims, lengths.get(variable.key, ()), strict=False):
            if not dim.factors and found.setdefault((_place(variable.key), dim.coefficient), length) != length:
                raise InferenceError(f"{variable.key}: a depth of {dim} becomes {length} and another one")
    return found


def _deepened(entry: Mapping[str, Any], depths: Depths) -> Entry:
    place = _place(entry["key"])
    return {**entry, "dims": [depths.get((place, dim), dim) for dim in entry["dims"]]}


def main(arguments: Sequence[str] | None = None) -> None:
    """Write one spec."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("name", help="a file of ckptmap/tf/specs/models, without .yaml")
    parser.add_argument("like", help="the shipped target that has the heads")
    parser.add_argument("checkpoint", help="a TF2 checkpoint of the live model")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    options = parser.parse_args(arguments)
    like = json.loads((FOLDER / f"{options.like}.json").read_text(encoding="utf-8"))
    spec = alike(options.name, like, load_template(options.checkpoint))
    (options.folder / f"{options.name}.json").write_text(dumps(spec), encoding="utf-8")


if __name__ == "__main__":
    main()
