import json

import pytest

from tests.cli.conftest import Project, Run


def test_a_link_says_what_was_not_touched(run: Run, project: Project) -> None:
    result = run("convert", *project.arguments, "-o", project.folder / "new", "--data", "link")
    assert result.code == 0
    assert "1 of 1 checksums verified after writing, 6 values untouched (link)" in result.out


@pytest.mark.parametrize(("mode", "verified"), [("link", 7), ("copy", 7)])
def test_verify_data_reads_everything(run: Run, project: Project, mode: str, verified: int) -> None:
    arguments = ("--data", mode, "--verify-data", "--json")
    result = run("convert", *project.arguments, "-o", project.folder / "new", *arguments)
    output = json.loads(result.out)["output"]
    assert (output["data"], output["verified"], output["kept"]) == (mode, verified, 0)


def test_an_unknown_mode(run: Run, project: Project) -> None:
    result = run("convert", *project.arguments, "-o", project.folder / "new", "--data", "move")
    assert result.code == 2
    assert all(mode in result.err for mode in ("auto", "copy", "reflink", "link"))


def test_damage_needs_no_verify(project: Project, run: Run) -> None:
    data = project.source.with_name("model.ckpt.data-00000-of-00001")
    raw = bytearray(data.read_bytes())
    raw[12] ^= 1
    data.write_bytes(raw)
    refused = run("convert", *project.arguments, "-o", project.folder / "new")
    assert refused.code == 2
    assert "the checksum of net/conv/weights is wrong" in refused.err
    taken = run("convert", *project.arguments, "-o", project.folder / "new", "--no-verify")
    assert taken.code == 0
    assert "--no-verify: the checksums of the source were not compared" in taken.out
