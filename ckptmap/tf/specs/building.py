"""Build live models for the spec generator, as few as show every part of every model that it asks for.

A model's variables lie in sections: the object paths that the same settings touch. A section that was built under
the settings that touch it is not built again, whatever the other settings are, and sections that a description says
to be like another model's are taken from that model, which is a cheaper one. Wherever a section is built again all
the same, it has to be what it was before.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ckptmap.basics.errors import CkptmapError
from ckptmap.targets.template import usual_initializer
from ckptmap.targets.variables import Initializer
from ckptmap.tf.environment import import_quietly, tf2
from ckptmap.tf.exact import register
from ckptmap.tf.models import VARIABLE_VALUE, build_model, model_variables
from ckptmap.tf.specs.description import read_description
from ckptmap.tf.specs.inference import Built, InferenceError, Observation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ckptmap.targets.choose import Settings
    from ckptmap.tf.models import LiveVariable
    from ckptmap.tf.specs.description import Description

Variables = tuple[Built, ...]

_SCALED = {
    "GlorotUniform": (1.0, "fan_avg", "uniform"),
    "GlorotNormal": (1.0, "fan_avg", "truncated_normal"),
    "HeUniform": (2.0, "fan_in", "uniform"),
    "HeNormal": (2.0, "fan_in", "truncated_normal"),
    "LecunUniform": (1.0, "fan_in", "uniform"),
    "LecunNormal": (1.0, "fan_in", "truncated_normal"),
}
_KINDS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "Zeros": ("zeros", ()),
    "Ones": ("ones", ()),
    "Constant": ("constant", ("value",)),
    "TruncatedNormal": ("truncated_normal", ("mean", "stddev")),
    "RandomNormal": ("random_normal", ("mean", "stddev")),
    "RandomUniform": ("random_uniform", ("minval", "maxval")),
    "VarianceScaling": ("variance_scaling", ("scale", "mode", "distribution")),
}


def plain_initializer(live: Mapping[str, Any] | None) -> Initializer:
    """A Keras initializer as plain data; zeros where the layer names none, as Keras' own counters have none."""
    if live is None:
        return Initializer("zeros")
    name, config = live["class_name"], live["config"]
    if name in _SCALED:
        scale, mode, distribution = _SCALED[name]
        return Initializer("variance_scaling", {"scale": scale, "mode": mode, "distribution": distribution})
    if name not in _KINDS:
        raise CkptmapError(f"no initializer of ckptmap is Keras' {name}")
    kind, options = _KINDS[name]
    return Initializer(kind, {option: _short(config[option]) for option in options})


def _short(value: Any) -> float | str:
    """A float32 from a protobuf message as it was written: 0.03, not 0.029999999329447746."""
    return value if isinstance(value, str) else float(f"{float(value):.7g}")


def live_variables(config: Mapping[str, Any]) -> tuple[Built, ...]:
    """The variables of the live model that a configuration, given as a mapping, describes: stock or slim-exact."""
    tensorflow = tf2()
    register()
    tensorflow.keras.backend.clear_session()  # names count from the start again
    json_format = import_quietly("google.protobuf.json_format")
    text_format = import_quietly("google.protobuf.text_format")
    protos = import_quietly("object_detection.protos.pipeline_pb2")
    message = json_format.ParseDict(config, protos.TrainEvalPipelineConfig())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pipeline.config"
        path.write_text(text_format.MessageToString(message), encoding="utf-8")
        model = build_model(path)
    return built(model)


def built(model: Any) -> Variables:
    """The variables of a live model, by their object paths below it."""
    return tuple(
        Built(
            one.key.removeprefix("model/").removesuffix(f"/{VARIABLE_VALUE}"),
            one.full_name,
            one.dtype,
            one.shape,
            one.trainable,
            _initializer_of(one),
        )
        for one in model_variables(model)
    )


def _initializer_of(variable: LiveVariable) -> Initializer:
    """A variable of slim's own code stands in no layer that could tell its initializer."""
    if "/_tf1_style_var_store/" in variable.key:
        return usual_initializer(variable.full_name.rpartition("/")[2])
    return plain_initializer(variable.initializer)


@dataclass(slots=True)
class Builder:
    """Builds models of one description: each section under each of its settings and each probe once."""

    description: Description
    sections: dict[str, Variables] = field(default_factory=dict)
    """What was built, by section, its settings and the probe."""
    others: dict[str, Builder] = field(default_factory=dict)
    """The builders of all descriptions of one run, by name."""
    make: Callable[[Mapping[str, Any]], Variables] = live_variables

    def build(self, settings: Settings, probe: int) -> Variables:
        """All variables of the model, section after section; of sections built before where there are all."""
        own = [section for section in self.description.sections if section not in self.description.like]
        if not all(self._name(section, settings, probe) in self.sections for section in own):
            self.whole(settings, probe)
        parts = (self.part(section, settings, probe) for section in self.description.sections)
        return tuple(built for part in parts for built in part)

    def whole(self, settings: Settings, probe: int) -> Variables:
        """The same of one live model. Raises InferenceError where it shows a section other than it was before."""
        build = self.make(self.description.configuration(settings, self.description.probes[probe]))
        parts = [self._keep(section, settings, probe, build) for section in self.description.sections]
        return tuple(built for part in parts for built in part)

    def part(self, section: str, settings: Settings, probe: int) -> Variables:
        """One section, from whatever model has it."""
        name = self._name(section, settings, probe)
        if name not in self.sections and section in self.description.like:
            other = self._other(self.description.like[section])
            self.sections[name] = other.part(section, other.description.complete(settings), probe)
        elif name not in self.sections:
            self.whole(settings, probe)
        return self.sections[name]

    def observe(self, settings: Settings, probes: Iterable[int]) -> Observation:
        """The model with these settings under some probes."""
        return Observation(settings, {probe: self.build(settings, probe) for probe in probes})

    def _keep(self, section: str, settings: Settings, probe: int, build: Variables) -> Variables:
        part = tuple(built for built in build if self.description.section_of(built.key) == section)
        kept = self.sections.setdefault(self._name(section, settings, probe), part)
        if kept != part:
            odd = next(built for built in (*part, *kept) if built not in kept or built not in part)
            raise InferenceError(
                f"{self.description.name}: {odd.key} was built otherwise under the same settings of "
                f"{section!r}: something else touches it, now {dict(settings)}, probe {probe}"
            )
        return part

    def _name(self, section: str, settings: Settings, probe: int) -> str:
        touching = {s.name: settings[s.name] for s in self.description.settings_for(section)}
        return json.dumps([section, sorted(touching.items()), probe])

    def _other(self, name: str) -> Builder:
        if name not in self.others:
            self.others[name] = Builder(read_description(name), others=self.others, make=self.make)
        return self.others[name]
