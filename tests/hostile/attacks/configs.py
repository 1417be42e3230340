"""Attacks by pipeline configs and label maps."""

from __future__ import annotations

from pathlib import Path

from tests.fuzz.seeds import LABELS, ROOT
from tests.hostile.attacks.making import attack, float_entry, frozen_source, index_of, write

CONFIG = ("config", "migrate", "p.config", "-o", "new.config")


@attack(*CONFIG, says="messages are nested deeper than 100")
def config_nested_without_end(folder: Path) -> None:
    """Hundreds of thousands of open braces."""
    (folder / "p.config").write_text("model {" * 250_000)


@attack(*CONFIG, says="messages are nested deeper than 100")
def config_of_open_lists(folder: Path) -> None:
    """The same, of lists."""
    (folder / "p.config").write_text("a: [{" * 300_000)


@attack(*CONFIG, says="is larger than 2097152 bytes")
def config_of_a_hundred_megabytes(folder: Path) -> None:
    """A file far larger than any config."""
    (folder / "p.config").write_text("# " + "x" * (100 << 20))


@attack(*CONFIG, says="this is not a pipeline.config", heavy=True)
def config_of_half_a_million_unknown_fields(folder: Path) -> None:
    """As many mistakes as fit."""
    (folder / "p.config").write_text("x:1 " * 500_000)


@attack(*CONFIG, code=0, heavy=True)
def config_of_a_hundred_thousand_misspelt_fields(folder: Path) -> None:
    """On one line of a model's config: the nearest name is looked for, and the line taken out, for each of them."""
    text = (ROOT / "fixtures/ssd_mobilenet_v2_tiny/pipeline.config").read_text()
    misspelt = " ".join(f"batch_siz{number}: 1" for number in range(115_000))
    (folder / "p.config").write_text(text.replace("train_config {", "train_config { " + misspelt, 1))


@attack(*CONFIG, code=0, heavy=True)
def config_of_half_a_million_adjacent_strings(folder: Path) -> None:
    """One value in as many pieces as fit, in a field that is edited."""
    text = (ROOT / "fixtures/ssd_mobilenet_v2_tiny/pipeline.config").read_text()
    (folder / "p.config").write_text(text + "train_config { fine_tune_checkpoint: " + '"a" ' * 450_000 + "}")


PLANNED = ("convert", "old.pb", "--pipeline", "p.config", "--dry-run")


def sized(folder: Path, field: str, number: str) -> None:
    frozen_source(folder)
    text = (ROOT / "fixtures/ssd_mobilenet_v2_tiny/pipeline.config").read_text()
    (folder / "p.config").write_text(text.replace(f"{field}: ", f"{field}: {number}  # ", 1))


@attack(*PLANNED, says="p.config:20: num_layers lies between 0 and 100, not 100000000")
def config_of_a_hundred_million_layers(folder: Path) -> None:
    """A list of anchors as long as the config says."""
    sized(folder, "num_layers", "100000000")


@attack(*PLANNED, says="p.config:4: num_classes lies between 1 and 100000, not 2147483647")
def config_of_two_thousand_million_classes(folder: Path) -> None:
    """New class heads of terabytes."""
    sized(folder, "num_classes", "2147483647")


@attack(*PLANNED, says="p.config:4: num_classes lies between 1 and 100000, not -1")
def config_of_less_than_no_class(folder: Path) -> None:
    """Class heads without an output, or a traceback."""
    sized(folder, "num_classes", "-1")


@attack(*CONFIG, says="num_classes is a whole number")
def config_with_an_endless_number(folder: Path) -> None:
    """A class count of a hundred thousand digits."""
    (folder / "p.config").write_text("model { ssd { num_classes: " + "9" * 100_000 + " } }")


LABEL_MAPS = ("convert", "old.pb", "--to", "ssd_mobilenet_v2", "--label-map", "l.pbtxt", "l.pbtxt", "--dry-run")


@attack(*LABEL_MAPS, says="is not a class number")
def label_with_an_endless_number(folder: Path) -> None:
    """A class whose number has a hundred thousand digits."""
    frozen_source(folder)
    (folder / "l.pbtxt").write_text("item { id: " + "9" * 100_000 + " name: 'a' }")


@attack(*LABEL_MAPS, says="messages are nested deeper than 100")
def labels_nested_without_end(folder: Path) -> None:
    """Items in items."""
    frozen_source(folder)
    (folder / "l.pbtxt").write_text(LABELS.decode() + "item {" * 200_000)


FREEZE = ("freeze", "m", "--pipeline", "p.config")


def freeze_by(folder: Path, *patterns: str) -> None:
    names = [f"FeatureExtractor/MobilenetV2/expanded_conv_{n}/expand/weights" for n in range(200)]
    write(folder, index_of(*((name.encode(), float_entry(1, size=4)) for name in sorted(names))), bytes(4))
    fields = " ".join(f"freeze_variables: '{pattern}'" for pattern in patterns)
    (folder / "p.config").write_text(f"train_config {{ {fields} }}")


@attack(*FREEZE, says="was not done after 10 seconds")
def freeze_pattern_that_never_ends(folder: Path) -> None:
    """A repeat in a repeat: Python's regular expressions try every way to divide the name."""
    freeze_by(folder, "(([A-Za-z0-9/_]+)+)+!")


@attack(*FREEZE, says="too many groups in groups")
def freeze_pattern_nested_without_end(folder: Path) -> None:
    """Groups in groups, for which the parser of regular expressions runs out of stack."""
    freeze_by(folder, "(" * 100_000 + ")" * 100_000)


@attack(*FREEZE, says="is not a regular expression")
def freeze_pattern_with_an_endless_repeat(folder: Path) -> None:
    """A repetition number beyond all that the engine counts."""
    freeze_by(folder, "a{99999999999999999999}")


@attack(*FREEZE, says="there are 40,000, at most 1,000")
def freeze_patterns_by_the_thousand(folder: Path) -> None:
    """As many patterns that match nothing as fit into a config, for each of which the nearest scope is looked for."""
    freeze_by(folder, *(f"FeatureExtractr{n}/" for n in range(40_000)))


@attack(*FREEZE, code=1)
def freeze_pattern_of_a_megabyte(folder: Path) -> None:
    """One that matches nothing and is as long as a config can be."""
    freeze_by(folder, "FeatureExtractor/Mobilenet" * 40_000)
