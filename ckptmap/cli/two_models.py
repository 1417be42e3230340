"""Options of ``verify`` for any two models."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from ckptmap.basics.errors import CkptmapError
from ckptmap.cli.command import HOW, WHAT


@dataclass(frozen=True, slots=True)
class RunModels:
    """What says how models are run, fed and paired that no pipeline.config describes."""

    old_model: Annotated[
        str,
        typer.Option(
            metavar="MODULE:FUNCTION",
            help="Code that builds the TF1 graph of a checkpoint. It is run.",
            show_default=False,
            rich_help_panel=WHAT,
        ),
    ] = ""
    new_model: Annotated[
        str,
        typer.Option(
            metavar="MODULE:FUNCTION",
            help="Code that returns the Keras model or tf.Module of a TF2 checkpoint. It is run.",
            show_default=False,
            rich_help_panel=WHAT,
        ),
    ] = ""
    keras: Annotated[
        int | None,
        typer.Option(
            min=2,
            max=3,
            help="The Keras version that tf.keras is for the new model; default: the one that saved its files.",
            show_default=False,
            rich_help_panel=WHAT,
        ),
    ] = None
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            "--input",
            metavar="NAME=VALUE",
            help="NAME=DTYPE[SHAPE], ids=int32[2,16]<30522, NAME=NUMBER, NAME=FILE.npy or FILE.npz; repeatable. "
            "Default: random values.",
            show_default=False,
            rich_help_panel=HOW,
        ),
    ] = None
    pairs: Annotated[
        list[str] | None,
        typer.Option(
            "--pair",
            metavar="OLD=NEW",
            help="Inputs or outputs that belong together; repeatable.",
            show_default=False,
            rich_help_panel=HOW,
        ),
    ] = None
    old_outputs: Annotated[
        list[str] | None,
        typer.Option(
            "--old-output",
            metavar="TENSOR",
            help="Compare this tensor of the old graph; repeatable.",
            show_default=False,
            rich_help_panel=HOW,
        ),
    ] = None
    new_outputs: Annotated[
        list[str] | None,
        typer.Option(
            "--new-output",
            metavar="TENSOR",
            help="Compare this tensor of the new graph; repeatable.",
            show_default=False,
            rich_help_panel=HOW,
        ),
    ] = None

    @property
    def asked(self) -> bool:
        """Whether any of it is given."""
        return self != type(self)()

    @property
    def running(self) -> dict[str, Any]:
        """The arguments of ``verify_models`` and of ``ckptmap.tf.checking.by_outputs``."""
        return {
            "old_model": self.old_model,
            "new_model": self.new_model,
            "keras": self.keras,
            "inputs": self.inputs or (),
            "pairs": self.pairs or (),
            "old_outputs": self.old_outputs or (),
            "new_outputs": self.new_outputs or (),
        }


@dataclass(frozen=True, slots=True)
class TwoModels(RunModels):
    """The same, and what verification asks besides."""

    small_variances: Annotated[
        bool,
        typer.Option(
            "--small-variances",
            help="Run both again with the variances of batch norms divided by 10,000, which shows another epsilon.",
            rich_help_panel=HOW,
        ),
    ] = False

    @property
    def keywords(self) -> dict[str, Any]:
        """The arguments of ``verify_models``."""
        return {**self.running, "small_variances": self.small_variances}


def are_any(models: TwoModels, old: Path, new: Path, pipeline: Path | None) -> bool:
    """Whether the models are compared as any two are: nothing says that they are detectors.

    Raises CkptmapError where both ways are asked for.
    """
    if models.asked and pipeline is not None:
        raise CkptmapError("--pipeline is for detectors; --old-model, --new-model and --input are for other models")
    from ckptmap.tf.verify.general.choosing import are_detectors

    return models.asked or not (pipeline is not None or are_detectors(old, new))
