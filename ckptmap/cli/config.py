"""``ckptmap config``: a TF1 pipeline.config becomes the TF2 config of the same model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ckptmap.basics.bounds import CLASSES
from ckptmap.basics.escapes import printable
from ckptmap.basics.secrets import without_secrets
from ckptmap.basics.text import plural
from ckptmap.cli.command import OUTPUT, WHAT, Command, Group, examples
from ckptmap.cli.options import Json
from ckptmap.cli.speaking import quiet, say

if TYPE_CHECKING:
    from ckptmap.families.detection.pipeline.migrate import Migration

app = typer.Typer(cls=Group, help="Work with pipeline.config files.", no_args_is_help=True, rich_markup_mode=None)

EXAMPLES = examples(
    ("the config alone", "ckptmap config migrate old/pipeline.config -o new.config"),
    (
        "to train from a converted checkpoint",
        "ckptmap config migrate old.config -o new.config --checkpoint new/ckpt-0",
    ),
)


@app.callback()
def _group() -> None:
    """Keep ``migrate`` a command of its own while it is the only one."""


@app.command(name="migrate", cls=Command, epilog=EXAMPLES)
def migrate_command(
    source: Annotated[Path, typer.Argument(metavar="OLD", help="The TF1 pipeline.config.", show_default=False)],
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="File to write the TF2 config to, or a URL.",
            show_default=False,
            rich_help_panel=OUTPUT,
        ),
    ],
    checkpoint: Annotated[
        str | None,
        typer.Option(
            metavar="PREFIX",
            help="The converted checkpoint to train from, such as new/ckpt-0.",
            show_default=False,
            rich_help_panel=WHAT,
        ),
    ] = None,
    num_classes: Annotated[
        int | None,
        typer.Option(
            min=CLASSES.low,
            max=CLASSES.high,
            help="Classes of the new model.",
            show_default=False,
            rich_help_panel=WHAT,
        ),
    ] = None,
    label_map: Annotated[
        str | None,
        typer.Option(
            metavar="NEW",
            help="label_map.pbtxt of the new classes: it sets num_classes and every label_map_path.",
            show_default=False,
            rich_help_panel=WHAT,
        ),
    ] = None,
    prefer: Annotated[
        Literal["exact", "stock"],
        typer.Option(
            help="If stock TF2 does not compute the same: use the slim-exact extractor, or stock.", rich_help_panel=WHAT
        ),
    ] = "exact",
    force: Annotated[
        bool, typer.Option("--force", help="Replace OUTPUT if it exists.", rich_help_panel=OUTPUT)
    ] = False,
    json: Json = False,
) -> None:
    """Write the TF2 config of the same model. Every edit is listed with its reason; nothing else changes."""
    from ckptmap.basics.errors import OutputError
    from ckptmap.checkpoint.store import place_of, write_place
    from ckptmap.execution.overwriting import refuse_config
    from ckptmap.families.detection.pipeline.classes import Classes
    from ckptmap.families.detection.pipeline.config import read_config
    from ckptmap.families.detection.pipeline.migrate import migrated
    from ckptmap.families.detection.pipeline.textproto import encode
    from ckptmap.families.detection.pipeline.training import Checkpoint

    config = read_config(source)
    place = place_of(output)
    if not force and (place.exists() if isinstance(place, Path) else place.size() is not None):
        raise OutputError(f"{output} exists", hint="choose another file, or add --force (never over the old config)")
    refuse_config(place, [config.path, label_map, checkpoint])
    made = migrated(
        config,
        checkpoint=Checkpoint(checkpoint) if checkpoint else None,
        classes=Classes(num_classes or _count(label_map), label_map or ""),
        prefer=prefer,
    )
    write_place(place, encode(made.text))
    if json or not quiet():
        _print(made, json=json)
    say(f"wrote {without_secrets(output)}: {plural(len(made.edits), 'edit')}")


def _count(label_map: str | None) -> int | None:
    from ckptmap.families.detection.label_files import read_label_map
    from ckptmap.request.choices import refuse_classes

    if not label_map:
        return None
    count = read_label_map(label_map).num_classes
    refuse_classes(count, label_map)
    return count


def _print(made: Migration, *, json: bool) -> None:
    if json:
        import json as json_module

        from ckptmap.basics.escapes import quiet_json
        from ckptmap.report.conversion_document import config_document

        document = {
            "schema": "ckptmap.config/1",
            "verdict": {"kind": made.verdict.kind.value, "extractor_type": made.verdict.extractor_type},
            **config_document(made),
        }
        typer.echo(quiet_json(json_module.dumps(document, indent=1)))
        return
    typer.echo(printable(f"verdict: {made.verdict}: {made.verdict.extractor_type}"))
    for edit in made.edits:
        change = f"{edit.old} -> {edit.new}" if edit.old and edit.new else edit.new or "removed"
        typer.echo(printable(f"line {edit.line}: {edit.path}: {change}  ({edit.reason})"))
    for note in made.notes:
        typer.echo(printable(f"note, line {note.line}: {note.path}: {note.text}"))
