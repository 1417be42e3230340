"""The options of ``ckptmap convert``, in bundles: what comes of what, how, of several, where to, the way back."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ckptmap.basics.bounds import CLASSES
from ckptmap.basics.globs import RULE
from ckptmap.cli.command import HOW, OUTPUT, SEVERAL, WHAT
from ckptmap.cli.completion import complete_settings, complete_tables, complete_targets
from ckptmap.cli.options import parse_settings

if TYPE_CHECKING:
    from ckptmap.request.choices import PlanChoices

Ema = Literal["prefer", "ignore", "only"]
Root = Literal["model", "feature_extractor"]
Prefer = Literal["exact", "stock"]
Anchors = Literal["api", "automl", "automl-2020"]
Form = Literal["target", "safetensors"]


@dataclass(frozen=True, kw_only=True, slots=True)
class What:
    """What a checkpoint becomes."""

    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="TARGET",
            help="A name (see `ckptmap targets`), any TF2 checkpoint, or a file of Keras or safetensors; "
            "default: what the checkpoint shows.",
            show_default=False,
            autocompletion=complete_targets,
            rich_help_panel=WHAT,
        ),
    ] = None
    also: Annotated[
        list[str] | None,
        typer.Option(
            "--and",
            metavar="NAME=CHECKPOINT",
            help="A further checkpoint to take variables from; rules write NAME:variable for them; repeatable.",
            show_default=False,
            rich_help_panel=WHAT,
        ),
    ] = None
    pipeline: Annotated[
        str | None,
        typer.Option(
            metavar="CONFIG",
            help="The TF1 pipeline.config of the model. It gives the target and its settings, and is migrated to TF2; "
            "default: the one beside the checkpoint, if it agrees.",
            show_default=False,
            rich_help_panel=WHAT,
        ),
    ] = None
    no_pipeline: Annotated[
        bool,
        typer.Option(
            "--no-pipeline", help="Do not use the pipeline.config beside the checkpoint.", rich_help_panel=WHAT
        ),
    ] = False
    prefer: Annotated[
        Prefer,
        typer.Option(
            help="For the migrated config, if stock TF2 does not compute the same: use the slim-exact extractor, or "
            "stock.",
            rich_help_panel=WHAT,
        ),
    ] = "exact"
    table: Annotated[
        str | None,
        typer.Option(
            metavar="TABLE",
            help="Mapping table: a shipped name or your own YAML; default: the target's own.",
            show_default=False,
            autocompletion=complete_tables,
            rich_help_panel=WHAT,
        ),
    ] = None
    num_classes: Annotated[
        int | None,
        typer.Option(
            min=CLASSES.low,
            max=CLASSES.high,
            help="Classes of the new model; if the source has another count, the class head is re-initialized.",
            rich_help_panel=WHAT,
        ),
    ] = None
    label_map: Annotated[
        tuple[str, str] | None,
        typer.Option(
            metavar="OLD NEW",
            help="label_map.pbtxt of the old and the new classes: head slices of shared classes are carried over.",
            show_default=False,
            rich_help_panel=WHAT,
        ),
    ] = None
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="A setting of the target, such as use_dropout=true; repeatable.",
            autocompletion=complete_settings,
            rich_help_panel=WHAT,
        ),
    ] = None
    anchors: Annotated[
        Anchors,
        typer.Option(
            help="EfficientDet: api, weights reordered to the API's anchors; automl, weights untouched and AutoML's "
            "anchors in the config; automl-2020, the anchors from before September 2020.",
            rich_help_panel=WHAT,
        ),
    ] = "api"
    root: Annotated[
        Root | None,
        typer.Option(
            help="model: for fine_tune_checkpoint_type full and detection; feature_extractor: for classification.",
            show_default=False,
            rich_help_panel=WHAT,
        ),
    ] = None

    def check(self) -> None:
        """Raises typer.BadParameter where two options contradict each other."""
        _refuse_one_label_map(self.label_map)
        if self.no_pipeline and self.pipeline is not None:
            raise typer.BadParameter("--pipeline names a config: leave one of the two out", param_hint="--no-pipeline")

    @property
    def further(self) -> dict[str, str]:
        """``decoder=b/model.ckpt`` as the name and the path. Raises typer.BadParameter where it is none."""
        found: dict[str, str] = {}
        for text in self.also or ():
            name, equals, path = text.partition("=")
            if not equals or not path or name in found:
                raise typer.BadParameter(f"{text!r}: write NAME=CHECKPOINT, each name once", param_hint="--and")
            found[name] = path
        return found

    @property
    def read(self) -> list[str | None]:
        """The paths that are read for it."""
        return [*self.further.values(), self.to, self.pipeline, self.table, *(self.label_map or ())]


@dataclass(frozen=True, kw_only=True, slots=True)
class How:
    """What becomes of the variables."""

    ema: Annotated[
        Ema | None,
        typer.Option(
            help="Moving averages: prefer takes them if they exist; ignore takes raw weights, as --optimizer does; "
            "only fails if one is missing. Default: prefer.",
            show_default=False,
            rich_help_panel=HOW,
        ),
    ] = None
    allow_unused: Annotated[
        list[str] | None,
        typer.Option(
            metavar="GLOB",
            help=f"Accept unused source variables that match; {RULE}; repeatable.",
            show_default=False,
            rich_help_panel=HOW,
        ),
    ] = None
    init_missing: Annotated[
        bool,
        typer.Option("--init-missing", help="Accept missing target variables: initialize them.", rich_help_panel=HOW),
    ] = False
    step: Annotated[
        bool,
        typer.Option(
            "--step", help="Carry global_step over to `step`, which the TF2 trainer reads.", rich_help_panel=HOW
        ),
    ] = False
    optimizer: Annotated[
        str | None,
        typer.Option(
            metavar="[KIND[:NAME]]",
            help="Carry the optimizer's state and the step over, so that training can continue. Give KIND, such "
            "as adam, if the checkpoint does not show it, and NAME if there are several (adam:Adam_G).",
            show_default=False,
            rich_help_panel=HOW,
        ),
    ] = None
    learning_rate: Annotated[
        float | None,
        typer.Option(
            metavar="RATE",
            help="With --optimizer: the learning rate of the next step, if no config gives it.",
            show_default=False,
            rich_help_panel=HOW,
        ),
    ] = None
    at_step: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="With --optimizer: how many steps were done, if there is no global_step.",
            show_default=False,
            rich_help_panel=HOW,
        ),
    ] = None
    ranges: Annotated[
        bool,
        typer.Option(
            "--ranges",
            help="Keep the ranges of quantization-aware training in the JSON report.",
            rich_help_panel=HOW,
        ),
    ] = False
    seed: Annotated[int, typer.Option(help="Seed of the initializers.", rich_help_panel=HOW)] = 0
    write: Annotated[
        Form,
        typer.Option(
            help="What to write: the format of the target, or a safetensors file with readable names as keys.",
            rich_help_panel=OUTPUT,
        ),
    ] = "target"


@dataclass(frozen=True, kw_only=True, slots=True)
class Back:
    """The way back to TF1."""

    back: Annotated[
        str | None,
        typer.Option(
            metavar="REPORT|TABLE",
            help="Convert back to TF1 names: give the report.json or the table of the conversion.",
            show_default=False,
            rich_help_panel=HOW,
        ),
    ] = None
    fill: Annotated[
        str | None,
        typer.Option(
            metavar="OLD",
            help="With --back: the old checkpoint, for variables that TF2 does not have.",
            show_default=False,
            rich_help_panel=HOW,
        ),
    ] = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Several:
    """How several checkpoints are converted."""

    batch: Annotated[
        Path | None,
        typer.Option(
            metavar="LIST",
            help="A file with one checkpoint a line; all of them are converted too.",
            show_default=False,
            rich_help_panel=SEVERAL,
        ),
    ] = None
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Keep what an earlier run made from the same files and options.",
            rich_help_panel=SEVERAL,
        ),
    ] = False
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="How many to convert at a time at most; default: one for each core, at least 4.",
            show_default=False,
            rich_help_panel=SEVERAL,
        ),
    ] = None

    def are_meant(self, sources: Sequence[str]) -> bool:
        """Whether there are several checkpoints: in a list, named, or below a folder that is named."""
        if self.batch is not None or self.resume or len(sources) != 1:
            return True
        from ckptmap.request.search import searched

        return searched(sources) != list(sources)


def plan_choices(what: What, how: How) -> PlanChoices:
    """What a plan needs of the options."""
    return {
        "num_classes": what.num_classes,
        "label_maps": what.label_map,
        "settings": parse_settings(what.settings or ()),
        "ema": how.ema,
        "root": what.root,
        "allow_unused": tuple(how.allow_unused or ()),
        "init_missing": how.init_missing,
        "step": how.step,
        "optimizer": how.optimizer,
        "learning_rate": how.learning_rate,
        "at_step": how.at_step,
        "anchors": what.anchors,
    }


def with_optimizer(args: Sequence[str]) -> list[str]:
    """The arguments of a command line with a value behind each ``--optimizer`` that stands alone.

    What comes behind it is its value where it is ``found`` or begins with a kind, or looks like neither path nor
    option; else it is the next argument.
    """
    from ckptmap.mapping.optimizer_state import ASKED
    from ckptmap.request.choices import FOUND

    given: list[str] = []
    for at, text in enumerate(args):
        following = args[at + 1] if at + 1 < len(args) else "-"
        known = following.partition(":")[0] in (FOUND, *ASKED)
        alone = text == "--optimizer" and not known and _is_other(following)
        given += [text, FOUND] if alone else [text]
    return given


def _is_other(text: str) -> bool:
    """Whether it is an option or a path, not a word for an optimizer."""
    return text.startswith("-") or any(mark in text for mark in ("/", os.sep, ".")) or Path(text).exists()


def _refuse_one_label_map(given: tuple[str, str] | None) -> None:
    """With one file alone the option takes the next word of the line too, whatever that is."""
    if given is None:
        return
    other = next((text for text in given if text.startswith("-") or _is_checkpoint(text)), None)
    if other is not None:
        message = f"takes two files, OLD and NEW: the map of the old classes and the map of the new ones, not {other}"
        raise typer.BadParameter(message, param_hint="--label-map")


def _is_checkpoint(text: str) -> bool:
    return text.endswith(".index") or Path(text).is_dir() or Path(f"{text}.index").is_file()
