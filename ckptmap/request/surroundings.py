"""What the user did not name: the pipeline.config beside a checkpoint, and the target of the model that it holds."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ckptmap.basics.errors import CkptmapError, ProblemsError, TargetError
from ckptmap.basics.regular import open_regular
from ckptmap.basics.wording import argument
from ckptmap.checkpoint.data_files import folder_of
from ckptmap.checkpoint.inventory import Inventory
from ckptmap.checkpoint.remote import is_remote
from ckptmap.families.detection.arguments import ANCHORS, NO_PIPELINE, PIPELINE
from ckptmap.families.detection.config_files import find_config
from ckptmap.planning.choices import PlanOptions
from ckptmap.planning.ledger import Plan
from ckptmap.request.choices import PathLike
from ckptmap.request.destination import Destination, has_no_tf1_names
from ckptmap.request.known_tables import for_source
from ckptmap.request.resolve import find_destination

if TYPE_CHECKING:
    from ckptmap.families.detection.pipeline.config import PipelineConfig
    from ckptmap.families.family import Model
    from ckptmap.families.verdict import Prefer

MakePlan = Callable[[Inventory, Destination], Plan]


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user says of a destination; :func:`ckptmap.plan` says what each means."""

    to: PathLike | None
    table: PathLike | None
    pipeline: PathLike | None
    options: PlanOptions
    prefer: Prefer
    no_pipeline: bool = False

    def __post_init__(self) -> None:
        if self.no_pipeline and self.pipeline is not None:
            raise CkptmapError("a pipeline.config is named, but none may be used", hint="leave one of the two out")

    @property
    def names_the_target(self) -> bool:
        """Whether the destination is the same for every checkpoint."""
        return self.to is not None or self.pipeline is not None

    def destination(self) -> Destination:
        """The destination without a look at any checkpoint. Raises CkptmapError as :func:`find_destination` does."""
        return find_destination(self.to, self.table, self.pipeline, self.options, self.prefer)


@dataclass(frozen=True, slots=True)
class Settled:
    """Where a checkpoint goes and what becomes of it; ``said`` is what is to tell of the config beside it.

    ``by_config``: that config is the destination's.
    """

    destination: Destination
    plan: Plan
    said: str = ""
    by_config: bool = False

    def told(self, beside: Path | None) -> tuple[Destination, Plan]:
        """Both for the checkpoint that has the config at ``beside`` beside it, with the note on that config."""
        if beside is None:
            return self.destination, self.plan
        config, plan = self.destination.config, replace(self.plan, notes=(*self.plan.notes, f"{beside} {self.said}"))
        if config is None or not self.by_config:
            return self.destination, plan
        here = replace(config, document=replace(config.document, path=str(beside)))
        return replace(self.destination, config=here), plan


def config_beside(inventory: Inventory, wish: Wish) -> Path | None:
    """The pipeline.config beside a checkpoint on this machine; None where there is none, or another one is named."""
    if wish.no_pipeline or wish.pipeline is not None or is_remote(inventory.path):
        return None
    return find_config(folder_of(inventory.path))


def content(path: Path) -> bytes:
    """The bytes of a config, by which equal ones are told; none where it cannot be read."""
    from ckptmap.families.detection.pipeline.textproto import MAX_BYTES

    try:
        with open_regular(path) as file:
            return file.read(MAX_BYTES + 1)
    except OSError:
        return b""


def choose_destination(
    inventory: Inventory, wish: Wish, beside: Path | None, plan: MakePlan, known: Destination | None = None
) -> Settled:
    """The destination of a checkpoint and the plan that ``plan`` makes for it.

    The config ``beside`` it is used where it speaks of the same model and target. Without any config, what the
    checkpoint shows is the target where the user names none. ``known`` is what :meth:`Wish.destination` gave.

    Raises:
        CkptmapError: the target, table or config cannot be used, nothing says the target, or nothing fits.
    """

    def without() -> tuple[Destination, Plan]:
        named = known or (wish if wish.names_the_target else replace(wish, to=_recognized(inventory))).destination()
        found = for_source(inventory, named)
        return found, plan(inventory, found)

    if beside is None:
        return Settled(*without())
    found = _attempt(lambda: _by_config(inventory, beside, wish, plan))
    if isinstance(found, CkptmapError):
        return Settled(*without(), f"is not used: {_reason(found)}")
    if found.plan.findings:
        other = _attempt(without)
        if not isinstance(other, CkptmapError) and not other[1].findings:
            return Settled(*other, f"is not used: {found.plan.findings[0].message}")
    return found


_Made = TypeVar("_Made")


def _attempt(make: Callable[[], _Made]) -> _Made | CkptmapError:
    try:
        return make()
    except CkptmapError as error:
        return error


def _reason(error: CkptmapError) -> str:
    if isinstance(error, ProblemsError):
        return f"{error.summary}: {error.problems[0]}" if error.problems else error.summary
    return error.problem.message


def _by_config(inventory: Inventory, path: Path, wish: Wish, plan: MakePlan) -> Settled:
    """What the config beside says. Raises CkptmapError where it is not to be used: the reason."""
    from ckptmap.families.detection.operations import BoxOutputs
    from ckptmap.families.detection.pipeline.config import read_config

    config = read_config(path)
    _refuse_other_model(inventory, config)
    asked = wish.options.adaptation
    if isinstance(asked, BoxOutputs) and asked.asked is not None:
        raise CkptmapError(f"it has anchors of its own, and {argument(ANCHORS, asked.asked)} was asked for")
    shipped = None if wish.to is None else _shipped(wish.to)
    if wish.to is not None and shipped is None:
        migrated = f"{argument(PIPELINE)} has the config migrated too"
        raise CkptmapError(f"{argument('any to')} is a TF2 checkpoint, which says the model; {migrated}")
    found = find_destination(None, wish.table, config, wish.options, wish.prefer)
    if shipped not in (None, found.target.name):
        raise CkptmapError(f"its model is {found.target.name}, {argument('any to')} says {shipped}")
    said = f"is used: it lies beside the checkpoint and agrees with it ({argument(NO_PIPELINE)} leaves it out)"
    return Settled(found, plan(inventory, found), said, by_config=True)


def _shipped(to: PathLike) -> str | None:
    from ckptmap.targets.load import shipped_name

    return shipped_name(os.fspath(to))


def _refuse_other_model(inventory: Inventory, config: PipelineConfig) -> None:
    """Raises CkptmapError where a config speaks of another model than the checkpoint holds, or nothing tells."""
    from ckptmap.families.detection.config_beside import differences, is_detector

    model = _model(inventory)
    if not is_detector(model):
        raise CkptmapError("the checkpoint holds no detector that ckptmap knows")
    told = [f"its {one.what} is {one.config}, the checkpoint's {one.checkpoint}" for one in differences(model, config)]
    if told:
        raise CkptmapError("; ".join(told))


def _model(inventory: Inventory) -> Model | None:
    from ckptmap.families.registry import recognize
    from ckptmap.mapping.roles import roles

    return recognize(inventory, roles(inventory))


def _recognized(inventory: Inventory) -> str:
    """The shipped target of the model that the checkpoint shows. Raises TargetError where there is none."""
    if has_no_tf1_names(inventory):
        raise TargetError(
            f"{inventory.path} is a TF2 checkpoint already: its variables are object paths",
            hint="restore it with tf.train.Checkpoint; for another model, name its checkpoint as the target",
        )
    model = _model(inventory)
    if model is None:
        raise TargetError(
            "nothing says what to convert to, and ckptmap does not know the model in the checkpoint",
            where=inventory.path,
            hint=f"give a target with {argument('any to')} (ckptmap targets lists them), or {_own_way()}",
        )
    found = next((one for name in model.targets if (one := _shipped(name))), None)
    if found is None:
        raise TargetError(
            f"nothing says what to convert to, and no target is shipped for the {model.name} in the checkpoint",
            where=inventory.path,
            hint=f"give {_known_way() if model.tables else _own_way()}",
        )
    return found


def _known_way() -> str:
    """For a model that a shipped table is for, whatever sizes it has."""
    return f"a TF2 checkpoint of your model with {argument('any to')}; ckptmap inspect says how to make one"


def _own_way() -> str:
    table = f"your own table with {argument('table')}, which ckptmap suggest drafts"
    return f"a TF2 checkpoint with {argument('any to')} and {table}"
