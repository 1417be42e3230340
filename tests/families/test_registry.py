"""What the other rooms ask of all families."""

from __future__ import annotations

from pathlib import Path

import pytest

import ckptmap.families
from ckptmap.basics.contributions import contributions
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.inventory import Inventory, Kind, Variable
from ckptmap.families import registry
from ckptmap.families.detection.family import DETECTION
from ckptmap.families.family import Family
from ckptmap.families.registry import config_beside, families, preprocessing_of, recognize, verdict_on
from ckptmap.mapping.locate import shipped_tables
from ckptmap.targets import list_targets

NOTHING = Family("nothing", lambda *_: None, lambda *_: None)


def inventory(*names: str) -> Inventory:
    variables = {name: Variable(name, DType.FLOAT32, (3, 3, 3, 32), 3456) for name in names}
    return Inventory(Kind.V2, "model.ckpt", variables)


def test_every_family_has_a_name_of_its_own() -> None:
    names = [family.name for family in families()]
    assert len(set(names)) == len(names) > 0


def test_every_folder_with_a_family_is_in_the_list() -> None:
    folders = {path.parent.name for path in Path(ckptmap.families.__file__).parent.glob("*/family.py")}
    assert {family.recognize.__module__.split(".")[2] for family in families()} == folders


def test_what_families_contribute_is_there_and_told_apart() -> None:
    names = [name for family in contributions() for name in family.tables]
    assert len(set(names)) == len(names) > 0
    tables = [path.stem for name in names for path in shipped_tables(name).values()]
    assert sorted(tables) == sorted(set(tables)) == sorted(shipped_tables())
    cores = [path.parent.name for path in Path(ckptmap.families.__file__).parent.glob("*/core.py")]
    assert len(contributions()) == len(cores)


def test_the_first_family_with_an_answer_gives_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(registry, "families", lambda: (NOTHING, DETECTION))
    (tmp_path / "pipeline.config").write_text("model { ssd { num_classes: 3 } }")
    known = recognize(inventory("FeatureExtractor/MobilenetV2/Conv/weights"))
    assert known is not None
    assert known.name == "ssd_mobilenet_v2"
    assert verdict_on("ssd_mobilenet_v2") is not None
    assert config_beside(str(tmp_path / "model.ckpt"), None) is not None


def test_what_no_family_knows(tmp_path: Path) -> None:
    assert recognize(inventory("net/weights")) is None
    assert verdict_on("my_model") is None
    assert preprocessing_of("my_model") == ""
    assert config_beside(str(tmp_path / "model.ckpt"), None) is None


@pytest.mark.parametrize("target", [name for name in list_targets() if name != "own_code"])
def test_every_shipped_target_has_a_verdict_and_says_what_its_model_takes(target: str) -> None:
    assert verdict_on(target) is not None
    assert preprocessing_of(target).startswith("RGB ")


def test_who_normalizes_the_images() -> None:
    assert preprocessing_of("ssd_mobilenet_v2").endswith("the model's own preprocess resizes and normalizes, as in TF1")
    assert "AutoML's TF1 graph takes" in preprocessing_of("efficientdet_d1")
    assert "leaves that to its caller" in preprocessing_of("automl_efficientdet_d1")


def test_variables_that_are_no_weights_say_nothing() -> None:
    name = "FeatureExtractor/MobilenetV2/Conv/weights"
    assert recognize(inventory(name), [name]) is None
