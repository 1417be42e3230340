"""Attacks on what is already there: files that an output would replace, folders that look like a dead run's."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from ckptmap.checkpoint.leftovers import make_aside
from tests.fuzz.documents import report_seeds
from tests.hostile.attacks.making import attack, float_entry, index_of, write

TINY = Path(__file__).resolve().parents[3] / "fixtures" / "ssd_mobilenet_v2_tiny"
TO = ("--to", "ssd_mobilenet_v2")


def write_model(folder: Path) -> None:
    """A checkpoint of one variable, and a real config."""
    write(folder, index_of((b"v", float_entry(2, size=8, crc32c=0))), bytes(8))
    shutil.copy(TINY / "pipeline.config", folder)


def write_source(folder: Path) -> None:
    """A real checkpoint, so that nothing but the output is a reason to refuse."""
    folder.mkdir(parents=True)
    for path in TINY.glob("model.ckpt.*"):
        shutil.copy(path, folder)


@attack("convert", "out/.ckptmap-src/model.ckpt", *TO, "-o", "out", says="holds the source checkpoint")
def source_in_a_hidden_folder_of_the_output(folder: Path) -> None:
    """The source lies in a folder that is named as those of dead runs, which are removed."""
    write_source(folder / "out" / ".ckptmap-src")


@attack("convert", "out/.ckptmap-src/model.ckpt", *TO, "-o", "out", "--force", says="holds the source checkpoint")
def the_same_by_force(folder: Path) -> None:
    """And --force, which is for the output of an earlier run."""
    write_source(folder / "out" / ".ckptmap-src")


@attack("convert", "view/model.ckpt", *TO, "-o", "models", "--force", says="holds the source checkpoint")
def source_of_links_into_the_output(folder: Path) -> None:
    """The source's names lie elsewhere, its files in the output folder under the names of an output."""
    write_source(folder / "models")
    (folder / "view").mkdir()
    for path in list((folder / "models").iterdir()):
        moved = path.rename(path.with_name(path.name.replace("model.ckpt", "ckpt-0")))
        (folder / "view" / path.name).symlink_to(moved)


@attack("convert", "src/model.ckpt", *TO, "-o", "src", says="holds the source checkpoint")
def journal_that_names_the_source(folder: Path) -> None:
    """A journal, as an archive may hold one, says that the source's files are what a dead run was to replace."""
    write_source(folder / "src")
    found = {path.name: path.stat() for path in (folder / "src").iterdir()}
    replaced = {name: [stat.st_ino, stat.st_size, stat.st_mtime_ns] for name, stat in found.items()}
    (folder / "src" / ".ckptmap-a1b2c3d4").mkdir()
    journal = {"files": {}, "replaced": replaced, "decisive": "x"}
    (folder / "src" / ".ckptmap-a1b2c3d4" / "journal").write_text(json.dumps(journal))


@attack("convert", "src/model.ckpt", *TO, "-o", "src", "--force", says="holds the source checkpoint")
def journal_of_a_run_of_ours_that_names_the_source(folder: Path) -> None:
    """The same in a folder that a run did make: a run that is refused follows no journal."""
    journal_that_names_the_source(folder)
    aside = make_aside(folder / "src")
    shutil.copy(folder / "src" / ".ckptmap-a1b2c3d4" / "journal", aside)


@attack("convert", "src/model.ckpt", *TO, "-o", "out", says="is not empty")
def journal_that_is_a_pipe(folder: Path) -> None:
    """Whoever opens the journal waits for ever."""
    write_source(folder / "src")
    (folder / "out" / ".ckptmap-a1b2c3d4").mkdir(parents=True)
    os.mkfifo(folder / "out" / ".ckptmap-a1b2c3d4" / "journal")


@attack("convert", "src/model.ckpt", *TO, "-o", "out", "--dry-run", code=0)
def journal_of_a_run_of_ours_that_is_a_pipe(folder: Path) -> None:
    """The same in a folder that a run did make, which a dry run leaves alone."""
    write_source(folder / "src")
    (folder / "out").mkdir()
    os.mkfifo(make_aside(folder / "out") / "journal")


@attack("diff", "m", "m", "-o", "r.json", says="a report does not replace it")
def report_through_a_link(folder: Path) -> None:
    """A harmless name that leads to the data file."""
    write_model(folder)
    (folder / "r.json").symlink_to("m.data-00000-of-00001")


@attack("diff", "m", "m", "-o", "r.json", says="a report does not replace it")
def report_by_a_second_name(folder: Path) -> None:
    """A harmless name that is the data file."""
    write_model(folder)
    (folder / "r.json").hardlink_to(folder / "m.data-00000-of-00001")


@attack("config", "migrate", "pipeline.config", "-o", "m.index", "--force", says="a config does not replace it")
def config_in_place_of_an_index(folder: Path) -> None:
    """A migrated config, written by force where an index is."""
    write_model(folder)


@attack(
    "convert", "src/model.ckpt", *TO, "-o", "new", "--report", "new/ckpt-0.index", says="this command writes itself"
)
def report_in_place_of_the_output(folder: Path) -> None:
    """The report of a conversion, written where its index goes."""
    write_source(folder / "src")


@attack("convert", "src/model.ckpt", *TO, "-o", "out", "--force", says="is not a lock of ckptmap")
def lock_that_somebody_wrote(folder: Path) -> None:
    """A file of the lock's name that holds something: locks are removed at the end."""
    write_source(folder / "src")
    (folder / "out").mkdir()
    (folder / "out" / ".ckptmap-lock").write_text("precious")


@attack("convert", "--batch", "list.txt", *TO, "-o", "new", says="is given twice")
def list_of_deep_paths(folder: Path) -> None:
    """Two paths with half a million folders: all folders above them together have 125 thousand million names."""
    (folder / "list.txt").write_text(f"{'a/' * 500_000}b\n" * 2)


@attack("report", "r.json", "--format", "parquet", "-o", "r.parquet", says="does not follow the schema")
def report_that_no_table_holds(folder: Path) -> None:
    """An empty object where a name is: Parquet has no such type."""
    document = json.loads(report_seeds()["difference"])
    document["variables"][0]["reason"] = {}
    (folder / "r.json").write_text(json.dumps(document))
