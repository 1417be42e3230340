"""Attacks by pipeline configs and label maps."""

from __future__ import annotations

from pathlib import Path

from tests.fuzz.seeds import LABELS
from tests.hostile.attacks.making import attack, frozen_source

CONFIG = ("config", "migrate", "p.config", "-o", "new.config")


@attack(*CONFIG)
def config_nested_without_end(folder: Path) -> None:
    """Hundreds of thousands of open braces."""
    (folder / "p.config").write_text("model {" * 250_000)


@attack(*CONFIG)
def config_of_open_lists(folder: Path) -> None:
    """The same, of lists."""
    (folder / "p.config").write_text("a: [" * 400_000)


@attack(*CONFIG)
def config_of_a_hundred_megabytes(folder: Path) -> None:
    """A file far larger than any config."""
    (folder / "p.config").write_text("# " + "x" * (100 << 20))


@attack(*CONFIG, heavy=True)
def config_of_half_a_million_unknown_fields(folder: Path) -> None:
    """As many mistakes as fit, for each of which the nearest name is looked for."""
    (folder / "p.config").write_text("x:1 " * 500_000)


@attack(*CONFIG)
def config_with_an_endless_number(folder: Path) -> None:
    """A class count of a hundred thousand digits."""
    (folder / "p.config").write_text("model { ssd { num_classes: " + "9" * 100_000 + " } }")


LABEL_MAPS = ("convert", "old.pb", "--to", "ssd_mobilenet_v2", "--label-map", "l.pbtxt", "l.pbtxt", "--dry-run")


@attack(*LABEL_MAPS)
def label_with_an_endless_number(folder: Path) -> None:
    """A class whose number has a hundred thousand digits."""
    frozen_source(folder)
    (folder / "l.pbtxt").write_text("item { id: " + "9" * 100_000 + " name: 'a' }")


@attack(*LABEL_MAPS)
def labels_nested_without_end(folder: Path) -> None:
    """Items in items."""
    frozen_source(folder)
    (folder / "l.pbtxt").write_text(LABELS.decode() + "item {" * 200_000)
