"""From many builds of a model to one spec: which dimensions are which unknowns, and which variables exist when.

Pure Python: the builds are plain data. Dimensions that vary alike over all probes are one unknown; a variable's
``when`` is the smallest conjunction of settings that holds in every build that has it and in no build that lacks it.
"""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ckptmap.errors import CkptmapError
from ckptmap.targets.choose import Setting, Settings, holds
from ckptmap.targets.dims import parse_dim

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ckptmap.targets.variables import Initializer, Value

Vector = tuple[int, ...]
"""One length as it is under each probe."""
MOST_NAMED = 4
"""A ``when`` names at most this many settings before the builds are split by one of them."""
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
    """The builds of one combination of settings, one for each probe."""

    settings: Settings
    builds: tuple[tuple[Built, ...], ...]


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

    def add_width(self, vector: Vector) -> None:
        """Make an unknown of a length that varies like no other, or a multiple of one that is known."""
        if self.text(vector) is not None:
            return
        for ratio in self.ratios:
            base = self.expressions.get(tuple(length // ratio for length in vector))
            if base in self.found and all(length % ratio == 0 for length in vector):
                self.expressions[vector] = f"{ratio}*{base}"
                return
        name = self._fresh(f"width_{vector[0]}")
        self.found[name] = vector
        self.expressions[vector] = name

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


def forms(observations: Sequence[Observation], lengths: Lengths) -> list[dict[Form, Built]]:
    """For each observation its variables in unknowns, each with its first build; ``lengths`` gains the widths."""
    aligned = [_aligned(observation) for observation in observations]
    vectors = {vector for group in aligned for builds in group for vector in _dims(builds)}
    for vector in sorted(vectors):
        lengths.add_width(vector)
    return [{_form(builds, lengths): builds[0] for builds in group} for group in aligned]


def _aligned(observation: Observation) -> list[tuple[Built, ...]]:
    """The builds' variables side by side; their keys must be the same and in the same order."""
    keys = [[built.key for built in build] for build in observation.builds]
    if any(other != keys[0] for other in keys[1:]):
        raise InferenceError(f"keys depend on a probe's values under {dict(observation.settings)}")
    return list(zip(*observation.builds, strict=True))


def _dims(builds: Sequence[Built]) -> Iterator[Vector]:
    yield from zip(*(built.shape for built in builds), strict=True)


def _form(builds: Sequence[Built], lengths: Lengths) -> Form:
    first = builds[0]
    dims = tuple(str(lengths.text(vector)) for vector in _dims(builds))
    return Form(first.key, _name(builds, lengths), first.dtype, dims, first.trainable)


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


def conditions(
    settings: Sequence[Setting], with_it: Sequence[Settings], without: Sequence[Settings]
) -> list[dict[str, tuple[Value, ...]]]:
    """Disjoint conjunctions that hold in all of ``with_it`` and in none of ``without``, as few and short as found."""
    if not with_it:
        return []
    for count in range(MOST_NAMED):
        for named in itertools.combinations(settings, count):
            when = {s.name: _values(s, with_it) for s in named}
            if not any(holds(when, other) for other in without):
                return [{s.name: when[s.name] for s in named if set(when[s.name]) != set(s.values)}]
    return min((_split(s, settings, with_it, without) for s in settings if _varies(s, with_it, without)), key=len)


def _varies(setting: Setting, *groups: Sequence[Settings]) -> bool:
    return len({one[setting.name] for group in groups for one in group}) > 1


def _split(
    by: Setting, settings: Sequence[Setting], with_it: Sequence[Settings], without: Sequence[Settings]
) -> list[dict[str, tuple[Value, ...]]]:
    """The conditions for each value of one setting; values with equal conditions share one."""
    others = [s for s in settings if s.name != by.name]
    parts: dict[str, tuple[list[dict[str, tuple[Value, ...]]], list[Value]]] = {}
    for value in by.values:
        pieces = conditions(others, *([one for one in group if one[by.name] == value] for group in (with_it, without)))
        parts.setdefault(repr(pieces), (pieces, []))[1].append(value)
    return [{by.name: tuple(values), **piece} for pieces, values in parts.values() for piece in pieces]


def _values(setting: Setting, group: Iterable[Settings]) -> tuple[Value, ...]:
    seen = {one[setting.name] for one in group}
    return tuple(value for value in setting.values if value in seen)


def presence(
    settings: Sequence[Setting], observations: Sequence[Observation], found: Sequence[Mapping[Form, Built]]
) -> Iterator[tuple[Form, Built, dict[str, tuple[Value, ...]]]]:
    """Every form with a build of it and a condition under which it exists, in the order of the first builds."""
    where: dict[Form, list[int]] = defaultdict(list)
    for at, group in enumerate(found):
        for form in group:
            where[form].append(at)
    known: dict[tuple[int, ...], list[dict[str, tuple[Value, ...]]]] = {}
    for form, places in where.items():
        present = tuple(places)
        if present not in known:
            with_it = [observations[at].settings for at in present]
            without = [one.settings for at, one in enumerate(observations) if at not in set(present)]
            known[present] = conditions(settings, with_it, without)
        for when in known[present]:
            yield form, found[places[0]][form], when
