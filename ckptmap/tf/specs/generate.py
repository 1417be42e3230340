"""Generate the target specs in ``mappings/targets`` from live TF2 models.

``python -m ckptmap.tf.specs.generate ssd_mobilenet_v2`` builds the model of ``models/ssd_mobilenet_v2.yaml`` under
enough combinations of its settings that every condition of the spec is sure, and then builds further ones, drawn at
random and as a whole, until as many as the description asks for in a row are what the spec foretells. A combination
that is not is added, and all is inferred anew.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ckptmap.families.detection.model_parts import part_of
from ckptmap.targets.spec import SCHEMA, target_from_dict
from ckptmap.targets.spec_compression import compress
from ckptmap.tf.specs.building import Builder
from ckptmap.tf.specs.conditions import conditions, open_regions, rows_for
from ckptmap.tf.specs.description import Description, first_rows, read_description
from ckptmap.tf.specs.inference import (
    Built,
    Form,
    InferenceError,
    Lengths,
    Observation,
    Presence,
    forms,
    known_lengths,
    presences,
)
from ckptmap.tf.specs.reuse import backbones_reused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ckptmap.targets.choose import Settings
    from ckptmap.targets.target import Target, TargetVariable
    from ckptmap.targets.variables import Initializer

MOST_ADDED = 20
MOST_AT_ONCE = 8
"""Combinations built before all is inferred anew."""
FOLDER = Path(__file__).parents[3] / "mappings" / "targets"
_PACKAGES = ("tensorflow", "tf-keras", "tf-models-research-object-detection")


def generate(
    description: Description, builder: Builder, rows: Sequence[Settings] = (), seed: int = 0
) -> dict[str, Any]:
    """The spec as its JSON object; ``rows`` are combinations to build besides those that are needed.

    Raises InferenceError when the builds cannot be said by a spec.
    """
    every = range(len(description.probes))
    first = first_rows(description)
    more = [row for row in rows if row not in first]
    observations = [builder.observe(row, every[-1:] if at else every) for at, row in enumerate((*first, *more))]
    samples = _fresh_combinations(description, random.Random(seed), observations)
    for _ in range(MOST_ADDED):
        spec = _infer_sure(description, builder, observations)
        wrong = _first_wrong(description, builder, spec, samples)
        if wrong is None:
            check_observations(description, spec, observations)
            return spec
        observations.append(builder.observe(wrong, every[-1:]))
    raise InferenceError(f"{description.name}: {MOST_ADDED} combinations added and still one is not foretold")


def _infer_sure(description: Description, builder: Builder, observations: list[Observation]) -> dict[str, Any]:
    """The spec that says all observations, after building what its conditions leave open."""
    probe = len(description.probes) - 1
    while True:
        lengths, found = _complete(description, builder, observations)
        entries = list(presences(description.settings_for, observations, found))
        unique = {id(presence): presence for _, _, presence in entries}.values()
        regions = [region for presence in unique for region in open_regions(presence)]
        rows = list(rows_for(regions, description.settings, description.allows))[:MOST_AT_ONCE]
        if not rows:
            return spec_of(description, lengths, entries)
        observations += [builder.observe(row, [probe]) for row in rows]


def _complete(
    description: Description, builder: Builder, observations: list[Observation]
) -> tuple[Lengths, list[dict[Form, Built]]]:
    """All observations in unknowns; those that one probe does not make clear are built under all of them."""
    every = range(len(description.probes))
    probes = [description.known(probe) for probe in description.probes]
    while True:
        lengths = known_lengths(description.expressions, probes, description.ratios)
        found, unclear = forms(observations, lengths, len(every))
        if not unclear:
            return lengths, found
        for one in unclear:
            observations[observations.index(one)] = builder.observe(one.settings, every)


def spec_of(
    description: Description, lengths: Lengths, presences: Sequence[tuple[Form, Built, Presence]]
) -> dict[str, Any]:
    """The spec as its JSON object, from every variable and where it is met."""
    known = {key: conditions(presence) for key, presence in {id(p): p for _, _, p in presences}.items()}
    entries = [(form, built, when) for form, built, presence in presences for when in known[id(presence)]]
    initializers: dict[str, dict[str, Any]] = {}
    variables = [_entry(form, built, when, initializers) for form, built, when in entries]
    used = {name for entry in variables for name in _unknowns_of(entry)}
    return {
        "schema": SCHEMA,
        "generator": f"python -m ckptmap.tf.specs.generate {description.name}",
        "made_with": {package: importlib.metadata.version(package) for package in _PACKAGES},
        "name": description.name,
        "settings": [
            {"name": s.name, "values": list(s.values), "default": s.default, "meaning": s.meaning}
            for s in description.settings
        ],
        "unknowns": [
            *({"name": name, **data} for name, data in description.unknowns.items() if name in used),
            *({"name": name, "meaning": _width_meaning(name, entries)} for name in lengths.found),
        ],
        "fixed": dict(description.fixed),
        "excluded": [dict(when) for when in description.excluded],
        "initializers": initializers,
        "variables": variables,
    }


def _entry(
    form: Form, built: Built, when: Mapping[str, Any], initializers: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "key": form.key,
        "name": form.name,
        "dims": [int(dim) if dim.isdigit() else dim for dim in form.dims],
        "part": part_of(form.key),
        "initializer": _named(built.initializer, initializers),
    }
    if not form.trainable:
        entry["trainable"] = False
    if form.dtype != "float32":
        entry["dtype"] = form.dtype
    if when:
        entry["when"] = {name: list(values) for name, values in when.items()}
    return entry


def _named(initializer: Initializer, initializers: dict[str, dict[str, Any]]) -> str:
    """The name under which the spec holds an initializer: its kind, or its kind and its numbers."""
    name = " ".join([initializer.kind, *(str(value) for value in initializer.options.values())])
    initializers[name] = {"kind": initializer.kind, **initializer.options}
    return name


def _unknowns_of(entry: Mapping[str, Any]) -> Iterator[str]:
    from ckptmap.targets.dims import parse_dim
    from ckptmap.targets.variables import name_fields

    for dim in (*map(parse_dim, entry["dims"]), *name_fields(entry["name"])):
        yield from dim.unknowns


def _width_meaning(name: str, entries: Sequence[tuple[Form, Built, Any]]) -> str:
    first = next(form.name for form, _, _ in entries if form.dims[-1:] == (name,))
    return f"channels of {first.rpartition('/')[0]}"


def _fresh_combinations(
    description: Description, rng: random.Random, observations: Sequence[Observation]
) -> Iterator[Settings]:
    """The last value of every setting; then combinations that no observation has by then, drawn at random.

    Ends when 1000 draws bring none.
    """
    if description.allows(last := {s.name: s.values[-1] for s in description.settings}):
        yield last
    for _ in range(1000):
        one = {s.name: rng.choice(s.values) for s in description.settings}
        if description.allows(one) and not any(one == met.settings for met in observations):
            yield one


def _first_wrong(
    description: Description, builder: Builder, spec: Mapping[str, Any], samples: Iterator[Settings]
) -> Settings | None:
    target = target_from_dict(spec)
    for at, settings in zip(range(description.checks), samples, strict=False):
        probe = at % len(description.probes)
        if difference(description, target, settings, probe, builder.whole(settings, probe)):
            return settings
    return None


def check_observations(description: Description, spec: Mapping[str, Any], observations: Sequence[Observation]) -> None:
    """Raises InferenceError unless names and shapes of every build give back exactly that build."""
    target = target_from_dict(spec)
    for observation in observations:
        for probe, build in observation.builds.items():
            if text := difference(description, target, observation.settings, probe, build):
                raise InferenceError(f"{description.name}: {text} under {dict(observation.settings)}, probe {probe}")


def difference(description: Description, target: Target, settings: Settings, probe: int, build: Sequence[Built]) -> str:
    """What the target makes other than the build, from the build's names, shapes and settings; empty when nothing."""
    layout = target.layout((), settings)
    offers = {built.key: built.shape for built in build}
    known = {
        name: value for name, value in description.known(description.probes[probe]).items() if name in target.unknowns
    }
    solution = layout.solve(offers, known)
    if solution.problems:
        return "; ".join(str(problem) for problem in solution.problems[:3])
    made = {variable.key: variable for variable in layout.variables_with(solution)}
    return _first_difference(made, {built.key: built for built in build})


def _first_difference(made: Mapping[str, TargetVariable], build: Mapping[str, Built]) -> str:
    if made.keys() != build.keys():
        return f"keys differ: {sorted(made.keys() ^ build.keys())[:3]}"
    for key, built in build.items():
        one = made[key]
        if (one.name, one.shape, one.trainable, str(one.dtype)) != (
            built.name,
            built.shape,
            built.trainable,
            built.dtype,
        ):
            return f"{key} is {built.name} {list(built.shape)}, the spec says {one.name} {list(one.shape)}"
    return ""


def dumps(spec: Mapping[str, Any]) -> str:
    """The spec as JSON, one line for each layer, setting and unknown."""
    lines = []
    for name, value in {**spec, "variables": compress(spec["variables"])}.items():
        if isinstance(value, list) and value:
            items = ",\n".join("  " + json.dumps(item) for item in value)
            lines.append(f" {json.dumps(name)}: [\n{items}\n ]")
        else:
            lines.append(f" {json.dumps(name)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the specs of the named descriptions."""
    parser = argparse.ArgumentParser(description=generate.__doc__)
    parser.add_argument("names", nargs="+", help="files of ckptmap/tf/specs/models, without .yaml")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    options = parser.parse_args(arguments)
    builders: dict[str, Builder] = {}
    with backbones_reused():
        for name in options.names:
            description = read_description(name)
            builder = builders.setdefault(name, Builder(description, others=builders))
            spec = generate(description, builder)
            (options.folder / f"{name}.json").write_text(dumps(spec), encoding="utf-8")


if __name__ == "__main__":
    main()
