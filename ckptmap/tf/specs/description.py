"""What the spec generator is told about a model: a base configuration, the settings to vary and how, probe values.

A description is ``ckptmap/tf/specs/models/<name>.yaml``. ``config`` is a pipeline.config as a mapping;
``include`` names files of the same folder whose entries come first. A setting's ``set`` maps configuration paths to
values (``$value``: the setting's own), ``per_value`` adds paths for one value; None removes the field; ``touches`` is
how the object paths begin (one beginning or several) that the setting can change, which spares builds. ``like`` names,
for the beginning of object paths, another description whose models have the same variables there, for the same reason.
``fixed`` holds settings that the spec covers one value of. A probe gives a
value to every axis; an axis has ``set`` as a setting has, and is an unknown of the spec
when ``unknowns`` lists it (``anchors``, a list, makes ``anchors_0`` and so on).
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from ckptmap.targets.choose import Setting, When, holds

if TYPE_CHECKING:
    from ckptmap.targets.variables import Value

MODELS = Path(__file__).parent / "models"
CHECKS = 20
Edits = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Knob:
    """How one value gets into a configuration: paths for every value, and paths for single values."""

    set: Edits = field(default_factory=dict)
    per_value: Mapping[Value, Edits] = field(default_factory=dict)

    def edits(self, value: Any) -> dict[str, Any]:
        """The configuration paths and what they become."""
        extra = self.per_value.get(value, {}) if isinstance(value, (bool, int, str)) else {}
        return {**{path: value if new == "$value" else new for path, new in self.set.items()}, **extra}


@dataclass(frozen=True, slots=True)
class Description:
    """A model to make a spec of."""

    name: str
    config: Mapping[str, Any]
    settings: tuple[Setting, ...]
    knobs: Mapping[str, Knob]
    """By setting and by axis."""
    probes: tuple[Mapping[str, Any], ...]
    expressions: tuple[str, ...]
    """How dimensions are made of the axes that are unknowns."""
    ratios: tuple[int, ...]
    """Whole numbers that one width can be of another (the expansion of an inverted residual)."""
    unknowns: Mapping[str, Mapping[str, Any]]
    excluded: tuple[When, ...]
    touches: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By setting: how the object paths begin that it can change, where it cannot change all."""
    like: Mapping[str, str] = field(default_factory=dict)
    """By section: the description that has the same variables there."""
    fixed: Mapping[str, Value] = field(default_factory=dict)
    checks: int = CHECKS
    """How many random combinations in a row the spec has to foretell."""

    @property
    def sections(self) -> tuple[str, ...]:
        """The beginnings of object paths that settings touch, longer ones first; last the empty one."""
        beginnings = {beginning for touched in self.touches.values() for beginning in touched}
        return tuple(sorted({*beginnings, *self.like, ""}, key=lambda beginning: (-len(beginning), beginning)))

    def section_of(self, key: str) -> str:
        """The section that a variable's object path belongs to."""
        return next(section for section in self.sections if key.startswith(section))

    def settings_for(self, key: str) -> tuple[Setting, ...]:
        """The settings that can decide whether the model has a variable at this object path."""
        return tuple(s for s in self.settings if key.startswith(self.touches.get(s.name, ("",))))

    def complete(self, settings: Mapping[str, Value]) -> dict[str, Value]:
        """These settings, as far as this model has them, and the defaults of all others."""
        return {s.name: settings.get(s.name, s.default) for s in self.settings}

    def known(self, probe: Mapping[str, Any]) -> dict[str, int]:
        """The values of the unknowns that a probe gives: an axis by its name, a list by name and place."""
        values: dict[str, int] = {}
        for axis, value in probe.items():
            if axis in self.unknowns:
                values[axis] = value
            elif isinstance(value, list):
                values |= {f"{axis}_{at}": length for at, length in enumerate(value)}
        return values

    def configuration(self, settings: Mapping[str, Value], probe: Mapping[str, Any]) -> dict[str, Any]:
        """The pipeline.config of the model with these settings and these probe values."""
        config = copy.deepcopy(dict(self.config))
        for name, value in itertools.chain(probe.items(), settings.items()):
            for path, new in self.knobs[name].edits(value).items():
                edit(config, path, new)
        _place_anchors(config, probe, settings)
        return config

    def allows(self, settings: Mapping[str, Value]) -> bool:
        """Whether a model can be built with these settings."""
        return not any(holds(when, settings) for when in self.excluded)


def read_description(name: str) -> Description:
    """The description of a model by the name of its file; raises KeyError or ValueError where it is incomplete."""
    data = _merged(MODELS / f"{name}.yaml")
    knobs = {one: Knob(item.get("set", {}), item.get("per_value", {})) for one, item in _knobs(data)}
    return Description(
        name=name,
        config=data["config"],
        settings=tuple(
            Setting(one, tuple(item["values"]), item["default"], item["meaning"])
            for one, item in data["settings"].items()
        ),
        knobs=knobs,
        probes=tuple(data["probes"]),
        expressions=tuple(data["expressions"]),
        ratios=tuple(data.get("ratios", ())),
        unknowns=data["unknowns"],
        excluded=tuple({one: tuple(values) for one, values in when.items()} for when in data.get("excluded", ())),
        touches={one: _beginnings(item["touches"]) for one, item in data["settings"].items() if "touches" in item},
        like=data.get("like", {}),
        fixed=data.get("fixed", {}),
        checks=data.get("checks", CHECKS),
    )


def _beginnings(touches: str | list[str]) -> tuple[str, ...]:
    return (touches,) if isinstance(touches, str) else tuple(touches)


def edit(config: dict[str, Any], path: str, new: Any) -> None:
    """Set the field at a dotted path, or remove it where ``new`` is None."""
    *parents, last = path.split(".")
    place = config
    for parent in parents:
        place = place.setdefault(parent, {})
    if new is None:
        place.pop(last, None)
    else:
        place[last] = copy.deepcopy(new)


def first_rows(description: Description) -> list[dict[str, Value]]:
    """The defaults, then each other value alone, as far as they can be built."""
    defaults = {setting.name: setting.default for setting in description.settings}
    singles = [{**defaults, s.name: value} for s in description.settings for value in s.values if value != s.default]
    return [row for row in (defaults, *singles) if description.allows(row)]


def _merged(path: Path) -> dict[str, Any]:
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    merged: dict[str, Any] = {}
    for name in data.pop("include", ()):
        merged = _combine(merged, _merged(path.parent / f"{name}.yaml"))
    return _combine(merged, data)


def _combine(base: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """``more`` over ``base``: mappings key by key, anything else replaced; None takes an entry of ``base`` away."""
    combined = dict(base)
    for key, value in more.items():
        if value is None and key in base:
            del combined[key]
        elif isinstance(value, dict) and isinstance(base.get(key), dict):
            combined[key] = _combine(base[key], value)
        else:
            combined[key] = value
    return combined


def _knobs(data: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield from data["axes"].items()
    yield from data["settings"].items()


def _place_anchors(config: dict[str, Any], probe: Mapping[str, Any], settings: Mapping[str, Value]) -> None:
    """The probe's number of boxes a place: a list, one anchor grid for each feature map; a number, all alike."""
    count = probe.get("anchors")
    if isinstance(count, list):
        generator: dict[str, Any] = {"flexible_grid_anchor_generator": {"anchor_grid": _grids(count, settings)}}
        edit(config, "model.ssd.anchor_generator", generator)
    elif "faster_rcnn" in config["model"]:
        place = "model.faster_rcnn.first_stage_anchor_generator.grid_anchor_generator"
        edit(config, f"{place}.aspect_ratios", [1.0] * int(count or 1))
    elif count is not None:
        place = "model.ssd.anchor_generator.multiscale_anchor_generator"
        edit(config, f"{place}.scales_per_octave", 1)
        edit(config, f"{place}.aspect_ratios", [1.0] * count)


def _grids(counts: Sequence[int], settings: Mapping[str, Value]) -> list[dict[str, Any]]:
    return [
        {"base_sizes": [1.0] * count, "aspect_ratios": [1.0] * count, "height_stride": 1, "width_stride": 1}
        for count in counts[: int(settings.get("num_layers", len(counts)))]
    ]
