"""``convert --verify``: a conversion ends with the proof that both models compute the same."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ckptmap.checkpoint.remote import is_remote
from ckptmap.cli.command import HOW
from ckptmap.cli.speaking import say
from ckptmap.cli.steps import step_progress
from ckptmap.cli.two_models import TwoModels, are_any

if TYPE_CHECKING:
    from ckptmap.report.conversion_document import Document

FOLDER = "verification"
DIFFER = 3
_MIN_SCORE = 0.3


@dataclass(frozen=True, slots=True)
class Proving:
    """Whether the conversion is proven by running both models."""

    verify: Annotated[
        bool,
        typer.Option(
            "--verify",
            help=f"Then run both models, as ckptmap verify does. The report goes to DIRECTORY/{FOLDER}; exit 3 if they "
            "differ.",
            rich_help_panel=HOW,
        ),
    ] = False

    def check(self, output: str | None, models: TwoModels, *, many: bool, dry_run: bool) -> None:
        """Raises typer.BadParameter where there is nothing to prove, CkptmapError where the report has no place."""
        if not self.verify:
            if models.asked:
                raise typer.BadParameter("says how models are verified: add --verify", param_hint="--new-model")
            return
        if many:
            raise typer.BadParameter("one conversion is proven at a time", param_hint="--verify")
        if output is None or dry_run:
            raise typer.BadParameter("a conversion that writes nothing is not proven", param_hint="--verify")
        if is_remote(output):
            raise typer.BadParameter("the proof reads files of this machine: write to a directory", param_hint="-o")
        from ckptmap.tf.environment import check_installed
        from ckptmap.tf.verify.folder import check_folder

        check_installed()
        check_folder(Path(output, FOLDER))


def prove(source: str, report: Document, output: Path, models: TwoModels, *, pipeline: str | None, raw: bool) -> None:
    """Run the old model and the one that was written. Raises typer.Exit with 3 when they differ."""
    from ckptmap.report.sheets import sheet_of
    from ckptmap.tf.verify import verify, verify_models
    from ckptmap.tf.verify.folder import write_folder, write_models

    folder = output / FOLDER
    config = Path(pipeline) if pipeline else None
    with step_progress() as tell:
        if are_any(models, Path(source), output, config):
            document = write_models(
                folder, verify_models(source, report["output"]["checkpoint"], **models.keywords, say=tell)
            )
        else:
            found = verify(source, output, pipeline=config, weights="raw" if raw else "averages", say=tell)
            document = write_folder(folder, found, _MIN_SCORE, {})
    say(f"{sheet_of(document).verdict} ({folder})")
    if not document["agree"]:
        raise typer.Exit(DIFFER)
