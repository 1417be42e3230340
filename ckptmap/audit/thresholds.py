"""What a user demands of a restore; what falls short of it is an error."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ckptmap.audit.prediction import HeldEntry, HeldFate, Model, ModelEntry, ModelFate, Prediction, Remark
from ckptmap.basics.globs import accepting, chosen, near_pattern, pattern_problems
from ckptmap.basics.text import plural
from ckptmap.basics.wording import argument
from ckptmap.checkpoint.naming import told_names
from ckptmap.checkpoint.object_graph import object_path, variable_key

FATES = (ModelFate.MISSING.value, HeldFate.UNUSED.value, ModelFate.REINITIALIZED.value)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """``min_restored`` is a share of the model's variables, 0 to 1; ``require`` and ``allow`` are globs of names.

    A variable of a fate in ``fail_on`` is an error unless a glob of ``allow`` chooses it. Every variable that a glob of
    ``require`` chooses must be restored, and there must be one.
    """

    min_restored: float = 0.0
    require: tuple[str, ...] = ()
    fail_on: tuple[str, ...] = (ModelFate.MISSING.value,)
    allow: tuple[str, ...] = ()

    def fails(self, fate: str, *names: str) -> bool:
        """Whether a variable of this fate, known under these names, is an error."""
        return fate in self.fail_on and not chosen(self.allow, *names)


def broken(
    thresholds: Thresholds, model: Model, prediction: Prediction, held: tuple[HeldEntry, ...]
) -> Iterator[Remark]:
    """The thresholds that the restore breaks."""
    yield from _share(thresholds, prediction)
    yield from _untold(thresholds, model, prediction)
    for pattern in thresholds.require:
        yield from _required(pattern, model, prediction)
    yield from _allowed(thresholds.allow, model, prediction, held)
    for fate in thresholds.fail_on:
        yield from _fate(thresholds, fate, model, prediction, held)


def _share(thresholds: Thresholds, prediction: Prediction) -> Iterator[Remark]:
    entries = prediction.entries
    restored = sum(entry.fate is ModelFate.RESTORED for entry in entries)
    if thresholds.min_restored and not entries:
        yield Remark("error", "the share restored is not known: the model's variables are not")
    elif entries and restored < thresholds.min_restored * len(entries):
        share = restored / len(entries)
        message = f"{share:.1%} of the model's variables are restored, {thresholds.min_restored:.1%} are demanded"
        yield Remark("error", message)


def _untold(thresholds: Thresholds, model: Model, prediction: Prediction) -> Iterator[Remark]:
    """Nothing fails for variables that nobody knows: that is no success."""
    if model.variables is None and thresholds.fail_on and not prediction.error:
        fates = " and ".join(thresholds.fail_on)
        message = f"whether variables are {fates} cannot be told: the model's variables are not known"
        like = f"give a checkpoint of the model with {argument('like')}, or " if model.api == "tf2" else ""
        hint = f"{like}demand nothing with {argument('fail_on none')}"
        yield Remark("error", message, "", hint)


def _required(pattern: str, model: Model, prediction: Prediction) -> Iterator[Remark]:
    meant = [entry for entry in prediction.entries if chosen((pattern,), *_printed(entry, model))]
    lacking = [entry for entry in meant if entry.fate is not ModelFate.RESTORED]
    if not meant:
        names = [_printed(entry, model) for entry in prediction.entries]
        hint = near_pattern(pattern, names) if names else "the model's variables are not known"
        yield Remark("error", f"no variable of the model matches {argument('require', pattern)}", "", hint)
    elif lacking:
        first = lacking[0]
        count = f"{len(lacking)} of {plural(len(meant), 'variable')}"
        message = f"{count} that {argument('require', pattern)} chooses are not restored"
        yield Remark("error", message, _told(prediction)[first.variable.key], first.reason)


def _told(prediction: Prediction) -> dict[str, str]:
    return told_names((entry.variable.key, entry.variable.name) for entry in prediction.entries)


def _printed(entry: ModelEntry, model: Model) -> tuple[str, ...]:
    """What the variable is called: its readable name, its object path, also as ``inspect`` prints it, its source."""
    path = object_path(model.root, entry.variable.key)
    names = (entry.variable.name, entry.variable.key, path, variable_key(path), entry.source)
    return tuple(dict.fromkeys(filter(None, names)))


def _allowed(
    patterns: tuple[str, ...], model: Model, prediction: Prediction, held: tuple[HeldEntry, ...]
) -> Iterator[Remark]:
    """A pattern that accepts nothing is a mistake; nobody can say so where the model's variables are not known."""
    if prediction.entries:
        names: list[tuple[str, ...]] = [(entry.variable.name,) for entry in held]
        names += [_printed(entry, model) for entry in prediction.entries]
        for problem in pattern_problems("allow", patterns, names):
            yield Remark("error", problem.message, "", problem.hint)


def _fate(
    thresholds: Thresholds, fate: str, model: Model, prediction: Prediction, held: tuple[HeldEntry, ...]
) -> Iterator[Remark]:
    if fate == HeldFate.UNUSED.value:
        names = [entry.variable.name for entry in held if entry.fate is HeldFate.UNUSED]
        count = [name for name in names if thresholds.fails(fate, name)]
    else:
        entries = [entry for entry in prediction.entries if entry.fate.value == fate]
        told = _told(prediction)
        count = [told[e.variable.key] for e in entries if thresholds.fails(fate, *_printed(e, model))]
    if count:
        of = "the checkpoint" if fate == HeldFate.UNUSED.value else model.name
        hint = "" if prediction.error or not prediction.read else _acceptance(count)
        yield Remark("error", f"{plural(len(count), f'{fate} variable')} of {of}", count[0], hint)


def _acceptance(names: Sequence[str]) -> str:
    """The options that accept all these variables; nothing accepts a restore that fails, or that reads nothing."""
    return f"accept with {argument('allow', *accepting(names))}"
