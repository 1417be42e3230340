"""A folder with everything that a conversion needs, and runs of the command in copies of it, with faults."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pytest

import ckptmap
from tests.convert.conftest import TABLE, tf1_values, write_template, write_tf1
from tests.faults.injection import CHANGING, Order, Outcome

collect_ignore_glob = ["*"] if os.name == "nt" else []
ROOT = Path(__file__).resolve().parents[2]
COMMAND = (
    "convert", "old/model.ckpt", "--to", "zoo/ckpt-0", "--table", "table.yaml", "--num-classes", "2", "-o", "new",
)  # fmt: skip

VERBS = {
    "edit": ("edit", "old/model.ckpt", "--scope", "newer"),
    "average": ("average", "old/model.ckpt", "other/model.ckpt"),
    "back": ("convert", "tf2/ckpt-0", "--back", "tf2/report.json", "--fill", "old/model.ckpt"),
}


class Workshop:
    """``folder`` holds source, template, table, and with ``--force`` an older output."""

    def __init__(self, folder: Path, work: Path, *options: str) -> None:
        self.folder, self.work = folder, work
        self.command = [*COMMAND, *options]
        (folder / "zoo").mkdir(parents=True)
        (folder / "table.yaml").write_text(TABLE)
        write_template(folder / "zoo" / "ckpt-0", classes=3)
        self.before: dict[str, bytes] = {}
        if "--force" in options:
            self._convert_older()
            self.before = contents(folder / "new")
        write_tf1(folder / "old" / "model.ckpt", tf1_values())
        self.source = contents(folder / "old")

    def _convert_older(self) -> None:
        values = {name: value + 1 for name, value in tf1_values().items()}
        source = write_tf1(self.folder / "older" / "model.ckpt", values)
        ckptmap.convert(
            source, to=self.folder / "zoo/ckpt-0", table=self.folder / "table.yaml", output=self.folder / "new"
        )

    @classmethod
    def of_fixture(cls, folder: Path, work: Path, *options: str) -> Workshop:
        """The same with a real detector; the older output has other classes."""
        made = cls.__new__(cls)
        made.folder, made.work, made.before = folder, work, {}
        made.command = ["convert", "old/model.ckpt", "--pipeline", "old/pipeline.config", "-o", "new", *options]
        shutil.copytree(ROOT / "fixtures" / "ssd_mobilenet_v2_tiny", folder / "old")
        made.source = contents(folder / "old")
        if "--force" in options:
            config = folder / "old" / "pipeline.config"
            ckptmap.convert(folder / "old" / "model.ckpt", pipeline=config, num_classes=7, output=folder / "new")
            made.before = contents(folder / "new")
        return made

    @classmethod
    def of_verb(cls, folder: Path, work: Path, verb: str, *options: str) -> Workshop:
        """The same for another verb that makes a checkpoint; the older output is of other values."""
        made = cls(folder, work)
        with_older = "--force" in options
        source, template = folder / "old/model.ckpt", folder / "zoo/ckpt-0"
        converted = ckptmap.convert(
            source, to=template, table=folder / "table.yaml", num_classes=2, output=folder / "tf2"
        )
        assert converted["findings"] == []
        other = write_tf1(folder / "other" / "model.ckpt", {name: value + 1 for name, value in tf1_values().items()})
        if with_older:
            ckptmap.edit(other, output=folder / "new", scope="older")
            made.before = contents(folder / "new")
        made.command = [*VERBS[verb], "-o", "new", *options]
        return made

    def run(
        self, points: Sequence[int], strike: str, watched: str = "new", kinds: Sequence[str] = CHANGING
    ) -> list[Outcome]:
        self.work.mkdir(exist_ok=True)
        work = self.work / f"{len(list(self.work.iterdir()))}"
        work.mkdir()
        order = Order(str(self.folder), str(work), self.command, list(points), strike, watched, kinds)
        done = subprocess.run(
            [sys.executable, "-m", "tests.faults.injection"],
            input=json.dumps(asdict(order)),
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
        )
        assert done.returncode == 0, done.stderr
        return [Outcome(**outcome) for outcome in json.loads(done.stdout)]

    def whole_run(self, watched: str = "new", kinds: Sequence[str] = CHANGING) -> Outcome:
        """A run without a fault: its operations, and the output that it leaves."""
        (outcome,) = self.run([0], "count", watched, kinds)
        assert outcome.status == 0, outcome.message
        return outcome


def contents(folder: Path) -> dict[str, bytes]:
    """The files that a user sees."""
    if not folder.is_dir():
        return {}
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".ckptmap-")}


def spread(count: int, wanted: int) -> list[int]:
    """About ``wanted`` of the numbers below ``count``, the first and the last among them."""
    return sorted({round(place * (count - 1) / (wanted - 1)) for place in range(wanted)})


@pytest.fixture(params=["absent", "force"])
def workshop(request: pytest.FixtureRequest, tmp_path: Path) -> Workshop:
    options = ["--force"] if request.param == "force" else []
    return Workshop(tmp_path / "base", tmp_path / "work", *options)
