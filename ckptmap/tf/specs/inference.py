"""From many builds of a model to one spec: which dimensions are which unknowns, and which variables exist when.

Pure Python: the builds are plain data. Dimensions that vary alike over all probes are one unknown. Under which
settings a variable exists is reasoned in ``spec_conditions``.
"""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ckptmap.basics.errors import CkptmapError
from ckptmap.targets.dims import parse_dim

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from ckptmap.targets.choose import Setting, Settings
    from ckptmap.targets.variables import Initializer

Vector = tuple[int, ...]
"""One length as it is under each probe."""
_NUMBER = re.compile(r"\d+")


class InferenceError(CkptmapError):
    """The builds contradict what a spec can say: the description has to say more."""


@dataclass(frozen=True, slots=True)
class Built:
    """One variable of one build, its key without root and attribute."""

    key: str
    name: str
    dtype: str
    shape: tuple[int, ...]
    trainable: bool
    initializer: Initializer


@dataclass(frozen=True, slots=True)
class Observation:
    """The builds of one combination of settings by probe.

    Under all probes they show which lengths are unknowns. Under one they are enough where every variable is one that
    other observations show, by its name and its shape.
    """

    settings: Settings
    builds: Mapping[int, tuple[Built, ...]]


@dataclass(frozen=True, slots=True)
class Form:
    """A variable with its lengths, and its name, written in unknowns."""

    key: str
    name: str
    dtype: str
    dims: tuple[str, ...]
    trainable: bool


@dataclass(slots=True)
class Lengths:
    """The expressions known by now, by how they vary over the probes."""

    expressions: dict[Vector, str]
    ratios: tuple[int, ...]
    found: dict[str, Vector] = field(default_factory=dict)
    """The unknowns found in the builds themselves: channel counts."""

    def add_widths(self, vectors: Iterable[Vector]) -> None:
        """Make unknowns of the lengths that vary like no other, in the order in which they come.

        A whole multiple of another is no unknown of its own, where ``ratios`` allows the multiple.
        """
        new = [vector for vector in dict.fromkeys(vectors) if self.text(vector) is None]
        multiples = {vector: found for vector in new if (found := self._base(vector, new))}
        for vector in new:
            if vector not in multiples:
                name = self._fresh(f"width_{vector[0]}")
                self.found[name] = vector
                self.expressions[vector] = name
        for vector, (ratio, base) in multiples.items():
            self.expressions[vector] = f"{ratio}*{self.expressions[base]}"

    def _base(self, vector: Vector, others: Sequence[Vector]) -> tuple[int, Vector] | None:
        """The width, found before or among ``others``, that this is a multiple of."""
        widths = {*self.found.values(), *others}
        for ratio in self.ratios:
            base = tuple(length // ratio for length in vector)
            if base in widths and all(length % ratio == 0 for length in vector):
                return ratio, base
        return None

    def text(self, vector: Vector) -> str | None:
        """How a dimension is written: a number where it never varies; None for one not known yet."""
        return str(vector[0]) if len(set(vector)) == 1 else self.expressions.get(vector)

    def _fresh(self, name: str) -> str:
        taken = sum(other == name or other.startswith(f"{name}_") for other in self.found)
        return f"{name}_{taken + 1}" if taken else name


def known_lengths(expressions: Sequence[str], probes: Sequence[Mapping[str, int]], ratios: Sequence[int]) -> Lengths:
    """The expressions of a description over its probes. Raises InferenceError when two of them vary alike."""
    by_vector: dict[Vector, str] = {}
    for text in expressions:
        vector = tuple(_evaluated(text, probe) for probe in probes)
        if by_vector.setdefault(vector, text) != text:
            raise InferenceError(f"the probes do not tell {text} from {by_vector[vector]}: both are {vector}")
    return Lengths(by_vector, tuple(ratios))


def _evaluated(text: str, probe: Mapping[str, int]) -> int:
    value = parse_dim(text).value(probe)
    if value is None:
        raise InferenceError(f"a probe lacks an unknown of {text}")
    return value


def forms(
    observations: Sequence[Observation], lengths: Lengths, probes: int
) -> tuple[list[dict[Form, Built]], list[Observation]]:
    """For each observation its variables in unknowns, each with a build of it; ``lengths`` gains the widths.

    Second: observations with too few probes to tell, to be built under all; empty when everything is told.
    """
    aligned = {at: _aligned(one) for at, one in enumerate(observations) if len(one.builds) == probes}
    lengths.add_widths(vector for group in aligned.values() for builds in group for vector in _dims(builds))
    shown: dict[tuple[int, _Look], set[Form]] = defaultdict(set)
    keyless: dict[tuple[_Look, ...], Form] = {}
    whole: dict[int, dict[Form, Built]] = {at: {} for at in aligned}
    for at, group in aligned.items():
        for builds in group:
            looks = tuple(_look(built) for built in builds)
            if looks not in keyless:
                keyless[looks] = _form(builds, lengths)
                for probe, look in enumerate(looks):
                    shown[probe, look].add(keyless[looks])
            whole[at][replace(keyless[looks], key=builds[0].key)] = builds[0]
    found = [whole.get(at) or _recognized(one, shown) for at, one in enumerate(observations)]
    unclear = {at: _unknown_looks(one, shown) for at, one in enumerate(observations) if at not in whole}
    ambiguous = {look for (_, look), candidates in shown.items() if len(candidates) > 1}
    return found, _few_that_show_all(observations, {at: looks for at, looks in unclear.items() if looks}, ambiguous)


_Look = tuple[str, str, tuple[int, ...], bool]


def _look(built: Built) -> _Look:
    """What a variable is recognized by wherever it stands."""
    return built.name, built.dtype, built.shape, built.trainable


def _recognized(observation: Observation, shown: Mapping[tuple[int, _Look], set[Form]]) -> dict[Form, Built]:
    probe, build = next(iter(observation.builds.items()))
    return {replace(form, key=built.key): built for built in build for form in shown.get((probe, _look(built)), ())}


def _unknown_looks(observation: Observation, shown: Mapping[tuple[int, _Look], set[Form]]) -> set[_Look]:
    """What the observation has that no other shows under all probes, or that more than one form looks like."""
    probe, build = next(iter(observation.builds.items()))
    looks = {_look(built) for built in build}
    return {look for look in looks if len(shown.get((probe, look), ())) != 1}


def _few_that_show_all(
    observations: Sequence[Observation], unclear: Mapping[int, set[_Look]], ambiguous: set[_Look]
) -> list[Observation]:
    """Some of the unclear observations, whose unknown looks are those of all; each one with an ambiguous look."""
    chosen: list[Observation] = []
    covered: set[_Look] = set()
    for at, looks in unclear.items():
        if looks - covered:
            chosen.append(observations[at])
            covered |= looks - ambiguous
    return chosen


def _aligned(observation: Observation) -> list[tuple[Built, ...]]:
    """The builds' variables side by side; their keys must be the same and in the same order."""
    builds = [observation.builds[probe] for probe in sorted(observation.builds)]
    keys = [[built.key for built in build] for build in builds]
    if any(other != keys[0] for other in keys[1:]):
        raise InferenceError(f"keys depend on a probe's values under {dict(observation.settings)}")
    return list(zip(*builds, strict=True))


def _dims(builds: Sequence[Built]) -> Iterator[Vector]:
    yield from zip(*(built.shape for built in builds), strict=True)


def _form(builds: Sequence[Built], lengths: Lengths) -> Form:
    """The variable in unknowns, wherever it stands: without its key."""
    first = builds[0]
    dims = tuple(str(lengths.text(vector)) for vector in _dims(builds))
    return Form("", _name(builds, lengths), first.dtype, dims, first.trainable)


def _name(builds: Sequence[Built], lengths: Lengths) -> str:
    """The name with every number in it that varies over the probes written as the unknown that varies so."""
    if len({built.name for built in builds}) == 1:
        return builds[0].name
    texts = [_NUMBER.split(built.name) for built in builds]
    if any(text != texts[0] for text in texts):
        raise InferenceError(f"names vary by more than numbers: {builds[0].name}, {builds[1].name}")
    numbers = zip(*([int(number) for number in _NUMBER.findall(built.name)] for built in builds), strict=True)
    fields = [_name_field(vector, lengths, builds[0].name) for vector in numbers]
    return "".join(itertools.chain.from_iterable(itertools.zip_longest(texts[0], fields, fillvalue="")))


def _name_field(vector: Vector, lengths: Lengths, name: str) -> str:
    text = lengths.text(vector)
    if text is None:
        raise InferenceError(f"a number in {name} varies like no dimension: {vector}")
    return text if text.isdigit() else f"{{{text}}}"


@dataclass(frozen=True, slots=True)
class Presence:
    """Where a variable is met: the settings that can decide it, those of the builds with it and of those without."""

    settings: tuple[Setting, ...]
    with_it: tuple[Settings, ...]
    without: tuple[Settings, ...]


def _projected(settings: Sequence[Setting], observations: Iterable[Observation]) -> tuple[Settings, ...]:
    """What the observations have of the settings that can decide, each combination once."""
    names = [setting.name for setting in settings]
    unique = {tuple(one.settings[name] for name in names): None for one in observations}
    return tuple(dict(zip(names, values, strict=True)) for values in unique)


def presences(
    settings_for: Callable[[str], Sequence[Setting]],
    observations: Sequence[Observation],
    found: Sequence[Mapping[Form, Built]],
) -> Iterator[tuple[Form, Built, Presence]]:
    """Every form with a build of it and where it is met, in the order of the first builds.

    ``settings_for`` an object path are those that can decide on it.
    """
    where: dict[Form, list[int]] = defaultdict(list)
    for at, group in enumerate(found):
        for form in group:
            where[form].append(at)
    met: dict[tuple[tuple[int, ...], tuple[str, ...]], Presence] = {}
    for form, places in where.items():
        settings = tuple(settings_for(form.key))
        case = (tuple(places), tuple(s.name for s in settings))
        if case not in met:
            having = set(places)
            with_it = _projected(settings, (observations[at] for at in places))
            without = _projected(settings, (one for at, one in enumerate(observations) if at not in having))
            met[case] = Presence(settings, with_it, without)
        yield form, found[places[0]][form], met[case]
