"""No output overwrites what a run reads, nor another output, whatever names and links lead there."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from ckptmap.checkpoint.leftovers import PREFIX
from tests.cli.conftest import Project, Run, project, run
from tests.dead_runs import dead_run

__all__ = ["project", "run"]

TINY = Path(__file__).parents[2] / "fixtures" / "ssd_mobilenet_v2_tiny"
DATA = "model.ckpt.data-00000-of-00001"

pytestmark = pytest.mark.skipif(os.name == "nt", reason="making links needs a privilege there")


def everything(folder: Path) -> dict[str, bytes]:
    """Each file below ``folder``, links followed."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("options", [(), ("--force",)])
def test_a_source_in_a_hidden_folder_of_the_output_stays(
    run: Run, project: Project, tmp_path: Path, options: tuple[str, ...]
) -> None:
    hidden = tmp_path / "out" / ".ckptmap-src"
    shutil.copytree(project.source.parent, hidden)
    before = everything(tmp_path)
    done = run("convert", hidden / "model.ckpt", *project.arguments[1:], "-o", tmp_path / "out", *options)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert everything(tmp_path) == before


def test_not_even_where_it_looks_as_if_a_run_had_made_it(run: Run, project: Project, tmp_path: Path) -> None:
    aside = dead_run(tmp_path / "out", 0)
    (aside / "inner").mkdir()
    for path in project.source.parent.iterdir():
        shutil.copy(path, aside / "inner")
    before = everything(tmp_path)
    for options in ((), ("--force",)):
        done = run("convert", aside / "inner" / "model.ckpt", *project.arguments[1:], "-o", tmp_path / "out", *options)
        assert (done.code, "holds the source checkpoint" in done.err) == (2, True)
    assert everything(tmp_path) == before


@pytest.mark.parametrize("marked", [False, True])
def test_a_refused_run_follows_no_journal(run: Run, project: Project, marked: bool) -> None:
    """A journal that names the source's files with number, size and time, as an archive or a dead run may hold it."""
    folder = project.source.parent
    names = [path.name for path in folder.iterdir()]
    aside = dead_run(folder, 0)
    found = {name: (folder / name).stat() for name in names}
    identities = {name: [stat.st_ino, stat.st_size, stat.st_mtime_ns] for name, stat in found.items()}
    (aside / "journal").write_text(json.dumps({"files": {}, "replaced": identities, "decisive": "index"}))
    if not marked:
        next(aside.glob("run-*")).unlink()
    before = everything(folder)
    for options in ((), ("--force",)):
        done = run("convert", *project.arguments, "-o", folder, *options)
        assert (done.code, done.err.count("\n")) == (2, 1)
    assert everything(folder) == before


def test_a_refused_run_removes_no_leftover_either(run: Run, project: Project, tmp_path: Path) -> None:
    dead_run(tmp_path / "out", 1)
    (tmp_path / "out" / "mine").write_text("mine")
    before = everything(tmp_path)
    assert run("convert", *project.arguments, "-o", tmp_path / "out").code == 2
    assert run("convert", tmp_path / "none", *project.arguments[1:], "-o", tmp_path / "out", "--force").code == 2
    assert run("convert", *project.arguments, "--set", "no=1", "-o", tmp_path / "out", "--force").code == 2
    assert everything(tmp_path) == before


@pytest.mark.parametrize("part", ["model.ckpt.index", DATA])
def test_a_source_of_links_into_the_output_stays(run: Run, project: Project, tmp_path: Path, part: str) -> None:
    """A view of a model whose real files lie in the output folder; one link is enough."""
    view = tmp_path / "view"
    shutil.copytree(project.source.parent, view)
    (view / part).unlink()
    (tmp_path / "models").mkdir()
    shutil.copy(project.source.parent / part, tmp_path / "models" / part.replace("model.ckpt", "ckpt-0"))
    (view / part).symlink_to(Path("..", "models", part.replace("model.ckpt", "ckpt-0")))
    before = everything(tmp_path)
    done = run("convert", view / "model.ckpt", *project.arguments[1:], "-o", tmp_path / "models", "--force")
    assert (done.code, "holds the source checkpoint" in done.err) == (2, True)
    assert everything(tmp_path) == before


def test_a_template_of_links_into_the_output_stays(run: Run, project: Project, tmp_path: Path) -> None:
    view = tmp_path / "view"
    view.mkdir()
    for path in project.template.parent.iterdir():
        (view / path.name).symlink_to(path)
    before = everything(tmp_path)
    done = run(
        "convert", project.source, "--to", view / "ckpt-0", "--table", project.table,
        "-o", project.template.parent, "--force",
    )  # fmt: skip
    assert (done.code, "holds the template checkpoint" in done.err) == (2, True)
    assert everything(tmp_path) == before


@pytest.mark.parametrize("name", ["report.json", "checkpoint", "pipeline.config"])
def test_a_label_map_with_the_name_of_an_output_stays(run: Run, project: Project, tmp_path: Path, name: str) -> None:
    old, new = tmp_path / "out" / name, tmp_path / "new.pbtxt"
    old.parent.mkdir()
    for path in (old, new):
        path.write_text("".join(f"item {{ id: {n} name: '{c}' }}\n" for n, c in enumerate("abc", 1)))
    before = everything(tmp_path)
    done = run("convert", *project.arguments, "--label-map", old, new, "-o", old.parent, "--force")
    assert (done.code, "holds a label map, " in done.err) == (2, True)
    assert everything(tmp_path) == before


def test_an_output_of_links_is_replaced_link_by_link(run: Run, project: Project, tmp_path: Path) -> None:
    """What the links lead to belongs to somebody; an earlier ``--data link`` is no reason to refuse."""
    assert run("convert", *project.arguments, "-o", tmp_path / "out", "--data", "link").code == 0
    (tmp_path / "others").write_text("precious")
    (tmp_path / "out" / "report.json").unlink()
    (tmp_path / "out" / "report.json").symlink_to(tmp_path / "others")
    source = everything(project.source.parent)
    assert run("convert", *project.arguments, "-o", tmp_path / "out", "--data", "link", "--force").code == 0
    assert (tmp_path / "others").read_text() == "precious"
    assert everything(project.source.parent) == source


@pytest.mark.parametrize("victim", [DATA, "model.ckpt.index", "pipeline.config"])
@pytest.mark.parametrize("link", ["symbolic", "hard"])
def test_a_report_follows_no_link_onto_a_model(run: Run, tmp_path: Path, victim: str, link: str) -> None:
    shutil.copytree(TINY, tmp_path / "m")
    report = tmp_path / "m" / "r.json"
    if link == "symbolic":
        report.symlink_to(victim)
    else:
        report.hardlink_to(tmp_path / "m" / victim)
    before = everything(tmp_path)
    commands = (
        ("diff", tmp_path / "m" / "model.ckpt", tmp_path / "m", "-o", report),
        ("audit", tmp_path / "m", "--pipeline", tmp_path / "m" / "pipeline.config", "-o", report),
        ("convert", tmp_path / "m", "--pipeline", tmp_path / "m" / "pipeline.config", "--dry-run", "--report", report),
    )
    for command in commands:
        done = run(*command)
        assert (done.code, "a report does not replace it" in done.err) == (2, True), command
    assert everything(tmp_path) == before


@pytest.mark.parametrize("victim", [DATA, "pipeline.config", "frozen.pb"])
def test_nor_onto_a_model_that_nobody_named(run: Run, project: Project, tmp_path: Path, victim: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / victim).write_text("precious")
    (tmp_path / "r.json").symlink_to(tmp_path / "elsewhere" / victim)
    done = run("diff", project.source, project.source, "-o", tmp_path / "r.json")
    assert (done.code, "a report does not replace it" in done.err) == (2, True)
    assert (tmp_path / "elsewhere" / victim).read_text() == "precious"


@pytest.mark.parametrize(
    "name",
    ["ckpt-0.index", "ckpt-0.data-00000-of-00001", "CKPT-0.INDEX", "checkpoint", "report.json", "../out/report.json"],
)
def test_a_report_never_replaces_what_the_conversion_writes(
    run: Run, project: Project, tmp_path: Path, name: str
) -> None:
    done = run("convert", *project.arguments, "-o", tmp_path / "out", "--report", tmp_path / "out" / name)
    assert (done.code, "writes itself" in done.err) == (2, True)
    assert not (tmp_path / "out").exists()


def test_nor_what_one_of_many_conversions_writes(run: Run, project: Project, tmp_path: Path) -> None:
    sources = [shutil.copytree(project.source.parent, tmp_path / "zoo" / name) / "model.ckpt" for name in "ab"]
    report = tmp_path / "out" / "a" / "model.ckpt" / "report.json"
    options = [*project.arguments[1:], "-o", tmp_path / "out"]
    assert "writes itself" in run("convert", *sources, *options, "--report", report).err
    assert run("convert", *sources, *options, "--report", tmp_path / "out" / "all.json").code == 0


@pytest.mark.parametrize("link", [False, True])
def test_no_source_of_a_batch_is_replaced_by_its_neighbor(
    run: Run, project: Project, tmp_path: Path, link: bool
) -> None:
    """``a`` goes to ``out/a/model.ckpt``, where another run has left what is given as the second source."""
    first = shutil.copytree(project.source.parent, tmp_path / "zoo" / "a") / "model.ckpt"
    options = [*project.arguments[1:], "-o", tmp_path / "out", "--force"]
    assert run("convert", first, project.source, *options).code == 0
    second = tmp_path / "out" / "zoo" / "a" / "model.ckpt" / "ckpt-0"
    assert second.with_name("ckpt-0.index").is_file()
    if link:
        (tmp_path / "old" / "view.index").symlink_to(second.with_name("ckpt-0.index"))
        second = tmp_path / "old" / "view"
    before = everything(tmp_path / "out")
    done = run("convert", first, second, *options)
    assert (done.code, "is in a folder that this run writes" in done.err) == (2, True), done.err
    assert everything(tmp_path / "out") == before


def test_a_report_beside_the_checkpoint_is_fine_and_may_be_replaced(run: Run, project: Project, tmp_path: Path) -> None:
    options = ["-o", tmp_path / "out", "--report", tmp_path / "out" / "report.md", "--force"]
    for _ in range(2):
        assert run("convert", *project.arguments, *options).code == 0
    assert (tmp_path / "out" / "report.md").read_text().startswith("### ✅ ckptmap convert")


def test_two_reports_in_one_file(run: Run, project: Project, tmp_path: Path) -> None:
    (tmp_path / "link.md").symlink_to("r.html")
    for one, other in (("r.md", "r.md"), ("r.html", "link.md"), ("r.html", "x/../r.html")):
        done = run("convert", *project.arguments, "--dry-run", "--report", tmp_path / one, "--report", tmp_path / other)
        assert (done.code, "is given for two reports" in done.err) == (2, True)
    assert not (tmp_path / "r.html").exists()
    devices = ["--report", os.devnull, "--report", os.devnull, "--format", "text", "--format", "markdown"]
    assert run("convert", *project.arguments, "--dry-run", *devices).code == 0


def test_a_report_never_replaces_a_list_a_report_or_a_label_map_that_is_read(
    run: Run, project: Project, tmp_path: Path
) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text(f"{project.source}\n")
    done = run("convert", "--batch", listed, *project.arguments[1:], "--dry-run", "--report", listed)
    assert (done.code, "list.txt: is read by this command" in done.err) == (2, True)
    assert listed.read_text() == f"{project.source}\n"
    saved = tmp_path / "saved.json"
    assert run("convert", *project.arguments, "--dry-run", "--report", saved).code == 0
    before = saved.read_bytes()
    assert "is read by this command" in run("report", saved, "--format", "markdown", "-o", saved).err
    assert saved.read_bytes() == before


def test_a_report_in_place_of_a_directory(run: Run, project: Project, tmp_path: Path) -> None:
    done = run("convert", *project.arguments, "-o", tmp_path / "out", "--report", tmp_path)
    assert (done.code, "is a directory" in done.err) == (2, True)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", [DATA, "model.ckpt.index", "frozen.pb", "table.yaml", "graph.pbtxt", "link.config"])
def test_a_migrated_config_never_replaces_another_file_of_a_model(run: Run, tmp_path: Path, name: str) -> None:
    shutil.copytree(TINY, tmp_path / "m")
    for other in ("frozen.pb", "table.yaml", "graph.pbtxt"):
        (tmp_path / "m" / other).write_text("precious")
    (tmp_path / "m" / "link.config").symlink_to("model.ckpt.index")
    before = everything(tmp_path)
    done = run("config", "migrate", tmp_path / "m" / "pipeline.config", "-o", tmp_path / "m" / name, "--force")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert everything(tmp_path) == before


def test_a_migrated_config_replaces_an_earlier_one_but_no_link_to_the_old(run: Run, tmp_path: Path) -> None:
    old, new = shutil.copy(TINY / "pipeline.config", tmp_path / "old.config"), tmp_path / "new.config"
    new.write_text("earlier")
    assert run("config", "migrate", old, "-o", new, "--force").code == 0
    for link in ("soft.config", "hard.config"):
        (tmp_path / "soft.config").symlink_to("old.config") if link == "soft.config" else (
            (tmp_path / "hard.config").hardlink_to(old)
        )
        done = run("config", "migrate", old, "-o", tmp_path / link, "--force")
        assert (done.code, "is read by this command" in done.err) == (2, True)
    assert Path(old).read_bytes() == (TINY / "pipeline.config").read_bytes()


def test_names_that_no_file_can_have(run: Run, project: Project, tmp_path: Path) -> None:
    """Too long, or a circle of links: one line, and nothing is written."""
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "circle.md").symlink_to("circle.md")
    long = tmp_path / ("x" * 300)
    for folder in (long, long / "new", tmp_path / "circle", tmp_path / "circle" / "new"):
        done = run("convert", *project.arguments, "-o", folder)
        assert (done.code, done.err.count("\n"), "cannot be written" in done.err) == (2, 1, True)
    for name in (long, long / "r.md"):
        done = run("convert", *project.arguments, "--dry-run", "--report", name)
        assert (done.code, "Traceback" in done.err) == (2, False)
    assert run("diff", project.source, project.source, "-o", tmp_path / "circle.md").code == 0
    assert (tmp_path / "circle.md").is_file()  # the report took the link's place


def test_no_hidden_file_is_left_behind(run: Run, project: Project, tmp_path: Path) -> None:
    assert run("convert", *project.arguments, "-o", tmp_path / "out", "--report", tmp_path / "r.md").code == 0
    assert [path for path in tmp_path.rglob("*") if path.name.startswith(PREFIX)] == []
